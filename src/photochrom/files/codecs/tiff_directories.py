"""TIFF directories made, in either byte order, and files of one page around them.

Source: TIFF 6.0 (Adobe, 1992), section 2; the BigTIFF layout of libtiff (64-bit offsets, version 43).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from photochrom.files.codecs.exif import (
    EXIF_POINTER,
    GPS_POINTER,
    LONG,
    SHORT,
)
from photochrom.files.codecs.tiff import (
    LONG8,
    RATIONAL,
    SIZES,
    STRIP_LENGTHS,
    STRIP_OFFSETS,
    SUB_DIRECTORIES,
    TILE_OFFSETS,
    UNDEFINED,
    XMP,
    Field,
    Page,
    TiffReader,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


POINTERS = frozenset([SUB_DIRECTORIES, EXIF_POINTER, GPS_POINTER])
"""Tags that point at other directories of a file."""


def number_field(number: int, order: str) -> Field:
    """Return the field of one number, as a LONG."""
    return Field(LONG, 1, struct.pack(order + "L", number))


def shorts_field(numbers: Sequence[int], order: str) -> Field:
    """Return the field of several numbers, as SHORTs."""
    return Field(SHORT, len(numbers), struct.pack(f"{order}{len(numbers)}H", *numbers))


def file_of_segment(order: str, tags: Mapping[int, Field], data: bytes) -> bytes:
    """Return a TIFF whose only strip is ``data``; ``tags`` say the rest, in the byte order ``order``."""
    header = b"II*\x00" if order == "<" else b"MM\x00*"
    at = 8 + len(data) + len(data) % 2
    placed = {STRIP_OFFSETS: number_field(8, order), STRIP_LENGTHS: number_field(len(data), order)}
    body = header + struct.pack(order + "L", at) + data + bytes(len(data) % 2)
    return body + directory_bytes({**tags, **placed}, order, at)


def directory_file(order: str, tags: Mapping[int, Field]) -> bytes:
    """Return a file of one directory and nothing else, for a reader that is given strips by hand."""
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HHHQ", 43, 8, 0, 16)
    return header + directory_bytes(tags, order, 16, big=True)


def file_of_page(reader: TiffReader, page: Page, changes: Mapping[int, Field]) -> bytes:
    """Return a file of this page alone, some tags changed; strips that share their bytes go on doing so.

    Raises:
        DamagedExifError: strips and their lengths differ in number.
    """
    number, type_of_offsets = ("Q", LONG8) if reader.big else ("L", LONG)
    data, places = bytearray(reader.source.read_at(0, 16 if reader.big else 8)), dict[tuple[int, int], int]()
    segments = list(zip(*(numbers.tolist() for numbers in page.segments()), strict=True))
    if not all(length for _, length in segments):  # libtiff estimates these by what follows
        data, places = bytearray(reader.source.read_all()), {segment: segment[0] for segment in segments}
    for segment in segments:
        if segment not in places:
            places[segment] = len(data)
            data += reader.source.read_at(*segment)
            data += bytes(len(data) % 2)
    data += bytes(-len(data) % 8)
    moved = [places[segment] for segment in segments]
    placed = Field(type_of_offsets, len(moved), struct.pack(f"{reader.order}{len(moved)}{number}", *moved))
    tags = {tag: field for tag, field in page.tags.items() if tag not in POINTERS} | dict(changes)
    tags[TILE_OFFSETS if TILE_OFFSETS in page.tags else STRIP_OFFSETS] = placed
    struct.pack_into(reader.order + reader.pointer, data, reader.first_at, len(data))
    return bytes(data) + directory_bytes(tags, reader.order, len(data), big=reader.big)


def bytes_field(tag: int, block: bytes) -> Field:
    """Return the field for an XMP packet, IPTC records or a profile: bytes, or of undefined type."""
    return Field(1 if tag == XMP else UNDEFINED, len(block), block)


def directory_bytes(tags: Mapping[int, Field], order: str, at: int, *, big: bool = False) -> bytes:
    """Return a directory that stands at offset ``at``, followed by its values; no directory comes after it.

    ``big`` is the layout of BigTIFF. The tags' bytes are in the byte order ``order``.
    """
    values_at = at + next_pointer_at(len(tags), big=big) + (8 if big else 4)
    table, values = bytearray(struct.pack(order + ("Q" if big else "H"), len(tags))), bytearray()
    for tag in sorted(tags):
        entry, value = entry_bytes(tag, tags[tag], order, values_at + len(values), big=big)
        table += entry
        values += value
    return bytes(table + bytes(8 if big else 4) + values)


def next_pointer_at(count: int, *, big: bool) -> int:
    """Return how far into a directory of ``count`` entries the offset of the following one is stored."""
    return 8 + 20 * count if big else 2 + 12 * count


def in_order(tags: Mapping[int, Field], order: str, wanted: str) -> dict[int, Field]:
    """Return tags with their bytes brought from one byte order to another; bytes of unknown meaning stay."""
    if order == wanted:
        return dict(tags)
    return {tag: field._replace(data=_swapped(field)) for tag, field in tags.items()}


def entry_bytes(tag: int, field: Field, order: str, value_at: int, *, big: bool = False) -> tuple[bytes, bytes]:
    """Return an entry, and the bytes to store at ``value_at`` where they do not fit into it."""
    number, room = ("Q", 8) if big else ("L", 4)
    head = struct.pack(order + "HH" + number, tag, field.type, field.items)
    if len(field.data) <= room:
        return head + field.data.ljust(room, b"\x00"), b""
    return head + struct.pack(order + number, value_at), field.data + bytes(len(field.data) % 2)


def _swapped(field: Field) -> bytes:
    size = SIZES[field.type] if field.type not in (RATIONAL, 10) else 4
    data = field.data
    return data if size == 1 else b"".join(data[i : i + size][::-1] for i in range(0, len(data), size))
