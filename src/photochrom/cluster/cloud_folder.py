"""A folder of a storage that pyarrow speaks to, asked again where another try may help."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from photochrom.cluster.folders import PIECE_BYTES, Folder, Named, Place
from photochrom.cluster.storage_errors import is_worth_another_try, storage_error
from photochrom.errors import PhotoNotFoundError

WAITS_S = (0.5, 2.0)
"""Before the second and the third try of a request that failed for a reason that may pass."""
GOOGLE = "gcs"
Answer = TypeVar("Answer")


class CloudFolder:
    """A folder of a storage that pyarrow speaks to."""

    def __init__(self, address: str, storage: Any, root: str) -> None:
        self.address = self.home = address
        self._storage, self._root = storage, root

    @property
    def place(self) -> Place:
        """Storage and path; see :class:`Folder`. Endpoints are not told apart: better refused than written over."""
        return self._place(self._root)

    def places_above(self, name: str) -> Iterator[Place]:
        """Yield the places of the folders that an object lies in; see :class:`Folder`."""
        yield from map(self._place, map(str, PurePosixPath(posixpath.normpath(self._path(name))).parents))

    def listed(self, leave_out: Folder | None = None) -> Iterator[Named]:
        """Yield what is here; see :class:`Folder`. One subfolder's names are in memory at a time; of Google's, all."""
        from pyarrow import fs as arrow

        # Of Google's subfolders, pyarrow lists those alone that have an object of their own; hardly any has.
        at_once = self._storage.type_name == GOOGLE
        left_out = leave_out.place if leave_out else None
        waiting = [self._root]
        while waiting:
            here = waiting.pop()
            selector = arrow.FileSelector(here, recursive=at_once, allow_not_found=here != self._root)
            infos: list[Any] = self._asked(partial(self._storage.get_file_info, selector))
            infos.reverse()
            while infos:  # let go of as they are handed out
                info = infos.pop()
                if any(part.startswith(".") for part in PurePosixPath(info.path).relative_to(self._root).parts):
                    continue
                if info.type == arrow.FileType.Directory:
                    waiting += [] if at_once or self._place(info.path) == left_out else [info.path]
                elif info.type == arrow.FileType.File and not (at_once and self._lies_in(info.path, left_out)):
                    yield self._named(info)

    def found(self, name: str) -> Named | None:
        """Return an object, or None; see :class:`Folder`."""
        from pyarrow import fs as arrow

        info = self._asked(lambda: self._storage.get_file_info(self._path(name)), name)
        return self._named(info) if info.type == arrow.FileType.File else None

    def read(self, name: str) -> bytes:
        """Return an object's bytes; see :class:`Folder`."""

        def get() -> bytes:
            with self._storage.open_input_file(self._path(name)) as source:
                return bytes(source.read())

        return self._asked(get, name)

    def near(self, name: str, folder: Path) -> Path:
        """Return a copy of an object; see :class:`Folder`."""
        path = folder / PurePosixPath(name).name

        def get() -> None:
            with self._storage.open_input_file(self._path(name)) as source, path.open("wb") as copy:
                while piece := source.read(PIECE_BYTES):
                    copy.write(piece)

        self._asked(get, name)
        return path

    def put(self, name: str, data: bytes | Path) -> None:
        """Write an object; see :class:`Folder`."""

        def write() -> None:
            with data.open("rb") if isinstance(data, Path) else BytesIO(data) as source:
                # Closing is what makes the object appear: a write that fails must not come to it.
                target = self._storage.open_output_stream(self._path(name))
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                target.close()

        self._asked(write, name, writing=True)

    def remove(self, name: str) -> None:
        """Remove an object; see :class:`Folder`."""
        try:
            self._asked(lambda: self._storage.delete_file(self._path(name)), name, writing=True)
        except PhotoNotFoundError:
            return

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _place(self, path: str) -> Place:
        return self._storage.type_name, posixpath.normpath(path)

    def _lies_in(self, path: str, place: Place | None) -> bool:
        return place is not None and any(self._place(str(above)) == place for above in PurePosixPath(path).parents)

    def _named(self, info: Any) -> Named:
        return Named(info.path.removeprefix(self._root).lstrip("/"), info.size or 0, info.mtime_ns or 0)

    def _asked(self, ask: Callable[[], Answer], name: str = "", *, writing: bool = False) -> Answer:
        from pyarrow import ArrowException  # what its own kinds of errors have in common, some with nothing else

        for wait_s in (*WAITS_S, None):
            try:
                return ask()
            except (OSError, ValueError, ArrowException) as error:
                if wait_s is None or not is_worth_another_try(error):
                    where = f"{self.address}/{name}" if name else self.address
                    raise storage_error(error, where, writing=writing) from error
                time.sleep(wait_s)
        raise AssertionError("the last try returns or raises")
