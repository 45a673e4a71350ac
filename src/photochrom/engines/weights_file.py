"""Weights in a file beside their graph, as imported models have them: read whole, or mapped where they are large.

A mapped file that is cut while it is run ends the process (SIGBUS), and nothing that we could do in time hears of it.
What is read is safe from that; DeOldify's gigabyte stays mapped, since memory would be held for it twice.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Protocol

from photochrom.computer.hashes import sha256_of
from photochrom.engines.runtime import onnxruntime as ort
from photochrom.errors import ModelFileError

WEIGHTS_SUFFIX = ".weights"
GIVE_IN_MEMORY = "add_external_initializers_from_files_in_memory"  # younger than the oldest runtime that we run on
# Reading costs twice the file's memory while it is loaded, and two seconds of processor time a gigabyte.
LARGEST_READ_BYTES = 2**27
REINSTALL = "Import or pull the model again."


class Weights(Protocol):
    """Weights in a file beside the graph."""

    @property
    def sha256(self) -> str:
        """The hash of what the runtime has been given."""
        ...

    def give_to(self, options: ort.SessionOptions) -> None:
        """Prepare a session's options for them."""
        ...

    def loaded(self) -> None:
        """Let go of what only loading needed; raise ModelFileError if they were changed meanwhile."""
        ...

    def refuse_if_changed(self) -> None:
        """Raise ModelFileError if what is run may no longer be what was checked."""
        ...


def weights_beside(path: Path) -> Weights:
    """Return a file of weights: in memory up to :data:`LARGEST_READ_BYTES`, where this ONNX Runtime takes them so."""
    is_read = hasattr(ort.SessionOptions, GIVE_IN_MEMORY) and _size(path) <= LARGEST_READ_BYTES
    return WeightsInMemory(path) if is_read else MappedWeights(path)


class WeightsInMemory:
    """Weights that were read whole: nobody can change what is run."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            self._content: bytes | None = path.read_bytes()
        except OSError as error:
            raise ModelFileError(f"cannot be read ({error.strerror})", where=str(path), next_step=REINSTALL) from None

    @cached_property
    def sha256(self) -> str:
        """The hash of the bytes; to be asked for before they are let go of."""
        return hashlib.sha256(self._content or b"").hexdigest()

    def give_to(self, options: ort.SessionOptions) -> None:
        """Hand the bytes over; the runtime copies what it needs of them while it loads."""
        content = self._content or b""
        getattr(options, GIVE_IN_MEMORY)([self._name], [content], [len(content)])

    def loaded(self) -> None:
        """Let go of the bytes."""
        self._content = None

    def refuse_if_changed(self) -> None:
        """Do nothing: they cannot change."""


class MappedWeights:
    """Weights that the runtime maps: what it answers counts only while the file is as it was.

    Args:
        path: the file, as it is when this is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._status = self._found()

    @cached_property
    def sha256(self) -> str:
        """The hash of the file."""
        return read_sha256(self._path)

    def give_to(self, options: ort.SessionOptions) -> None:
        """Do nothing: the runtime finds the file beside the graph."""

    def loaded(self) -> None:
        """Raise ModelFileError if they were changed while they were loaded."""
        self.refuse_if_changed()

    def refuse_if_changed(self) -> None:
        """Raise ModelFileError if the file has been cut, written to, replaced or removed. Cost: a look at its entry."""
        if self._found() != self._status:
            what = "the weights were changed while they were used"
            raise ModelFileError(what, where=str(self._path), next_step=REINSTALL)

    def _found(self) -> tuple[int, ...] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise ModelFileError(f"cannot be read ({error.strerror})", where=str(path), next_step=REINSTALL) from None


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
