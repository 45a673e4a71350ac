"""A photograph in memory: read from any supported file, written back whole with what it says about itself."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from photochrom.codecs import exif, icc
from photochrom.codecs.atomic import write_whole
from photochrom.codecs.decoding import Decoded, damaged, decode
from photochrom.codecs.encoding import (
    ALPHA_FORMATS,
    DEEP_FORMATS,
    LARGEST_SIDE,
    SUFFIX_FORMATS,
    WRITABLE_FORMATS,
    encode_samples,
)
from photochrom.codecs.libvips import libvips
from photochrom.codecs.signatures import HEAD_BYTES, describe_other, photo_format
from photochrom.codecs.source import open_source
from photochrom.errors import OptionError, PhotoTooLargeError, UnreadablePhotoError, UnsupportedPhotoError
from photochrom.metadata import Metadata
from photochrom.options import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochrom.codecs.source import PhotoSource

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture, upright and in sRGB.

    Attributes:
        pixels: (H, W, 1) grey or (H, W, 3) RGB, gamma-encoded sRGB, uint8 or uint16 with the full range of codes.
        alpha: (H, W) of the same dtype, straight (not premultiplied), or None.
        metadata: what the file says besides; orientation is reset, for it has been applied.
        format: "jpeg", "png", "tiff", "webp", "avif", "heic", "gif", "bmp", "jpeg2000", "raw" or "array".
        notes: what was decided on the way, in words.
        page_count: pages in the file; this is one of them.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    metadata: Metadata = field(default_factory=Metadata)
    format: str = "array"
    notes: tuple[str, ...] = ()
    page_count: int = 1

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


def open_photo(source: str | os.PathLike[str] | bytes, *, limits: Limits | None = None, page: int = 0) -> Photo:
    """Read one photograph.

    Args:
        source: a path, or the bytes of a file.
        limits: what it may cost.
        page: which page of a multi-page TIFF, from 0.

    Raises:
        PhotoNotFoundError: no such file.
        UnreadablePhotoError: not an image, empty, damaged, truncated, a folder, pipe or device.
        UnsupportedPhotoError: an image that cannot be read without loss.
        PhotoTooLargeError: over the limits; nothing was decoded.
        MissingExtraError: its decoder is an extra that is not installed.

    Cost: about four times the pixels' own memory at the peak where colours are converted, twice otherwise.
    """
    limits = limits or Limits()
    with open_source(source, limits.max_file_bytes) as opened:
        return _read_page(opened, limits, page)


def open_pages(source: str | os.PathLike[str] | bytes, *, limits: Limits | None = None) -> Iterator[Photo]:
    """Read every page of a file, one at a time; files other than TIFF have one."""
    limits = limits or Limits()
    with open_source(source, limits.max_file_bytes) as opened:
        first = _read_page(opened, limits, 0)
        yield first
        for page in range(1, first.page_count):
            yield _read_page(opened, limits, page)


def encode_photo(
    photo: Photo,
    format: str,  # noqa: A002
    *,
    quality: int = 95,
    profile: Literal["srgb", "original"] = "srgb",
) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes of a file, and notes on what the format could not hold.

    Args:
        photo: the picture.
        format: "jpeg", "png", "tiff", "webp", "avif" or "bmp".
        quality: 1 to 100, for JPEG, WebP and AVIF; JPEG keeps full colour resolution at any quality.
        profile: "srgb" stores sRGB and says so by a profile; "original" converts back to the colour space the
            file came in, where that was an RGB one.

    Raises:
        OptionError: unknown format or quality out of range.
        UnsupportedPhotoError: the format cannot hold a picture of this size.
    """
    _check_encoding(photo, format, quality)
    notes: list[str] = []
    pixels, carried = _in_output_profile(photo, profile, notes)
    samples = _samples_for(photo, pixels, format, notes)
    return encode_samples(samples, format, quality, carried), tuple(notes)


