"""What all handlers of the page begin with: which photograph is meant, and what was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request

from photochrom.studio.bodies import read_json
from photochrom.studio.desk import Desk
from photochrom.studio.problems import HttpError
from photochrom.studio.wall import Item

ONE = "/studio/photos/{id}"
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


class Handlers:
    """Handlers that work at a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.wall = desk, desk.wall

    async def _values(self, request: Request) -> dict[str, Any]:
        values = await read_json(request, silence_s=self.desk.parts.options.body_timeout_s)
        if not isinstance(values, dict):
            raise HttpError(400, "the body is no JSON object")
        return values

    def _item(self, request: Request) -> Item:
        return self.wall.find(request.path_params["id"])

    def _place(self, request: Request) -> Path:
        folder = self.desk.place_of(self._item(request), request.query_params.get("frame", ""))
        if not folder.is_dir():
            raise HttpError(404, "there is no such frame")
        return folder

    def _folder(self, request: Request) -> Path:
        return self.wall.folder_of(self._item(request))
