"""Colour lag: by how many frames colours come after the picture, as behind a person who walks through it.

What changes from frame to frame in the colouring is compared with what changes in the truth, some frames earlier and
later: the time shift at which both agree best, refined by a parabola through the peak and its two neighbours. It is 0
where colours move with the picture, 1 where they are a frame late, negative where they lead. Wrong colours make the
peak lower, and do not move it. Where it stands out far less than the truth's own, as for a mean over many frames, there
is no number.

Source: Knapp, Carter 1976, "The Generalized Correlation Method for Estimation of Time Delay" (plain correlation here).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from photochrom.film.matrices import Plane

# Shifts that are tried, in frames; the least correlation that is not by chance; and how far a peak stands out at least,
# of how far the truth's own does.
REACH, LEAST, STANDS_OUT = 3, 0.1, 0.5
SHIFTS = range(-REACH, REACH + 1)


@dataclass(slots=True)
class Lag:
    """The measure of one film, gathered frame by frame."""

    _last: tuple[Plane, Plane] | None = None
    _changes: deque[tuple[Plane, Plane]] = field(default_factory=lambda: deque(maxlen=len(SHIFTS)))
    _products: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SHIFTS)))
    _own: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SHIFTS)))
    _square: float = 0.0
    _squares: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SHIFTS)))

    def add(self, chroma: Plane, truth: Plane, *, begins: bool) -> None:
        """Take one frame: the colouring's chroma and the film's own, (h, w, 2), and whether a shot begins with it.

        Memory: as many planes as there are shifts, twice. Cost: as many products of planes.
        """
        if begins:
            self._last = None
            self._changes.clear()
        if self._last is not None:
            self._changes.append((chroma - self._last[0], truth - self._last[1]))
        self._last = chroma, truth
        if len(self._changes) == len(SHIFTS):
            ours, own = (change.ravel() for change in self._changes[REACH])
            self._products += [float(ours @ true.ravel()) for _, true in self._changes]
            self._own += [float(own @ true.ravel()) for _, true in self._changes]
            self._square += float(ours @ ours)
            self._squares += [float(true.ravel() @ true.ravel()) for _, true in self._changes]

    @property
    def frames(self) -> float:
        """The lag in frames; NaN where nothing moves, where films are too short, or where no peak stands out."""
        if not self._square or not self._squares.all():
            return math.nan
        agreement = self._products / np.sqrt(self._squares * self._square)
        own, peak = self._own / np.sqrt(self._squares * self._squares[REACH]), int(agreement.argmax())
        if agreement[peak] < LEAST or _standing_out(agreement) < STANDS_OUT * _standing_out(own):
            return math.nan
        return -(SHIFTS[peak] + _vertex(agreement[max(0, peak - 1) : peak + 2]))


def _standing_out(values: npt.NDArray[np.float64]) -> float:
    """Return by how much the largest value is above the mean of the others, of itself."""
    peak = int(values.argmax())
    return 1 - float(np.delete(values, peak).mean() / values[peak])


def _vertex(values: npt.NDArray[np.float64]) -> float:
    """Return where the parabola through three values has its peak, from the middle one; 0 for fewer."""
    if len(values) < 3:
        return 0.0
    before, here, after = values
    return float((before - after) / 2 / (before - 2 * here + after))
