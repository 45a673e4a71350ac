"""What photographs of several folders are called that go into one: each has a key of its own, and keeps it.

A key is the photograph's name in its folder; where that is another's, a number is added to it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath

from photochrom.albums.entries import Entry
from photochrom.albums.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Found:
    """A photograph of the run.

    Attributes:
        path: where it lies.
        album: the folder that was given, or for a file that was given the one that holds it.
    """

    path: Path
    album: Path

    @property
    def name(self) -> str:
        """Its name inside the folder, with forward slashes."""
        return self.path.relative_to(self.album).as_posix()


def with_keys(photos: Sequence[Found], manifest: Manifest | None) -> dict[str, Found]:
    """Return photographs by key, in their order; those that have been given one before come first in choosing."""
    known = manifest.entries if manifest else {}
    keys: dict[Found, str] = {}
    taken = set[str]()
    for photo in dict.fromkeys(photos) if manifest else ():
        if key := _earlier_key(photo, known, taken, manifest):
            keys[photo] = key
            taken.add(key)
    for photo in photos:
        if photo not in keys:
            keys[photo] = _new_key(photo, known, taken)
            taken.add(keys[photo])
    return {keys[photo]: photo for photo in photos}


def _earlier_key(
    photo: Found, known: Mapping[str, Sequence[Entry]], taken: Container[str], manifest: Manifest | None
) -> str:
    for key in _numbered(photo.name):
        if key not in known:
            return ""
        if key not in taken and manifest and any(manifest.is_of_album(entry, photo.album) for entry in known[key]):
            return key
    raise AssertionError("numbers do not end")


def _new_key(photo: Found, known: Container[str], taken: Container[str]) -> str:
    """Return the name itself, though another folder's photograph may have had it: this may be that folder, moved."""
    if photo.name not in taken:
        return photo.name
    return next(key for key in _numbered(photo.name) if key not in taken and key not in known)


def _numbered(name: str) -> Iterator[str]:
    yield name
    path = PurePosixPath(name)
    for number in count(2):
        yield path.with_stem(f"{path.stem}-{number}").as_posix()
