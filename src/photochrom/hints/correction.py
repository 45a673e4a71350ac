"""What the net got wrong where a hint lies it gets wrong alike elsewhere: in like colours of like tone, not too far.

A hint has told the net what a thing is, and still the colour shown is a little off, at the hint and in all that looks
like it: a lawn too yellow is so from one side to the other. The differences at all hints are averaged over each place,
by how near a hint is and how alike its tone and the net's own colour are (Nadaraya 1964, "On Estimating Regression";
Watson 1964, "Smooth Regression Analysis"), and drawn towards none where little is alike.

A difference beyond what the net errs by is a wish of its own, a coat that shall be green: it counts for little here,
and stays with the thing it lies on (`spreading.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from photochrom.hints.drawing import Drawn
from photochrom.resample import Plane

Singles = npt.NDArray[np.float32]

# How far differences carry, in standard deviations: in reaches of the hint; Lab units of a*, b*; shares of luma.
CARRIED_REACHES, LIKE_AB, LIKE_LUMA = 2.6, 10.0, 0.2
# Lab units from which on a difference is a wish rather than an error.
WISH_AB = 25.0
# What speaks for no difference at all, in hints.
DOUBT = 0.2
# Cells of a point, which counts as one hint; and the blocks of cells that say one thing where more is told.
POINT_CELLS, BLOCK_CELLS, MOST_BLOCKS = 5.0, 4, 500
# Every how many cells the average is taken; between them it is smooth.
STRIDE_CELLS = 4


@dataclass(frozen=True)
class Found:
    """Differences at hints, one row for each block of cells: places (n, 2), ab (n, 2), luma, reach and weight (n)."""

    offset: Singles
    place: Singles
    ab: Singles
    luma: Singles
    reach: Singles
    weight: Singles

    @classmethod
    def at(cls, ab: Singles, guide: Plane, drawn: Drawn, told: npt.NDArray[np.bool_]) -> Self:
        """Return what is found in the cells that were told, of a grid (h, w)."""
        (rows, columns), block = np.nonzero(told), BLOCK_CELLS
        while True:
            block_of = rows // block * guide.shape[1] + columns // block
            blocks, number, cells = np.unique(block_of, return_inverse=True, return_counts=True)
            if len(blocks) <= MOST_BLOCKS:
                break
            block *= 2
        cells = cells.astype(np.float32)

        def mean(values: npt.NDArray[np.generic]) -> Singles:
            return np.asarray(np.bincount(number, values) / cells, dtype=np.float32)

        here = ab[:, told]
        offset = np.stack([mean(drawn.ab[axis][told] - here[axis]) for axis in range(2)], axis=1)
        is_error = 1 / (1 + (offset**2).sum(axis=1, keepdims=True) / WISH_AB**2) ** 2
        return cls(
            offset * is_error,
            np.stack([mean(rows), mean(columns)], axis=1),
            np.stack([mean(plane) for plane in here], axis=1),
            mean(guide[told]),
            mean(drawn.reach[told]),
            mean(drawn.weight[told]) * np.minimum(cells / POINT_CELLS, 1),
        )


def correct_alike(ab: Singles, guide: Plane, drawn: Drawn, told: npt.NDArray[np.bool_]) -> Singles:
    """Return colours (2, h, w) less what they are off by in places like those that were told.

    Args:
        ab: (2, h, w) Lab a*, b* of the net, which has heard the hints.
        guide: (h, w) luma 0..1.
        drawn: the hints on that grid.
        told: (h, w) which of their cells count: a person's.

    Cost: 10 ms for 256 x 341 cells and ten hints, 60 ms at most.
    """
    if not told.any():
        return ab
    found = Found.at(ab, guide, drawn, told)
    height, width = guide.shape
    rows, columns = (np.arange(0, length, STRIDE_CELLS, dtype=np.float32) for length in (height, width))
    coarse = _averaged(
        found, rows, columns, ab[:, ::STRIDE_CELLS, ::STRIDE_CELLS], guide[::STRIDE_CELLS, ::STRIDE_CELLS]
    )
    return np.asarray(ab + _between(coarse, height, width), dtype=np.float32)


def _averaged(found: Found, rows: Singles, columns: Singles, ab: Singles, luma: Plane) -> Singles:
    """Return the mean difference in each cell of the coarse grid: (2, h, w)."""
    total = np.zeros((3, *luma.shape), dtype=np.float32)
    for n in range(len(found.weight)):
        near = np.add.outer((rows - found.place[n, 0]) ** 2, (columns - found.place[n, 1]) ** 2)
        apart = near / max(CARRIED_REACHES * float(found.reach[n]), 1.0) ** 2
        apart += ((ab[0] - found.ab[n, 0]) ** 2 + (ab[1] - found.ab[n, 1]) ** 2) / LIKE_AB**2
        apart += (luma - found.luma[n]) ** 2 / LIKE_LUMA**2
        alike = found.weight[n] * np.exp(-apart / 2)
        total[:2] += found.offset[n, :, None, None] * alike
        total[2] += alike
    return np.asarray(total[:2] / (total[2] + DOUBT), dtype=np.float32)


def _between(coarse: Singles, height: int, width: int) -> Singles:
    """Return the coarse grid's values in all cells, bilinearly: (2, h, w) -> (2, height, width)."""

    def places(length: int, cells: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Singles]:
        at = np.arange(length, dtype=np.float32) / STRIDE_CELLS
        before = np.minimum(at.astype(np.intp), cells - 1)
        return before, np.minimum(before + 1, cells - 1), np.asarray(at - before, dtype=np.float32)

    top, bottom, down = places(height, coarse.shape[1])
    left, right, across = places(width, coarse.shape[2])
    tall = coarse[:, top] + down[:, None] * (coarse[:, bottom] - coarse[:, top])
    return np.asarray(tall[:, :, left] + across * (tall[:, :, right] - tall[:, :, left]), dtype=np.float32)
