"""The dots of printed pictures, which the net would take for what there is to see.

A scan of a newspaper or a postcard that is small enough for single dots to be seen on the net's copy comes out nearly
grey. A screen is two waves at a right angle, equally strong: two peaks in the spectrum that photographs do not have.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.resample import Plane

# The square in the middle that is looked at, and the frequencies where screens are searched, in cycles of it.
SIDE = 128
SLOWEST, QUICKEST = 0.2 * SIDE, 0.5 * SIDE
# Both peaks over the median of their ring, and their waves' amplitude. Of 1,224 photographs (coco, people, scenes,
# held-out collections, old ones) none had both; of 218 of coco printed through a screen all had, at 211 and 0.024 and
# more.
LEAST_RATIO, LEAST_AMPLITUDE = 150.0, 0.01
# Gaussian, in px of the net's copy: less leaves dots, more takes what the net goes by (docs/experiments/color.md).
BLUR_PX = 1.2
BLUR_REACH = 4


def smooth_screen(plane: Plane) -> tuple[Plane, tuple[str, ...]]:
    """Return the net's copy (H, W), 0..1, without the dots of a printed screen, and a note where there were some.

    Only what the net sees changes. A picture without a screen comes back as it is. Cost: 3 ms.
    """
    if not has_screen(plane):
        return plane, ()
    return _blurred(plane), ("printed picture: its dots smoothed for the net only",)


def has_screen(plane: Plane) -> bool:
    """Return whether a plane (H, W), 0..1, shows the dots of a halftone screen; of one smaller than 128 px, False."""
    if min(plane.shape) < SIDE:
        return False
    top, left = ((length - SIDE) // 2 for length in plane.shape)
    square = plane[top : top + SIDE, left : left + SIDE].astype(np.float64)
    power = np.abs(np.fft.fft2((square - square.mean()) * WINDOW)) ** 2
    # A screen's second wave is its first, turned by a right angle: (v, u) becomes (-u, v).
    both = np.minimum(power, power.T[:, -np.arange(SIDE)])
    medians = np.array([np.median(power.flat[places]) for places in PLACES])
    amplitudes = 2 * np.sqrt(both) / WINDOW.sum()
    is_peak = (both > LEAST_RATIO * medians[RING]) & (amplitudes > LEAST_AMPLITUDE)
    return bool((is_peak & (RADIUS >= SLOWEST) & (RADIUS <= QUICKEST)).any())


def _window() -> npt.NDArray[np.float64]:
    """Return Hann's window in two directions, without its zeros."""
    rise = np.hanning(SIDE + 2)[1:-1]
    return np.outer(rise, rise)


def _radius() -> npt.NDArray[np.float64]:
    """Return how many cycles of the square each place of its spectrum stands for."""
    cycles = np.fft.fftfreq(SIDE, 1 / SIDE)
    return np.asarray(np.hypot(cycles[:, None], cycles), np.float64)


WINDOW, RADIUS = _window(), _radius()
RING = np.rint(RADIUS).astype(int)
PLACES = [np.flatnonzero(ring == RING) for ring in range(RING.max() + 1)]


def _blurred(plane: Plane) -> Plane:
    """Return the plane under a Gaussian, its borders mirrored."""
    weights = np.exp(-(np.arange(-BLUR_REACH, BLUR_REACH + 1) ** 2) / (2 * BLUR_PX**2))
    weights = (weights / weights.sum()).astype(np.float32)
    height, width = plane.shape
    padded = np.pad(plane, BLUR_REACH, mode="symmetric")
    rows = sum(weight * padded[k : k + height] for k, weight in enumerate(weights))
    return np.asarray(sum(weight * rows[:, k : k + width] for k, weight in enumerate(weights)), np.float32)
