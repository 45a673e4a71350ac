"""Samples as files store them, brought to the one form the rest of photochrom knows, and back.

That form: integers of 8 or 16 bits, grey or RGB, gamma-encoded sRGB, upright, alpha apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from photochrom.computer.room import strip_by_strip, strips_of
from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs import icc
from photochrom.files.codecs.libvips import computed, image_from

if TYPE_CHECKING:
    from photochrom.files.codecs.decoded import Decoded

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
RESERVED_INTERPRETATIONS = ("lab", "labs", "labq", "xyz", "yxy", "lch", "cmc", "hsv", "fourier", "histogram", "matrix")


def normalized(decoded: Decoded, where: str) -> tuple[Pixels, Pixels | None, list[str]]:
    """Return pixels (H, W, 1 or 3), alpha (H, W) or None, and notes. All decoding happens here, in one pass.

    Raises:
        UnsupportedPhotoError: samples that have no agreed meaning.
    """
    notes: list[str] = []
    color, alpha = _split_alpha(_integer_samples(decoded.image, where, notes))
    color = _converted_to_srgb(color, decoded, notes)
    joined = color if alpha is None else color.bandjoin(alpha)
    samples = turned_upright(computed(joined), decoded.orientation)
    if alpha is None:
        return samples, None, notes
    return contiguous(samples[..., :-1]), contiguous(samples[..., -1]), notes


def contiguous(samples: Any) -> Any:
    """Return the samples with rows that lie in memory one behind the other: themselves, or a copy."""
    return samples if samples.flags.c_contiguous else strip_by_strip(np.ascontiguousarray, samples)


def turned_upright(samples: Any, orientation: int) -> Any:
    """Return samples (H, W, ...) turned and mirrored as EXIF orientation 1 to 8 asks, contiguous.

    Source: CIPA DC-008 "Exif 2.32", table of tag 0x0112: where row 0 and column 0 of the stored picture belong.
    """
    if orientation in (2, 4, 5, 7):
        samples = samples[:, ::-1]
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return contiguous(np.rot90(samples, quarter_turns))


def to_8_bits(samples: Pixels) -> npt.NDArray[np.uint8]:
    """Return 16-bit samples rounded to 8 bits; white stays white."""
    # Exact rounding of v / 257 without leaving 16 bits by more than one product: see the test over all 65536 codes.
    return ((samples.astype(np.uint32) * np.uint32(255) + np.uint32(32895)) >> np.uint32(16)).astype(np.uint8)


def on_white(samples: Pixels, alpha: Pixels) -> Pixels:
    """Return samples (H, W, C) laid on white through alpha (H, W)."""
    white = np.float32(np.iinfo(samples.dtype).max)
    opacity = alpha[..., None] / white
    laid = np.rint(samples * opacity + white * (1 - opacity))
    return laid.astype(np.uint16) if samples.dtype == np.uint16 else laid.astype(np.uint8)


def with_alpha(samples: Pixels, alpha: Pixels) -> Pixels:
    """Return samples (H, W, C) and alpha (H, W) as (H, W, C + 1)."""
    joined: Pixels = np.concatenate([samples, alpha[..., None]], axis=2)
    return joined


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
        return _from_floats(image, where, notes)
    raise UnsupportedPhotoError(
        f"samples of type {image.format}", where=where, next_step="Save it with 8 or 16 bits per channel"
    )


def _from_floats(image: Any, where: str, notes: list[str]) -> Any:
    values = computed(image)  # looked at twice, and the file can be read once
    with np.errstate(invalid="ignore"):
        ranges = [(float(strip.min()), float(strip.max())) for _, [strip] in strips_of(values)]
        lowest, highest = float(np.min(ranges)), float(np.max(ranges))
    if not (lowest >= 0 and highest <= 1):
        raise UnsupportedPhotoError(
            f"floating-point samples from {lowest:.3g} to {highest:.3g}, outside 0..1",
            where=where,
            next_step="Save it as a 16-bit TIFF in a photo editor",
        )
    notes.append("floating-point samples 0..1 read as encoded values and stored in 16 bits")
    codes = strip_by_strip(lambda strip: np.rint(strip * np.float64(65535)).astype(np.uint16), values)
    return image_from(codes)


def _split_alpha(image: Any) -> tuple[Any, Any | None]:
    colors = 1 if image.bands < 3 else 4 if image.interpretation == "cmyk" else 3
    if image.bands == colors:
        return image, None
    return image.extract_band(0, n=colors), image.extract_band(colors)


def _converted_to_srgb(color: Any, decoded: Decoded, notes: list[str]) -> Any:
    profile = decoded.blocks.get("icc") or decoded.implied_profile
    if profile is not None:
        try:
            converted = icc.to_srgb(color, profile)
        except icc.DamagedProfileError as error:
            notes.append(f"colour profile ignored ({error})")
            decoded.blocks.pop("icc", None)
        else:
            if converted is not color:
                notes.append("converted from its colour profile to sRGB")
            return converted
    if color.bands == 4:
        notes.append("CMYK without a usable profile converted by a generic one")
        return color.icc_transform("srgb", input_profile="cmyk", depth=16 if color.format == "ushort" else 8)
    return color
