"""ICC profiles: small exact ones made here, and conversion of pixels to and from sRGB.

Source of the layout: ICC.1:2010 (profile version 4.3), sections 7 and 10.
"""

from __future__ import annotations

import struct
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.color import srgb_from_linear
from photochrom.computer.room import strip_by_strip
from photochrom.files.codecs.libvips import image_from, libvips, with_block
from photochrom.files.codecs.shaper import Shaper, conversion, gray_table, shaper_of

D50 = np.array([0.9642, 1.0, 0.8249])
# Bradford cone response (ICC.1:2010 annex E.3), the adaptation every ICC display profile uses.
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D65_XY = (0.3127, 0.3290)
SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_RGB_PRIMARIES = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
DISPLAY_P3_PRIMARIES = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
# ICC parametric curve type 3: Y = (aX + b)^g from d upwards, cX below; these are IEC 61966-2-1.
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

Curve = tuple[float, ...]
"""(gamma,) or the five numbers of a parametric curve of type 3."""

# Profiles that call themselves sRGB differ from each other by less than this; pixels then stay untouched.
SAME_WITHIN_CODES_16 = 257


class DamagedProfileError(ValueError):
    """The profile cannot be read, or is not for pixels of this kind."""


def rgb_profile(
    name: str, primaries: tuple[tuple[float, float], ...], white: tuple[float, float], curve: Curve
) -> bytes:
    """Return a matrix display profile.

    Args:
        name: its description.
        primaries: CIE xy of red, green and blue.
        white: CIE xy of the white point, adapted to D50 by Bradford.
        curve: from encoded to linear values.
    """
    white_xyz = _xyz(white)
    colorants = np.stack([_xyz(xy) for xy in primaries], axis=1)
    colorants = colorants * np.linalg.solve(colorants, white_xyz)
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ white_xyz)) @ BRADFORD
    red, green, blue = (adapt @ colorants).T
    curve_tag = _curve(curve)
    return _profile(
        b"RGB ",
        name,
        {
            b"chad": b"sf32" + bytes(4) + _fixed(adapt.ravel()),
            b"rXYZ": _xyz_tag(red),
            b"gXYZ": _xyz_tag(green),
            b"bXYZ": _xyz_tag(blue),
            b"rTRC": curve_tag,
            b"gTRC": curve_tag,
            b"bTRC": curve_tag,
        },
    )


def gray_profile(name: str, curve: Curve) -> bytes:
    """Return a display profile for grey pixels."""
    return _profile(b"GRAY", name, {b"kTRC": _curve(curve)})


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return the sRGB profile that outputs carry: under 600 bytes, and the same bytes on every computer."""
    return rgb_profile("sRGB", SRGB_PRIMARIES, D65_XY, SRGB_CURVE)


@lru_cache(maxsize=1)
def srgb_gray_profile() -> bytes:
    """Return the profile of grey pixels with sRGB's curve, which outputs of one channel carry."""
    return gray_profile("sRGB, grey", SRGB_CURVE)


@lru_cache(maxsize=1)
def adobe_rgb_profile() -> bytes:
    """Return Adobe RGB (1998), gamma 563/256."""
    return rgb_profile("Adobe RGB (1998) compatible", ADOBE_RGB_PRIMARIES, D65_XY, (563 / 256,))


def color_space(profile: bytes) -> str:
    """Return the profile's data colour space: "RGB", "GRAY", "CMYK", "Lab", ...

    Raises:
        DamagedProfileError: it is too short or lacks the signature.
    """
    if len(profile) < 132 or profile[36:40] != b"acsp":
        raise DamagedProfileError("no ICC signature")
    return profile[16:20].decode("latin-1").strip()


@lru_cache(maxsize=16)
def is_srgb(profile: bytes) -> bool:
    """Return whether an RGB profile means sRGB: no colour of a 9x9x9 grid moves by more than one 8-bit code."""
    steps = np.linspace(0, 65535, 9).round().astype(np.uint16)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(27, 27, 3)
    moved = _rgb_to_srgb(image_from(grid), profile).numpy().astype(np.int32) - grid
    return int(np.abs(moved).max()) <= SAME_WITHIN_CODES_16


@lru_cache(maxsize=16)
def is_srgb_gray(profile: bytes) -> bool:
    """Return whether a grey profile has sRGB's curve: no tone moves by more than one 8-bit code."""
    shaper = shaper_of(profile)
    if shaper is None or shaper.matrix is not None:
        return False
    moved = gray_table(shaper, srgb_from_linear, 65535).astype(np.int32) - np.arange(65536)
    return int(np.abs(moved).max()) <= SAME_WITHIN_CODES_16


