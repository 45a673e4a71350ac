"""The files that photographs are made of: read once, and again where they, or the hints beside them, have changed.

What was read is written down with the state that the files were in. Whoever works on a photograph, or writes beside
it, has that compared first: nothing is made of a picture that is another by now, and no hints are lost that somebody
has written meanwhile.
"""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

from photochrom.computer.hashes import sha256_of_values
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.hints.sheet import PhotoIdentity
from photochrom.options import Limits
from photochrom.studio import films, hintfiles, masks
from photochrom.studio.looks import FRAMES, MASK_NAME, SMALL_NAME, Looks, encoded
from photochrom.studio.stopping import Stop
from photochrom.studio.store import is_there, write_again
from photochrom.studio.tiles import PYRAMIDS
from photochrom.studio.wall import Item, Wall

BEFORE = "before.webp"


class Sources:
    """What is known of the wall's photographs from their files. Safe to use from several threads.

    Args:
        wall: the photographs.
        looks: keeps their small copies.
        limits: what a file may cost.
    """

    def __init__(self, wall: Wall, looks: Looks, limits: Limits) -> None:
        self._wall, self._looks, self._limits = wall, looks, limits
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    def hold(self, item: Item) -> threading.RLock:
        """Return the lock under which a photograph is read, and its hints are written."""
        return self._locks[item.id]

    def notice(self, item: Item) -> Item:
        """Return a photograph as it is known; where its files have changed, it is coloured anew, and read first."""
        with self.hold(item):
            item = self._wall.find(item.id)
            if not (item.seen and item.is_original):
                return item
            # What is gone has not become another: results of it, and its hints, stay.
            is_other = fingerprint(Path(item.path)) not in {"", item.seen}
            if not is_other and fingerprint(self.hints_path(item)) in {"", item.hints_seen}:
                return item
            shots = {"shots": ()} if is_other else {}
            if is_other:
                _remove_made(self._wall.folder_of(item))
            item = self._wall.ask_otherwise(item, seen="", **shots)
            self._wall.begin(item.id)
            return item

    def learned(self, item: Item, stop: Stop) -> Item:
        """Return a photograph whose size, identity and hints are known, from its file where they were not.

        Raises:
            PhotochromError: the file, or its hints, cannot be read.
            StoppedError: nobody waits for it any more.
        """
        with self.hold(item):
            item, folder = self.notice(item), self._wall.folder_of(item)
            if item.seen and is_there(folder / BEFORE, folder / SMALL_NAME):
                return item
            # Before they are read: what changes while they are is noticed the next time.
            values: dict[str, Any] = self.state_of(item)
            if item.kind == "film":
                values["frame"], photo = films.frame_at(Path(item.path), None, self._limits)
            else:
                photo = open_photo(item.path, limits=self._limits)
            stop.check()
            self.keep_small(photo, folder)
            identity = PhotoIdentity.of(photo).model_dump()
            values |= {"width": photo.width, "height": photo.height, "identity": identity}
            look = self._look_beside(item, photo, values["hints_seen"])
            is_made_otherwise = item.full == "done" and look != item.look
            change = self._wall.ask_otherwise if is_made_otherwise else self._wall.change
            return change(item, **values, look=look)

    def state_of(self, item: Item) -> dict[str, str]:
        """Return which state a photograph's file, and that of its hints, are in."""
        hints = fingerprint(self.hints_path(item)) if item.is_original else ""
        return {"seen": fingerprint(Path(item.path)), "hints_seen": hints}

    def hints_path(self, item: Item) -> Path:
        """Return where a photograph's hints lie, or those of a film's frames, for the command line to read."""
        if item.kind == "film":
            return hintfiles.film_folder(Path(item.path))
        return hintfiles.photo_file(Path(item.path), (one.path for one in self._wall.all() if one.is_original))

    def keep_small(self, photo: Photo, folder: Path) -> None:
        """Keep a photograph, or a film's frame, at screen size."""
        write_again(folder / BEFORE, encoded(self._looks.keep_small(photo, folder)))

    def _look_beside(self, item: Item, photo: Photo, hints_seen: str) -> dict[str, Any]:
        """Return a photograph's look with the hints that lie beside it, where they are not those known already."""
        if hints_seen in {"", item.hints_seen}:
            return item.look
        name, path = ("frames" if item.kind == "film" else "hints"), self.hints_path(item)
        said = (
            hintfiles.read_film_folder(path)
            if item.kind == "film"
            else hintfiles.read_photo_file(path, photo, self._limits)
        )
        others = {key: value for key, value in item.look.items() if key != name}
        return others | ({name: said} if said else {})


def fingerprint(path: Path) -> str:
    """Return what tells the state of a file, or of a folder's files, from any other; "" where there is none."""
    try:
        if path.is_dir():
            return sha256_of_values(sorted((file.name, fingerprint(file)) for file in path.iterdir()))
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"


def _remove_made(folder: Path) -> None:
    """Remove what was made of a picture that is another by now, and is not simply made again."""
    for name in (PYRAMIDS["before"], masks.FOUND_NAME, MASK_NAME, masks.STROKES_NAME):
        (folder / name).unlink(missing_ok=True)
    for name in (FRAMES, films.SHOTS):
        shutil.rmtree(folder / name, ignore_errors=True)
