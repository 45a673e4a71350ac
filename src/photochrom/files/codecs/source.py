"""The bytes of one photograph, from a path or from memory, opened once and only if it is safe to read.

Files are read, never mapped: one that is cut meanwhile, because a stick is pulled or a folder synchronised, then is one
clear line. Reading from the map of a cut file would end the whole process.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from photochrom.computer.names import reachable
from photochrom.errors import PhotoNotFoundError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.files.codecs.leaving import Work, work_here
from photochrom.files.codecs.libvips import libvips

if TYPE_CHECKING:
    from collections.abc import Iterator

Found = TypeVar("Found")
IN_MEMORY_BYTES = 32_000_000
"""Files up to this size are given to decoders whole; larger ones piece by piece, as they ask for them."""
PIECE_BYTES = 1 << 20
LONGEST_PATCH = 8

Patch = tuple[int, bytes]
"""An offset, and up to :data:`LONGEST_PATCH` bytes that a decoder is given there instead of the file's own."""


@dataclass(slots=True)
class PhotoSource:
    """Random access to the bytes of one file, from any thread.

    ``name`` is what error messages call it. The file stays the one that was opened, whatever happens to its
    path meanwhile; reading needs no whole copy of it in memory.
    """

    name: str
    size: int
    handle: io.BufferedReader | io.BytesIO
    data: bytes | None = None
    _changed_ns: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # Of these bytes alone: a changed copy of this object begins with nothing.
    _kept: list[Any] = field(default_factory=list, init=False)
    _known: dict[str, Any] = field(default_factory=dict, init=False)

    def known(self, name: str, find: Callable[[], Found]) -> Found:
        """Return what ``find`` finds out about the file, as it did when it was first asked under this name."""
        if name not in self._known:
            self._known[name] = find()
        found: Found = self._known[name]
        return found

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes from ``offset``; fewer at the end of the file, none beyond it.

        Raises:
            UnreadablePhotoError: the file has been cut since it was opened, or its disk is gone.
        """
        if offset >= self.size:  # BigTIFF's offsets may be larger than any that a file can be asked for
            return b""
        expected = min(count, self.size - offset)
        try:
            with self._lock:
                self.handle.seek(offset)
                found = self.handle.read(expected)
        except OSError as error:
            raise _unreadable(error, self.name) from error
        if len(found) < expected:
            raise changed(self.name)
        return found

    def read_all(self) -> bytes:
        """Return the whole file; for decoders that cannot read piecewise."""
        if self.data is None and self.size <= IN_MEMORY_BYTES:
            self.data = self.read_at(0, self.size)
        return self.data if self.data is not None else self.read_at(0, self.size)

    def sha256(self) -> str:
        """Return the hash of the bytes, in hexadecimal."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, PIECE_BYTES):
            digest.update(self.read_at(offset, PIECE_BYTES))
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """Raise UnreadablePhotoError where the file has been cut or written to since it was opened."""
        if isinstance(self.handle, io.BytesIO):
            return
        if self.identity()[2:] != [self.size, self._changed_ns]:
            raise changed(self.name)

    def identity(self) -> list[int]:
        """Return device, inode, size and time of the last change; nothing where it is in memory alone."""
        if isinstance(self.handle, io.BytesIO):
            return []
        status = os.fstat(self.handle.fileno())
        return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]

    def for_vips(self, patches: Sequence[Patch] = (), *, in_pieces: bool = False) -> Any:
        """Return a libvips source over these bytes, changed by patches; they stay alive as long as this object.

        ``in_pieces``: the decoder has to ask for the bytes, and gets no more of them once this thread's work has ended.
        """
        pyvips = libvips()
        if not in_pieces and (self.data is not None or self.size <= IN_MEMORY_BYTES):
            source = pyvips.Source.new_from_memory(_patched(self.read_all(), 0, patches))
        else:
            source, pieces = pyvips.SourceCustom(), _Pieces(self, sorted(patches), work_here())
            source.on_read(pieces.read)
            source.on_seek(pieces.seek)
        self._kept.append(source)  # a second look may read it again while the first still does
        return source


