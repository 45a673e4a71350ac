"""Exposure that breathes: how it changes from frame to frame, and by how much to change it back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from photochrom.film.motion import Motion, Plane, carry, closing

# Exposure is evened out over this many frames (standard deviation of the window) where it breathes by more than this,
# as a logarithm: a percent and a half is just seen.
EXPOSURE_FRAMES, BREATHES = 6.0, 0.015
LARGEST_CORRECTION = 0.5


def exposure_changes(greys: Sequence[Plane], motions: Sequence[Motion]) -> list[float]:
    """Return the logarithm of the exposure of each frame against the one before it; 0 for the first.

    Args:
        greys: luma of the small copies, 0..1.
        motions: between frame k and k + 1.
    """
    changes = [0.0]
    for earlier, later, motion in zip(greys, greys[1:], motions, strict=False):
        before = carry(earlier, motion.backward)
        # Places of middling tone: neither cut off nor drowned in noise.
        usable = (before > 0.1) & (before < 0.85) & (later > 0.05) & (later < 0.95) & (closing_of(motion) > 0.5)
        enough = usable.sum() > 0.02 * usable.size
        changes.append(float(np.median(np.log(later[usable] / before[usable]))) if enough else 0.0)
    return changes


def closing_of(motion: Motion) -> Plane:
    """Return where flow from the later frame to the earlier one closes."""
    return closing(motion.backward, motion.forward)


def even_exposures(changes: Sequence[float], *, always: bool = False) -> list[float]:
    """Return by how much to change each frame's exposure, as logarithms, so that it follows its own running mean.

    Args:
        changes: each frame's exposure against the one before it, as a logarithm.
        always: also where it breathes less than anybody sees.
    """
    course = np.cumsum(np.asarray(changes, np.float64))
    places = np.arange(len(course))
    weights = np.exp(-((places[:, None] - places[None]) ** 2) / (2 * EXPOSURE_FRAMES**2))
    # A line through the neighbourhood, not its mean: a slow fade is followed also at the ends.
    even = np.array([_line_at(course, weights[k], places - k) for k in places])
    wanted = np.clip(even - course, -LARGEST_CORRECTION, LARGEST_CORRECTION)
    if not always and float(np.std(wanted)) < BREATHES:
        return [0.0] * len(course)
    return [float(value) for value in wanted]


def _line_at(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], places: npt.NDArray[np.intp]) -> float:
    """Return the weighted straight line's value at place 0."""
    total = weights.sum()
    mean_place, mean = (weights * places).sum() / total, (weights * values).sum() / total
    spread = (weights * (places - mean_place) ** 2).sum()
    slope = (weights * (places - mean_place) * (values - mean)).sum() / spread if spread > 1e-9 else 0.0
    return float(mean - slope * mean_place)
