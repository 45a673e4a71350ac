"""TIFF pages read strip by strip and tile by tile: where the whole cannot be, and where a decoder takes single ones.

Each strip or tile becomes a TIFF of its own in memory, which libvips decodes, or by tifffile and imagecodecs where
libtiff lacks the compression; what cannot be decoded is a hole.

Source: TIFF 6.0, sections 3, 14 and 15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.color import BLUE_PER_CB, GREEN_PER_CB, GREEN_PER_CR, RED_PER_CR
from photochrom.computer.room import empty_pixels
from photochrom.files.codecs import tiff, tiff_directories
from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.lost_rows import Holes, rows_until_error
from photochrom.files.codecs.tiff import Field, Page, TiffReader
from photochrom.files.codecs.tiff_extra import decoder_of_extra
from photochrom.files.codecs.tiff_layout import (
    BLACK_IS_ZERO,
    BUILT_IN,
    KEPT,
    WHITE_IS_ZERO,
    Segment,
    planes_of,
    segments_of,
)

Samples = npt.NDArray[Any]

RGB, ALIKE, ALIKE_SPREAD = 2, 0.85, 0.5
# Colours of true YCbCr lie within 0..255 but for what compression adds; of few pixels it adds more than this.
OUTSIDE_BY, MOST_OUTSIDE = 16, 0.04


def read_by_segments(
    reader: TiffReader, page: Page, *, read_damaged: bool, check: Callable[[Segment, bytes], None]
) -> tuple[Samples, Holes]:
    """Return the samples (H, W, bands) of a page, and where they are lost, (H, W).

    Colours that are multiplied with their opacity may still be so; see :func:`keeps_premultiplied`.

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


def keeps_premultiplied(page: Page) -> bool:
    """Return whether :func:`read_by_segments` leaves associated alpha in the colours: libvips divides whole pixels."""
    return planes_of(page) > 1 or page.first_number(tiff.COMPRESSION, 1) not in BUILT_IN


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


def _decoder(reader: TiffReader, page: Page) -> Any:
    compression = page.first_number(tiff.COMPRESSION, 1)
    if compression in BUILT_IN:
        return lambda segment, data: _decoded_by_vips(reader, page, segment, data)
    return decoder_of_extra(reader, page, compression)


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
        bits, photometric = page.first_number(tiff.BITS_PER_SAMPLE, 1), page.first_number(tiff.PHOTOMETRIC, 1)
        tones = WHITE_IS_ZERO if photometric == WHITE_IS_ZERO and segment.plane == 0 else BLACK_IS_ZERO
        changed |= {tiff.SAMPLES_PER_PIXEL: 1, tiff.BITS_PER_SAMPLE: bits, tiff.PHOTOMETRIC: tones}
    return tags | {tag: tiff_directories.number_field(number, page.order) for tag, number in changed.items()}
