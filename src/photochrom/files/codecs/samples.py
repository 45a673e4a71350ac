"""Samples as files store them, brought to the one form the rest of photochrom knows, and back.

That form: integers of 8 or 16 bits, grey or RGB, gamma-encoded sRGB, upright, alpha apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from photochrom.computer.room import strip_by_strip, strips_of
from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs import icc, lab
from photochrom.files.codecs.channels import Channels, looks_infrared
from photochrom.files.codecs.libvips import computed, image_from, libvips

if TYPE_CHECKING:
    from photochrom.files.codecs.decoded import Decoded

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Normalized:
    """The samples of a picture, upright.

    Attributes:
        pixels: (H, W, 1 or 3), sRGB.
        alpha: (H, W), or None.
        infrared: (H, W) of a film scan, bright where nothing lies on the film, or None.
        holes: (H, W), true where a damaged file has lost its samples, or None.
        notes: what was decided.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    infrared: Pixels | None = None
    holes: npt.NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()


def normalized(decoded: Decoded, where: str) -> Normalized:
    """Return what a reader found in the one form that is known inside. All decoding happens here, in one pass.

    Where that fails, the reader has a second look; see :class:`~photochrom.files.codecs.decoded.Decoded`.

    Raises:
        UnsupportedPhotoError: samples that have no agreed meaning.
    """
    try:
        return _normalized(decoded, where)
    except libvips().Error as error:
        if decoded.second_look is None:
            raise
        decoded.second_look(decoded, error)
    return _normalized(decoded, where)


def _normalized(decoded: Decoded, where: str) -> Normalized:
    notes: list[str] = []
    image = _integer_samples(decoded, where, notes)
    channels = decoded.channels or Channels.usual(image)
    color = _converted_to_srgb(image.extract_band(0, n=channels.colors), decoded, notes)
    further = [k for k in (channels.alpha, channels.infrared, *channels.unknown) if k is not None]
    joined = color
    for k in further:
        joined = joined.bandjoin(_of_depth(image.extract_band(k), color.format))
    stored = computed(joined)
    if decoded.look is not None:
        decoded.look(stored)
    samples = turned_upright(stored, decoded.orientation)
    holes = None if decoded.holes is None else turned_upright(decoded.holes, decoded.orientation)
    if not further:
        return Normalized(samples, holes=holes, notes=tuple(notes))
    planes = {k: contiguous(samples[..., color.bands + i]) for i, k in enumerate(further)}
    return _told_apart(contiguous(samples[..., : color.bands]), planes, channels, holes, notes)


def _told_apart(
    pixels: Pixels, planes: dict[int, Pixels], channels: Channels, holes: npt.NDArray[np.bool_] | None, notes: list[str]
) -> Normalized:
    """Return the channels by their meaning; those that have none are left out, and that is said."""
    alpha = planes[channels.alpha] if channels.alpha is not None else None
    if alpha is not None and not _any(alpha) and _any(pixels):
        notes.append("transparency left out: it is the same everywhere, and would hide the whole picture")
        alpha = None
    infrared = channels.infrared
    if infrared is None:
        infrared = next((k for k in channels.unknown if looks_infrared(pixels, planes[k])), None)
    left = len([k for k in (channels.infrared, *channels.unknown) if k is not None]) - (infrared is not None)
    if infrared is not None:
        notes.append(f"infrared channel kept apart{'' if channels.infrared is not None else ' (it looks like one)'}")
    if left:
        notes.append(f"{left} further channel{'s' if left > 1 else ''} left out: selections, or of no stated meaning")
    return Normalized(pixels, alpha, planes[infrared] if infrared is not None else None, holes, tuple(notes))


def _any(samples: Pixels) -> bool:
    return any(bool(strip.any()) for _, [strip] in strips_of(samples))


def _of_depth(band: Any, format: str) -> Any:
    """Return a band of 8 or 16 bits as the other, where that is wanted."""
    if band.format == format:
        return band
    return (band * 257).cast("ushort") if format == "ushort" else (band * (1 / 257)).rint().cast("uchar")


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


def _integer_samples(decoded: Decoded, where: str, notes: list[str]) -> Any:
    """Return the image as 8 or 16 bit; floating point is mapped by the one rule that loses nothing.

    Floats are taken as encoded values with 0 as black and 1 as white, and stored in 16 bits. Anything outside
    0..1, infinite or undefined is refused, for nobody can say what it should look like.
    """
    image = decoded.image
    if decoded.lab is not None:
        notes.append("Lab converted to sRGB")
        decoded.blocks.pop("icc", None)  # it was of the Lab codes
        color = lab.to_srgb(image, decoded.lab)
        further = [_of_depth(image.extract_band(k), "ushort") for k in range(3, image.bands)]
        return color.bandjoin(further) if further else color
    if image.format in ("uchar", "ushort"):
        return image
    if image.format in ("float", "double"):
        return _from_floats(decoded, where, notes)
    raise UnsupportedPhotoError(
        f"samples of type {image.format}", where=where, next_step="Save it with 8 or 16 bits per channel"
    )


def _from_floats(decoded: Decoded, where: str, notes: list[str]) -> Any:
    values = computed(decoded.image)  # looked at twice, and the file can be read once
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
    return image_from(codes, cmyk=decoded.channels is not None and decoded.channels.colors == 4)


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
