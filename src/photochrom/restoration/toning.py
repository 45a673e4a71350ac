"""Grey, toned or colour? And how a toned photograph becomes neutral.

A toned photograph (sepia, selenium, cyanotype, a yellowed print) has one colour per tone: its chroma is a function of
its luma. A colour photograph has several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from photochrom.color import chroma, luma
from photochrom.computer.room import let_go
from photochrom.engines.base import FloatArray
from photochrom.luma import Codes, luma_codes, strips

Coloring = Literal["grey", "toned", "colour"]

# Root mean square chroma (0..1 scale of Cb, Cr) up to which a picture counts as grey: JPEG and scanner noise.
GREY_CHROMA = 0.006
# Chroma that its luma does not explain; above this there is more than one colour in the picture.
TONED_RESIDUAL = 0.014
# From here on it surely is in colour: of 136 old prints, stained and yellowed ones among them, none reaches it, and of
# 200 colour photographs 83 % do.
COLORED_RESIDUAL = 0.02
TONES = 16
# The unexposed base of colour negative film as scanners give it: the lightest 50th of the picture, in sRGB.
BASE_SHARE, BASE_RED, BASE_BLUE, BASE_GREEN = 50, 0.5, 0.62, (0.4, 0.9)
NEGATIVE = "looks like a colour negative: --negative turns it into a positive first"
# The share of pixels with the largest residual that does not count: a stamp, a stain, a coloured border.
OUTLIERS = 0.05


@dataclass(frozen=True, slots=True)
class Toning:
    """What colours a photograph has.

    Attributes:
        coloring: "grey", "toned" (one colour per tone) or "colour".
        chroma: root mean square of Cb and Cr, of 0.5.
        residual: the same of what the luma does not explain.
        center: mean (Cb, Cr).
        limit: residual from which on a picture counts as one in colour.
    """

    coloring: Coloring
    chroma: float
    residual: float
    center: tuple[float, float] = (0.0, 0.0)
    limit: float = TONED_RESIDUAL

    @property
    def is_colored(self) -> bool:
        """Whether the photograph surely is in colour, or tinted by hand."""
        return self.coloring == "colour" and self.residual >= COLORED_RESIDUAL

    @property
    def name(self) -> str:
        """What people call a toning of this colour."""
        blueish, reddish = self.center
        if reddish > 0:
            return "sepia" if blueish < 0 else "purple toning"
        return "blue toning" if blueish > 0 else "green toning"


def looks_like_color_negative(small_rgb: FloatArray) -> bool:
    """Return whether the lightest of a picture is the orange base of colour negative film, and all else is darker.

    Shapes: (3, h, w), sRGB 0..1. In a positive, sepia included, what is lightest is nearly without colour.
    Negatives in black and white are told by a network (``polarity.py``).
    """
    rgb = small_rgb.reshape(3, -1)
    tones = luma(np.moveaxis(small_rgb, 0, -1)).reshape(-1)
    order = np.argsort(tones)
    red, green, blue = rgb[:, order[-max(1, len(order) // BASE_SHARE) :]].mean(axis=1)
    return bool(red > BASE_RED and blue < BASE_BLUE * red and BASE_GREEN[0] * red < green < BASE_GREEN[1] * red)


def classify(small_rgb: FloatArray) -> Toning:
    """Return what colours a photograph has, from a small copy.

    Shapes: (3, h, w), sRGB 0..1; some 256 pixels a side are enough, and average noise away.
    """
    rgb = np.moveaxis(small_rgb, 0, -1)
    if np.ptp(rgb, axis=-1).max() == 0:
        return Toning("grey", 0.0, 0.0)
    cbcr = chroma(rgb).reshape(-1, 2)
    size = float(np.sqrt((cbcr**2).sum(axis=1).mean()))
    residual = _residual(luma(rgb).reshape(-1).clip(0, 1), cbcr)
    center = (float(cbcr[:, 0].mean()), float(cbcr[:, 1].mean()))
    coloring: Coloring = "grey" if size < GREY_CHROMA else "toned" if residual < TONED_RESIDUAL else "colour"
    return Toning(coloring, size, residual, center)


def _residual(tones: FloatArray, cbcr: FloatArray) -> float:
    """Return the root mean square of what is left of the chroma when each tone's mean is taken away."""
    tone = np.minimum((tones * TONES).astype(np.intp), TONES - 1)
    count = np.maximum(np.bincount(tone, minlength=TONES), 1)
    means = np.stack([np.bincount(tone, cbcr[:, k], minlength=TONES) / count for k in (0, 1)], axis=1)
    squared = np.sort(((cbcr - means[tone]) ** 2).sum(axis=1))
    kept = squared[: max(1, round(len(squared) * (1 - OUTLIERS)))]
    return float(np.sqrt(kept.mean()))


def is_grey(pixels: Codes) -> bool:
    """Return whether a picture (H, W, 1 or 3) is grey to the last bit: one channel, or three that are the same."""
    if pixels.shape[2] == 1:
        return True
    for top, bottom in strips(pixels.shape[1], pixels.shape[0]):
        red, green, blue = np.moveaxis(pixels[top:bottom], -1, 0)
        if not (np.array_equal(red, green) and np.array_equal(green, blue)):
            return False
        let_go(pixels)
    return True


def neutralize(pixels: Codes) -> None:
    """Replace each pixel of (H, W, 3) by the grey of its luma, in place, strip by strip."""
    height, width = pixels.shape[:2]
    for top, bottom in strips(width, height):
        pixels[top:bottom] = luma_codes(pixels[top:bottom])[..., None]
        let_go(pixels)
