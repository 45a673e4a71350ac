"""A photograph in memory: read from any supported file, written back whole with what it says about itself."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from photochrom.computer.room import strip_by_strip
from photochrom.errors import (
    OptionError,
    PhotochromError,
    PhotoTooLargeError,
    UnreadablePhotoError,
    UnsupportedPhotoError,
)
from photochrom.files.caption import with_caption
from photochrom.files.codecs import icc
from photochrom.files.codecs.atomic import Aside
from photochrom.files.codecs.decoded import Wanted, decoder_errors
from photochrom.files.codecs.encoding import Writer
from photochrom.files.codecs.formats import FORMATS, SUFFIX_FORMATS, WRITABLE_FORMATS, Format, photo_format
from photochrom.files.codecs.samples import Pixels, normalized, on_white, to_8_bits, with_alpha
from photochrom.files.codecs.signatures import HEAD_BYTES, describe_other
from photochrom.files.codecs.source import PhotoSource, open_source
from photochrom.files.metadata import Metadata, fitted_to, made_upright
from photochrom.files.provenance import Provenance, with_provenance
from photochrom.options import Limits, OutputOptions, ReadingOptions

PhotoInput = str | os.PathLike[str] | bytes | PhotoSource
# Memory while a picture is coloured: its samples as read, its pixels, and the coloured ones.
COPIES_HELD = 3


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture, upright and in sRGB.

    Attributes:
        pixels: (H, W, 1) grey or (H, W, 3) RGB, gamma-encoded sRGB, uint8 or uint16 with the full range of codes.
        alpha: (H, W) of the same dtype, straight (not premultiplied), or None.
        metadata: what the file says besides; orientation is reset, for it has been applied.
        format: "jpeg", "png", "tiff", "webp", "avif", "heic", "gif", "bmp", "jpeg2000", "jpegxl",
            "jpegxr" or "raw".
        notes: what was decided on the way, in words.
        page_count: pages in the file; this is one of them.
        infrared: (H, W) of the same dtype, of a film scan: dark where dust and scratches are; not written.
        holes: (H, W), true where a damaged file has lost its samples, or None.
        left_out: pictures of the file that this one does not show, in words: "3 other pages".
    """

    pixels: Pixels
    alpha: Pixels | None = None
    metadata: Metadata = field(default_factory=Metadata)
    format: str = "png"
    notes: tuple[str, ...] = ()
    page_count: int = 1
    infrared: Pixels | None = None
    holes: npt.NDArray[np.bool_] | None = None
    left_out: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """Bits per channel: 8 or 16."""
        return 8 * self.pixels.dtype.itemsize

    @property
    def max_code(self) -> int:
        """The code value of white: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])


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
        PhotoTooLargeError: over the limits; nothing was decoded.
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


def encode_photo(
    photo: Photo, format: str, *, options: OutputOptions | None = None, provenance: Provenance | None = None
) -> bytes:
    """Return the bytes of a file; the same photo gives the same bytes. :func:`save_photo` also tells what was lost.

    Args:
        photo: the picture.
        format: "jpeg", "png", "tiff", "webp", "avif" or "bmp".
        options: quality, profile and whether metadata is kept; its own ``format`` is not looked at here.
        provenance: written into the XMP packet.

    Raises:
        OptionError: unknown format.
        UnsupportedPhotoError: the format cannot hold a picture of this size.
        OutputError: the encoder failed.
    """
    buffer = io.BytesIO()
    write_photo(photo, buffer, format, options=options, provenance=provenance)
    return buffer.getvalue()


def save_photo(
    photo: Photo | Sequence[Photo],
    path: str | os.PathLike[str],
    *,
    options: OutputOptions | None = None,
    provenance: Provenance | None = None,
) -> tuple[str, ...]:
    """Write a photograph whole or not at all, and return notes on what the format could not hold.

    Args:
        photo: the picture, or the pages of a TIFF.
        path: where to; an existing file is replaced in one step.
        options: as for :func:`encode_photo`; where ``format`` is left out, the path's suffix decides.
        provenance: written into the XMP packet.

    Raises:
        OutputError: it cannot be written there.
        OptionError: the suffix names no format that can be written.
    """
    options = options or OutputOptions()
    format = options.format or format_of_path(path)
    with Aside(Path(path)) as aside:
        notes = write_photo(photo, aside.handle, format, options=options, provenance=provenance)
        aside.put_in_place()
    return notes


def write_photo(
    photo: Photo | Sequence[Photo],
    handle: BinaryIO,
    format: str,
    *,
    options: OutputOptions | None = None,
    provenance: Provenance | None = None,
) -> tuple[str, ...]:
    """Write a photograph into an open file, and return notes on what the format could not hold.

    Args:
        photo: the picture, or the pages of a TIFF.
        handle: an empty file open for writing, able to seek.
        format: as for :func:`encode_photo`.
        options: likewise.
        provenance: likewise.

    Raises:
        OptionError, UnsupportedPhotoError, OutputError: as :func:`encode_photo`.
        OSError: the file cannot be written to.

    Memory: see :data:`photochrom.files.codecs.encoding.Writer`.
    """
    options, notes = options or OutputOptions(), list[str]()
    pages = [photo] if isinstance(photo, Photo) else list(photo)
    row, write = _writer(format)
    if len(pages) > 1 and not row.pages:
        notes.append(f"{format.upper()} holds one page: the first of {len(pages)} written")
        pages = pages[:1]
    write(handle, [_prepared(page, row, options, provenance, notes) for page in pages], options.quality)
    return tuple(dict.fromkeys(notes))


def format_of_path(path: str | os.PathLike[str]) -> str:
    """Return the format that a path's suffix asks for.

    Raises:
        OptionError: there is none that can be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIX_FORMATS:
        raise OptionError(
            f"cannot write files of type {suffix!r}" if suffix else "the output's name has no suffix",
            where=os.fspath(path),
            next_step=f"Use one of {', '.join(SUFFIX_FORMATS)}",
        )
    return SUFFIX_FORMATS[suffix]


