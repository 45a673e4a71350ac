"""Weights in a file beside their graph, as imported models have them: read whole, and run where they were read to.

The runtime alone would map them, and a mapped file that is cut while it is run ends the process (SIGBUS). What is read
is safe from that and held once, for the runtime is given each array where it lies; reading it for itself it would hold
all of them twice while it loads.
"""

from __future__ import annotations

import hashlib
import os
from functools import cached_property
from pathlib import Path

import numpy as np

from photochrom.computer.hashes import sha256_of
from photochrom.engines.runtime import onnxruntime as ort
from photochrom.engines.stored_arrays import stored_arrays
from photochrom.errors import ModelFileError

WEIGHTS_SUFFIX = ".weights"
REINSTALL = "Import or pull the model again."
LARGEST_BYTES = 8_000_000_000
"""Of weights: as much as an import reads of a published file."""
ALIGNMENT = 64
"""Bytes: a cache line, and the widest register."""


class Weights:
    """The bytes of a file of weights, to be kept for as long as a session runs on them.

    Args:
        path: the file.

    Raises:
        ModelFileError: it cannot be read.

    Memory: the file's size. Cost: up to two seconds of processor time a gigabyte, and half as much for the hash.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._given: list[ort.OrtValue] = []
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size > LARGEST_BYTES:
                    raise ModelFileError("is larger than any file of weights", where=str(path), next_step=REINSTALL)
                self._status = _told_of(status)
                self._content = _aligned(status.st_size)
                if file.readinto(self._content.data) < self._content.size:
                    raise self._changed()
        except OSError as error:
            raise ModelFileError(f"cannot be read ({error.strerror})", where=str(path), next_step=REINSTALL) from None
        except MemoryError:
            raise ModelFileError("there is not enough memory to read it", where=str(path)) from None

    @cached_property
    def sha256(self) -> str:
        """The hash of what was read."""
        return hashlib.sha256(self._content.data).hexdigest()

    def give_to(self, options: ort.SessionOptions, graph: bytes) -> None:
        """Let a session run on these bytes.

        Raises:
            ValueError: the graph cannot be followed, or asks for what is not in this file.
        """
        for name, array in stored_arrays(graph, self._path.name, self._content):
            self._given.append(ort.OrtValue.ortvalue_from_numpy(array))
            options.add_initializer(name, self._given[-1])

    def refuse_if_changed(self) -> None:
        """Raise ModelFileError if the file was changed: while it loads, the runtime looks into it, too."""
        try:
            found = _told_of(self._path.stat())
        except OSError:
            raise self._changed() from None
        if found != self._status:
            raise self._changed()

    def _changed(self) -> ModelFileError:
        what = "the weights were changed while they were loaded"
        return ModelFileError(what, where=str(self._path), next_step=REINSTALL)


def weights_beside(path: Path) -> Weights | None:
    """Return the weights of a model whose graph lies at ``path``; None where they are inside."""
    beside = path.with_suffix(WEIGHTS_SUFFIX)
    return Weights(beside) if beside.is_file() else None


def _told_of(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _aligned(size: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    room = np.empty(size + ALIGNMENT, np.uint8)
    begin = -room.ctypes.data % ALIGNMENT
    return room[begin : begin + size]


def checked_sha256(path: Path, expected: str) -> str:
    """Return the hash of an imported model's file; raise ModelFileError if it is not the expected one, unless empty."""
    found = read_sha256(path)
    refuse_if_damaged(path, found, expected)
    return found


def read_sha256(path: Path) -> str:
    """Return the hash of a model's file; raise ModelFileError if it cannot be read."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise ModelFileError(f"cannot be read ({error.strerror})", where=str(path), next_step=REINSTALL) from None


def refuse_if_damaged(
    path: Path, found: str, expected: str, what: str = "the file", next_step: str = REINSTALL
) -> None:
    """Raise ModelFileError if a file's hash is not the expected one, unless that is empty."""
    if expected and found != expected:
        raise ModelFileError(
            f"{what} is damaged: its sha256 starts with {found[:12]}, {expected[:12]} was expected",
            where=str(path),
            next_step=next_step,
        )
