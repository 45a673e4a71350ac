"""The work on the wall's photographs: thumbnails, what is asked of one, and results at full size."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from photochrom.albums.album import COLORED_MARK, look_through, result_beside
from photochrom.albums.manifest import Manifest
from photochrom.albums.recipe import recipe_path
from photochrom.errors import OutputError, PhotochromError, PhotoNotFoundError
from photochrom.files.codecs.atomic import Aside, write_whole
from photochrom.files.originals import Originals
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.hints.sheet import HINTS_SUFFIX, HintSheet, PhotoIdentity, read_hints
from photochrom.options import RestoreOptions
from photochrom.studio import films
from photochrom.studio.album import entries_of
from photochrom.studio.develop import Order, develop
from photochrom.studio.looks import THUMBNAIL_PX, THUMBNAIL_QUALITY, Looks, encoded, references_in, shrunk
from photochrom.studio.masks import MASK_NAME, find_mask
from photochrom.studio.parts import Parts
from photochrom.studio.problems import HttpError
from photochrom.studio.requests import checked_request
from photochrom.studio.stopping import Stop
from photochrom.studio.tiles import build_pyramid
from photochrom.studio.wall import Item, Wall
from photochrom.studio.workers import LAST, USUAL

BEFORE, AFTER, THUMBNAIL = "before.webp", "after.webp", "thumbnail.webp"
PYRAMIDS = {"before": "before.tif", "after": "after.tif"}
RESULTS = "results"
TELL_EVERY_S = 0.5


class Desk:
    """Works on photographs of the wall: those of a folder, those dropped, and those of an earlier studio.

    Attributes:
        parts: of the server.
        looks: shows photographs at screen size.
        wall: the photographs.

    Raises:
        PhotoNotFoundError: the folder holds none.
    """

    def __init__(self, parts: Parts, folder: Path | None = None) -> None:
        self.folder = folder
        self.parts, self.looks = parts, Looks(parts.sessions, parts.limits)
        self._searched: set[str] = set()
        self._building = threading.Lock()
        self.wall = Wall(parts.store, parts.workers, parts.changes, self.prepare)
        self.wall.go_on()
        for item in self.wall.all():
            if item.kind == "film" and item.state == "done" and not item.shots:
                self.find_shots(item)
        if folder is not None:
            self.hang_folder(folder)

    def hang_folder(self, folder: Path) -> None:
        """Hang the photographs and films of a folder that do not hang yet; results beside them are left out.

        Raises:
            PhotoNotFoundError: it holds none.
        """
        moving = [path for path in sorted(folder.rglob("*")) if films.is_film(path.name) and path.is_file()]
        try:
            paths = [*look_through(folder).photos, *moving]
        except PhotoNotFoundError:
            if not moving:
                raise
            paths = moving
        present = {path.with_suffix("") for path in paths}
        for path in paths:
            bare = path.with_name(path.stem.removesuffix(COLORED_MARK))
            is_result = path.stem.endswith(COLORED_MARK) and bare in present
            if not is_result and not self.wall.holds(path):
                identity, _ = self.parts.store.new("photos")
                name = path.relative_to(folder).as_posix()
                self.wall.add(name, path, identity, is_original=True, film=films.is_film(path.name))

    def prepare(self, item: Item, stop: Stop) -> dict[str, Any]:
        """Make a photograph's small copy and thumbnail; return what is known then."""
        try:
            return self._prepared(item, stop)
        except Exception as error:  # noqa: BLE001 - a defect met by one photograph must not cost the others
            return {"state": "failed", "error": _sentence(error, item), "error_kind": type(error).__name__}

    def _prepared(self, item: Item, stop: Stop) -> dict[str, Any]:
        folder, values = self.wall.folder_of(item), dict[str, Any]()
        if not (folder / BEFORE).exists():
            if item.kind == "film":
                values["frame"], photo = films.frame_at(Path(item.path), None, self.parts.limits)
            else:
                photo = open_photo(item.path, limits=self.parts.limits)
            stop.check()
            self._keep_small(photo, folder)
            identity = PhotoIdentity.of(photo).model_dump()
            values |= {"width": photo.width, "height": photo.height, "identity": identity}
            values |= {"look": item.look or self._known_look(item, photo)}
            del photo
        look = values.get("look", item.look)
        if item.kind == "film":
            look = films.look_of_frame(look, values.get("frame", item.frame))
        if item.kind == "film" and not item.shots:
            self.find_shots(item)
        result = self.looks.run(folder, look, stop)
        write_whole(folder / AFTER, encoded(result.photo))
        write_whole(
            folder / THUMBNAIL, encoded(shrunk(result.photo, THUMBNAIL_PX, 2 * THUMBNAIL_PX), THUMBNAIL_QUALITY)
        )
        notes = [note for note in result.notes if not note.startswith("net run at")]
        return {**values, "state": "done", "error": "", "notes": tuple(notes), "revision": item.revision + 1}

    def _keep_small(self, photo: Photo, folder: Path) -> None:
        write_whole(folder / BEFORE, encoded(self.looks.keep_small(photo, folder)))

    def take_frame(self, item: Item, seconds: float) -> str:
        """Hold a film's frame ready to say colours in, and return its time, by which it is known.

        Raises:
            FilmError: it cannot be read.
            HttpError: there are too many.
        """
        frame, photo = films.frame_at(Path(item.path), seconds, self.parts.limits)
        folder = self.place_of(item, frame)
        if not folder.exists():
            folder.parent.mkdir(exist_ok=True)
            if len(list(folder.parent.iterdir())) >= films.MOST_FRAMES:
                raise HttpError(429, f"{films.MOST_FRAMES} frames of this film are taken already")
            folder.mkdir()
        self._keep_small(photo, folder)
        return frame

    def place_of(self, item: Item, frame: str) -> Path:
        """Return where what is shown of a photograph lies, or of one of a film's frames."""
        folder = self.wall.folder_of(item)
        return folder if frame in {"", item.frame} else films.frame_folder(folder, frame)

    def find_shots(self, item: Item) -> None:
        """Find a film's shots when there is nothing else to do, and tell of them as they come."""

        def search() -> None:
            shots: list[tuple[float, float, float]] = []
            stop, told_at = Stop(self.parts.options.max_seconds), 0.0
            try:
                for shot in films.find_shots(Path(item.path), self.wall.folder_of(item), self.parts.limits, stop):
                    shots.append(shot)
                    if time.monotonic() - told_at > TELL_EVERY_S:
                        self.wall.change(item, shots=tuple(shots))
                        told_at = time.monotonic()
                self.wall.change(item, shots=tuple(shots))
            except HttpError:
                return  # taken down meanwhile
            except (PhotochromError, OSError) as error:
                with contextlib.suppress(HttpError):
                    self.wall.change(item, **_why(error, item))

        if item.id not in self._searched:
            self._searched.add(item.id)
            self.parts.workers.submit(search, LAST)

    def _known_look(self, item: Item, photo: Any) -> dict[str, Any]:
        """Return the look that lies beside an original: its file of hints."""
        path = self.hints_path(item)
        if not item.is_original or item.kind == "film" or not path.exists():
            return {}
        return {"hints": [hint.as_json() for hint in read_hints(path, photo, limits=self.parts.limits).hints]}

    def change_look(self, item: Item, look: dict[str, Any]) -> Item:
        """Let a photograph be coloured otherwise, and keep its hints beside it."""
        if item.kind == "film":
            films.check_look(look)
        else:
            checked_request("colorize", look)
        item = self.wall.change(item, look=look, full="", files={}, saved="", full_error="")
        (self.wall.folder_of(item) / PYRAMIDS["after"]).unlink(missing_ok=True)
        if item.is_original and item.identity and item.kind == "photo":
            self._keep_hints(item)
        return item

    def hints_path(self, item: Item) -> Path:
        """Return where a photograph's hints lie, for the command line to read."""
        path = Path(item.path)
        return path.with_name(path.stem + HINTS_SUFFIX)

    def hint_sheet(self, item: Item) -> HintSheet:
        """Return a photograph's hints as they are kept."""
        look = films.look_of_frame(item.look, item.frame) if item.kind == "film" else item.look
        asked = checked_request("colorize", look)
        return HintSheet(photo=PhotoIdentity(**item.identity), hints=getattr(asked, "hints", ()))

    def _keep_hints(self, item: Item) -> None:
        path, sheet = self.hints_path(item), self.hint_sheet(item)
        if sheet.hints:
            write_whole(path, sheet.as_json())
        elif path.exists():
            read_hints(path)  # only what is a file of hints is removed
            path.unlink()

    def develop(self, item: Item, *, save: bool, priority: int = USUAL, overwrite: bool = False) -> Item:
        """Let a photograph be made at full size, and written beside it where it is an original."""
        if item.full == "done":
            return self._write_beside(item, overwrite=overwrite) if save and item.is_original else item
        if item.full == "working":
            return item
        item = self.wall.change(item, full="working", full_error="", progress=0.0)
        self.parts.workers.submit(lambda: self._develop(item, save=save, overwrite=overwrite), priority)
        return item

    def find_damage(self, item: Item, done: Callable[[], object]) -> None:
        """Search a photograph for damage at full size, and say when that is done."""

        def search() -> None:
            try:
                asked = checked_request("colorize", item.look)
                photo = open_photo(item.path, limits=self.parts.limits)
                folder, options = self.wall.folder_of(item), asked.part(RestoreOptions)
                find_mask(photo, folder, self.parts.sessions, options, Stop(self.parts.options.max_seconds))
            except PhotochromError as error:
                self.wall.change(item, **_why(error, item))
            finally:
                done()

        self.parts.workers.submit(search, USUAL)

    def pyramid(self, item: Item, side: str) -> Path | None:
        """Return the tiles of a side; None where they are not made yet."""
        path = self.wall.folder_of(item) / PYRAMIDS[side]
        if side == "before":
            with self._building:  # a page asks for many tiles at once
                if not path.exists():
                    build_pyramid(open_photo(item.path, limits=self.parts.limits), path)
        return path if path.exists() else None

    def _develop(self, item: Item, *, save: bool, overwrite: bool) -> None:
        try:
            is_film = item.kind == "film"
            values = films.color_film(item, self.wall, self.parts) if is_film else self._developed(item)
            current = self.wall.find(item.id)
            if current.look != item.look:
                return  # changed meanwhile; the new look is not what was made
            item = self.wall.change(current, **values)
            if save and item.is_original and item.full == "done":
                self._write_beside(item, overwrite=overwrite)
        except HttpError:
            return  # taken down meanwhile
        except Exception as error:  # noqa: BLE001 - as in prepare
            self.wall.change(item, full="failed", **_why(error, item))

    def _developed(self, item: Item) -> dict[str, Any]:
        folder = self.wall.folder_of(item)
        self.parts.store.give_back(_size(folder / RESULTS) + _size(folder / PYRAMIDS["after"]))
        shutil.rmtree(folder / RESULTS, ignore_errors=True)
        asked = checked_request("colorize", {**item.look, "recipe": True})
        is_restored = bool(getattr(asked, "restore", False))
        mask = folder / MASK_NAME if is_restored and (folder / MASK_NAME).exists() else None
        name = Path(item.name).name
        references = tuple(references_in(folder))
        order = Order("colorize", Path(item.path), name, folder / RESULTS, asked, mask, references, remembered=True)
        made = develop(order, self.parts.sessions, self.parts.limits, Stop(self.parts.options.max_seconds))
        if made.report.status == "failed":
            kind = made.report.error_kind
            return {"full": "failed", "full_error": made.error, "full_error_kind": kind}
        if not made.files:
            return {"full": "failed", "full_error": "; ".join(made.report.notes)}
        build_pyramid(open_photo(made.files["result"].path, limits=self.parts.limits), folder / PYRAMIDS["after"])
        files = {label: (file.path.name, file.name) for label, file in made.files.items()}
        if not self.parts.store.take(_size(folder / RESULTS) + _size(folder / PYRAMIDS["after"])):
            raise OutputError(
                "the studio's store is full", next_step="Take photographs down, or raise --max-store-bytes"
            )
        return {"full": "done", "full_error": "", "files": files}

    def _write_beside(self, item: Item, *, overwrite: bool) -> Item:
        """Write a finished result where the command line would have written it."""
        source, results = Path(item.path), self.wall.folder_of(item) / RESULTS
        target = result_beside(source, None) if item.kind == "photo" else films.result_beside(source)
        try:
            for label, path in (("result", target), ("recipe", recipe_path(target))):
                if label not in item.files:
                    continue
                Originals.of([source]).refuse(path)
                if os.path.lexists(path) and not overwrite and label == "result":
                    raise OutputError("exists already", where=path.name, next_step="Save it again to replace it")
                with (results / item.files[label][0]).open("rb") as made, Aside(path) as aside:
                    shutil.copyfileobj(made, aside.handle, 1 << 20)
                    self._promise(item, results / item.files[label][0], path)
                    aside.put_in_place()
        except PhotochromError as error:
            return self.wall.change(item, **_why(error, item))
        return self.wall.change(item, saved=target.name, full_error="")

    def _promise(self, item: Item, made: Path, target: Path) -> None:
        """Let the manifest of the studio's folder tell of a result, as an album's does, before it is in place."""
        entry = entries_of(made.parent).get(made.name)
        if entry is not None and self.folder is not None and target.is_relative_to(self.folder):
            manifest = Manifest.of(self.folder)
            manifest.promise(replace(entry, key=item.name, target=manifest.name_of(target)))


def _sentence(error: Exception, item: Item) -> str:
    """Return the command line's sentence, with the photograph's name for its path."""
    if isinstance(error, PhotochromError):
        return str(error).replace(item.path, item.name)
    return f"{item.name}: unexpected {type(error).__name__}: {error}"


def _why(error: Exception, item: Item) -> dict[str, str]:
    return {"full_error": _sentence(error, item), "full_error_kind": type(error).__name__}


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 where there is none."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.glob("*") if file.is_file())
