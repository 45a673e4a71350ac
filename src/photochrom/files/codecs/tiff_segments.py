"""TIFF pages read strip by strip and tile by tile: where the whole cannot be, and where a decoder takes single ones.

Each strip or tile becomes a TIFF of its own in memory, which libvips decodes, or by tifffile and imagecodecs where
libtiff lacks the compression; what cannot be decoded is a hole.

Source: TIFF 6.0, sections 3, 14 and 15; the compressions' numbers are those of libtiff, of DNG 1.7 and of the
specifications of LERC, Zstandard and JPEG XR in TIFF.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.color import BLUE_PER_CB, GREEN_PER_CB, GREEN_PER_CR, RED_PER_CR
from photochrom.computer.room import empty_pixels
from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs import jxl, tiff, tiff_directories
from photochrom.files.codecs.decoded import extra_module
from photochrom.files.codecs.imagecodecs_readers import EXTRA
from photochrom.files.codecs.jpeg2000_checks import wrong_block
from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.lost_rows import Holes, rows_until_error
from photochrom.files.codecs.tiff import Field, Page, TiffReader

Samples = npt.NDArray[Any]

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
PLAIN = (WHITE_IS_ZERO, BLACK_IS_ZERO, 2, 5, 8, 9, 10, 34892)
"""PhotometricInterpretations whose samples need no more than decoding."""
RGB, ALIKE, ALIKE_SPREAD = 2, 0.85, 0.5
# Colours of true YCbCr lie within 0..255 but for what compression adds; of few pixels it adds more than this.
OUTSIDE_BY, MOST_OUTSIDE = 16, 0.04
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


def read_by_segments(
    reader: TiffReader, page: Page, *, read_damaged: bool, check: Callable[[Segment, bytes], None]
) -> tuple[Samples, Holes]:
    """Return the samples (H, W, bands) of a page, and where they are lost, (H, W).

    Args:
        reader: of the file.
        page: the page.
        read_damaged: go on where a strip or tile cannot be decoded.
        check: raises where a strip or tile is wrong though it can be decoded.

    Raises:
        MissingExtraError: the compression needs an extra.
        UnsupportedPhotoError: nothing here decodes it, or it is laid out in an absurd way.
        Exception: whatever the decoder raises, where damage is not accepted, or nothing could be decoded.
    """
    decode = _decoder(reader, page)
    width, height = page.number(tiff.WIDTH) or 0, page.number(tiff.HEIGHT) or 0
    canvas = _Canvas(width, height, planes_of(page))
    offsets, lengths = page.segments()
    failure: Exception | None = None
    for segment in segments_of(page, len(offsets), reader.source.name):
        data = reader.source.read_at(int(offsets[segment.index]), int(lengths[segment.index]))
        try:
            check(segment, data)
            samples = decode(segment, data)
        except Exception as error:
            if not read_damaged:
                raise
            failure = error
            continue
        canvas.put(segment, samples)
    if canvas.samples is None:
        raise failure or ValueError("it has no pixels")
    canvas.fill_holes()
    return canvas.samples, canvas.holes


class _Canvas:
    """The picture, put together from its segments."""

    def __init__(self, width: int, height: int, planes: int) -> None:
        self.width, self.height, self.planes = width, height, planes
        self.samples: Samples | None = None
        self.missing = np.ones((planes, height, width), np.bool_)

    @property
    def holes(self) -> Holes:
        """Where any plane is missing."""
        return np.asarray(self.missing.any(axis=0))

    def put(self, segment: Segment, samples: Samples) -> None:
        """Put the rows that were decoded, all or the first of a segment, into place."""
        if self.samples is None:
            bands = samples.shape[2] if self.planes == 1 else self.planes
            self.samples = empty_pixels((self.height, self.width, bands), samples.dtype)
            self.samples[:] = 0
        rows = slice(segment.top, min(segment.top + samples.shape[0], self.height))
        columns = slice(segment.left, min(segment.left + samples.shape[1], self.width))
        part = samples[: rows.stop - rows.start, : columns.stop - columns.start]
        if self.planes == 1:
            self.samples[rows, columns] = part
        else:
            self.samples[rows, columns, segment.plane] = part[..., 0]
        self.missing[segment.plane, rows, columns] = False

    def fill_holes(self) -> None:
        """Give lost samples the mean of the others, which misleads later steps least."""
        holes = self.holes
        if self.samples is None or not holes.any() or holes.all():
            return
        known = self.samples[~holes]
        self.samples[holes] = known.mean(axis=0).astype(self.samples.dtype)


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


def _decoder(reader: TiffReader, page: Page) -> Any:
    compression = page.first_number(tiff.COMPRESSION, 1)
    if compression in BUILT_IN:
        return lambda segment, data: _decoded_by_vips(reader, page, segment, data)
    return _decoder_of_extra(reader, page, compression)


def _decoded_by_vips(reader: TiffReader, page: Page, segment: Segment, data: bytes) -> Samples:
    """Return the rows of a segment up to the first that cannot be decoded; raise where that is the first of all."""
    alone = tiff_directories.file_of_segment(reader.order, _tags_of_segment(page, segment), data)
    good = rows_until_error(_opened(alone))
    if not good:
        raise ValueError("a strip or tile cannot be decoded")
    return np.asarray(_opened(alone).crop(0, 0, segment.width, good).numpy()).reshape(good, segment.width, -1)


def holds_rgb(reader: TiffReader, page: Page) -> bool:
    """Return whether JPEG samples that are said to be YCbCr are red, green and blue.

    All three then show the scene, where real chroma is weak and does not follow the luma; or many of them would be
    colours that cannot be, which real YCbCr was made from none of. Looks at the first strip or tile.
    """
    offsets, lengths = page.segments()
    first = next(iter(segments_of(page, len(offsets), reader.source.name)))
    tags = _tags_of_segment(page, first) | {tiff.PHOTOMETRIC: tiff_directories.number_field(RGB, page.order)}
    tags.pop(tiff.SUBSAMPLING, None)
    data = reader.source.read_at(int(offsets[0]), int(lengths[0]))
    alone = tiff_directories.file_of_segment(reader.order, tags, data)  # has to live as long as the image
    stored = _opened(alone).numpy()
    one, *others = np.asarray(stored, np.float64).reshape(-1, stored.shape[-1])[:, :3].T
    cb, cr = (other - 128 for other in others)
    reached = np.stack([one + RED_PER_CR * cr, one + GREEN_PER_CB * cb + GREEN_PER_CR * cr, one + BLUE_PER_CB * cb])
    outside = np.maximum(-reached, reached - 255).max(axis=0) > OUTSIDE_BY
    if float(outside.mean()) > MOST_OUTSIDE:
        return True
    spread = float(one.std())
    return spread > 0 and all(
        float(other.std()) > ALIKE_SPREAD * spread and float(np.corrcoef(one, other)[0, 1]) > ALIKE for other in others
    )


def _opened(data: bytes) -> Any:
    return libvips().Image.tiffload_source(libvips().Source.new_from_memory(data), access="sequential", fail_on="error")


def _tags_of_segment(page: Page, segment: Segment) -> dict[int, Field]:
    tags = {tag: field for tag, field in page.tags.items() if tag in KEPT}
    changed = {tiff.WIDTH: segment.width, tiff.HEIGHT: segment.height, tiff.ROWS_PER_STRIP: segment.height}
    if planes_of(page) > 1:
        tags = {tag: field for tag, field in tags.items() if tag != tiff.EXTRA_SAMPLES}
        bits = page.first_number(tiff.BITS_PER_SAMPLE, 1)
        changed |= {tiff.SAMPLES_PER_PIXEL: 1, tiff.BITS_PER_SAMPLE: bits, tiff.PHOTOMETRIC: BLACK_IS_ZERO}
    return tags | {tag: tiff_directories.number_field(number, page.order) for tag, number in changed.items()}


def _decoder_of_extra(reader: TiffReader, page: Page, compression: int) -> Any:
    where, name = reader.source.name, compression_name(compression)
    extra_module("imagecodecs", f"TIFFs compressed with {name}", EXTRA, where)
    tifffile = extra_module("tifffile", f"TIFFs compressed with {name}", EXTRA, where)
    photometric = page.first_number(tiff.PHOTOMETRIC, BLACK_IS_ZERO)
    alone = tiff_directories.directory_file(page.order, {t: f for t, f in page.tags.items() if t in KEPT | PLACED})
    opened = tifffile.TiffFile(io.BytesIO(alone)).pages.first
    if photometric not in PLAIN or not _is_known(opened.decode):
        raise UnsupportedPhotoError(
            f"a TIFF compressed with {name} of this kind", where=where, next_step="Save it with LZW or deflate"
        )

    def decoded(segment: Segment, data: bytes) -> Samples:
        width, height = _claimed_size(data)
        if (width, height) != (0, 0) and not _may_be_of(width, height, segment, page):
            raise ValueError(f"a strip or tile claims {width} x {height} pixels")
        if name == JPEG_2000 and (wrong := wrong_block(data)):
            raise ValueError(wrong)
        tables = {"jpegtables": opened.jpegtables, "jpegheader": opened.jpegheader}
        samples, _, _ = opened.decode(data, segment.index, **tables)
        if samples is None:
            raise ValueError("a strip or tile is missing")
        found: Samples = np.asarray(samples)[0]
        if photometric == WHITE_IS_ZERO and found.dtype.kind == "u":
            found = np.invert(found)
        return found

    return decoded


def _may_be_of(width: int, height: int, segment: Segment, page: Page) -> bool:
    """Return whether a strip or tile may be so large: as the tags say, or cut at the picture's sides."""
    across, down = page.size
    rows = max(segment.height, page.number(tiff.ROWS_PER_STRIP) or 0)  # the last strip may be as tall as the others
    return width in (segment.width, across - segment.left) and height in (segment.height, rows, down - segment.top)


def _is_known(decode: Any) -> bool:
    """Return whether tifffile decodes what this stands for: its functions for what it does not only raise."""
    return not getattr(decode, "__name__", "").startswith("decode_raise")


def _claimed_size(data: bytes) -> tuple[int, int]:
    """Return width and height that the data of a strip claims for itself; (0, 0) where its kind does not say."""
    header = jxl.header_of(data) if data.startswith(jxl.SIGNATURES) else None
    if header:
        return header.width, header.height
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    siz = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # JPEG 2000: ISO 15444-1 annex A.5.1
    if siz >= 0 and len(data) >= siz + 24:
        right, bottom, left, top = struct.unpack_from(">4L", data, siz + 8)
        return max(0, right - left), max(0, bottom - top)
    return 0, 0
