"""The whole wall as an album: one ZIP file, written as it is sent, with the manifest that albums have."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from photochrom.albums.entries import Entry, line_of
from photochrom.albums.manifest import MANIFEST_NAME, Manifest, file_sha256
from photochrom.computer.hashes import sha256_of_values
from photochrom.version import VERSION

PIECE_BYTES = 1 << 20
EARLIEST = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class AlbumFile:
    """A file of the album.

    Attributes:
        name: for people; where names occur twice they are told apart by a number.
        path: where it lies.
        photo: name of the photograph that it was made of.
    """

    name: str
    path: Path
    photo: str


def entries_of(results: Path) -> dict[str, Entry]:
    """Return what a photograph's folder of results remembers of them, by the names of the files."""
    return {entry.target: entry for entries in Manifest.of(results).entries.values() for entry in entries}


def remember_film(target: Path, key: str, source: Path, shaped_by: object) -> None:
    """Let a film's folder of results remember it, as those of photographs do; ``shaped_by`` becomes JSON.

    Raises:
        OutputError: it cannot be written.
    """
    settings = sha256_of_values(shaped_by)
    size = target.stat().st_size
    told = Entry(key, file_sha256(source), settings, target.name, file_sha256(target), size, VERSION, settings)
    Manifest.of(target.parent).promise(told)


class _Outlet(io.RawIOBase):
    """What is written is held until it is taken; there is no way back, so the archive never seeks."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self.held += view
        return len(view)

    def take(self) -> bytes:
        taken = bytes(self.held)
        self.held.clear()
        return taken


def zipped(files: Iterable[AlbumFile]) -> Iterator[bytes]:
    """Yield the bytes of an archive that holds files; photographs are packed already."""
    outlet, used, told = _Outlet(), {MANIFEST_NAME}, bytearray()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            name = _free(file.name, used)
            if entry := entries_of(file.path.parent).get(file.path.name):
                told += line_of(replace(entry, key=file.photo, target=name))
            with file.path.open("rb") as source, archive.open(_info(name), "w", force_zip64=True) as target:
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    yield outlet.take()
            yield outlet.take()
        archive.writestr(_info(MANIFEST_NAME), bytes(told))
    yield outlet.take()


def _info(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, EARLIEST)


def _free(name: str, used: set[str]) -> str:
    path, number = PurePosixPath(name), 2
    while name.casefold() in used:
        name = path.with_stem(f"{path.stem}-{number}").as_posix()
        number += 1
    used.add(name.casefold())
    return name
