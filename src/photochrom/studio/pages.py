"""What the page asks for: its own files, the wall, and one photograph at a time. Let in by the same gate as /v1."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from photochrom.errors import OptionError
from photochrom.studio import films, masks, tiles
from photochrom.studio.album import zipped
from photochrom.studio.bodies import read_json
from photochrom.studio.desk import AFTER, BEFORE, RESULTS, THUMBNAIL, Desk
from photochrom.studio.develop import media_type
from photochrom.studio.looks import Shown, sent
from photochrom.studio.problems import HttpError
from photochrom.studio.wall import TOPIC, Item
from photochrom.studio.workers import LATER

Answer = TypeVar("Answer")
PAGE = Path(str(files("photochrom.studio"))) / "page"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".json": "application/json",
}
PICTURES = {"before": BEFORE, "after": AFTER, "thumbnail": THUMBNAIL, "strip": films.STRIP_NAME}
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
AT_ONCE = 2
"""Previews made at a time; more would only wait for each other."""
MOST_REFERENCES = 8


class Pages:
    """The handlers of the page."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.wall = desk, desk.wall
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._page = {path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.is_file()}

    @property
    def routes(self) -> list[Route]:
        """Return which address is answered by whom."""
        one = "/studio/photos/{id}"
        return [
            Route("/", self.index),
            Route("/page/{name:path}", self.page_file),
            Route("/studio/events", self.events),
            Route("/studio/photos", self.hang, methods=["POST"]),
            Route("/studio/samples", self.hang_samples, methods=["POST"]),
            Route("/studio/album", self.develop_all, methods=["POST"]),
            Route("/studio/album.zip", self.album),
            Route(one, self.take_down, methods=["DELETE"]),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
            Route(f"{one}/again", self.again, methods=["POST"]),
            Route(f"{one}/look", self.change_look, methods=["PUT"]),
            Route(f"{one}/preview", self.preview, methods=["POST"]),
            Route(f"{one}/questions", self.questions, methods=["POST"]),
            Route(f"{one}/versions", self.versions, methods=["POST"]),
            Route(f"{one}/uncertainty", self.uncertainty, methods=["POST"]),
            Route(f"{one}/references", self.add_reference, methods=["POST"]),
            Route(f"{one}/references", self.drop_references, methods=["DELETE"]),
            Route(f"{one}/mask", self.search, methods=["POST"]),
            Route(f"{one}/mask", self.correct, methods=["PUT"]),
            Route(f"{one}/mask", self.mask),
            Route(f"{one}/save", self.save, methods=["POST"]),
            Route(f"{one}/hints.json", self.hints),
            Route(f"{one}/tiles/{{side}}/{{level:int}}/{{column:int}}/{{row:int}}", self.tile),
            Route(f"{one}/files/{{label}}", self.made),
            Route(f"{one}/{{side}}", self.picture),
        ]

    async def index(self, request: Request) -> Response:
        """The page."""
        return FileResponse(
            self._page["index.html"], media_type=MEDIA_TYPES[".html"], headers={"Cache-Control": "no-cache"}
        )

    async def page_file(self, request: Request) -> Response:
        """A file of the page; others are not known by any name."""
        path = self._page.get(request.path_params["name"])
        if path is None or path.suffix not in MEDIA_TYPES:
            raise HttpError(404, "there is nothing here")
        return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers={"Cache-Control": "no-cache"})

    async def events(self, request: Request) -> Response:
        """Tell of the wall: everything once, then what changes."""
        if self.desk.parts.changes.is_crowded:
            raise HttpError(429, "too many are watching", headers={"Retry-After": "10"})
        return StreamingResponse(self._told(), media_type="text/event-stream")

    async def _told(self) -> AsyncIterator[bytes]:
        told: dict[str, dict[str, Any]] = {}
        async for changed in self.desk.parts.changes.watch(TOPIC):
            if not changed:
                yield b": still here\n\n"
                continue
            state = self.wall.state()
            now = {photo["id"]: photo for photo in state.pop("photos")}
            state["changed"] = [photo for identity, photo in now.items() if told.get(identity) != photo]
            state["removed"] = [identity for identity in told if identity not in now]
            told = now
            yield f"data: {json.dumps(state)}\n\n".encode()

    async def hang(self, request: Request) -> Response:
        """Hang an upload."""
        values = await self._values(request)
        item = await asyncio.to_thread(self._hung, str(values.get("upload")))
        return JSONResponse(item.told(), 201)

    def _hung(self, upload: str) -> Item:
        identity, folder = self.desk.parts.store.new("photos")
        try:
            stored, name = self.desk.parts.uploads.hand_over(upload, folder, "original")
        except BaseException:
            self.desk.parts.store.remove(folder)
            raise
        return self.wall.add(name, folder / stored, identity, film=films.is_film(name))

    async def hang_samples(self, request: Request) -> Response:
        """Hang the sample pictures."""
        for name, path in self._page.items():
            if name.startswith("samples/"):
                identity, folder = self.desk.parts.store.new("photos")
                shutil.copyfile(path, folder / f"original{path.suffix}")
                self.wall.add(path.name, folder / f"original{path.suffix}", identity)
        return Response(status_code=204)

    async def take_down(self, request: Request) -> Response:
        """Take a photograph down."""
        await asyncio.to_thread(self.wall.remove, self._item(request).id)
        return Response(status_code=204)

    async def stop(self, request: Request) -> Response:
        """Stop making a photograph's thumbnail."""
        await asyncio.to_thread(self.wall.stop, self._item(request).id)
        return Response(status_code=204)

    async def again(self, request: Request) -> Response:
        """Make a photograph's thumbnail again."""
        await asyncio.to_thread(self.wall.begin, self._item(request).id)
        return Response(status_code=204)

    async def change_look(self, request: Request) -> Response:
        """Let a photograph be coloured otherwise."""
        item, look = self._item(request), await self._values(request)
        item = await asyncio.to_thread(self.desk.change_look, item, look)
        await asyncio.to_thread(self.wall.begin, item.id, 0)
        return JSONResponse(self.wall.find(item.id).told())

    async def preview(self, request: Request) -> Response:
        """Show a look that is not kept yet."""
        folder, look = self._folder(request), await self._values(request)
        result = await self._quick(partial(self.desk.looks.run, folder, look))
        picture = await asyncio.to_thread(sent, result.photo)
        return Response(picture, media_type="image/jpeg", headers=_notes(result.notes))

    async def questions(self, request: Request) -> Response:
        """What the net would like to know."""
        folder, look = self._folder(request), await self._values(request)
        found = await self._quick(partial(self.desk.looks.questions, folder, look, 5))
        return JSONResponse({"questions": [asdict(question) for question in found]})

    async def versions(self, request: Request) -> Response:
        """Other ways to colour it."""
        folder, look = self._folder(request), await self._values(request)
        shown: list[Shown] = await self._quick(partial(self.desk.looks.versions, folder, look, 4))
        told = [
            {"picture": f"data:image/webp;base64,{base64.b64encode(one.picture).decode()}", "notes": one.notes}
            for one in shown
        ]
        return JSONResponse({"versions": told})

    async def uncertainty(self, request: Request) -> Response:
        """Where the net guesses."""
        folder, look = self._folder(request), await self._values(request)
        return Response(await self._quick(partial(self.desk.looks.uncertainty, folder, look)), media_type="image/png")

    async def add_reference(self, request: Request) -> Response:
        """Let another photograph lend its colours."""
        item, folder = self._item(request), self._folder(request)
        taken = len(list(folder.glob("reference-*")))
        if taken >= MOST_REFERENCES:
            raise OptionError(f"{MOST_REFERENCES} references are taken already", where="reference")
        upload = str((await self._values(request)).get("upload"))
        stored, _ = await asyncio.to_thread(self.desk.parts.uploads.hand_over, upload, folder, f"reference-{taken}")
        try:
            await self._quick(partial(self.desk.looks.run, folder, item.look))
        except BaseException:
            (folder / stored).unlink()  # it cannot be read, or has no colours
            raise
        return await self._looked_anew(item)

    async def drop_references(self, request: Request) -> Response:
        """Take no colours of others any more."""
        for path in self._folder(request).glob("reference-*"):
            path.unlink()
        return await self._looked_anew(self._item(request))

    async def _looked_anew(self, item: Item) -> Response:
        item = await asyncio.to_thread(self.desk.change_look, item, item.look)
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
        await asyncio.to_thread(masks.correct_mask, self._folder(request), strokes)
        await asyncio.to_thread(self.desk.change_look, self._item(request), self._item(request).look)
        return await self.mask(request)

    async def mask(self, request: Request) -> Response:
        """The mask as an overlay."""
        return Response(await asyncio.to_thread(masks.overlay, self._folder(request)), media_type="image/png")

    async def save(self, request: Request) -> Response:
        """Make a photograph at full size, and write it beside an original."""
        values = await self._values(request)
        save, overwrite = bool(values.get("save", True)), bool(values.get("overwrite"))
        item = await asyncio.to_thread(self.desk.develop, self._item(request), save=save, overwrite=overwrite)
        return JSONResponse(item.told(), 202)

    async def hints(self, request: Request) -> Response:
        """A photograph's hints, as a file for the command line."""
        item = self._item(request)
        name = json.dumps(f"{Path(item.name).stem}.hints.json").encode("ascii", "replace").decode()
        headers = {"Content-Disposition": f"attachment; filename={name}"}
        return Response(self.desk.hint_sheet(item).as_json(), media_type="application/json", headers=headers)

    async def tile(self, request: Request) -> Response:
        """A tile of the light table."""
        item, given = self._item(request), request.path_params
        if given["side"] not in {"before", "after"} or not item.width:
            raise HttpError(404, "there is no such tile")
        path = await asyncio.to_thread(self.desk.pyramid, item, given["side"])
        if path is None:
            raise HttpError(404, "not made at full size yet")
        content, kind = await asyncio.to_thread(tiles.tile, path, given["level"], given["column"], given["row"])
        return Response(content, media_type=kind, headers=FOREVER)

    async def made(self, request: Request) -> Response:
        """Fetch what was made at full size."""
        item, label = self._item(request), request.path_params["label"]
        if label not in item.files:
            raise HttpError(404, "there is no such file of this photograph", next_step="Save it first")
        stored, name = item.files[label]
        path = self._folder(request) / RESULTS / stored
        kind = "video/mp4" if path.suffix == films.RESULT_SUFFIX else media_type(path)
        return FileResponse(path, media_type=kind, filename=name)

    async def picture(self, request: Request) -> Response:
        """A photograph at screen size, before or after, its thumbnail, or a film's strip."""
        name = PICTURES.get(request.path_params["side"])
        path = self._folder(request) / name if name else None
        if path is None or not path.exists():
            raise HttpError(404, "there is no such picture of this photograph")
        headers = FOREVER if "r" in request.query_params else None
        return FileResponse(path, media_type="image/webp", headers=headers)

    async def develop_all(self, request: Request) -> Response:
        """Make everything at full size, one after the other."""
        save = bool((await self._values(request)).get("save"))
        for item in self.wall.all():
            if item.state == "done" and item.kind == "photo":
                await asyncio.to_thread(self.desk.develop, item, save=save, priority=LATER)
        return Response(status_code=204)

    async def album(self, request: Request) -> Response:
        """All results in one file."""
        made = [item for item in self.wall.all() if item.full == "done"]
        if not made:
            raise HttpError(404, "nothing is made at full size yet")
        entries = [
            (str(Path(item.name).with_name(name)), self.wall.folder_of(item) / RESULTS / stored)
            for item in made
            for stored, name in item.files.values()
        ]
        headers = {"Content-Disposition": 'attachment; filename="photochrom-album.zip"'}
        return StreamingResponse(zipped(entries), media_type="application/zip", headers=headers)

    async def _quick(self, work: Callable[[], Answer]) -> Answer:
        async with self._slots:
            return await asyncio.to_thread(work)

    async def _values(self, request: Request) -> dict[str, Any]:
        values = await read_json(request, silence_s=self.desk.parts.options.body_timeout_s)
        if not isinstance(values, dict):
            raise HttpError(400, "the body is no JSON object")
        return values

    def _item(self, request: Request) -> Item:
        return self.wall.find(request.path_params["id"])

    def _folder(self, request: Request) -> Path:
        return self.wall.folder_of(self._item(request))


def _notes(notes: tuple[str, ...]) -> dict[str, str]:
    return {"Photochrom-Notes": json.dumps(notes)[:4000]}
