"""The dots of printed pictures, which the net would take for what there is to see.

A scan of a newspaper or a postcard that is small enough for single dots to be seen on the net's copy comes out nearly
grey. A screen is two waves at a right angle, equally strong: two peaks in the spectrum that photographs do not have.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from photochrom.resample import Plane, blur

# The square in the middle that is looked at, and the frequencies where screens are searched, in cycles of it.
SIDE = 128
SLOWEST, QUICKEST = 0.2 * SIDE, 0.5 * SIDE
# Both peaks over the median of their ring, and their waves' amplitude. Of 1,224 photographs (coco, people, scenes,
# held-out collections, old ones) none had both; of 218 of coco printed through a screen all had, at 211 and 0.024 and
# more.
LEAST_RATIO, LEAST_AMPLITUDE = 150.0, 0.01
# Gaussian, in px of the net's copy: less leaves dots, more takes what the net goes by
# (docs/experiments/color-sharp.md).
BLUR_PX = 1.2


def smooth_screen(plane: Plane) -> tuple[Plane, tuple[str, ...]]:
    """Return the net's copy (H, W), 0..1, without the dots of a printed screen, and a note where there were some.

    Only what the net sees changes. A picture without a screen comes back as it is. Cost: 3 ms.
    """
    if not has_screen(plane):
        return plane, ()
    return blur(plane, BLUR_PX), ("printed picture: its dots smoothed for the net only",)


def has_screen(plane: Plane) -> bool:
    """Return whether a plane (H, W), 0..1, shows the dots of a halftone screen; of one smaller than 128 px, False."""
    if min(plane.shape) < SIDE:
        return False
    window, radius, rings = _spectrum()
    top, left = ((length - SIDE) // 2 for length in plane.shape)
    square = plane[top : top + SIDE, left : left + SIDE].astype(np.float64)
    power = np.abs(np.fft.fft2((square - square.mean()) * window)) ** 2
    # A screen's second wave is its first, turned by a right angle: (v, u) becomes (-u, v).
    both = np.minimum(power, power.T[:, -np.arange(SIDE)])
    median = np.empty_like(power)
    for ring in rings:
        median.flat[ring] = np.median(power.flat[ring])
    is_peak = (both > LEAST_RATIO * median) & (2 * np.sqrt(both) / window.sum() > LEAST_AMPLITUDE)
    return bool((is_peak & (radius >= SLOWEST) & (radius <= QUICKEST)).any())


@cache
def _spectrum() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], list[npt.NDArray[np.intp]]]:
    """Return Hann's window without its zeros, the cycles that places of the spectrum stand for, and which make a ring.

    Worked out when the first picture comes, not when the module is imported.
    """
    rise, cycles = np.hanning(SIDE + 2)[1:-1], np.fft.fftfreq(SIDE, 1 / SIDE)
    radius = np.hypot(cycles[:, None], cycles)
    rings = np.rint(radius)
    return np.outer(rise, rise), radius, [np.flatnonzero(rings == ring) for ring in range(int(rings.max()) + 1)]
