"""A folder on a disk, with the questions that a storage answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from photochrom.cluster.folders import PIECE_BYTES, Folder, Named, Place
from photochrom.cluster.storage_errors import storage_error
from photochrom.computer.names import reachable
from photochrom.errors import PhotoNotFoundError
from photochrom.files.codecs.atomic import Aside, write_whole
from photochrom.files.originals import identity_of


class LocalFolder:
    """A folder on a disk, with the same questions."""

    def __init__(self, address: str, path: Path) -> None:
        self.address, self._path = address.rstrip("/") or address, path
        self.home = f"file://{Path(os.path.realpath(path)).as_posix()}"

    @property
    def place(self) -> Place:
        """Device and inode, or the path where nothing is yet; see :class:`Folder`."""
        return _place(self._path)

    def places_above(self, name: str) -> Iterator[Place]:
        """Yield the places of the folders that a file lies in; see :class:`Folder`."""
        inmost = Path(os.path.realpath((self._path / name).parent))
        yield from map(_place, (inmost, *inmost.parents))

    def listed(self, leave_out: Folder | None = None) -> Iterator[Named]:
        """Yield what is here; see :class:`Folder`."""
        if not self._path.is_dir():
            raise PhotoNotFoundError("there is no such folder", where=self.address, next_step="Check the path")
        waiting = [""]
        while waiting:
            here, folders = waiting.pop(), list[str]()
            # A million names in one folder are handed out as the disk tells them, and never held.
            for name, is_folder in self._entries(here):
                if is_folder:
                    # Asked anew for each, as the folder of results may have been made meanwhile.
                    if leave_out is None or _place(self._path / name) != leave_out.place:
                        folders.append(name)
                elif found := self.found(name):
                    yield found
            waiting += sorted(folders, reverse=True)

    def _entries(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Yield the name of each entry that is no dot-name, and whether it is a folder; one that is gone has none."""
        try:
            with os.scandir(reachable(self._path / folder)) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        yield f"{folder}/{entry.name}".lstrip("/"), entry.is_dir(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(error, f"{self.address}/{folder}", writing=False) from error

    def found(self, name: str) -> Named | None:
        """Return a file, or None; see :class:`Folder`."""
        path = self._path / name
        try:
            status = os.stat(reachable(path))
        except OSError:
            return None
        return Named(name, status.st_size, status.st_mtime_ns) if path.is_file() else None

    def read(self, name: str) -> bytes:
        """Return a file's bytes; see :class:`Folder`."""
        try:
            return Path(reachable(self._path / name)).read_bytes()
        except OSError as error:
            raise storage_error(error, f"{self.address}/{name}", writing=False) from error

    def near(self, name: str, folder: Path) -> Path:  # noqa: ARG002 - a disk needs no copy
        """Return the file itself; see :class:`Folder`."""
        path = self._path / name
        if not Path(reachable(path)).is_file():
            where = f"{self.address}/{name}"
            raise PhotoNotFoundError("there is no such object", where=where, next_step="Was it removed meanwhile?")
        return path

    def put(self, name: str, data: bytes | Path) -> None:
        """Write a file; see :class:`Folder`."""
        path = self._path / name
        try:
            Path(reachable(path.parent)).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, str(path.parent), writing=True) from error
        if isinstance(data, bytes):
            write_whole(path, data)
            return
        with Aside(path) as aside, data.open("rb") as source:
            shutil.copyfileobj(source, aside.handle, PIECE_BYTES)
            aside.put_in_place()

    def remove(self, name: str) -> None:
        """Remove a file; see :class:`Folder`."""
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, f"{self.address}/{name}", writing=True) from error


def _place(path: Path) -> Place:
    return "disk", identity_of(path) or os.path.realpath(path)
