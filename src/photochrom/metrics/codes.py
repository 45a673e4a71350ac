"""Pictures as floats, as 8-bit codes, and as luma codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom import luma

Picture = npt.NDArray[Any]
Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]


def unit_range(picture: Picture) -> Floats:
    """Return a picture as float32 in 0..1, from uint8 codes or from floats that are in 0..1 already."""
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.float32) / np.float32(255)
    return np.asarray(picture, np.float32)


def eight_bit(picture: Picture) -> npt.NDArray[np.uint8]:
    """Return a picture as uint8, rounding floats in 0..1 to the nearest code."""
    if picture.dtype == np.uint8:
        return np.asarray(picture)
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255), np.uint8)


def luma_codes(picture: Picture) -> npt.NDArray[np.int64]:
    """Return the 8-bit luma of an (H, W, 3) picture, or an (H, W) grey one as it is, as integers 0..255.

    Floats are rounded to 8 bits first, channel by channel.
    """
    codes = eight_bit(picture)
    return luma.luma_codes(codes[..., None] if codes.ndim == 2 else codes).astype(np.int64)
