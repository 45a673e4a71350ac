"""TIFF files below the level of pixels: tags and directories, read.

Source: TIFF 6.0 (Adobe, 1992), sections 2 and 8; the BigTIFF layout of libtiff (64-bit offsets, version 43).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.exif import (
    ITEM_SIZES,
    LONG,
    MAX_ENTRIES,
    SHORT,
    DamagedExifError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photochrom.files.codecs.source import Patch, PhotoSource


SUBFILE_TYPE, OLD_SUBFILE_TYPE, SUB_DIRECTORIES = 254, 255, 330
DESCRIPTION, PAGE_NAME, PAGE_NUMBER, INK_SET, SUBSAMPLING = 270, 285, 297, 332, 530
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
XMP, IPTC, PHOTOSHOP, ICC = 700, 33723, 34377, 34675
STRIP_OFFSETS, STRIP_LENGTHS, TILE_OFFSETS, TILE_LENGTHS = 273, 279, 324, 325
ASCII, RATIONAL, UNDEFINED, IFD, LONG8, IFD8 = 2, 5, 7, 13, 16, 18
SIZES = ITEM_SIZES | {LONG8: 8, 17: 8, IFD8: 8}
BITS_PER_SAMPLE, SAMPLE_FORMAT, FLOATING = 258, 339, 3
WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, SAMPLES_PER_PIXEL, ROWS_PER_STRIP = 256, 257, 259, 262, 277, 278
PLANAR, PREDICTOR, EXTRA_SAMPLES, TILE_WIDTH, TILE_HEIGHT = 284, 317, 338, 322, 323
REDUCED_COPY, ONE_OF_SEVERAL, TRANSPARENCY_MASK, OLD_REDUCED_COPY, OLD_ONE_OF_SEVERAL = 1, 2, 4, 2, 3
"""Bits of NewSubfileType: a thumbnail, a page of several, a mask; and values of the SubfileType before it."""
MAX_PAGES = 10_000
MAX_NESTED = 100
MAX_VALUE_BYTES = 64_000_000
SMALL_VALUE_BYTES = 4_096
MAX_TOTAL_BYTES = 256_000_000
MAX_TOTAL_ENTRIES = 200_000
"""Of all directories of a file together: what a photograph takes is a thousandth of it."""


class Field(NamedTuple):
    """One tag's value: its TIFF type, its number of items, and their bytes in the byte order of their owner."""

    type: int
    items: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """The tags of one page, with the byte order of their bytes ("<" or ">").

    ``index`` is its place in the chain of pages; a page inside another has that one's place, and is ``nested``. Its
    directory stands ``at`` that place in the file.
    """

    index: int
    order: str
    tags: Mapping[int, Field]
    at: int
    nested: bool = False

    def number(self, tag: int) -> int | None:
        """Return a SHORT or LONG value."""
        found = self.tags.get(tag)
        if found is None or found.items != 1 or found.type not in (SHORT, LONG):
            return None
        return int(struct.unpack(self.order + ("H" if found.type == SHORT else "L"), found.data)[0])

    def first_number(self, tag: int, default: int) -> int:
        """Return the first of several SHORT values, or of LONGs, which some programs write for them."""
        found = self.tags.get(tag)
        if found is None or found.type not in (SHORT, LONG) or not found.items:
            return default
        return int(struct.unpack_from(self.order + ("H" if found.type == SHORT else "L"), found.data)[0])

    @property
    def is_picture(self) -> bool:
        """Return whether this is a page of its own and not a thumbnail or mask of another."""
        if self.number(OLD_SUBFILE_TYPE) == OLD_REDUCED_COPY:
            return False
        return not (self.number(SUBFILE_TYPE) or 0) & (REDUCED_COPY | TRANSPARENCY_MASK)

    @property
    def is_one_of_several(self) -> bool:
        """Return whether this is said to be one of several pages, or has a page's number."""
        is_said = self.number(OLD_SUBFILE_TYPE) == OLD_ONE_OF_SEVERAL or PAGE_NUMBER in self.tags
        return is_said or bool((self.number(SUBFILE_TYPE) or 0) & ONE_OF_SEVERAL)

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, 0 where they are not said."""
        return self.number(WIDTH) or 0, self.number(HEIGHT) or 0

    def numbers(self, tag: int) -> list[int]:
        """Return all of several SHORT, LONG, LONG8 or pointer values."""
        return [int(value) for value in _integers(self, tag)]

    def text(self, tag: int) -> str:
        """Return a text, without its end."""
        found = self.tags.get(tag)
        return found.data.split(b"\x00")[0].decode("utf-8", "replace") if found and found.type == ASCII else ""

    def segments(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Return where the strips or tiles are, and how many bytes each has."""
        tiled = TILE_OFFSETS in self.tags
        tags = (TILE_OFFSETS, TILE_LENGTHS) if tiled else (STRIP_OFFSETS, STRIP_LENGTHS)
        offsets, lengths = (_integers(self, tag) for tag in tags)
        if offsets.size != lengths.size:
            raise DamagedExifError("strips and their lengths differ in number")
        return offsets, lengths


