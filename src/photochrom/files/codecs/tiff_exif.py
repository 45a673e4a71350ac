"""What a TIFF page says of its subject and making, as an EXIF block, and back: both are directories of one kind."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from photochrom.files.codecs.exif import (
    EXIF_POINTER,
    GPS_POINTER,
    INTEROP_POINTER,
    LONG,
    SHORT,
    DamagedExifError,
    ExifBlock,
)
from photochrom.files.codecs.tiff import (
    IFD,
    IFD8,
    LONG8,
    ORIENTATION,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    Field,
    Page,
    TiffReader,
)
from photochrom.files.codecs.tiff_directories import directory_bytes, entry_bytes, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping


# What a picture says about its subject and making, rather than how its pixels are stored (TIFF 6.0, EXIF 2.32
# table 4, and the tags Windows adds); and which part of the Earth it shows (GeoTIFF 1.1, and GDAL's two).
DESCRIPTIVE = frozenset(
    (
        *(269, 270, 271, 272, 285, 297, 305, 306, 315, 316, 33432, 40091, 40092, 40093, 40094, 40095, 18246, 18249),
        *(36867, 33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113),
    )
)
PLACES_ON_EARTH = frozenset([33550, 33922, 34264])
"""Of GeoTIFF's, those that lay pixels, counted as they are stored, on the Earth: scale, points, transformation."""
RESOLUTION = frozenset([X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT])


def exif_of_page(reader: TiffReader, page: Page) -> bytes | None:
    """Return an EXIF block with what one page says about its subject and making, EXIF and GPS included."""
    main = {tag: field for tag, field in page.tags.items() if tag in DESCRIPTIVE | RESOLUTION}
    children = {}
    for pointer in (EXIF_POINTER, GPS_POINTER):
        offset = _pointed_at(page, pointer)
        if offset:
            try:
                children[pointer] = reader.directory(offset)[0]
            except DamagedExifError as error:
                reader.notes.append(f"damaged EXIF left out ({error})")
    if not main.keys() - RESOLUTION and not any(children.values()):
        return None
    main[ORIENTATION] = Field(SHORT, 1, struct.pack(page.order + "H", page.number(ORIENTATION) or 1))
    header = (b"II*\x00" if page.order == "<" else b"MM\x00*") + struct.pack(page.order + "L", 8)
    empty_main = struct.pack(page.order + "HL", 0, 0)
    return with_tags(header + empty_main, main, children)


def tags_of_exif(block: bytes) -> tuple[dict[int, Field], dict[int, dict[int, Field]], str]:
    """Return the descriptive main tags, the EXIF and GPS directories, and the byte order of an EXIF block."""
    exif = ExifBlock(block)

    def fields(directory: object) -> dict[int, Field]:
        entries = getattr(directory, "entries", {})
        return {
            tag: Field(e.type, e.count, bytes(exif.data[e.value_at : e.value_at + e.size]))
            for tag, e in entries.items()
        }

    children = {pointer: fields(exif.directory(pointer)) for pointer in (EXIF_POINTER, GPS_POINTER)}
    # Its place changes with the file; interoperability says nothing that the profile does not.
    children[EXIF_POINTER].pop(INTEROP_POINTER, None)
    main = {tag: field for tag, field in fields(exif.main).items() if tag in DESCRIPTIVE}
    return main, {pointer: tags for pointer, tags in children.items() if tags}, exif.order


def with_tags(
    data: bytes, main: Mapping[int, Field], children: Mapping[int, Mapping[int, Field]], source_order: str = ""
) -> bytes:
    """Return a copy of an EXIF block (or classic TIFF file) with tags added to its first directory.

    That is written anew behind everything else, and nothing else moves, so all offsets inside stay right.

    Args:
        data: the block.
        main: tags for the first directory, replacing those of the same number.
        children: directories by the tag that points at them.
        source_order: byte order of the values, where it is not the block's own.
    """
    block = ExifBlock(data)
    order = block.order
    entries = {tag: bytes(data[e.at : e.at + 12]) for tag, e in block.main.entries.items()}
    following = bytes(data[block.main.next_at : block.main.next_at + 4])
    result = bytearray(data) + bytes(len(data) % 2)
    for pointer, tags in children.items():
        entries[pointer] = struct.pack(order + "HHLL", pointer, LONG, 1, len(result))
        result += directory_bytes(in_order(tags, source_order or order, order), order, len(result))
    for tag, field in in_order(main, source_order or order, order).items():
        entries[tag], value = entry_bytes(tag, field, order, len(result))
        result += value
    struct.pack_into(order + "L", result, 4, len(result))
    result += struct.pack(order + "H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + following
    return bytes(result)


def _pointed_at(page: Page, tag: int) -> int | None:
    found = page.tags.get(tag)
    if found and found.items == 1 and found.type in (LONG8, IFD8):
        return int(struct.unpack(page.order + "Q", found.data)[0])
    if found and found.items == 1 and found.type == IFD:
        return int(struct.unpack(page.order + "L", found.data)[0])
    return page.number(tag)
