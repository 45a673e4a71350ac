"""EXIF of WebP and AVIF, read from their containers and hidden from the decoder, which would parse it at any cost.

And what AVIF and HEIC say of their colours by code points, which decoders pass over.

Sources: RFC 9649 (WebP), section 2.7; ISO 14496-12, sections 8.11.3, 8.11.4, 8.11.6 and 12.1.5 (``colr``), and
ISO 23008-12 annex A (items) and section 9.3 (their properties).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from photochrom.files.codecs import jpeg
from photochrom.files.codecs.code_points import StatedColors, stated_colors
from photochrom.files.codecs.coded_colors import CodePoints, points_of_av1, points_of_hevc

if TYPE_CHECKING:
    from photochrom.files.codecs.source import Patch, PhotoSource

MAX_BOXES = 10_000
LARGEST_META_BYTES = 4_000_000
# Of an item, and of its settings: what a coded picture says of itself stands at its beginning.
LARGEST_HEAD_BYTES = 4096
EXIF_FLAG = 0x08
HIDDEN = b"hiDe"

Found = tuple[bytes | None, "list[Patch]"]
"""The EXIF block from its TIFF header on, and what hides it."""
Boxes = dict[bytes, tuple[int, int]]
"""Where the contents of boxes begin, and their sizes, by type."""


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
    for kind, at, size in boxes(source, 0, source.size):
        if kind != b"meta" or size > LARGEST_META_BYTES:
            continue
        children = {name: (begin, length) for name, begin, length in boxes(source, at + 4, at + size)}
        for item, type_at in _exif_items(source, *children.get(b"iinf", (0, 0))):
            hidden.append((type_at, HIDDEN))
            data = _item(source, item, children, LARGEST_META_BYTES)
            skipped = 4 + int.from_bytes(data[:4], "big")
            exif = exif or data[skipped:].removeprefix(jpeg.EXIF_HEADER) or None
    return exif, hidden


def colors_of_items(source: PhotoSource, *, gray: bool, format: str) -> StatedColors:
    """Return what an AVIF or HEIC without ICC profile says of its picture's colours, in its boxes or coded picture."""
    for kind, at, size in boxes(source, 0, source.size):
        if kind == b"meta" and size <= LARGEST_META_BYTES and (points := _code_points(source, at, size)):
            return stated_colors(*points, gray=gray, format=format)
    return StatedColors()


def _code_points(source: PhotoSource, at: int, size: int) -> CodePoints | None:
    """Return the code points of the primary item; of what it is put together from, where it states none."""
    children = {name: (begin, length) for name, begin, length in boxes(source, at + 4, at + size)}
    begin, length = children.get(b"iprp", (0, 0))
    properties = {name: (start, count) for name, start, count in boxes(source, begin, begin + length)}
    start, count = properties.get(b"ipco", (0, 0))
    known = dict(enumerate(boxes(source, start, start + count), 1))
    head = source.read_at(children.get(b"pitm", (source.size, 0))[0], 8)
    primary = int.from_bytes(head[4 : 6 if head[:1] == b"\x00" else 8], "big")
    items = [primary, *_parts_of(source, primary, *children.get(b"iref", (0, 0)))]
    own = [
        (item, known[number])
        for item in items
        for number in _properties_of(source, item, *properties.get(b"ipma", (0, 0)))
        if number in known
    ]
    # What boxes say counts before what the coded picture says (ISO 23008-12, section 6.5.5).
    of_boxes = (_of_box(source, *box) for _, box in own)
    of_streams = (_of_stream(source, item, children, *box) for item, box in own)
    return next((points for points in itertools.chain(of_boxes, of_streams) if points), None)


def _of_box(source: PhotoSource, kind: bytes, at: int, size: int) -> CodePoints | None:
    data = source.read_at(at, 8) if kind == b"colr" else b""
    if data[:4] != b"nclx" or len(data) < 8:
        return None
    return int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:], "big")


def _of_stream(source: PhotoSource, item: int, children: Boxes, kind: bytes, at: int, size: int) -> CodePoints | None:
    """Return the code points in an item's coded picture, of the kind that this property says."""
    if kind == b"hvcC":
        return points_of_hevc(source.read_at(at, min(size, LARGEST_HEAD_BYTES)))
    return points_of_av1(_item(source, item, children, LARGEST_HEAD_BYTES)) if kind == b"av1C" else None


def _parts_of(source: PhotoSource, whole: int, at: int, size: int) -> list[int]:
    """Return the first item that one is derived from, as from tiles of a grid; [] where it is coded itself."""
    digits = 2 if source.read_at(at, 1) == b"\x00" else 4
    for kind, begin, length in boxes(source, at + 4, at + size):
        numbers = source.read_at(begin, min(length, 2 * digits + 2))
        if kind == b"dimg" and int.from_bytes(numbers[:digits], "big") == whole:
            return [int.from_bytes(numbers[digits + 2 :], "big")]
    return []


def _properties_of(source: PhotoSource, wanted: int, at: int, size: int) -> list[int]:
    """Return the numbers of an item's properties, from 1, by the table of associations."""
    table, position = source.read_at(at, size), 8
    digits, width = (2 if table[:1] == b"\x00" else 4), (2 if table[3:4] and table[3] & 1 else 1)
    for _ in range(min(int.from_bytes(table[4:8], "big"), MAX_BOXES)):
        item, count = table[position : position + digits], table[position + digits : position + digits + 1]
        position += digits + 1
        end = position + width * int.from_bytes(count, "big")
        if int.from_bytes(item, "big") == wanted:
            numbers = [table[k : k + width] for k in range(position, end, width)]
            return [int.from_bytes(number, "big") & ((1 << (8 * width - 1)) - 1) for number in numbers]
        position = end
    return []


def boxes(source: PhotoSource, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, offset of the contents, their size) of the boxes between two places."""
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
    for kind, entry, _ in boxes(source, begin, at + size):
        version = source.read_at(entry, 1)
        digits = 2 if version == b"\x02" else 4
        type_at = entry + 4 + digits + 2
        if kind == b"infe" and version in (b"\x02", b"\x03") and source.read_at(type_at, 4).lower() == b"exif":
            yield int.from_bytes(source.read_at(entry + 4, digits), "big"), type_at


def _item(source: PhotoSource, wanted: int, boxes: Boxes, most: int) -> bytes:
    """Return an item's first bytes by the table of locations; none where they lie outside of the file."""
    table, position = source.read_at(*boxes.get(b"iloc", (0, 0))), 6
    version, widths = table[:1], table[4:6].ljust(2, b"\x00")
    offset_size, length_size, base_size, index_size = widths[0] >> 4, widths[0] & 15, widths[1] >> 4, widths[1] & 15
    begins = {0: 0, 1: boxes.get(b"idat", (source.size, 0))[0]}

    def number(width: int) -> int:
        nonlocal position
        position += width
        return int.from_bytes(table[position - width : position], "big")

    wide = 4 if version == b"\x02" else 2
    for _ in range(min(number(wide), MAX_BOXES)):
        item = number(wide)
        method = number(2) & 15 if version in (b"\x01", b"\x02") else 0
        number(2)
        base, parts = number(base_size), b""
        for _ in range(min(number(2), 100)):
            number(index_size if version in (b"\x01", b"\x02") else 0)
            start, length = base + number(offset_size), number(length_size)
            if item == wanted and method in begins:
                parts += source.read_at(begins[method] + start, min(length, most - len(parts)))
        if item == wanted:
            return parts
    return b""
