"""The work on the wall's photographs: thumbnails, what is asked of one, and results at full size."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from photochrom.albums.album import COLORED_MARK, look_through
from photochrom.albums.beside import without_results
from photochrom.errors import PhotochromError, PhotoNotFoundError
from photochrom.files.reading import open_photo
from photochrom.hints.sheet import HintSheet, PhotoIdentity
from photochrom.options import RestoreOptions
from photochrom.studio import films, hintfiles
from photochrom.studio.darkroom import Darkroom, why_not
from photochrom.studio.looks import SMALL_NAME, THUMBNAIL_PX, THUMBNAIL_QUALITY, Looks, decided, encoded, shrunk
from photochrom.studio.masks import Stroke, correct_mask, find_mask
from photochrom.studio.parts import Parts
from photochrom.studio.problems import HttpError, sentence_of
from photochrom.studio.requests import checked_request
from photochrom.studio.sources import BEFORE, Sources, fingerprint
from photochrom.studio.stopping import Stop
from photochrom.studio.store import is_there, write_again
from photochrom.studio.wall import Item, Wall
from photochrom.studio.workers import LAST, USUAL

AFTER, THUMBNAIL = "after.webp", "thumbnail.webp"
TELL_EVERY_S = 0.5


class Desk:
    """Works on photographs of the wall: those of a folder, those dropped, and those of an earlier studio.

    Attributes:
        parts: of the server.
        looks: shows photographs at screen size.
        wall: the photographs.
        sources: reads their files.
        darkroom: makes them at full size.

    Raises:
        PhotoNotFoundError: the folder holds none.
    """

    def __init__(self, parts: Parts, folder: Path | None = None) -> None:
        self.folder = folder
        self.parts, self.looks = parts, Looks(parts.sessions, parts.limits)
        self._searched: set[tuple[str, str]] = set()
        self._correcting = threading.Lock()
        self.wall = Wall(parts.store, parts.workers, parts.changes, self.prepare)
        self.sources = Sources(self.wall, self.looks, parts.limits)
        self.darkroom = Darkroom(parts, self.wall, self.sources, folder)
        self.wall.go_on()
        for item in map(self.sources.notice, self.wall.all()):
            if item.state == "done" and not self._is_made(item):
                self.wall.begin(item.id)
            elif item.kind == "film" and item.state == "done" and not item.shots:
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
        for path in without_results(paths, [COLORED_MARK]):
            if not self.wall.holds(path):
                identity, _ = self.parts.store.new("photos")
                name = path.relative_to(folder).as_posix()
                self.wall.add(name, path, identity, is_original=True, film=films.is_film(path.name))

    def prepare(self, item: Item, stop: Stop) -> dict[str, Any]:
        """Make a photograph's small copy and thumbnail; return what is known then."""
        try:
            return self._prepared(item, stop)
        except Exception as error:  # noqa: BLE001 - a defect met by one photograph must not cost the others
            return {
                "state": "failed",
                "error": sentence_of(error, item.path, item.name),
                "error_kind": type(error).__name__,
            }

    def _prepared(self, item: Item, stop: Stop) -> dict[str, Any]:
        item = self.sources.learned(item, stop)
        folder, look = self.wall.folder_of(item), item.look
        if item.kind == "film":
            look = films.look_of_frame(look, item.frame)
        if item.kind == "film" and not item.shots:
            self.find_shots(item)
        result = self.looks.run(folder, look, stop)
        write_again(folder / AFTER, encoded(result.photo))
        thumbnail = shrunk(result.photo, THUMBNAIL_PX, 2 * THUMBNAIL_PX)
        write_again(folder / THUMBNAIL, encoded(thumbnail, THUMBNAIL_QUALITY))
        self.parts.store.settle(folder)
        return {"state": "done", "error": "", "notes": decided(result), "revision": item.revision + 1}

    def _is_made(self, item: Item) -> bool:
        folder = self.wall.folder_of(item)
        return bool(item.seen) and is_there(*(folder / name for name in (BEFORE, SMALL_NAME, AFTER, THUMBNAIL)))

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
        self.sources.keep_small(photo, folder)
        self.parts.store.settle(folder)
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
            except Exception as error:  # noqa: BLE001 - as in prepare
                with contextlib.suppress(PhotochromError):
                    self.wall.change(item, **why_not(error, item))

        if (item.id, item.seen) not in self._searched:
            self._searched.add((item.id, item.seen))
            self.parts.workers.submit(search, LAST)

    def change_look(self, item: Item, look: dict[str, Any], asked: int | None = None) -> Item:
        """Let a photograph be coloured otherwise, and keep its hints beside it.

        Args:
            item: the photograph.
            look: all of what is asked of it.
            asked: which state of it, ``Item.asked``, is known to who asks; left out, the present one.

        Raises:
            OptionError: the look is wrong.
            HttpError: it is in another state, or its files were changed by somebody else.
            OutputError: the hints cannot be written.
        """
        if item.kind == "film":
            films.check_look(look)
        else:
            checked_request("colorize", look)
        with self.sources.hold(item):
            before = self.wall.find(item.id)
            known = self.sources.learned(before, Stop(self.parts.options.max_seconds))
            if known.asked != (before.asked if asked is None else asked):
                raise HttpError(409, "was changed meanwhile", where=item.name, next_step="Look at it as it is now")
            self.darkroom.forget(known)
            item = self.wall.ask_otherwise(known, look=look)
            return self._keep_hints(item, known.look) if item.is_original else item

    def _keep_hints(self, item: Item, before: dict[str, Any]) -> Item:
        """Write a photograph's hints beside it."""
        path = self.sources.hints_path(item)
        if item.kind == "film":
            hintfiles.keep_film_folder(path, before.get("frames", {}), item.look.get("frames", {}))
        else:
            hintfiles.keep_photo_file(path, self.hint_sheet(item))
        return self.wall.change(item, hints_seen=fingerprint(path))

    def ask_anew(self, item: Item, **values: Any) -> Item:
        """Let a photograph be coloured by the same look with other references, or another mask."""
        self.darkroom.forget(item)
        return self.wall.ask_otherwise(item, **values)

    def hint_sheet(self, item: Item) -> HintSheet:
        """Return a photograph's hints as they are kept."""
        asked = checked_request("colorize", item.look)
        return HintSheet(photo=PhotoIdentity(**item.identity), hints=getattr(asked, "hints", ()))

    def correct_mask(self, item: Item, strokes: list[Stroke]) -> Item:
        """Draw strokes over the mask of damage that was found, and let the photograph be coloured anew.

        Raises:
            OptionError: damage has not been searched for yet.
        """
        with self._correcting:
            correct_mask(self.wall.folder_of(item), strokes)
        return self.ask_anew(item)

    def develop(self, item: Item, *, save: bool, priority: int = USUAL, overwrite: bool = False) -> Item:
        """Let a photograph be made at full size of what its file is now, and written beside it where it is to be."""
        return self.darkroom.develop(self.sources.notice(item), save=save, priority=priority, overwrite=overwrite)

    def stop(self, item: Item) -> None:
        """Stop what is being made of a photograph."""
        self.wall.stop(item.id)
        self.darkroom.stop(item)

    def take_down(self, item: Item) -> None:
        """Take a photograph down; its file stays, unless the store keeps it."""
        self.darkroom.forget(item)
        self.wall.remove(item.id)

    def close(self) -> None:
        """Ask all work to end."""
        self.darkroom.close()
        self.wall.close()

    def find_damage(self, item: Item, done: Callable[[], object]) -> None:
        """Search a photograph for damage at full size, and say when that is done."""

        def search() -> None:
            try:
                asked = checked_request("colorize", item.look)
                photo = open_photo(item.path, limits=self.parts.limits)
                folder, options = self.wall.folder_of(item), asked.part(RestoreOptions)
                find_mask(photo, folder, self.parts.sessions, options, Stop(self.parts.options.max_seconds))
            except Exception as error:  # noqa: BLE001 - as in prepare
                with contextlib.suppress(PhotochromError):  # taken down meanwhile
                    self.wall.change(item, **why_not(error, item))
            finally:
                done()

        self.parts.workers.submit(search, USUAL)
