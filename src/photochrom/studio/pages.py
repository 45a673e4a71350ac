"""What the page asks for: its own files, and the wall. Let in by the same gate as /v1."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from photochrom.studio import films
from photochrom.studio.album import AlbumFile, zipped
from photochrom.studio.darkroom import RESULTS
from photochrom.studio.desk import AFTER, THUMBNAIL, Desk
from photochrom.studio.develop import media_type
from photochrom.studio.handlers import FOREVER, ONE, Handlers
from photochrom.studio.lighttable import LightTable
from photochrom.studio.plain import PlainPage
from photochrom.studio.problems import HttpError
from photochrom.studio.sources import BEFORE
from photochrom.studio.wall import TOPIC, Item
from photochrom.studio.workers import LATER

PAGE = Path(str(files("photochrom.studio"))) / "page"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".jpg": "image/jpeg",
    ".txt": "text/plain; charset=utf-8",
}
PICTURES = {"before": BEFORE, "after": AFTER, "thumbnail": THUMBNAIL}


class Pages(Handlers):
    """The handlers of the page."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._plain = PlainPage(desk.parts.sessions)
        self._page = {path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.is_file()}

    @property
    def routes(self) -> list[Route]:
        """Return which address is answered by whom."""
        return [
            Route("/", self.index),
            Route("/page/{name:path}", self.page_file),
            Route("/try/{name:path}", self.plain_page),
            Route("/studio/events", self.events),
            Route("/studio/photos", self.hang, methods=["POST"]),
            Route("/studio/samples", self.hang_samples, methods=["POST"]),
            Route("/studio/album", self.develop_all, methods=["POST"]),
            Route("/studio/album.zip", self.album),
            Route(ONE, self.take_down, methods=["DELETE"]),
            Route(f"{ONE}/stop", self.stop, methods=["POST"]),
            Route(f"{ONE}/again", self.again, methods=["POST"]),
            Route(f"{ONE}/save", self.save, methods=["POST"]),
            Route(f"{ONE}/files/{{label}}", self.made),
            *LightTable(self.desk).routes,
            Route(f"{ONE}/{{side}}", self.picture),
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

    async def plain_page(self, request: Request) -> Response:
        """A file of the page that needs no server."""
        name = request.path_params["name"]
        content = await asyncio.to_thread(self._plain.file, name)
        if content is None:
            raise HttpError(404, "there is nothing here")
        kind = MEDIA_TYPES.get(Path(name or "index.html").suffix, "application/octet-stream")
        return Response(content, media_type=kind)

    async def events(self, request: Request) -> Response:
        """Tell of the wall: everything once, then what changes."""
        if self.desk.parts.changes.is_crowded:
            raise HttpError(429, "too many are watching", headers={"Retry-After": "10"})
        return StreamingResponse(self._told(), media_type="text/event-stream")

    async def _told(self) -> AsyncIterator[bytes]:
        told: dict[str, Item] | None = None
        async for changed in self.desk.parts.changes.watch(TOPIC):
            if not changed:
                yield b": still here\n\n"
                continue
            made = self.wall.changes_made  # before the photographs are looked at, which are at least as new
            now = {item.id: item for item in self.wall.all()}
            known = told or {}
            # A changed photograph is another object: hundreds that have not changed cost a look each.
            changes = [item.told() for identity, item in now.items() if known.get(identity) is not item]
            state = {"changed": changes, "removed": [identity for identity in known if identity not in now]}
            state["whole"] = told is None
            state |= {**self.wall.left(), "plain": self._plain.is_there, "changes_made": made}
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
        await asyncio.to_thread(self.desk.take_down, self._item(request))
        return Response(status_code=204)

    async def stop(self, request: Request) -> Response:
        """Stop what is being made of a photograph."""
        await asyncio.to_thread(self.desk.stop, self._item(request))
        return Response(status_code=204)

    async def again(self, request: Request) -> Response:
        """Make a photograph's thumbnail again."""
        await asyncio.to_thread(self.wall.begin, self._item(request).id)
        return Response(status_code=204)

    async def save(self, request: Request) -> Response:
        """Make a photograph at full size, and write it beside an original; the answer tells as the news do."""
        values = await self._values(request)
        save, overwrite = bool(values.get("save", True)), bool(values.get("overwrite"))
        item = await asyncio.to_thread(self.desk.develop, self._item(request), save=save, overwrite=overwrite)
        return JSONResponse({**item.told(), "changes_made": self.wall.changes_made}, 202)

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
        """A photograph at screen size, before or after, or its thumbnail; of a film, one of its frames."""
        name = PICTURES.get(request.path_params["side"])
        headers = FOREVER if "r" in request.query_params else None
        try:
            # At once: a response that first asks for the length ends early where the picture is written anew meanwhile.
            content = await asyncio.to_thread((self._place(request) / name).read_bytes) if name else None
        except FileNotFoundError:
            content = None
        if content is None:
            raise HttpError(404, "there is no such picture of this photograph")
        return Response(content, media_type="image/webp", headers=headers)

    async def develop_all(self, request: Request) -> Response:
        """Make every photograph at full size, one after the other; films that are made are saved, others named.

        What has failed, or was stopped, is left out and named, with the reason. News that tell of as many changes as
        the answer tell of all that this has begun.
        """
        save, films_left, left_out, begun = bool((await self._values(request)).get("save")), [], [], []
        for item in self.wall.all():
            if item.full != "done" and item.kind == "film":
                films_left.append(item.name)
            elif item.full != "done" and item.state in {"failed", "stopped"}:
                why = {"why": item.error or f"{item.name}: stopped", "kind": item.error_kind}
                left_out.append({"id": item.id, "name": item.name, **why})
            else:
                await asyncio.to_thread(self.desk.develop, item, save=save, priority=LATER)
                begun.append(item.id)
        told = {"films_left": films_left, "left_out": left_out, "begun": begun}
        return JSONResponse({**told, "changes_made": self.wall.changes_made})

    async def album(self, request: Request) -> Response:
        """All results in one file."""
        made = [item for item in self.wall.all() if item.full == "done"]
        if not made:
            raise HttpError(404, "nothing is made at full size yet")
        entries = [
            AlbumFile(str(Path(item.name).with_name(name)), self.wall.folder_of(item) / RESULTS / stored, item.name)
            for item in made
            for stored, name in item.files.values()
        ]
        headers = {"Content-Disposition": 'attachment; filename="photochrom-album.zip"'}
        return StreamingResponse(zipped(entries), media_type="application/zip", headers=headers)
