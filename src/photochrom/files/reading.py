"""Photographs read: any supported file becomes a `Photo`, upright, in sRGB, of 8 or 16 bits, budgets kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from photochrom.computer.room import strip_by_strip
from photochrom.errors import (
    PhotochromError,
    PhotoTooLargeError,
    UnreadablePhotoError,
)
from photochrom.files.codecs.decoded import Wanted, decoder_errors
from photochrom.files.codecs.formats import FORMATS, photo_format
from photochrom.files.codecs.samples import normalized
from photochrom.files.codecs.signatures import HEAD_BYTES, describe_other
from photochrom.files.codecs.source import PhotoSource, open_source
from photochrom.files.metadata import Metadata, made_upright
from photochrom.files.patience import within
from photochrom.files.photo import Photo
from photochrom.luma import luma_codes
from photochrom.options import Limits, ReadingOptions

PhotoInput = str | os.PathLike[str] | bytes | PhotoSource
# Memory while a picture is coloured: its samples as read, its pixels, and the coloured ones.
COPIES_HELD = 3
TURNED = "a negative turned into a positive, in grey"


def open_photo(
    source: PhotoInput, *, limits: Limits | None = None, page: int = 0, reading: ReadingOptions | None = None
) -> Photo:
    """Read one photograph.

    Args:
        source: a path, the bytes of a file, or what :func:`photochrom.files.codecs.source.open_source` gives.
        limits: what it may cost; the defaults of :class:`~photochrom.options.Limits` where left out.
        page: which page of a multi-page TIFF, from 0; thumbnails and masks inside the file do not count.
        reading: how to read; its own ``page``, counted from 1, is not looked at here.

    Raises:
        PhotoNotFoundError: no such file.
        UnreadablePhotoError: not an image, empty, damaged, truncated, a folder, pipe or device.
        UnsupportedPhotoError: an image that cannot be read without loss.
        PhotoTooLargeError: over the limits; nothing was decoded, or it was not done in time.
        MissingExtraError: its decoder is an extra that is not installed.

    Memory: the pixels, once more where they have to be turned upright or have alpha; see
    :mod:`photochrom.computer.room` for large ones.

    Example:
        >>> photochrom.save_photo(photochrom.Photo(np.full((20, 30, 1), 40000, np.uint16)), "scan.tif")
        ()
        >>> scan = photochrom.open_photo("scan.tif")
        >>> scan.width, scan.depth, scan.format
        (30, 16, 'tiff')
    """
    limits = limits or Limits()
    with open_source(source, limits.max_file_bytes) as opened:
        return _read_page(opened, limits, page, reading or ReadingOptions())


def open_pages(
    source: PhotoInput, *, limits: Limits | None = None, reading: ReadingOptions | None = None
) -> Iterator[Photo]:
    """Read every page of a file, one at a time; files other than TIFF have one. Raises as :func:`open_photo`."""
    limits, reading = limits or Limits(), reading or ReadingOptions()
    with open_source(source, limits.max_file_bytes) as opened:
        first = _read_page(opened, limits, 0, reading)
        yield first
        for page in range(1, first.page_count):
            yield _read_page(opened, limits, page, reading)


def read_pages_for(
    source: PhotoInput, format: str, *, limits: Limits | None = None, reading: ReadingOptions | None = None
) -> list[Photo]:
    """Read the pages that a result of a format can hold, or the one that is asked for; the rest is told as left out.

    Raises as :func:`open_photo`.
    """
    wanted = reading.page if reading else None
    if wanted is None and FORMATS[format].pages:
        return list(open_pages(source, limits=limits, reading=reading))
    photo = open_photo(source, limits=limits, reading=reading, page=(wanted or 1) - 1)
    others = photo.page_count - 1
    if not others:
        return [photo]
    return [replace(photo, left_out=(*photo.left_out, f"{others} other page{'s' if others > 1 else ''}"))]


def _read_page(source: PhotoSource, limits: Limits, page: int, reading: ReadingOptions) -> Photo:
    """Return one page, if it can be had in time."""
    return within(limits.max_seconds, lambda: _page_of(source, limits, page, reading), source.name)


def _page_of(source: PhotoSource, limits: Limits, page: int, reading: ReadingOptions) -> Photo:
    head = source.read_at(0, HEAD_BYTES)
    format = photo_format(head, source.name)
    if format is None:
        raise UnreadablePhotoError(
            f"this is {describe_other(head)}",
            where=source.name,
            next_step="Give a photograph such as JPEG, PNG or TIFF",
        )

    def check_size(width: int, height: int, pixel_bytes: int) -> None:
        _check_limits(width, height, pixel_bytes, limits, source.name)

    try:
        wanted = Wanted(page, check_size, reading.damaged_files == "read", limits.max_seconds)
        decoded = FORMATS[format].read(source, wanted)
        found = normalized(decoded, source.name)
        source.check_unchanged()
    except PhotochromError:
        source.check_unchanged()
        raise  # not from itself: the circle would keep the picture in memory
    except Exception as error:  # decoders raise anything at all on hostile input; every case becomes one clear line
        source.check_unchanged()
        raise decoder_errors(error, source.name, format) from error
    sideways = decoded.orientation >= 5
    metadata = Metadata(
        **decoded.blocks, dpi=decoded.dpi[::-1] if decoded.dpi and sideways else decoded.dpi, texts=tuple(decoded.texts)
    )
    metadata, damage = made_upright(metadata, found.pixels.shape[1], found.pixels.shape[0])
    notes = (*decoded.notes, *found.notes, *damage)
    pixels = found.pixels
    if reading.negative:
        pixels = strip_by_strip(lambda strip: np.invert(luma_codes(strip))[..., None], pixels)
        notes += (TURNED,)
    return Photo(
        pixels, found.alpha, metadata, format, notes, decoded.page_count, found.infrared, found.holes,
        tuple(decoded.left_out),
    )  # fmt: skip


def _check_limits(width: int, height: int, pixel_bytes: int, limits: Limits, where: str) -> None:
    if width * height > limits.max_pixels:
        raise PhotoTooLargeError(
            f"{width} x {height} pixels are over the limit of {limits.max_pixels / 1e6:,.0f} megapixels",
            where=where,
            next_step="Raise --max-pixels if you trust the file",
        )
    needed = width * height * pixel_bytes * COPIES_HELD
    if needed > limits.max_memory_bytes:
        raise PhotoTooLargeError(
            f"it needs about {needed / 1e6:,.0f} MB, over the limit of {limits.max_memory_bytes / 1e6:,.0f} MB",
            where=where,
            next_step="Raise --max-memory-bytes if you trust the file and have the memory",
        )
