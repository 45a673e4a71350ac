"""Profiles made of tone curves and a 3x3 matrix, computed exactly.

Nearly all profiles of cameras, scanners, displays and archives are of this kind. Colour engines turn them into
tables of 16 bits, which near black is wrong by several 8-bit codes; computed directly, 16-bit scans keep their
shadows. Profiles with tables of colours (printing, some scanners) go through Little CMS in :mod:`.icc`.

Source: ICC.1:2010 sections 8.3.3, 8.3.4, 9.2, 10.5, 10.15, 10.31 and annex F.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.libvips import libvips

Floats = npt.NDArray[np.floating]
Curve = Callable[[Floats], Floats]
"""From encoded to linear values, both 0..1."""

MAX_TAGS = 200
# Coefficients of ICC parametric curves by function type: g; g a b; g a b c; g a b c d; g a b c d e f.
PARAMETER_COUNTS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
INVERSE_STEPS = 65536
# An inverse curve is stored over values spaced like this, so that steps are even to the eye as the codes are.
INVERSE_SPACING = 2.2


@dataclass(frozen=True, slots=True)
class Shaper:
    """A profile's curves (one for grey, three for RGB) and its matrix from linear RGB to D50 XYZ, or None for grey."""

    curves: tuple[Curve, ...]
    matrix: Floats | None

    def xyz_or_gray(self, encoded: Floats) -> Floats:
        """Return D50 XYZ of RGB (..., 3), or linear grey of grey (...)."""
        if self.matrix is None:
            return self.curves[0](encoded)
        linear = np.stack([curve(encoded[..., i]) for i, curve in enumerate(self.curves)], -1)
        return linear @ self.matrix.T


def shaper_of(profile: bytes) -> Shaper | None:
    """Return a profile's curves and matrix; None for one that also, or only, has tables of colours, or is damaged."""
    try:
        found = _shaper_of(_tags(profile), profile[16:20], profile[20:24])
    except (struct.error, ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError):
        return None
    return found if found and all(_is_sane(curve) for curve in found.curves) else None


def _shaper_of(tags: dict[bytes, bytes], space: bytes, connection: bytes) -> Shaper | None:
    if any(name in tags for name in (b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1")) or connection != b"XYZ ":
        return None
    if space == b"GRAY" and b"kTRC" in tags:
        return Shaper((_curve(tags[b"kTRC"]),), None)
    if space == b"RGB " and {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"} <= tags.keys():
        matrix = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        return Shaper(curves, matrix) if np.linalg.cond(matrix) < 1e6 else None
    return None


def _is_sane(curve: Curve) -> bool:
    """Return whether a curve, which may come from a hostile file, gives numbers that can be worked with."""
    with np.errstate(all="ignore"):
        reached = curve(np.linspace(0, 1, 257))
    return bool(np.isfinite(reached).all() and reached.max() > reached.min())


def conversion(source: Shaper, target: Shaper, white: int) -> Callable[[Any], Any]:
    """Return what takes a libvips image of 3 bands, 8 or 16 bit, from one RGB profile to another, in strips.

    Colours outside the target are clipped channel by channel. ``white`` is 255 or 65535.
    """
    if source.matrix is None or target.matrix is None:
        raise ValueError("both profiles must be RGB")
    codes = np.arange(white + 1) / white
    to_linear = np.stack([curve(codes) for curve in source.curves], -1)[None].astype(np.float32)
    matrix = np.linalg.solve(target.matrix, source.matrix)
    table = np.stack([_inverse_table(curve, white) for curve in target.curves], -1)[None]

    def convert(image: Any) -> Any:
        linear = image.maplut(libvips().Image.new_from_array(to_linear)).recomb(matrix.tolist())
        spaced = (linear > 0).ifthenelse(linear, 0) ** (1 / INVERSE_SPACING)
        index = (spaced * (INVERSE_STEPS - 1)).rint().cast("ushort")
        return index.maplut(libvips().Image.new_from_array(table)).copy(interpretation=image.interpretation)

    return convert


def gray_table(source: Shaper, encode: Curve, white: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return the output code of each grey code. ``encode`` takes linear values to encoded ones."""
    codes = np.arange(white + 1) / white
    if source.matrix is None:
        linear = source.curves[0](codes)
    else:
        linear = source.xyz_or_gray(np.repeat(codes[:, None], 3, axis=1))[:, 1]  # Y, for what is neutral in RGB is grey
        linear = linear / linear[-1]
    table = np.rint(np.clip(encode(np.clip(linear, 0, 1)), 0, 1) * white)
    return table.astype(np.uint16) if white > 255 else table.astype(np.uint8)


def _inverse_table(curve: Curve, white: int) -> npt.NDArray[Any]:
    """Return the code whose linear value is each of INVERSE_STEPS values, spaced as INVERSE_SPACING says."""
    wanted = (np.arange(INVERSE_STEPS) / (INVERSE_STEPS - 1)) ** INVERSE_SPACING
    codes = np.linspace(0, 1, 4 * INVERSE_STEPS)
    reached = np.maximum.accumulate(curve(codes))
    table = np.rint(np.interp(wanted, reached, codes) * white)
    return table.astype(np.uint16 if white > 255 else np.uint8)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    count = struct.unpack_from(">I", profile, 128)[0]
    if count > MAX_TAGS:
        raise ValueError("too many tags")
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count))
    return {name: profile[start : start + size] for name, start, size in entries}


def _xyz(tag: bytes) -> Floats:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"para":
        return _parametric(tag)
    if tag[:4] != b"curv":
        raise ValueError("no curve")
    count = struct.unpack_from(">I", tag, 8)[0]
    if count == 0:
        return lambda encoded: encoded
    values = np.array(struct.unpack_from(f">{count}H", tag, 12), dtype=np.float64)
    if count == 1:
        gamma = values[0] / 256
        return lambda encoded: encoded**gamma
    places = np.linspace(0, 1, count)
    return lambda encoded: np.interp(encoded, places, values / 65535)


def _parametric(tag: bytes) -> Curve:
    kind = struct.unpack_from(">H", tag, 8)[0]
    count = PARAMETER_COUNTS.get(kind, 0)
    if not count:
        raise ValueError("unknown curve")
    numbers = [number / 65536 for number in struct.unpack_from(f">{count}i", tag, 12)] + [0.0] * (7 - count)
    g, a, b, c, d, e, f = numbers
    if kind == 0:
        a = 1.0
    if kind in (1, 2):  # zero (or c) below -b/a, the power above
        e, f, c, d = (c, c, 0.0, -b / a) if kind == 2 else (0.0, 0.0, 0.0, -b / a)
    return cast("Curve", lambda x: np.clip(np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f), 0, 1))