def save_photo(
    photo: Photo,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    quality: int = 95,
    profile: Literal["srgb", "original"] = "srgb",
) -> tuple[str, ...]:
    """Write a photograph whole or not at all, and return notes on what the format could not hold.

    Args:
        photo: the picture.
        path: where to; an existing file is replaced in one step.
        format: by default what the path's suffix says.
        quality: as in :func:`encode_photo`.
        profile: as in :func:`encode_photo`.

    Raises:
        OutputError: it cannot be written there.
        OptionError: the suffix names no format that can be written.
    """
    data, notes = encode_photo(photo, format or format_of_path(path), quality=quality, profile=profile)
    write_whole(Path(path), data)
    return notes


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


def _read_page(source: PhotoSource, limits: Limits, page: int) -> Photo:
    head = source.read_at(0, HEAD_BYTES)
    name = photo_format(head, source.name)
    if name is None:
        raise UnreadablePhotoError(
            f"this is {describe_other(head)}", where=source.name, next_step="Give a photograph such as JPEG, PNG or TIFF"
        )

    def check_size(width: int, height: int, pixel_bytes: int) -> None:
        if width * height > limits.max_pixels:
            raise PhotoTooLargeError(
                f"{width} x {height} pixels are over the limit of {limits.max_pixels / 1e6:,.0f} megapixels",
                where=source.name,
                next_step="Raise max_pixels if you trust the file",
            )

    decoded = decode(source, name, page, check_size)
    try:
        return _photo_from(decoded, source.name, name)
    except MemoryError as error:
        raise PhotoTooLargeError("not enough memory", where=source.name, next_step="Close other programs") from error
    except libvips().Error as error:
        raise damaged(source.name, name, error) from error


def _photo_from(decoded: Decoded, where: str, format: str) -> Photo:  # noqa: A002
    notes = list(decoded.notes)
    if decoded.page_count > 1:
        notes.append(f"one page of {decoded.page_count}")
    color, alpha = _split_alpha(_integer_samples(decoded.image, where, notes))
    color = _converted_to_srgb(color, decoded.blocks, notes)
    # All bands are computed together: the file is read in one pass, from top to bottom.
    joined = color if alpha is None else color.bandjoin(alpha)
    samples = joined.numpy().reshape(color.height, color.width, joined.bands)
    turn = 1 if decoded.upright else exif.orientation_of(decoded.blocks.get("exif", b""))
    samples = turned_upright(samples, turn)
    pixels, opacity = samples, None
    if alpha is not None:
        pixels, opacity = np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1])
    dpi = decoded.dpi[::-1] if decoded.dpi and turn >= 5 else decoded.dpi
    metadata = _metadata(decoded.blocks, dpi, pixels, notes)
    return Photo(pixels, opacity, metadata, format, tuple(notes), decoded.page_count)


def _metadata(
    blocks: dict[str, bytes], dpi: tuple[float, float] | None, pixels: Pixels, notes: list[str]
) -> Metadata:
    block = blocks.get("exif")
    if block:
        try:
            block = exif.describing(block, pixels.shape[1], pixels.shape[0])
        except exif.DamagedExifError:
            block = None
            notes.append("damaged EXIF left out")
    return Metadata(block, blocks.get("icc"), blocks.get("xmp"), blocks.get("iptc"), dpi)


def turned_upright(samples: Any, orientation: int) -> Any:
    """Return samples (H, W, ...) turned and mirrored as EXIF orientation 1 to 8 asks, contiguous."""
    if orientation in (2, 5, 7, 4):
        samples = samples[:, ::-1]
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.ascontiguousarray(np.rot90(samples, quarter_turns))


def _integer_samples(image: Any, where: str, notes: list[str]) -> Any:
    """Return the image as 8 or 16 bit; floating point is mapped by the one rule that loses nothing.

    Floats are taken as encoded values with 0 as black and 1 as white, and stored in 16 bits. Anything outside
    0..1, infinite or undefined is refused, for nobody can say what it should look like.
    """
    if image.interpretation in ("lab", "labs", "labq"):
        notes.append("Lab converted to sRGB")
        return image.colourspace("rgb16")
    if image.format in ("uchar", "ushort"):
        return image
    if image.format in ("float", "double"):
        image = image.copy_memory()  # looked at twice, and the file can be read once
        lowest, highest = image.min(), image.max()
        if lowest >= 0 and highest <= 1:
            notes.append("floating-point samples 0..1 read as encoded values and stored in 16 bits")
            interpretation = "grey16" if image.bands < 3 else "rgb16"
            return (image * 65535).rint().cast("ushort").copy(interpretation=interpretation)
        raise UnsupportedPhotoError(
            f"floating-point samples from {lowest:.3g} to {highest:.3g}, outside 0..1",
            where=where,
            next_step="Save it as a 16-bit TIFF in your photo editor",
        )
    raise UnsupportedPhotoError(
        f"samples of type {image.format}", where=where, next_step="Save it with 8 or 16 bits per channel"
    )


