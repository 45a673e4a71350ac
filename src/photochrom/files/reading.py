"""Photographs read: any supported file becomes a `Photo`, upright, in sRGB, of 8 or 16 bits, budgets kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from photochrom.files import apart
from photochrom.files.codecs.formats import FORMATS
from photochrom.files.codecs.source import PhotoSource, open_source
from photochrom.files.pages import check_pages_together
from photochrom.files.patience import Patience, within
from photochrom.files.photo import Photo
from photochrom.options import Limits, ReadingOptions

PhotoInput = str | os.PathLike[str] | bytes | PhotoSource


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
        read = partial(apart.page_of, opened, limits, page, reading or ReadingOptions())
        return within(limits.max_seconds, read, opened.name)


def open_pages(
    source: PhotoInput, *, limits: Limits | None = None, reading: ReadingOptions | None = None
) -> Iterator[Photo]:
    """Read every page of a file, one at a time; files other than TIFF have one. Raises as :func:`open_photo`.

    The limits are of all pages together: what they need is added up before the first is decoded.
    """
    limits, reading = limits or Limits(), reading or ReadingOptions()
    with open_source(source, limits.max_file_bytes) as opened:
        patience, page, count = Patience(limits.max_seconds, opened.name), 0, 1
        patience.spend_on(lambda: check_pages_together(opened, limits))
        while page < count:
            photo = patience.spend_on(partial(apart.page_of, opened, limits, page, reading))
            page, count = page + 1, photo.page_count
            yield photo


def read_pages_for(
    source: PhotoInput, format: str, *, limits: Limits | None = None, reading: ReadingOptions | None = None
) -> Iterator[Photo]:
    """Read the pages that a result of a format can hold, one at a time, or the one that is asked for.

    The rest is told as left out. Raises as :func:`open_photo`, of further pages when it is their turn.
    """
    if takes_all_pages(format, reading):
        yield from open_pages(source, limits=limits, reading=reading)
        return
    wanted = reading.page if reading else None
    photo = open_photo(source, limits=limits, reading=reading, page=(wanted or 1) - 1)
    others = photo.page_count - 1
    more = (f"{others} other page{'s' if others > 1 else ''}",) if others else ()
    yield replace(photo, left_out=(*photo.left_out, *more))


def takes_all_pages(format: str, reading: ReadingOptions | None) -> bool:
    """Return whether a result of a format shows all pages of a file, and not one of them."""
    return FORMATS[format].pages and (reading is None or reading.page is None)
