"""Measures of coloured film, on the small grid: how far from the truth, how colourful, and how steady.

* **CIEDE2000** and **colourfulness** are those of photographs (``metrics``), under the truth's lightness.
* **Flicker** is the warping error of chroma: how far a*, b* of a place lie from where they were a frame before, along
  the motion, in Lab units, over the places that flow explains. The truth has some, by light that changes and grain.
* **Uncovered** is CIEDE2000 on the other places, which flow does not explain: what a moving thing has just left, or
  covers. Read it beside frame by frame's, which has nothing that travels.
* **Lag** is by how many frames colours come after the picture (``lag``).
* **CDC** (colour distribution consistency): the mean Jensen-Shannon divergence of the histograms (256 codes) of red,
  green and blue between frames 1, 2 and 4 apart. It does not see where colours are, and grey film has some too, by its
  luma: read it beside the grey's and the truth's.

Sources: Lai et al. 2018, "Learning Blind Video Temporal Consistency" (warping error); Liu et al. 2024, "Temporally
Consistent Video Colorization with Deep Feature Propagation and Self-regularization Learning" (CDC).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from photochrom.color import ciede2000, colorfulness, lab_from_srgb
from photochrom.film.lag import Lag
from photochrom.film.matrices import Matrix, Plane
from photochrom.film.motion import Motion, carry

BELIEVED = 0.5
CDC_DISTANCES = (1, 2, 4)
# Colour error and colourfulness are slow to work out, and alike in neighbouring frames.
LOOKED_AT_EVERY = 4


def shown(luma: Plane, chroma: Plane, matrix: Matrix) -> Plane:
    """Return what a player shows: chroma brought into the gamut. Shapes: (h, w), (h, w, 2) -> (h, w, 3) RGB 0..1."""
    level = np.clip(luma, 0, 1)
    keep = matrix.headroom(chroma, level, level)[..., None]
    return np.clip(matrix.rgb(level, chroma * keep), 0, 1).astype(np.float32)


def histograms(rgb: Plane) -> npt.NDArray[np.float64]:
    """Return the shares of 256 codes in red, green and blue. Shapes: (h, w, 3) 0..1 -> (3, 256)."""
    codes = np.rint(rgb * 255).astype(np.intp).reshape(-1, 3)
    return np.stack([np.bincount(codes[:, k], minlength=256) / len(codes) for k in range(3)])


def divergence(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Return the Jensen-Shannon divergence of two sets of histograms, in bits, mean over the channels. 0..1."""
    middle = (first + second) / 2

    def from_middle(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(shares > 0, shares * np.log2(shares / middle), 0).sum(axis=-1))

    return float(((from_middle(first) + from_middle(second)) / 2).mean())


@dataclass(slots=True)
class FilmScores:
    """The measures of one film in one colouring, gathered frame by frame.

    Attributes:
        matrix: of the film.
    """

    matrix: Matrix
    _errors: list[float] = field(default_factory=list)
    _colourful: list[float] = field(default_factory=list)
    _flicker: list[float] = field(default_factory=list)
    _uncovered: list[npt.NDArray[np.float32]] = field(default_factory=list)
    _lag: Lag = field(default_factory=Lag)
    _cdc: dict[int, list[float]] = field(default_factory=lambda: {k: [] for k in CDC_DISTANCES})
    _past: deque[npt.NDArray[np.float64]] = field(default_factory=lambda: deque(maxlen=max(CDC_DISTANCES)))
    _last_ab: Plane | None = None
    _frames: int = 0

    def add(self, luma: Plane, chroma: Plane, truth: Plane, motion: Motion | None) -> None:
        """Take one frame.

        Args:
            luma: (h, w) 0..1.
            chroma: (h, w, 2) of this colouring.
            truth: (h, w, 2) of the film itself.
            motion: from the frame before; None where a shot begins.
        """
        rgb = shown(luma, chroma, self.matrix)
        lab = np.asarray(lab_from_srgb(rgb), np.float32)
        ab = np.ascontiguousarray(lab[..., 1:])
        if motion is None:
            self._past.clear()
        elif self._last_ab is not None:
            believed = motion.trust_later > BELIEVED
            if believed.any():
                change = np.hypot(*np.moveaxis(ab - carry(self._last_ab, motion.backward), -1, 0))
                self._flicker.append(float(change[believed].mean()))
        self._last_ab = ab
        here = histograms(rgb)
        for distance in CDC_DISTANCES:
            if len(self._past) >= distance:
                self._cdc[distance].append(divergence(self._past[-distance], here))
        self._past.append(here)
        self._lag.add(chroma, truth, begins=motion is None)
        if self._frames % LOOKED_AT_EVERY == 0:
            true_lab = lab_from_srgb(shown(luma, truth, self.matrix))
            errors = np.asarray(ciede2000(true_lab, np.concatenate([true_lab[..., :1], ab], axis=-1)), np.float32)
            self._errors.append(float(errors.mean()))
            if motion is not None:
                self._uncovered.append(errors[motion.trust_later <= BELIEVED])
            self._colourful.append(colorfulness(rgb))
        self._frames += 1

    def means(self) -> dict[str, float]:
        """Return the measures by the names of ``evaluation.columns``; NaN where a film gives none."""
        uncovered = np.concatenate(self._uncovered) if self._uncovered else np.empty(0)
        named = {
            "ciede2000": self._errors,
            "uncovered": uncovered,
            "colorfulness": self._colourful,
            "flicker": self._flicker,
            **{f"cdc_{distance}": values for distance, values in self._cdc.items()},
        }
        means = {name: float(np.mean(values)) if len(values) else float("nan") for name, values in named.items()}
        return means | {"lag": self._lag.frames}
