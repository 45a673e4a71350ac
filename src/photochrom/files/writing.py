"""Photographs written, whole or not at all, with what they say about themselves."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from photochrom.computer.room import strip_by_strip
from photochrom.errors import (
    OptionError,
    UnsupportedPhotoError,
)
from photochrom.files.caption import with_caption
from photochrom.files.codecs import icc, jpeg
from photochrom.files.codecs.atomic import Aside
from photochrom.files.codecs.encoding import Writer
from photochrom.files.codecs.formats import FORMATS, SUFFIX_FORMATS, WRITABLE_FORMATS, Format
from photochrom.files.codecs.samples import Pixels, on_white, to_8_bits, with_alpha
from photochrom.files.metadata import Metadata, fitted_to
from photochrom.files.photo import Photo
from photochrom.files.provenance import Provenance, with_provenance
from photochrom.options import OutputOptions


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
    pixels, metadata = _in_output_profile(photo, format, options, notes)
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


def _in_output_profile(
    photo: Photo, format: Format, options: OutputOptions, notes: list[str]
) -> tuple[Pixels, Metadata]:
    """Return the pixels in the colour space they are stored in, and the metadata that names it.

    A file that came without a profile leaves without one: sRGB is what everybody assumes then.
    """
    metadata = photo.metadata if options.keep_metadata else Metadata()
    if metadata.icc is None:
        return photo.pixels, metadata
    gray = photo.pixels.shape[2] == 1
    if options.profile == "original":
        reason = "the picture is grey" if gray else _without_room(metadata.icc, format)
        try:
            if not reason:
                return icc.from_srgb(photo.pixels, metadata.icc), metadata
        except icc.DamagedProfileError as error:
            reason = str(error)
        notes.append(f"stored as sRGB: {reason}")
    profile = icc.srgb_gray_profile() if gray and format.gray else icc.srgb_profile()
    return photo.pixels, replace(metadata, icc=profile)


def _without_room(profile: bytes, format: Format) -> str:
    """Return why a format cannot name a profile, in words; nothing where it can."""
    if "icc" not in format.holds:
        return f"{format.name.upper()} holds no profile"
    if format.segmented and len(profile) > jpeg.LARGEST_ICC:
        return f"the profile is too large for {format.name.upper()}"
    return ""


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