def to_srgb(image: Any, profile: bytes) -> Any:
    """Convert a libvips image from ``profile`` to sRGB of the same depth, by relative colorimetric intent.

    Args:
        image: 1, 3 or 4 bands, 8 or 16 bit, without alpha.
        profile: of a colour space that fits the bands; grey pixels may also have an RGB profile.

    Returns:
        The image itself where the profile already means sRGB; grey stays one band.

    Raises:
        DamagedProfileError: the profile is broken or for other pixels.
    """
    space = color_space(profile)
    expected = {1: ("GRAY", "RGB"), 3: ("RGB", "Lab"), 4: ("CMYK",)}.get(image.bands, ())
    if space not in expected:
        raise DamagedProfileError(f"a {space} profile on {image.bands} channels")
    if (space == "RGB" and is_srgb(profile)) or (space == "GRAY" and is_srgb_gray(profile)):
        return image
    if image.bands == 1:
        return _gray_to_srgb(image, profile)
    return _rgb_to_srgb(image, profile) if space == "RGB" else _by_tables(image, profile)


def from_srgb(pixels: npt.NDArray[Any], profile: bytes) -> npt.NDArray[Any]:
    """Convert sRGB pixels (H, W, 3) to an RGB profile, same depth.

    Raises:
        DamagedProfileError: the profile is broken or not RGB.
    """
    if color_space(profile) != "RGB":
        raise DamagedProfileError("not an RGB profile")
    if is_srgb(profile):
        return pixels
    shaper, depth = shaper_of(profile), 8 * pixels.dtype.itemsize
    convert = conversion(_srgb_shaper(), shaper, 2**depth - 1) if shaper else partial(_exported, profile, depth)
    try:
        return strip_by_strip(lambda strip: np.asarray(convert(image_from(strip)).numpy()), pixels)
    except libvips().Error as error:
        raise DamagedProfileError("the profile cannot be applied") from error


def _exported(profile: bytes, depth: int, image: Any) -> Any:
    connection = image.icc_import(input_profile="srgb", intent="relative", pcs="xyz")
    return with_block(connection, "icc-profile-data", profile).icc_export(
        intent="relative", depth=depth, black_point_compensation=True
    )


@lru_cache(maxsize=1)
def _srgb_shaper() -> Shaper:
    shaper = shaper_of(srgb_profile())
    if shaper is None:
        raise AssertionError("our own profile is a shaper")
    return shaper


def _rgb_to_srgb(image: Any, profile: bytes) -> Any:
    shaper = shaper_of(profile)
    if shaper is None:
        return _by_tables(image, profile)
    return conversion(shaper, _srgb_shaper(), 65535 if image.format == "ushort" else 255)(image)


def _gray_to_srgb(image: Any, profile: bytes) -> Any:
    shaper = shaper_of(profile)
    if shaper is None:
        rgb = image.bandjoin([image, image]) if color_space(profile) == "RGB" else image
        return _by_tables(rgb, profile)[1]
    table = gray_table(shaper, srgb_from_linear, 65535 if image.format == "ushort" else 255)
    return image.maplut(libvips().Image.new_from_array(table[None])).copy(interpretation=image.interpretation)


def _by_tables(image: Any, profile: bytes) -> Any:
    depth = 16 if image.format == "ushort" else 8
    described = with_block(image, "icc-profile-data", profile)
    how = {"embedded": True, "intent": "relative", "black_point_compensation": True}
    try:
        # In place of one that cannot be read libvips takes its own, and says so nowhere but in what it hands on.
        taken = described.icc_import(**how)
        if not taken.get_typeof("icc-profile-data") or bytes(taken.get("icc-profile-data")) != profile:
            raise DamagedProfileError("the profile cannot be applied")
        transformed = described.icc_transform("srgb", depth=depth, **how)
    except libvips().Error as error:
        raise DamagedProfileError("the profile cannot be applied") from error
    return transformed


def _xyz(xy: tuple[float, float]) -> npt.NDArray[np.float64]:
    x, y = xy
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _fixed(numbers: npt.NDArray[np.float64] | tuple[float, ...]) -> bytes:
    return b"".join(struct.pack(">i", round(float(number) * 65536)) for number in numbers)


def _xyz_tag(xyz: npt.NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(xyz)


def _curve(curve: Curve) -> bytes:
    kind = 0 if len(curve) == 1 else 3
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + _fixed(curve)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _profile(space: bytes, name: str, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _text(name), b"cprt": _text("No copyright, use freely"), b"wtpt": _xyz_tag(D50), **tags}
    table, body, places = b"", b"", dict[bytes, int]()
    start = 128 + 4 + 12 * len(tags)
    for signature, data in tags.items():
        if data not in places:  # equal tags share their bytes
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += signature + struct.pack(">II", places[data], len(data))
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI4s4sQI12s4s16s28s",
        start + len(body), bytes(4), 0x04300000, b"mntr", space, b"XYZ ", 2026, 1, 1, 0, 0, 0,
        b"acsp", bytes(4), 0, bytes(4), bytes(4), 0, 1, _fixed(D50), bytes(4), bytes(16), bytes(28),
    )  # fmt: skip
    return header + struct.pack(">I", len(tags)) + table + body
