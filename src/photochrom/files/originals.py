"""Originals: known by what they are on disk, so that nothing is ever written over one.

Names prove nothing: links, further names of the same file, other spellings of a folder, and file systems that take
``A.jpg`` for ``a.JPG`` all lead to the same place. What the file system calls one file is one file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from photochrom.computer.names import reachable
from photochrom.computer.systems import Identity, PathLike, identity_of_status
from photochrom.errors import OutputError


def identity_of(path: PathLike) -> Identity | None:
    """Return what the file or folder that a path leads to is on disk; None where nothing can be reached."""
    try:
        status = os.stat(reachable(path))
    except (OSError, ValueError):  # a name with a zero byte is a ValueError
        return None
    return identity_of_status(status, path)


@dataclass(frozen=True, slots=True)
class Originals:
    """Files that are only ever read."""

    _names: Mapping[Identity, str] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[PathLike]) -> Self:
        """Return the originals that paths lead to; paths that lead nowhere are left out."""
        return cls({identity: os.fspath(path) for path in paths if (identity := identity_of(path))})

    def found_at(self, path: PathLike) -> str | None:
        """Return the name of the original that a path leads to, however it is spelt; None where it leads to none."""
        identity = identity_of(path)
        return self._names.get(identity) if identity else None

    def refuse(self, path: PathLike) -> None:
        """Raise OutputError where a path that is to be written leads to an original."""
        other = self.found_at(path)
        if other is None:
            return
        raise OutputError(
            "is the photograph itself" if other == os.fspath(path) else f"is the photograph itself, {other}",
            where=os.fspath(path),
            next_step="Choose another output: originals are never written to",
        )
