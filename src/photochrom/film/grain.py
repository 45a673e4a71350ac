"""Grain of film: how much there is, told by the frames before and after, and its average over them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from photochrom.film.motion import Plane
from photochrom.film.neighbours import Neighbour, Neighbourhood

# Noise, of 1, from which on grain is averaged: one and a half codes of 255.
GRAINY = 1.5 / 255
# Noise is measured between places this far apart, and frames are compared over windows of this size, with some slack:
# together 0.2 to 5.6 dB more than neighbours, 5 x 5 and none, on the degradation engine's grain of 0.8 to 2.6 px.
APART_PX, AROUND_PX, SLACK = 4, (7, 7), 1.3


def measure_noise(plane: Plane, around: Neighbourhood) -> float:
    """Return the standard deviation of grain, of 1: from what differs between a frame and the one before or after it.

    Differences over some pixels are taken, so that what flow misses smoothly does not count, and far enough apart for
    coarse grain not to be the same in both; half of the median, which edges do not reach.
    """
    distance = next((distance for distance in (-1, 1) if distance in around), None)
    if distance is None or plane.shape[0] < 4 or plane.shape[1] < 2 * APART_PX:
        return 0.0
    difference = plane[::2] - around[distance].plane[::2]
    fine = difference[:, APART_PX:] - difference[:, :-APART_PX]
    return float(np.median(np.abs(fine)) / 0.6745 / 2)


def averaged(plane: Plane, around: Iterable[Neighbour], noise: float, strength: float) -> Plane:
    """Return a frame with its grain averaged over its neighbours, each weighed where it shows the same."""
    import cv2

    variance = np.float32(max(noise, 1e-4) ** 2)
    total, weights, scratch = plane.copy(), np.ones_like(plane), np.empty_like(plane)
    for other in around:
        np.subtract(other.plane, plane, out=scratch)
        weight = np.asarray(cv2.blur(np.square(scratch, out=scratch), AROUND_PX), np.float32).reshape(plane.shape)
        # Grain alone makes differences of twice its variance; coarse grain of somewhat more, here and there.
        weight -= np.float32(2 * SLACK) * variance
        np.maximum(weight, 0, out=weight)
        weight /= 2 * variance
        np.exp(np.negative(weight, out=weight), out=weight)
        weight *= other.trust
        total += np.multiply(weight, other.plane, out=scratch)
        weights += weight
        del other  # before the next one is brought into place
    total /= weights
    total -= plane
    total *= np.float32(strength)
    total += plane
    return total
