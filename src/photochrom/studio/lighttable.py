"""What the light table asks for: one photograph, or one of a film's frames, looked at and changed."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from photochrom.errors import OptionError
from photochrom.studio import films, hintfiles, masks, tiles
from photochrom.studio.desk import Desk
from photochrom.studio.handlers import FOREVER, ONE, Handlers
from photochrom.studio.looks import Shown, decided, references_in, sent
from photochrom.studio.problems import HttpError, noted
from photochrom.studio.wall import Item

Answer = TypeVar("Answer")
AT_ONCE = 2
"""Previews made at a time; more would only wait for each other."""
MOST_REFERENCES = 8
ASKED_HEADER = "Photochrom-Asked"
"""Of how many changes of what is asked of a photograph the page knows."""


class LightTable(Handlers):
    """The handlers of the light table."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        # Threads of their own: each thread that ever held a photograph's planes keeps some of their memory.
        self._threads = ThreadPoolExecutor(AT_ONCE, "photochrom-looks")
        self._lending = asyncio.Lock()  # references are numbered as they come

    @property
    def routes(self) -> list[Route]:
        """Return which address is answered by whom."""
        return [
            Route(f"{ONE}/look", self.look),
            Route(f"{ONE}/look", self.change_look, methods=["PUT"]),
            Route(f"{ONE}/preview", self.preview, methods=["POST"]),
            Route(f"{ONE}/questions", self.questions, methods=["POST"]),
            Route(f"{ONE}/versions", self.versions, methods=["POST"]),
            Route(f"{ONE}/uncertainty", self.uncertainty, methods=["POST"]),
            Route(f"{ONE}/references", self.add_reference, methods=["POST"]),
            Route(f"{ONE}/references", self.drop_references, methods=["DELETE"]),
            Route(f"{ONE}/mask", self.search, methods=["POST"]),
            Route(f"{ONE}/mask", self.correct, methods=["PUT"]),
            Route(f"{ONE}/mask", self.mask),
            Route(f"{ONE}/mask/strokes", self.strokes),
            Route(f"{ONE}/hints.json", self.hints),
            Route(f"{ONE}/hints.zip", self.film_hints),
            Route(f"{ONE}/tiles/{{side}}/{{level:int}}/{{column:int}}/{{row:int}}", self.tile),
            Route(f"{ONE}/frames", self.take_frame, methods=["POST"]),
            Route(f"{ONE}/shots/{{number:int}}", self.shot),
        ]

    async def look(self, request: Request) -> Response:
        """How a photograph is to look, and what else is told of it."""
        return JSONResponse(self._item(request).told())

    async def change_look(self, request: Request) -> Response:
        """Let a photograph be coloured otherwise, unless more was asked of it than the header knows of."""
        item, look, known = self._item(request), await self._values(request), request.headers.get(ASKED_HEADER)
        if known is not None and not known.isdecimal():
            raise OptionError("should be the number of changes that are known", where=ASKED_HEADER)
        asked = int(known) if known else None
        item = await asyncio.to_thread(partial(self.desk.change_look, item, look, asked))
        await asyncio.to_thread(self.wall.begin, item.id, 0)
        # Of this change, though another one may have followed.
        return JSONResponse({**self.wall.find(item.id).told(), "look": item.look, "asked": item.asked})

    async def preview(self, request: Request) -> Response:
        """Show a look that is not kept yet."""
        folder, look = await self._asked(request)
        picture, notes = await self._quick(partial(self._previewed, folder, look))
        return Response(picture, media_type="image/jpeg", headers=noted(notes))

    def _previewed(self, folder: Path, look: dict[str, Any]) -> tuple[bytes, tuple[str, ...]]:
        result = self.desk.looks.run(folder, look)
        return sent(result.photo), decided(result)

    async def questions(self, request: Request) -> Response:
        """What the net would like to know."""
        folder, look = await self._asked(request)
        found = await self._quick(partial(self.desk.looks.questions, folder, look, 5))
        return JSONResponse({"questions": [asdict(question) for question in found]})

    async def versions(self, request: Request) -> Response:
        """Other ways to colour it."""
        folder, look = await self._asked(request)
        shown: list[Shown] = await self._quick(partial(self.desk.looks.versions, folder, look, 4))
        told = [
            {"picture": f"data:image/webp;base64,{base64.b64encode(one.picture).decode()}", "notes": one.notes}
            for one in shown
        ]
        return JSONResponse({"versions": told})

    async def uncertainty(self, request: Request) -> Response:
        """Where the net guesses."""
        folder, look = await self._asked(request)
        return Response(await self._quick(partial(self.desk.looks.uncertainty, folder, look)), media_type="image/png")

    async def take_frame(self, request: Request) -> Response:
        """Hold one of a film's frames ready to say colours in."""
        item, seconds = self._item(request), (await self._values(request)).get("at_s")
        if item.kind != "film" or not isinstance(seconds, int | float) or not 0 <= seconds < 1e6:
            raise OptionError("should be a time of a film, in seconds", where="at_s")
        return JSONResponse({"frame": await asyncio.to_thread(self.desk.take_frame, item, float(seconds))}, 201)

    async def shot(self, request: Request) -> Response:
        """A frame of a film's shot, small."""
        path = films.shot_path(self._folder(request), request.path_params["number"])
        if not path.exists():
            raise HttpError(404, "there is no such shot")
        return FileResponse(path, media_type="image/webp", headers=FOREVER)

    async def add_reference(self, request: Request) -> Response:
        """Let another photograph lend its colours."""
        upload = str((await self._values(request)).get("upload"))
        async with self._lending:
            return await self._lent(self._item(request), self._folder(request), upload)

    async def _lent(self, item: Item, folder: Path, upload: str) -> Response:
        taken = len(references_in(folder))
        if taken >= MOST_REFERENCES:
            raise OptionError(f"{MOST_REFERENCES} references are taken already", where="reference")
        stored, name = await asyncio.to_thread(self.desk.parts.uploads.hand_over, upload, folder, f"reference-{taken}")
        try:
            look = films.look_of_frame(item.look, item.frame) if item.kind == "film" else item.look
            await self._quick(partial(self.desk.looks.run, folder, look))
        except BaseException:
            (folder / stored).unlink()  # it cannot be read, or has no colours
            self.desk.parts.store.settle(folder)
            raise
        return await self._looked_anew(item, references=(*self.wall.find(item.id).references, name))

    async def drop_references(self, request: Request) -> Response:
        """Take no colours of others any more."""
        async with self._lending:
            for path in self._folder(request).glob("reference-*"):
                path.unlink()
            return await self._looked_anew(self._item(request), references=())

    async def _looked_anew(self, item: Item, **values: Any) -> Response:
        item = await asyncio.to_thread(partial(self.desk.ask_anew, item, **values))
        await asyncio.to_thread(self.wall.begin, item.id, 0)
        return JSONResponse(item.told())

    async def search(self, request: Request) -> Response:
        """Search for damage at full size."""
        item, loop, found = self._item(request), asyncio.get_running_loop(), asyncio.Event()
        self.desk.find_damage(item, lambda: loop.call_soon_threadsafe(found.set))
        await found.wait()
        return await self.mask(request)

    async def correct(self, request: Request) -> Response:
        """Correct the mask by strokes."""
        values = await self._values(request)
        strokes = masks.checked_strokes(values.get("strokes"))
        item = await asyncio.to_thread(self.desk.correct_mask, self._item(request), strokes)
        await asyncio.to_thread(self.wall.begin, item.id, 0)
        return await self.mask(request)

    async def strokes(self, request: Request) -> Response:
        """The strokes by which the mask was corrected, for a page that is opened again."""
        found, strokes = await asyncio.to_thread(masks.kept_strokes, self._folder(request))
        return JSONResponse({"found": found, "strokes": strokes})

    async def mask(self, request: Request) -> Response:
        """The mask as an overlay."""
        return Response(await asyncio.to_thread(masks.overlay, self._folder(request)), media_type="image/png")

    async def hints(self, request: Request) -> Response:
        """A photograph's hints, as a file for the command line."""
        item = self._item(request)
        if item.kind == "film" or not item.identity:
            raise HttpError(404, "there is no such file of this photograph")
        content = self.desk.hint_sheet(item).as_json()
        return Response(content, media_type="application/json", headers=_attached(f"{Path(item.name).stem}.hints.json"))

    async def film_hints(self, request: Request) -> Response:
        """The hints of a film's frames, as a folder for the command line, packed."""
        item = self._item(request)
        if item.kind != "film":
            raise HttpError(404, "there is no such file of this photograph")
        stem = Path(item.name).stem
        content = hintfiles.zipped_frames(item.look.get("frames", {}), stem)
        return Response(content, media_type="application/zip", headers=_attached(f"{stem}.hints.zip"))

    async def tile(self, request: Request) -> Response:
        """A tile of the light table."""
        item, given = self._item(request), request.path_params
        if given["side"] not in {"before", "after"} or not item.width:
            raise HttpError(404, "there is no such tile")
        path = await asyncio.to_thread(self.desk.darkroom.pyramid, item, given["side"])
        if path is None:
            raise HttpError(404, "not made at full size yet")
        content, kind = await asyncio.to_thread(tiles.tile, path, given["level"], given["column"], given["row"])
        return Response(content, media_type=kind, headers=FOREVER)

    async def _quick(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _asked(self, request: Request) -> tuple[Path, dict[str, Any]]:
        """Return where a photograph, or the frame of a film that is asked for, lies, and how it is to look."""
        item, look = self._item(request), await self._values(request)
        if item.kind == "film":
            look = films.look_of_frame(look, request.query_params.get("frame", item.frame))
        return self._place(request), look


def _attached(name: str) -> dict[str, str]:
    encoded = quote(name, safe="")  # RFC 6266: names of other than plain letters have a form of their own
    told = f'filename="{name}"' if encoded == name else f"filename*=UTF-8''{encoded}"
    return {"Content-Disposition": f"attachment; {told}"}
