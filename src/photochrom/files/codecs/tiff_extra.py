"""Strips and tiles of TIFFs whose compression libtiff here lacks, by tifffile and imagecodecs: the `codecs` extra."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs import jxl, tiff, tiff_directories
from photochrom.files.codecs.decoded import extra_module
from photochrom.files.codecs.imagecodecs_readers import EXTRA, spread_to_full
from photochrom.files.codecs.jpeg2000_checks import wrong_block
from photochrom.files.codecs.tiff import Page, TiffReader
from photochrom.files.codecs.tiff_layout import (
    BLACK_IS_ZERO,
    JPEG_2000,
    KEPT,
    PLACED,
    WHITE_IS_ZERO,
    Segment,
    compression_name,
)

PLAIN = (WHITE_IS_ZERO, BLACK_IS_ZERO, 2, 5, 8, 9, 10, 34892)
"""PhotometricInterpretations whose samples need no more than decoding."""

Samples = npt.NDArray[Any]


def decoder_of_extra(reader: TiffReader, page: Page, compression: int) -> Callable[[Segment, bytes], Samples]:
    """Return what makes samples (H, W, bands) of a strip or tile: as libvips makes them of other compressions.

    Colours that are multiplied with their opacity stay so.

    Raises:
        MissingExtraError: the libraries are not there.
        UnsupportedPhotoError: they do not know the compression either, or samples of this kind.
    """
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
        found = _spread(np.asarray(samples)[0], page.first_number(tiff.BITS_PER_SAMPLE, 1))
        if photometric == WHITE_IS_ZERO and segment.plane == 0 and found.dtype.kind == "u":
            found = np.concatenate([np.invert(found[..., :1]), found[..., 1:]], axis=2)  # only the first are tones
        return found

    return decoded


def _spread(samples: Samples, bits: int) -> Samples:
    """Return samples of less than 8 bits spread over 8."""
    if samples.dtype == np.bool_:
        return samples.astype(np.uint8) * np.uint8(255)
    return spread_to_full(samples, bits) if bits < 8 else samples


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
