"""A folder somewhere: on S3, Google's or Azure's storage, or on a disk. Names in it have forward slashes.

Objects appear whole or not at all: a result is one put of all its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PIECE_BYTES = 1 << 22
"""Of a film that is fetched or put, in memory at a time."""
Place = tuple[object, ...]
"""Where a folder is, the same however its address is spelt: storage and unquoted path, or what it is on a disk."""


@dataclass(frozen=True, slots=True)
class Named:
    """An object in a folder.

    Attributes:
        name: inside the folder, with forward slashes.
        size: in bytes.
        changed_ns: when it was last written to, in nanoseconds since 1970.
    """

    name: str
    size: int
    changed_ns: int


class Folder(Protocol):
    """What albums need of a folder.

    Raises, each method: PhotoNotFoundError where there is no such object, OutputError or UnreadablePhotoError where the
    storage refuses or fails, after three tries where another may help.
    """

    address: str
    home: str
    """Its address as every computer that has it there would spell it; to be told, and kept in records."""

    @property
    def place(self) -> Place:
        """Where it is, to be compared with other folders' places."""

    def places_above(self, name: str) -> Iterator[Place]:
        """Yield the places of the folders that an object of this name lies in, the innermost first; links resolved."""

    def listed(self, leave_out: Folder | None = None) -> Iterator[Named]:
        """Yield what the folder and its subfolders hold, a subfolder at a time, in no order; without dot-names.

        ``leave_out`` is a subfolder that is not entered.
        """

    def found(self, name: str) -> Named | None:
        """Return an object, or None where there is none."""

    def read(self, name: str) -> bytes:
        """Return an object's bytes."""

    def near(self, name: str, folder: Path) -> Path:
        """Return where an object can be read as a file: itself on a disk, else a copy that is put into ``folder``."""

    def put(self, name: str, data: bytes | Path) -> None:
        """Write an object, or a file's content, whole or not at all, in place of what has its name."""

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