def _split_alpha(image: Any) -> tuple[Any, Any | None]:
    colors = 1 if image.bands < 3 else 4 if image.interpretation == "cmyk" else 3
    color = image[0:colors] if image.bands > colors else image
    return color, image[colors] if image.bands > colors else None


def _converted_to_srgb(color: Any, blocks: dict[str, bytes], notes: list[str]) -> Any:
    profile = blocks.get("icc")
    if profile is None and color.bands == 3 and exif.names_adobe_rgb(blocks.get("exif", b"")):
        profile = icc.adobe_rgb_profile()
    if profile is not None:
        try:
            converted = icc.to_srgb(color, profile)
        except icc.DamagedProfileError as error:
            notes.append(f"colour profile ignored ({error})")
            blocks.pop("icc", None)
        else:
            if converted is not color:
                notes.append("converted from its colour profile to sRGB")
            return converted
    if color.bands == 4:
        notes.append("CMYK without a usable profile converted by a generic one")
        return color.icc_transform("srgb", input_profile="cmyk", depth=16 if color.format == "ushort" else 8)
    return color


def _check_encoding(photo: Photo, format: str, quality: int) -> None:  # noqa: A002
    if format not in WRITABLE_FORMATS:
        raise OptionError(f"cannot write {format!r}", next_step=f"Use one of {', '.join(WRITABLE_FORMATS)}")
    if not 1 <= quality <= 100:
        raise OptionError(f"quality {quality} is not within 1 to 100", where="quality")
    if max(photo.width, photo.height) > LARGEST_SIDE[format]:
        raise UnsupportedPhotoError(
            f"{format.upper()} holds at most {LARGEST_SIDE[format]} pixels a side, not {photo.width} x {photo.height}",
            next_step="Write a TIFF or PNG instead",
        )


def _in_output_profile(photo: Photo, profile: str, notes: list[str]) -> tuple[Pixels, Metadata]:
    """Return the pixels in the colour space they are stored in, and the metadata that names it.

    A file that came without a profile leaves without one: sRGB is what everybody assumes then.
    """
    original = photo.metadata.icc
    if original is None:
        return photo.pixels, photo.metadata
    if profile == "original" and photo.pixels.shape[2] == 3:
        try:
            return icc.from_srgb(photo.pixels, original), photo.metadata
        except icc.DamagedProfileError as error:
            notes.append(f"stored as sRGB: {error}")
    return photo.pixels, replace(photo.metadata, icc=icc.srgb_profile())


def _samples_for(photo: Photo, pixels: Pixels, format: str, notes: list[str]) -> Pixels:  # noqa: A002
    samples, alpha = pixels, photo.alpha
    if photo.depth == 16 and format not in DEEP_FORMATS:
        notes.append(f"{format.upper()} holds 8 bits per channel: reduced from 16")
        samples = _to_8_bits(samples)
        alpha = _to_8_bits(alpha) if alpha is not None else None
    if alpha is not None and format not in ALPHA_FORMATS:
        notes.append(f"{format.upper()} holds no transparency: laid on white")
        return _on_white(samples, alpha)
    return np.dstack([samples, alpha]) if alpha is not None else samples


def _to_8_bits(samples: Pixels) -> npt.NDArray[np.uint8]:
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _on_white(samples: Pixels, alpha: Pixels) -> Pixels:
    white = float(np.iinfo(samples.dtype).max)
    opacity = alpha[..., None] / np.float32(white)
    return np.rint(samples * opacity + white * (1 - opacity)).astype(samples.dtype)  # type: ignore[no-any-return]
