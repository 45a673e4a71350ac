"""EXIF of WebP and AVIF, read from their containers and hidden from the decoder, which would parse it at any cost.

Sources: RFC 9649 (WebP), section 2.7; ISO 14496-12, sections 8.11.3 and 8.11.6, and ISO 23008-12 annex A (items).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from photochrom.files.codecs import jpeg

if TYPE_CHECKING:
    from photochrom.files.codecs.source import Patch, PhotoSource

MAX_BOXES = 10_000
LARGEST_META_BYTES = 4_000_000
EXIF_FLAG = 0x08
HIDDEN = b"hiDe"

Found = tuple[bytes | None, "list[Patch]"]
"""The EXIF block from its TIFF header on, and what hides it."""


def exif_of_webp(source: PhotoSource) -> Found:
    """Return the EXIF chunk of a WebP."""
    exif, hidden, at = None, list[tuple[int, bytes]](), 12
    for _ in range(MAX_BOXES):
        head = source.read_at(at, 9)
        if len(head) < 8:
            return exif, hidden
        size = int.from_bytes(head[4:8], "little")
        if head[:4] == b"VP8X" and len(head) == 9:
            hidden.append((at + 8, bytes([head[8] & ~EXIF_FLAG])))
        elif head[:4] == b"EXIF":
            exif = exif or source.read_at(at + 8, size).removeprefix(jpeg.EXIF_HEADER)
            hidden.append((at, HIDDEN))
        at += 8 + size + size % 2
    raise ValueError(f"more than {MAX_BOXES:,} chunks")


def exif_of_avif(source: PhotoSource) -> Found:
    """Return the EXIF item of an AVIF."""
    exif, hidden = None, list[tuple[int, bytes]]()
    for kind, at, size in _boxes(source, 0, source.size):
        if kind != b"meta" or size > LARGEST_META_BYTES:
            continue
        children = {name: (begin, length) for name, begin, length in _boxes(source, at + 4, at + size)}
        for item, type_at in _exif_items(source, *children.get(b"iinf", (0, 0))):
            hidden.append((type_at, HIDDEN))
            data = _item(source, item, *children.get(b"iloc", (0, 0)))
            skipped = 4 + int.from_bytes(data[:4], "big")
            exif = exif or data[skipped:].removeprefix(jpeg.EXIF_HEADER) or None
    return exif, hidden


def _boxes(source: PhotoSource, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, offset of the contents, their size)."""
    for _ in range(MAX_BOXES):
        head = source.read_at(at, 16)
        if at + 8 > end or len(head) < 8:
            return
        size, begins = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, begins = int.from_bytes(head[8:], "big"), 16
        stop = at + size if size else end
        if stop < at + begins:
            return
        yield head[4:8], at + begins, min(stop, end) - at - begins
        at = stop
    raise ValueError(f"more than {MAX_BOXES:,} boxes")


def _exif_items(source: PhotoSource, at: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield (number, offset of the type) of the items that are EXIF."""
    if not size:
        return
    begin = at + (6 if source.read_at(at, 1) == b"\x00" else 8)
    for kind, entry, _ in _boxes(source, begin, at + size):
        version = source.read_at(entry, 1)
        digits = 2 if version == b"\x02" else 4
        type_at = entry + 4 + digits + 2
        if kind == b"infe" and version in (b"\x02", b"\x03") and source.read_at(type_at, 4).lower() == b"exif":
            yield int.from_bytes(source.read_at(entry + 4, digits), "big"), type_at


def _item(source: PhotoSource, wanted: int, at: int, size: int) -> bytes:
    """Return an item's bytes by the table of locations; none where they lie elsewhere than in the file's own data."""
    table, position = source.read_at(at, size), 6
    version, widths = table[:1], table[4:6].ljust(2, b"\x00")
    offset_size, length_size, base_size, index_size = widths[0] >> 4, widths[0] & 15, widths[1] >> 4, widths[1] & 15

    def number(width: int) -> int:
        nonlocal position
        position += width
        return int.from_bytes(table[position - width : position], "big")

    wide = 4 if version == b"\x02" else 2
    for _ in range(min(number(wide), MAX_BOXES)):
        item = number(wide)
        method = number(2) if version in (b"\x01", b"\x02") else 0
        number(2)
        base, parts = number(base_size), b""
        for _ in range(min(number(2), 100)):
            number(index_size if version in (b"\x01", b"\x02") else 0)
            start, length = base + number(offset_size), number(length_size)
            if item == wanted and method == 0:
                parts += source.read_at(start, min(length, LARGEST_META_BYTES))
        if item == wanted:
            return parts
    return b""