def _read_page(source: PhotoSource, limits: Limits, page: int, reading: ReadingOptions) -> Photo:
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
        decoded = FORMATS[format].read(source, Wanted(page, check_size, reading.damaged_files == "read"))
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
    return Photo(
        found.pixels, found.alpha, metadata, format, notes, decoded.page_count, found.infrared, found.holes,
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


def _prepared(
    photo: Photo, format: Format, options: OutputOptions, provenance: Provenance | None, notes: list[str]
) -> tuple[Pixels, Metadata]:
    """Return samples and metadata as the format holds them."""
    if max(photo.width, photo.height) > format.largest_side:
        raise UnsupportedPhotoError(
            f"{format.name.upper()} holds at most {format.largest_side} pixels a side, not "
            f"{photo.width} x {photo.height}",
            next_step="Write a TIFF or PNG instead",
        )
    pixels, metadata = _in_output_profile(photo, options, notes)
    metadata = _labelled(metadata, provenance, notes)
    metadata, lost = fitted_to(metadata, format.name)
    notes += lost
    if options.mark:
        pixels = with_caption(pixels, options.mark)
    return _samples_for(photo, pixels, format, notes), metadata


def _writer(format: str) -> tuple[Format, Writer]:
    row = FORMATS.get(format)
    if row is None or row.write is None:
        raise OptionError(f"cannot write {format!r}", next_step=f"Use one of {', '.join(WRITABLE_FORMATS)}")
    return row, row.write


def _in_output_profile(photo: Photo, options: OutputOptions, notes: list[str]) -> tuple[Pixels, Metadata]:
    """Return the pixels in the colour space they are stored in, and the metadata that names it.

    A file that came without a profile leaves without one: sRGB is what everybody assumes then.
    """
    metadata = photo.metadata if options.keep_metadata else Metadata()
    if metadata.icc is None:
        return photo.pixels, metadata
    if options.profile == "original" and photo.pixels.shape[2] == 3:
        try:
            return icc.from_srgb(photo.pixels, metadata.icc), metadata
        except icc.DamagedProfileError as error:
            notes.append(f"stored as sRGB: {error}")
    return photo.pixels, replace(metadata, icc=icc.srgb_profile())


def _labelled(metadata: Metadata, provenance: Provenance | None, notes: list[str]) -> Metadata:
    if provenance is None or provenance.says_nothing:
        return metadata
    packet, damage = with_provenance(metadata.xmp, provenance)
    notes += damage
    return replace(metadata, xmp=packet)


def _samples_for(photo: Photo, pixels: Pixels, format: Format, notes: list[str]) -> Pixels:
    samples, alpha = pixels, photo.alpha
    if photo.depth > format.depth:
        notes.append(f"{format.name.upper()} holds 8 bits per channel: reduced from 16")
        samples = strip_by_strip(to_8_bits, samples)
        alpha = strip_by_strip(to_8_bits, alpha) if alpha is not None else None
    if alpha is not None and not format.alpha:
        notes.append(f"{format.name.upper()} holds no transparency: laid on white")
        return strip_by_strip(on_white, samples, alpha)
    if alpha is None:
        return samples
    return strip_by_strip(with_alpha, samples, alpha)
