"""Room for pixels: in memory while there is little to hold, in temporary files beyond that.

All pixels of a process share one budget of memory, so its peak grows neither with the size of photographs nor with
their number. Arrays beyond the budget are ordinary numpy arrays over a memory-mapped file that has no name; nothing
of it is left behind, whatever happens. Whoever reads or writes such an array from top to bottom calls :func:`let_go`
on the way, for pages that were touched count as the process's memory until then.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from photochrom.errors import PhotoTooLargeError

Array = npt.NDArray[Any]

BYTES_IN_MEMORY = 256 * 2**20
"""The budget: a photograph of 50 megapixels, 8 bit, before and after."""
STRIP_BYTES = 8 * 2**20
"""Arrays of up to this size are not counted; larger ones are worked through in strips of it."""
VAR_TMP = Path("/var/tmp")  # noqa: S108 - by the Filesystem Hierarchy Standard on a disk, where /tmp may be memory


class _Budget:
    """Bytes of pixels in memory."""

    def __init__(self) -> None:
        self._held = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take bytes, if they are there."""
        with self._lock:
            fits = self._held + count <= BYTES_IN_MEMORY
            self._held += count if fits else 0
        return fits

    def give_back(self, count: int) -> None:
        with self._lock:
            self._held -= count


_BUDGET = _Budget()


def empty_pixels(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array to be filled.

    Raises:
        PhotoTooLargeError: neither memory nor the folder for temporary files has room.
    """
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    if _fits(size):
        return _counted(np.empty(shape, dtype))
    with _reserved_file(size) as file:
        return _mapped(file, shape, dtype)


def pixels_from(
    shape: tuple[int, ...], dtype: npt.DTypeLike, *, made: Callable[[], Array], to_file: Callable[[IO[bytes]], None]
) -> Array:
    """Return an array that somebody else computes.

    Args:
        shape: of the array.
        dtype: of the array.
        made: returns the array, which then is held in memory.
        to_file: writes the array's bytes to a file.

    Raises:
        PhotoTooLargeError: as in :func:`empty_pixels`.
    """
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    if _fits(size):
        try:
            array = made()
        except BaseException:
            _give_back(size)
            raise
        return _counted(array)
    with _reserved_file(size) as file:
        to_file(file)
        file.flush()
        return _mapped(file, shape, dtype)


def strips_of(*sources: Array) -> Iterator[tuple[slice, list[Array]]]:
    """Yield (rows, these rows of each source), from top to bottom, and let go of what has been read."""
    height = sources[0].shape[0]
    bytes_per_row = max(1, sum(source.nbytes for source in sources) // max(1, height))
    count = max(1, STRIP_BYTES // bytes_per_row)
    for top in range(0, height, count):
        rows = slice(top, min(top + count, height))
        yield rows, [source[rows] for source in sources]
        let_go(*sources)


def strip_by_strip(make: Callable[..., Array], *sources: Array) -> Array:
    """Return ``make(*sources)``, computed in row strips where it is large.

    Args:
        make: returns an array of as many rows as the strips it is given; each row must depend on the same rows only.
        sources: arrays of the same height.
    """
    height = sources[0].shape[0]
    out: Array | None = None
    for rows, strips in strips_of(*sources):
        strip = make(*strips)
        if rows.stop == height and out is None:
            return strip
        if out is None:
            out = empty_pixels((height, *strip.shape[1:]), strip.dtype)
        out[rows] = strip
        let_go(out)
    return out if out is not None else make(*sources)


def let_go(*arrays: Array) -> None:
    """Let the system take back the memory of arrays in temporary files; what they hold is read again when needed."""
    for array in arrays:
        mapping = _mapping_of(array)
        if mapping is not None and sys.platform != "win32" and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)


def is_in_file(array: Array) -> bool:
    """Return whether an array lies in a temporary file."""
    return _mapping_of(array) is not None


def temporary_folder() -> Path:
    """Return where large temporary files go: ``TMPDIR``, or else a folder on a disk."""
    if "TMPDIR" not in os.environ and VAR_TMP.is_dir() and os.access(VAR_TMP, os.W_OK):
        return VAR_TMP
    return Path(tempfile.gettempdir())


def _fits(size: int) -> bool:
    return size <= STRIP_BYTES or _BUDGET.take(size)


def _give_back(size: int) -> None:
    if size > STRIP_BYTES:
        _BUDGET.give_back(size)


def _counted(array: Array) -> Array:
    """Return the array; its bytes are given back when it and all its views are gone."""
    if array.nbytes <= STRIP_BYTES:
        return array
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    weakref.finalize(owner, _give_back, array.nbytes).atexit = False
    return array


def _mapped(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    size = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(mmap.mmap(file.fileno(), size), dtype).reshape(shape)


def _mapping_of(array: Array) -> mmap.mmap | None:
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    return owner if isinstance(owner, mmap.mmap) else None


def _reserved_file(size: int) -> IO[bytes]:
    """Return a nameless file whose blocks are there already: writing to a mapped one on a full disk would kill us."""
    folder = temporary_folder()
    try:
        file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise _no_room(size, folder, error) from None
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            for count in _pieces(size):
                file.write(bytes(count))
            file.flush()
            os.lseek(file.fileno(), 0, os.SEEK_SET)
    except OSError as error:
        file.close()
        raise _no_room(size, folder, error) from None
    return file


def _pieces(size: int) -> Iterator[int]:
    for at in range(0, size, STRIP_BYTES):
        yield min(STRIP_BYTES, size - at)


def _no_room(size: int, folder: Path, error: OSError) -> PhotoTooLargeError:
    return PhotoTooLargeError(
        f"{size / 1e6:,.0f} MB of temporary room are needed in {folder} ({error.strerror or error})",
        next_step="Free some space there, or set TMPDIR to a folder that has it",
    )


def trim_memory() -> None:
    """Give memory that was freed back to the system, where the C library keeps it (glibc); elsewhere nothing.

    Large arrays that come and go on several threads leave gaps, which add up over hours of film.

    Cost: a few milliseconds for each 100 MB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
