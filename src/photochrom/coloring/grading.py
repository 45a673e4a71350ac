"""Colours after the net: how strong, how warm, and how strong at most. Lightness is never touched here.

All on the net's small grid of a*b*; the full-size luma is laid over them afterwards.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.color import chroma_from_ab, colorfulness, lightness_from_luma, merge_luma_chroma
from photochrom.engines.base import FloatArray, ModelSpec
from photochrom.options import ColorizeOptions
from photochrom.resample import Plane

D65_KELVIN = 6504.0
CEILING_PERCENTILE = 99
# Colours up to this chroma stay when chroma is spread; stronger ones are strengthened, up to this factor.
SPREAD_FROM, MOST_SPREAD = 15.0, 1.3
# However pale a picture is, its colours are not strengthened further than this.
MOST_LIFTED = 1.8
# Below this colourfulness there is no colour to strengthen.
COLOURLESS = 0.01


def split_vividness(vividness: float, *, rebalanced: bool) -> tuple[float, float]:
    """Return (caution, gain): what vividness means to the net's distribution, and to its colours afterwards.

    Above 1 it is a gain. Below, unsure colours go first, by ``prediction.be_cautious``, and a gain of the root does
    the rest; together they weaken a picture about as much as a plain gain would. At equal colourfulness the error
    (CIEDE2000) is 3.5 % lower with a caution of 0.25 and 6 % lower with 0.5. Above 1 the opposite, favouring rare
    colours further, has 4 % more error than the plain gain. A model that does not give its colours' shares gets the
    plain gain. `benchmarks/decoding.py` measures it anew.
    """
    if vividness >= 1 or not rebalanced:
        return 0.0, vividness
    return 1 - vividness, vividness**0.5


def grade(
    ab: FloatArray, cell_luma: Plane, options: ColorizeOptions, spec: ModelSpec, gain: float = 1.0
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return a*, b* after spread, gain, lift, warmth and chroma ceiling, and notes of those that act by themselves.

    Shapes: (2, h, w) Lab units, (h, w) 0..1 -> (2, h, w). What the model's file recommends comes from ``spec``;
    ``gain`` is the vividness'.
    """
    ab = spread_chroma(ab, spec.chroma_spread)
    gain *= spec.gain
    if gain != 1:
        ab = ab * np.float32(gain)
    # What was asked to be pale is not lifted.
    ab, lift_notes = lift_pale(ab, cell_luma, spec.pale_below * options.vividness)
    if options.warmth:
        ab = warm(ab, cell_luma, options.warmth)
    ab, ceiling_notes = hold_ceiling(ab, options.chroma_ceiling)
    return ab, (*lift_notes, *ceiling_notes)


def spread_chroma(ab: FloatArray, spread: float) -> FloatArray:
    """Return a*, b* with strong colours strengthened: chroma c above 15 becomes c (c / 15) ** spread.

    The mean of what is possible has middling chroma nearly everywhere; photographs have a little that is vivid beside
    much that is nearly grey. Hues stay, and so does all that is weaker. At equal mean colourfulness a spread of 0.35
    takes 1 point off the error (CIEDE2000, of the grey prediction's) on everyday scenes, 1.5 to 2 on people and
    landscapes; weakening faint colours as well gains hardly more, and turns walls grey
    (docs/experiments/color-choices.md).

    Shapes: (2, h, w) Lab units -> the same. A spread of 0 returns ``ab`` itself.
    """
    if not spread:
        return ab
    factor = np.clip((np.hypot(ab[0], ab[1]) / SPREAD_FROM) ** spread, 1, MOST_SPREAD)
    return np.asarray(ab * factor, dtype=np.float32)


def unspread_chroma(ab: FloatArray, spread: float) -> FloatArray:
    """Return the a*, b* that ``spread_chroma`` made these of.

    Shapes: (2, h, w) Lab units -> the same.
    """
    if not spread:
        return ab
    chroma = np.hypot(ab[0], ab[1])
    factor = np.clip((chroma / SPREAD_FROM) ** (spread / (1 + spread)), 1, MOST_SPREAD)
    return np.asarray(ab / factor, dtype=np.float32)


