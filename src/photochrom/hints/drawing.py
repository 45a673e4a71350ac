"""Hints laid onto a grid: which cells they cover, with which colour, how sure, and how far it reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from photochrom.hints.hint import Hint
from photochrom.hints.painted import painted_ab
from photochrom.resample import Plane

# Diameter, in cells, of a point that has no width of its own: hints of 1 to 9 pixels are what the net has learnt from.
FINEST_CELLS = 3.0
# A point takes only cells that are about as light as its middle, so that beside an edge it stays on one thing.
SAME_THING_LUMA = 0.1


@dataclass(frozen=True, slots=True)
class Drawn:
    """Hints on a grid of (h, w) cells.

    Attributes:
        number: (h, w) which hint covers a cell, from 0; -1 where there is none. The later of two counts.
        ab: (2, h, w) Lab a*, b*; 0 where there is none.
        weight: (h, w) 0..1.
        reach: (h, w) in cells.
    """

    number: npt.NDArray[np.int32]
    ab: npt.NDArray[np.float32]
    weight: Plane
    reach: Plane

    @property
    def planes(self) -> npt.NDArray[np.float32]:
        """The input ``hints`` of contract color/2: (3, h, w)."""
        return np.concatenate([self.ab, self.weight[None]])


def draw(hints: Sequence[Hint], luma: Plane) -> Drawn:
    """Return hints on the grid of a luma plane (h, w), 0..1.

    Every hint covers a cell at least, unless a later one does. Cost: a millisecond, and one per painted hint.
    """
    height, width = luma.shape
    number = np.full((height, width), -1, dtype=np.int32)
    painted = np.zeros((2, height, width), dtype=np.float32)
    for index, hint in enumerate(hints):
        if hint.painted is not None:
            own, covered = painted_ab(hint.painted, width, height)
            painted[:, covered] = own[:, covered]
        else:
            covered = _covered(hint, luma)
        number[covered] = index
    known = number >= 0
    said = np.array([(*hint.ab, hint.weight, hint.reach) for hint in hints], dtype=np.float32).T
    said[3] *= min(height, width)
    values = np.zeros((4, height, width), dtype=np.float32)
    values[:, known] = said[:, number[known]]  # most cells are nobody's
    own_colors = np.array([hint.painted is not None for hint in hints])[number] & known
    values[:2, own_colors] = painted[:, own_colors]
    return Drawn(number, values[:2], values[2], values[3])


def _covered(hint: Hint, luma: Plane) -> npt.NDArray[np.bool_]:
    height, width = luma.shape
    sheet = Image.new("1", (width, height))
    pen = ImageDraw.Draw(sheet)
    places = [(x * width - 0.5, y * height - 0.5) for x, y in hint.places]
    across = max(hint.width * min(height, width), FINEST_CELLS if hint.point else 1.0)
    if hint.region:
        pen.polygon(places, fill=1, outline=1)
        return np.array(sheet)
    if hint.stroke:
        pen.line(places, fill=1, width=max(1, round(across)), joint="curve")
        return _with_cells(np.array(sheet), places)
    (x, y), radius = places[0], (across - 1) / 2
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    covered = np.array(sheet)
    row, column = _cell(places[0], covered.shape)
    if not hint.width:
        covered &= np.abs(luma - luma[row, column]) < SAME_THING_LUMA
    return _with_cells(covered, places)


def _with_cells(covered: npt.NDArray[np.bool_], places: Sequence[tuple[float, float]]) -> npt.NDArray[np.bool_]:
    for place in places:
        covered[_cell(place, covered.shape)] = True
    return covered


def _cell(place: tuple[float, float], shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the (row, column) of a place in cells."""
    row, column = int(np.floor(place[1] + 0.5)), int(np.floor(place[0] + 0.5))
    return min(max(row, 0), shape[0] - 1), min(max(column, 0), shape[1] - 1)
