"""One page of a file becomes a `Photo`: upright, in sRGB, of 8 or 16 bits, budgets kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from photochrom.computer.room import strip_by_strip
from photochrom.errors import PhotochromError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.files.codecs.decoded import UnendableCallError, Wanted, decoder_errors
from photochrom.files.codecs.formats import FORMATS, photo_format
from photochrom.files.codecs.samples import normalized
from photochrom.files.codecs.signatures import HEAD_BYTES, describe_other, is_film
from photochrom.files.codecs.source import PhotoSource
from photochrom.files.metadata import Metadata, made_upright
from photochrom.files.photo import Photo
from photochrom.luma import luma_codes
from photochrom.options import Limits, ReadingOptions

# Memory while a picture is coloured: its samples as read, its pixels, and the coloured ones.
COPIES_HELD = 3
COLORS = 3
TURNED = "a negative turned into a positive, in grey"


def page_of(
    source: PhotoSource, limits: Limits, page: int, reading: ReadingOptions, begin_call: Callable[[int], None]
) -> Photo:
    """Return one page, however long it takes.

    Args:
        source: the file.
        limits: what it may cost, but for time.
        page: from 0.
        reading: how to read.
        begin_call: see :class:`~photochrom.files.codecs.decoded.Wanted`.

    Raises:
        PhotochromError: as :func:`photochrom.files.reading.open_photo`.
        UnendableCallError: ``begin_call`` raised it.
    """
    head = source.read_at(0, HEAD_BYTES)
    format = photo_format(head, source.name)
    if format is None:
        films = "; films are for `photochrom film`" if is_film(head) else ""
        next_step = f"Give a photograph such as JPEG, PNG or TIFF{films}"
        raise UnreadablePhotoError(f"this is {describe_other(head)}", where=source.name, next_step=next_step)

    def check_size(width: int, height: int, pixel_bytes: int) -> None:
        _check_limits(width, height, pixel_bytes, limits, source.name)

    try:
        wanted = Wanted(page, check_size, reading.damaged_files == "read", begin_call)
        decoded = FORMATS[format].read(source, wanted)
        found = normalized(decoded, source.name)
        source.check_unchanged()
    except UnendableCallError:
        raise
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


def check_pages_together(source: PhotoSource, limits: Limits) -> None:
    """Raise where a file's pages, made one by one and held until all are, need more memory than they may.

    Nothing is decoded.

    Raises:
        PhotoTooLargeError: they do.
    """
    format = photo_format(source.read_at(0, HEAD_BYTES), source.name)
    sizes_of_pages = FORMATS[format].sizes_of_pages if format else None
    if sizes_of_pages is None:
        return
    try:
        sizes = sizes_of_pages(source)
    except PhotochromError:
        raise
    except Exception:  # noqa: BLE001 - the file is damaged, which is told about when it is read
        return
    if len(sizes) < 2:
        return
    needs = [(width * height * pixel_bytes, _copies_kept(pixel_bytes)) for width, height, pixel_bytes in sizes]
    # The rest is that of the page that is being made.
    needed = sum(need * kept for need, kept in needs) + max(need * (COPIES_HELD - kept) for need, kept in needs)
    if needed > limits.max_memory_bytes:
        raise PhotoTooLargeError(
            f"its {len(sizes)} pages need about {needed / 1e6:,.0f} MB together, over the limit of "
            f"{limits.max_memory_bytes / 1e6:,.0f} MB",
            where=source.name,
            next_step="Take them one by one with --page, or raise --max-memory-bytes if you trust the file",
        )


def _copies_kept(pixel_bytes: int) -> int:
    """Return how many times a page's samples its result takes: colours of a grey one, of one or two bytes, are more."""
    return 1 if pixel_bytes >= COLORS else 2


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