def lift_pale(ab: FloatArray, cell_luma: Plane, pale_below: float) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the a*, b* of a pale picture strengthened together, and a note if so.

    A net that is unsure of a whole picture, an old street say, answers with the mean of what is possible, and that is
    pale; photographs of such things are as colourful as others. So colours below ``pale_below`` (Hasler-Suesstrunk
    colourfulness; 0 lifts nothing) are taken halfway there on a logarithmic scale: what the truth has is nearer to
    the mean of all photographs than the net says. At equal mean colourfulness each picture's own comes 0.5 to 1.7
    nearer to the truth's than by a plain gain, for up to a point of error, on people for none
    (docs/experiments/color-choices.md).

    Shapes: (2, h, w) Lab units, (h, w) 0..1 -> (2, h, w).
    """
    if not pale_below:
        return ab, ()
    found = colorfulness(merge_luma_chroma(cell_luma, chroma_from_ab(cell_luma, np.moveaxis(ab, 0, -1))))
    factor = min(float(np.sqrt(pale_below / found)), MOST_LIFTED) if found > COLOURLESS else 1.0
    if factor <= 1:
        return ab, ()
    return ab * np.float32(factor), (f"pale colours strengthened to {factor:.0%}",)


def warm(ab: FloatArray, cell_luma: Plane, mired: float) -> FloatArray:
    """Return a*, b* as if the picture were lit by daylight ``mired`` warmer than D65, at the same lightness.

    Shapes: (2, h, w) Lab units, (h, w) 0..1 -> (2, h, w). Units: mired, a million over kelvin, the unit of
    photographic colour filters: +18 is an 81A, -18 about an 82A. Black stays black; white gets the full tint.
    The lights are CIE daylights; X and Z are scaled by the ratio of their whites (von Kries in XYZ, as Lab itself
    does). The straight part of Lab's curve, below L* 8, is taken as a cube root too.

    Source: CIE 15:2004, equations 3.2 to 3.4 (daylight locus).
    """
    x_gain, z_gain = np.cbrt(_daylight_white(1e6 / (1e6 / D65_KELVIN + mired)) / _daylight_white(D65_KELVIN))
    fy = ((lightness_from_luma(cell_luma) + 16) / 116).astype(np.float32)
    fx, fz = fy + ab[0] / 500, fy - ab[1] / 200
    return np.stack([500 * (fx * x_gain - fy), 200 * (fy - fz * z_gain)]).astype(np.float32)


def _daylight_white(kelvin: float) -> npt.NDArray[np.float64]:
    """Return (X, Z) of CIE daylight, Y being 1; for 4000 to 25000 K."""
    if kelvin <= 7000:
        x = -4.6070e9 / kelvin**3 + 2.9678e6 / kelvin**2 + 0.09911e3 / kelvin + 0.244063
    else:
        x = -2.0064e9 / kelvin**3 + 1.9018e6 / kelvin**2 + 0.24748e3 / kelvin + 0.237040
    y = -3.000 * x**2 + 2.870 * x - 0.275
    return np.array([x / y, (1 - x - y) / y])


def hold_ceiling(ab: FloatArray, ceiling: float | None) -> tuple[FloatArray, tuple[str, ...]]:
    """Return a*, b* weakened together so that the 99th percentile of chroma keeps the ceiling, and a note if so."""
    if ceiling is None:
        return ab, ()
    highest = float(np.percentile(np.hypot(ab[0], ab[1]), CEILING_PERCENTILE))
    if highest <= ceiling:
        return ab, ()
    factor = ceiling / highest
    return ab * np.float32(factor), (f"colours weakened to {factor:.0%}: chroma reached {highest:.0f}",)
