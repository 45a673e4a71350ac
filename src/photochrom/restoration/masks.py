"""Masks of large pictures: grown, reduced, and told thick from thin, a strip or a coarse grid at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.computer.room import let_go
from photochrom.engines.base import FloatArray
from photochrom.luma import strips
from photochrom.resample import block_mean, box_mean

Mask = npt.NDArray[np.bool_]
# 0..255 for 0..1.
Probability = npt.NDArray[np.uint8]
# What need not be known to the pixel is reckoned on a grid of cells, at most so many along the longer side.
CELLS_A_SIDE = 1024


@dataclass(frozen=True, slots=True)
class Coarse:
    """A mask on the coarse grid of a picture.

    Attributes:
        width: of the picture.
        height: of the picture.
        cells: (h, w), true where a whole cell is marked.
    """

    width: int
    height: int
    cells: Mask

    @property
    def side(self) -> int:
        """Pixels along a cell's side."""
        return cell_side(self.width, self.height)

    def rows(self, top: int, bottom: int) -> Mask:
        """Return rows of the picture, (bottom - top, width)."""
        down = np.arange(top, bottom) // self.side
        across = np.arange(self.width) // self.side
        return np.asarray(self.cells[down[:, None], across])


def cell_side(width: int, height: int) -> int:
    """Return the side of the coarse grid's cells, in pixels."""
    return -(-max(width, height) // CELLS_A_SIDE)


def largest_in_cells(values: Probability) -> Probability:
    """Return the largest value in each cell of the coarse grid."""
    return largest_in_blocks(values, cell_side(values.shape[1], values.shape[0]))


def share_in_cells(mask: Mask) -> FloatArray:
    """Return the marked share of each cell of the coarse grid."""
    height, width = mask.shape
    side = cell_side(width, height)
    marked = np.concatenate(
        [block_mean(mask[top:bottom].astype(np.float32), side) for top, bottom in strips(width, height, step=side)]
    )
    return np.asarray(marked)


def thick_parts(mask: Mask, thickness: float) -> Coarse:
    """Return the parts of a mask that are thicker than ``thickness`` pixels: its morphological opening by a square.

    Reckoned on cells, so to about a thousandth of the picture's long side.
    """
    height, width = mask.shape
    radius = max(1, round(thickness / cell_side(width, height) / 2))
    full = share_in_cells(mask) > 0.5
    core = box_mean(full.astype(np.float64), radius) > 1 - 1e-6
    opened = box_mean(core.astype(np.float64), radius) > 1e-6 if core.any() else core
    return Coarse(width, height, np.asarray(opened))


def any_in_blocks(mask: Mask, factor: int) -> Mask:
    """Return whether anything is marked in blocks of ``factor`` squared: (H, W) -> (ceil(H / f), ceil(W / f))."""
    return largest_in_blocks(mask.view(np.uint8), factor).astype(np.bool_)


def share_of(mask: Mask) -> float:
    """Return how much of the picture is marked, 0..1."""
    return float(np.count_nonzero(mask)) / mask.size


def grown(mask: Mask, radius: int) -> Mask:
    """Return a mask with everything within ``radius`` pixels, square-wise, added."""
    for axis in (0, 1):
        grown_mask = mask.copy()
        for step in range(1, radius + 1):
            ahead, behind = np.moveaxis(grown_mask, axis, 0), np.moveaxis(mask, axis, 0)
            ahead[step:] |= behind[:-step]
            ahead[:-step] |= behind[step:]
        mask = grown_mask
    return mask


def largest_in_blocks(values: Probability, side: int) -> Probability:
    """Return the largest value in blocks of ``side`` squared; those at the right and lower border may be smaller."""
    height, width = values.shape
    parts = []
    for top, bottom in strips(width, height, step=side):
        rows = np.maximum.reduceat(values[top:bottom], np.arange(0, bottom - top, side), axis=0)
        parts.append(np.maximum.reduceat(rows, np.arange(0, width, side), axis=1))
        let_go(values)
    return np.concatenate(parts)