class TiffReader:
    """Reads the tags of a TIFF or BigTIFF file, with every count and offset checked."""

    def __init__(self, source: PhotoSource) -> None:
        self.source = source
        head = source.read_at(0, 16)
        self.order = "<" if head[:1] == b"I" else ">"
        self.big = head[2:4] in (b"+\x00", b"\x00+")
        self.pointer, self.count_format, self.entry_size = ("Q", "Q", 20) if self.big else ("L", "H", 12)
        self.first_at = 8 if self.big else 4
        self.notes = list[str]()
        self._entries, self._bytes = 0, 0
        self._values: dict[tuple[int, int], bytes] = {}
        self.chain_is_broken = False

    def pages(self) -> list[Page]:
        """Return all pages in order, thumbnails and masks included; a chain that runs in a circle ends there."""
        found: list[Page] = []
        offset, seen = self._number(self.first_at, self.pointer), set[int]()
        while offset and offset not in seen and len(found) < MAX_PAGES:
            seen.add(at := offset)
            try:
                tags, offset = self.directory(at)
            except DamagedExifError:
                if not found:
                    raise
                self.chain_is_broken = True
                break
            found.append(Page(len(found), self.order, tags, at))
        return found

    def nested_pages(self, page: Page) -> list[Page]:
        """Return the pages whose directories hang on another's; those that cannot be read are passed over."""
        found = []
        for offset in page.numbers(SUB_DIRECTORIES)[:MAX_NESTED]:
            try:
                found.append(Page(page.index, self.order, self.directory(offset)[0], offset, nested=True))
            except DamagedExifError:
                continue
        return found

    def directory(self, offset: int) -> tuple[dict[int, Field], int]:
        """Return the tags of the directory at ``offset``, and where the next one is (0: none).

        Raises:
            DamagedExifError: it lies outside the file.
        """
        count = self._number(offset, self.count_format)
        start = offset + struct.calcsize("<" + self.count_format)
        if count > MAX_ENTRIES:
            raise DamagedExifError(f"a directory of {count} entries")
        self._entries += count
        if self._entries > MAX_TOTAL_ENTRIES:
            raise DamagedExifError(f"more than {MAX_TOTAL_ENTRIES:,} tags")
        table = self.source.read_at(start, count * self.entry_size)
        if len(table) < count * self.entry_size:
            raise DamagedExifError("a directory lies outside the file")
        entries = [table[at : at + self.entry_size] for at in range(0, len(table), self.entry_size)]
        if sum(self._size(entry) for entry in entries) > self.source.size:
            raise DamagedExifError("its tags name the same bytes again and again")
        tags: dict[int, Field] = {}
        for entry in entries:
            tag, field = self._field(entry)
            if field:
                tags.setdefault(tag, field)  # of two, readers take the first
        try:
            return tags, self._number(start + len(table), self.pointer)
        except DamagedExifError:
            return tags, 0

    def alone(self, page: Page) -> list[Patch]:
        """Return what makes a page the first and only one of its file: where that begins, and what follows it."""
        count = self._number(page.at, self.count_format)
        following_at = page.at + struct.calcsize("<" + self.count_format) + count * self.entry_size
        begin = struct.pack(self.order + self.pointer, page.at)
        return [(self.first_at, begin), (following_at, bytes(len(begin)))]

    def check_pixels_present(self, page: Page) -> None:
        """Raise DamagedExifError where strips or tiles lie beyond the end of the file: libtiff would invent them."""
        for offsets_tag, lengths_tag in ((STRIP_OFFSETS, STRIP_LENGTHS), (TILE_OFFSETS, TILE_LENGTHS)):
            offsets, lengths = (_integers(page, tag) for tag in (offsets_tag, lengths_tag))
            if offsets.size and int(offsets.max()) >= self.source.size:
                raise DamagedExifError("pixels are missing at its end")
            if offsets.size == lengths.size and (offsets + lengths > self.source.size).any():
                raise DamagedExifError("pixels are missing at its end")

    def _size(self, entry: bytes) -> int:
        """Return the bytes that a tag's value claims outside its entry; of lies beyond the file, none."""
        items = struct.unpack_from(self.order + self.pointer, entry, 4)[0]
        size = int(SIZES.get(struct.unpack_from(self.order + "H", entry, 2)[0], 0) * items)
        return size if SMALL_VALUE_BYTES < size <= self.source.size else 0

    def _value(self, offset: int, size: int) -> bytes:
        """Return bytes of the file; those that several tags share are held once."""
        if (offset, size) not in self._values:
            self._bytes += size
            if self._bytes > MAX_TOTAL_BYTES:
                raise DamagedExifError(f"tags of more than {MAX_TOTAL_BYTES / 1e6:.0f} MB")
            self._values[offset, size] = self.source.read_at(offset, size)
        return self._values[offset, size]

    def _field(self, entry: bytes) -> tuple[int, Field | None]:
        tag, kind = struct.unpack_from(self.order + "HH", entry)
        items = struct.unpack_from(self.order + self.pointer, entry, 4)[0]
        size = SIZES.get(kind, 0) * items
        inline = entry[4 + struct.calcsize("<" + self.pointer) :]
        if not size or size > MAX_VALUE_BYTES:
            return tag, None
        offset = struct.unpack(self.order + self.pointer, inline)[0]
        data = inline[:size] if size <= len(inline) else self._value(offset, size)
        return tag, Field(kind, items, data) if len(data) == size else None

    def _number(self, at: int, format: str) -> int:
        data = self.source.read_at(at, struct.calcsize("<" + format))
        if len(data) < struct.calcsize("<" + format):
            raise DamagedExifError("points outside the file")
        return int(struct.unpack(self.order + format, data)[0])


def dpi_of(page: Page) -> tuple[float, float] | None:
    """Return a page's resolution in pixels per inch, or None where it states none."""
    per_inch = {2: 1.0, 3: 2.54}.get(page.number(RESOLUTION_UNIT) or 2)
    found = []
    for tag in (X_RESOLUTION, Y_RESOLUTION):
        field = page.tags.get(tag)
        if per_inch is None or field is None or field.type != RATIONAL or field.items != 1:
            return None
        numerator, denominator = struct.unpack(page.order + "LL", field.data)
        found.append(numerator / denominator * per_inch if denominator else 0.0)
    return found[0], found[1]


def _integers(page: Page, tag: int) -> npt.NDArray[np.uint64]:
    found = page.tags.get(tag)
    kind = {SHORT: "u2", LONG: "u4", IFD: "u4", LONG8: "u8", IFD8: "u8"}.get(found.type) if found else None
    return np.frombuffer(found.data if found and kind else b"", page.order + (kind or "u8")).astype(np.uint64)
