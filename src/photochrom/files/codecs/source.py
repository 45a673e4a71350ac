"""The bytes of one photograph, from a path or from memory, opened once and only if it is safe to read."""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photochrom.errors import PhotoNotFoundError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.files.codecs.libvips import libvips

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class PhotoSource:
    """Random access to the bytes of one file.

    ``name`` is what error messages call it. The file stays the one that was opened, whatever happens to its
    path meanwhile; reading needs no whole copy of it in memory.
    """

    name: str
    size: int
    handle: io.BufferedReader | io.BytesIO
    data: bytes | None = None

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes from ``offset``; fewer at the end of the file, none beyond it."""
        if offset >= self.size:  # BigTIFF's offsets may be larger than any that a file can be asked for
            return b""
        self.handle.seek(offset)
        return self.handle.read(count)

    def read_all(self) -> bytes:
        """Return the whole file; for decoders that cannot read piecewise."""
        return self.data if self.data is not None else self.read_at(0, self.size)

    def for_vips(self) -> Any:
        """Return a libvips source over these bytes."""
        pyvips = libvips()
        if self.data is not None:
            return pyvips.Source.new_from_memory(self.data)
        self.handle.seek(0)
        return pyvips.Source.new_from_descriptor(self.handle.fileno())


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
        size = os.fstat(handle.fileno()).st_size
        _check_size(size, path, max_file_bytes)
        yield PhotoSource(path, size, handle)


def open_regular_file(path: str) -> io.BufferedReader:
    """Return a file open for reading; pipes, devices and sockets are refused without waiting for them.

    Raises:
        PhotoNotFoundError, UnreadablePhotoError: as :func:`open_source`.
    """
    # Non-blocking, so that a named pipe without a writer cannot hang us before we have seen that it is one.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "a folder")
        if stat.S_ISSOCK(os.stat(path).st_mode):
            raise _not_regular(path)
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        raise PhotoNotFoundError("there is no such file", where=path, next_step="Check the path") from error
    except IsADirectoryError as error:
        raise UnreadablePhotoError("this is a folder, not a photograph", where=path, next_step="Give a file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadablePhotoError(
            f"cannot be read ({reason})", where=path, next_step="Check its permissions and the disk"
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return os.fdopen(descriptor, "rb")


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