@dataclass(slots=True)
class _Pieces:
    """A position in a file, for a decoder. It runs inside libvips, so errors are answers and not raised."""

    source: PhotoSource
    patches: Sequence[Patch]
    work: Work | None
    position: int = 0

    def read(self, count: int) -> bytes:
        if self.work and self.work.has_ended:
            return b""
        try:
            found = self.source.read_at(self.position, count)
        except UnreadablePhotoError:
            return b""  # what is missing is told about by check_unchanged, or by the decoder as a truncated file
        first = bisect_left(self.patches, (self.position - LONGEST_PATCH, b""))
        last = bisect_left(self.patches, (self.position + len(found), b""))
        found = _patched(found, self.position, self.patches[first:last])
        self.position += len(found)
        return found

    def seek(self, offset: int, whence: int) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.source.size}[whence]
        self.position = max(0, begin + offset)
        return self.position


def _patched(data: bytes, begin: int, patches: Sequence[Patch]) -> bytes:
    """Return the bytes that stand from ``begin`` on, changed."""
    if not patches:
        return data
    changed = bytearray(data)
    for offset, patch in patches:
        first, last = max(offset, begin), min(offset + len(patch), begin + len(data))
        if first < last:
            changed[first - begin : last - begin] = patch[first - offset : last - offset]
    return bytes(changed)


@contextmanager
def open_source(source: str | os.PathLike[str] | bytes | PhotoSource, max_file_bytes: int) -> Iterator[PhotoSource]:
    """Open a path or wrap bytes; what is open already stays so.

    Raises:
        PhotoNotFoundError: nothing is there.
        UnreadablePhotoError: empty, not permitted, or not a regular file (folder, pipe, device, socket).
        PhotoTooLargeError: more than ``max_file_bytes``.
    """
    if isinstance(source, PhotoSource):
        yield source
        return
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        _check_size(len(data), "the given bytes", max_file_bytes)
        yield PhotoSource("the given bytes", len(data), io.BytesIO(data), data)
        return
    path = os.fspath(source)
    with open_regular_file(path) as handle:
        status = os.fstat(handle.fileno())
        _check_size(status.st_size, path, max_file_bytes)
        yield PhotoSource(path, status.st_size, handle, _changed_ns=status.st_mtime_ns)


def open_regular_file(path: str) -> io.BufferedReader:
    """Return a file open for reading; pipes, devices and sockets are refused without waiting for them.

    Raises:
        PhotoNotFoundError, UnreadablePhotoError: as :func:`open_source`.
    """
    # Non-blocking, so that a named pipe without a writer cannot hang us before we have seen that it is one.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        reached = reachable(path)
        if os.path.isdir(reached):
            raise IsADirectoryError(errno.EISDIR, "a folder")
        if stat.S_ISSOCK(os.stat(reached).st_mode):
            raise _not_regular(path)
        descriptor = os.open(reached, flags)
    except FileNotFoundError as error:
        raise PhotoNotFoundError("there is no such file", where=path, next_step="Check the path") from error
    except IsADirectoryError as error:
        raise UnreadablePhotoError("this is a folder, not a photograph", where=path, next_step="Give a file") from error
    except (OSError, ValueError) as error:
        raise _unreadable(error, path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return os.fdopen(descriptor, "rb")


def _unreadable(error: Exception, name: str) -> UnreadablePhotoError:
    reason = getattr(error, "strerror", None) or str(error)
    return UnreadablePhotoError(
        f"cannot be read ({reason})", where=name, next_step="Check its permissions and the disk"
    )


def changed(name: str) -> UnreadablePhotoError:
    """Return the error for a file that is not what it was when it was opened."""
    return UnreadablePhotoError("it was changed while it was read", where=name, next_step="Run again when it is whole")


def _not_regular(path: str) -> UnreadablePhotoError:
    return UnreadablePhotoError(
        "this is a pipe, device or socket, not a file", where=path, next_step="Copy its contents to a file first"
    )


def _check_size(size: int, name: str, max_file_bytes: int) -> None:
    if size == 0:
        raise UnreadablePhotoError("the file is empty", where=name, next_step="Copy it again from its source")
    if size > max_file_bytes:
        raise PhotoTooLargeError(
            f"the file has {size / 1e6:,.0f} MB, over the limit of {max_file_bytes / 1e6:,.0f} MB",
            where=name,
            next_step="Raise max_file_bytes if you trust it",
        )
