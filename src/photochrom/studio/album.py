"""The whole wall as an album: one ZIP file, written as it is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

PIECE_BYTES = 1 << 20
EARLIEST = (1980, 1, 1, 0, 0, 0)


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


def zipped(files: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield the bytes of an archive that holds files under the names given; photographs are packed already.

    Names that occur twice are told apart by a number.
    """
    outlet, used = _Outlet(), set[str]()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(_free(name, used), EARLIEST)
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    yield outlet.take()
            yield outlet.take()
    yield outlet.take()


def _free(name: str, used: set[str]) -> str:
    path, number = PurePosixPath(name), 2
    while name.casefold() in used:
        name = path.with_stem(f"{path.stem}-{number}").as_posix()
        number += 1
    used.add(name.casefold())
    return name
