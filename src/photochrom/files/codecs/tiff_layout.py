"""How the samples of a TIFF page are laid out: in strips or tiles, in planes, and by which compression.

Source: TIFF 6.0, sections 3, 14 and 15; the compressions' numbers are those of libtiff, of DNG 1.7 and of the
specifications of LERC, Zstandard and JPEG XR in TIFF.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs import tiff
from photochrom.files.codecs.tiff import Page

BUILT_IN = frozenset([1, 2, 3, 4, 5, 7, 8, 32773, 32946])
"""Compressions that libtiff here decodes: none, fax, LZW, JPEG, deflate, PackBits."""
JPEG_2000 = "JPEG 2000"
COMPRESSION_NAMES = {
    6: "old-style JPEG", 9: "JBIG", 10: "JBIG", 32766: "NeXT 2-bit", 32809: "ThunderScan", 32908: "Pixar film",
    32909: "PixarLog", 33003: JPEG_2000, 33004: JPEG_2000, 33005: JPEG_2000, 34661: "JBIG", 34676: "SGI LogLuv",
    34677: "SGI LogLuv", 34712: JPEG_2000, 34887: "LERC", 34892: "lossy JPEG (DNG)", 34925: "LZMA",
    34926: "Zstandard", 34927: "WebP", 34933: "PNG", 34934: "JPEG XR", 22610: "JPEG XR", 50000: "Zstandard",
    50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip
KEPT = frozenset(
    (
        tiff.BITS_PER_SAMPLE,
        tiff.COMPRESSION,
        tiff.PHOTOMETRIC,
        tiff.SAMPLES_PER_PIXEL,
        tiff.PREDICTOR,
        tiff.EXTRA_SAMPLES,
        tiff.SAMPLE_FORMAT,
        266,
        292,
        293,
        320,
        332,
        347,
        530,
        531,
        532,
        50674,
    )
)
"""Tags that say how samples are coded."""
PLACED = frozenset(
    (
        tiff.WIDTH,
        tiff.HEIGHT,
        tiff.ROWS_PER_STRIP,
        tiff.TILE_WIDTH,
        tiff.TILE_HEIGHT,
        tiff.PLANAR,
        tiff.STRIP_OFFSETS,
        tiff.STRIP_LENGTHS,
        tiff.TILE_OFFSETS,
        tiff.TILE_LENGTHS,
    )
)
"""Tags that say where samples lie."""
CHUNKY, SEPARATE, WHITE_IS_ZERO, BLACK_IS_ZERO = 1, 2, 0, 1
MOST_SEGMENTS = 1_000_000
LARGEST_TILE_IN_AREAS = 4
SMALLEST_LIMIT_PX = 1 << 20


@dataclass(frozen=True, slots=True)
class Segment:
    """One strip or tile.

    Attributes:
        index: its number.
        top: row of the picture where it begins.
        left: column.
        width: of what is coded; may reach beyond the picture.
        height: likewise.
        plane: which channel, where they are stored apart, else 0.
    """

    index: int
    top: int
    left: int
    width: int
    height: int
    plane: int


def compression_name(number: int) -> str:
    """Return what people call a compression."""
    return COMPRESSION_NAMES.get(number, f"method {number}")


def planes_of(page: Page) -> int:
    """Return how many planes the samples are stored in."""
    separate = page.first_number(tiff.PLANAR, CHUNKY) == SEPARATE
    return page.first_number(tiff.SAMPLES_PER_PIXEL, 1) if separate else 1


def segments_of(page: Page, count: int, name: str) -> Iterator[Segment]:
    """Yield the strips or tiles of a page that has so many; ``name`` is for the error's words.

    Raises:
        UnsupportedPhotoError: tiles far larger than the picture.
        ValueError: they have no size, or there are too many.
    """
    width, height = page.number(tiff.WIDTH) or 0, page.number(tiff.HEIGHT) or 0
    across, down = page.number(tiff.TILE_WIDTH), page.number(tiff.TILE_HEIGHT)
    tiled = tiff.TILE_OFFSETS in page.tags and across and down
    across, down = (across, down) if tiled else (width, min(page.number(tiff.ROWS_PER_STRIP) or height, height))
    if not across or not down or count > MOST_SEGMENTS:
        raise ValueError("its strips have no size")
    if across * down > LARGEST_TILE_IN_AREAS * width * height + SMALLEST_LIMIT_PX:
        raise UnsupportedPhotoError(
            f"tiles of {across} x {down} in a picture of {width} x {height}", where=name, next_step="Save it anew"
        )
    columns, rows = -(-width // across), -(-height // down)
    for index in range(min(count, columns * rows * planes_of(page))):
        plane, place = divmod(index, columns * rows)
        row, column = divmod(place, columns)
        tall = down if tiled else min(down, height - row * down)
        yield Segment(index, row * down, column * across, across, tall, plane)
