"""Colours that a file states by code points: PNG's ``cICP``, and ``nclx`` of AVIF and HEIC.

Source: ITU-T H.273 (ISO 23091-2), tables 2 (primaries) and 3 (transfer characteristics).
"""

from __future__ import annotations

from typing import NamedTuple

from photochrom.files.codecs.icc import (
    D65_XY,
    DISPLAY_P3_PRIMARIES,
    SRGB_CURVE,
    SRGB_PRIMARIES,
    Curve,
    gray_profile,
    rgb_profile,
)

UNSPECIFIED = 2
NTSC_PRIMARIES = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
BT_2020_PRIMARIES = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
ILLUMINANT_C_XY, DCI_WHITE_XY = (0.310, 0.316), (0.314, 0.351)
PRIMARIES = {
    1: (SRGB_PRIMARIES, D65_XY), UNSPECIFIED: (SRGB_PRIMARIES, D65_XY),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), ILLUMINANT_C_XY),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), D65_XY),
    6: (NTSC_PRIMARIES, D65_XY), 7: (NTSC_PRIMARIES, D65_XY),
    8: (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), ILLUMINANT_C_XY),
    9: (BT_2020_PRIMARIES, D65_XY), 11: (DISPLAY_P3_PRIMARIES, DCI_WHITE_XY), 12: (DISPLAY_P3_PRIMARIES, D65_XY),
    22: (((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)), D65_XY),
}  # fmt: skip
"""CIE xy of red, green and blue, and of white."""
# The camera's curve the other way round, as a profile has it.
BT_709_CURVE = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
SMPTE_240_CURVE = (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912)
TRANSFERS: dict[int, Curve] = {
    UNSPECIFIED: SRGB_CURVE, 13: SRGB_CURVE, 4: (2.2,), 5: (2.8,), 7: SMPTE_240_CURVE, 8: (1.0,),
    **dict.fromkeys((1, 6, 11, 12, 14, 15), BT_709_CURVE),
}  # fmt: skip
"""From encoded to linear values, 0 to 1. PQ and HLG (16, 18) are of light that sRGB has no codes for."""
NAMES = {16: "PQ", 18: "HLG"}


class StatedColors(NamedTuple):
    """What code points say: a profile, None where that is sRGB or unknown; and a note where it is unknown."""

    profile: bytes | None = None
    note: str = ""


def stated_colors(primaries: int, transfer: int, *, gray: bool, format: str) -> StatedColors:
    """Return the profile of code points.

    Args:
        primaries: ColourPrimaries.
        transfer: TransferCharacteristics.
        gray: whether the pixels are grey; primaries then mean nothing.
        format: what the file is called in the note.
    """
    found, curve = PRIMARIES.get(primaries), TRANSFERS.get(transfer)
    if curve is None or (found is None and not gray):
        return unknown_colors(format, NAMES.get(transfer, f"code points {primaries}, {transfer}"))
    if gray:
        profile = None if curve == SRGB_CURVE else gray_profile(f"grey, transfer {transfer}", curve)
        return StatedColors(profile)
    if found is None or (found == PRIMARIES[1] and curve == SRGB_CURVE):
        return StatedColors()
    return StatedColors(rgb_profile(f"primaries {primaries}, transfer {transfer}", *found, curve))


def unknown_colors(format: str, what: str) -> StatedColors:
    """Return what is known of colours that nobody here converts; ``what`` names them."""
    return StatedColors(note=f"the colour space inside {format} ({what}) is not read: taken as sRGB")
