"""Hints obeyed: what the net made of them is corrected, on the thing they lie on, and not across its edges.

The net knows what a hint means for the rest of the picture; that the colour asked for is the colour shown, it does
not promise. So the difference between the two is spread over a small grid along the luma: its share falls with the
distance walked, and a step across an edge is a long walk. Where several hints reach a cell, the nearer by that walk
counts for nearly all, so that two on one thing part at an edge where there is one.

Source: the recursive form of the edge-aware walk is that of Gastal, Oliveira 2011, "Domain Transform for Edge-Aware
Image and Video Processing", section 5.3, here summed over sparse data instead of normalised; hints by geodesic
distance are those of Yatziv, Sapiro 2006, "Fast Image and Video Colorization Using Chrominance Blending".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.hints.drawing import Drawn
from photochrom.resample import Plane, box_mean

Doubles = npt.NDArray[np.float64]

# Cells that a step of luma from black to white is worth, and the step per cell that counts as texture, not as edge.
EDGE_CELLS, TEXTURE_LUMA = 160.0, 0.01
# Cells over which one hint's colour gives way to another's where nothing separates them.
SOFTNESS_CELLS = 3.0
# The last cells of the reach, over which a correction fades.
FADING_CELLS = 8.0
# Cells beyond the reach that walks may go through.
MARGIN_CELLS = 8 * SOFTNESS_CELLS
ROUNDS = 2


def obey(ab: npt.NDArray[np.float32], guide: Plane, drawn: Drawn) -> npt.NDArray[np.float32]:
    """Return colours that are those asked for where hints lie, and lean on them around.

    Args:
        ab: (2, h, w) Lab a*, b* of the net, on the grid.
        guide: (h, w) luma 0..1, whose edges stop a hint.
        drawn: the hints on that grid.

    Cost: some 60 ms for 256 x 341 cells where hints reach all of them, 10 ms for one of ordinary reach.
    """
    known = drawn.number >= 0
    if not known.any():
        return ab
    across, down = _steps(guide)
    rows, columns = _within_reach(known, drawn.reach)
    obeyed, here = ab.astype(np.float32), (rows, columns)
    known, weight, reach = known[here], drawn.weight[here], drawn.reach[here]
    across, down, ab = across[here], down[here], ab[:, rows, columns]
    wanted = np.where(known, drawn.ab[:, rows, columns] - ab, 0)
    mass = _walked(np.concatenate([wanted, weight[None] * known, known[None]]), across, down)
    nearest = mass[:3] / np.maximum(mass[3], 1e-300)
    share = np.clip(_left(reach, known, across, down) / FADING_CELLS, 0, 1) * nearest[2]
    offset, share = np.where(known, wanted, nearest[:2]), np.where(known, weight, share)
    obeyed[:, rows, columns] = ab + share * offset
    return obeyed


def nearness(known: npt.NDArray[np.bool_], near: float, gone: float) -> Plane:
    """Return 1 up to ``near`` cells from known ones, falling to 0 at ``gone``, by walks along rows and columns."""
    step = np.ones(known.shape)
    left = _left(np.full(known.shape, gone, dtype=np.float32), known, step, step) - 1
    return np.asarray(np.clip(left / (gone - near), 0, 1), dtype=np.float32)


def _within_reach(known: npt.NDArray[np.bool_], reach: Plane) -> tuple[slice, slice]:
    """Return the rows and columns that a walk from known cells may come to, and may have gone through on the way.

    A step is a cell at least; who walks farther round than the margin and back brings a ten-millionth.
    """
    far = int(np.ceil(reach[known].max() + MARGIN_CELLS))

    def span(along: npt.NDArray[np.intp]) -> slice:
        return slice(max(0, int(along.min()) - far), int(along.max()) + far + 1)

    rows, columns = np.nonzero(known)
    return span(rows), span(columns)


def _steps(guide: Plane) -> tuple[Doubles, Doubles]:
    """Return how long the step from each cell to its left, and to its upper neighbour, is; the first is unused."""
    smooth = (guide.astype(np.float64) + box_mean(guide[None].astype(np.float64), 1)[0]) / 2

    def length(axis: int) -> Doubles:
        rise = np.abs(np.diff(smooth, axis=axis, prepend=np.take(smooth, [0], axis=axis)))
        return np.asarray(1 + EDGE_CELLS * np.maximum(rise - TEXTURE_LUMA, 0))

    return length(1), length(0)


def _walked(mass: npt.NDArray[np.floating], across: Doubles, down: Doubles) -> Doubles:
    """Return what arrives in each cell of what set out from all: (C, h, w), less the longer the walk."""
    keep_across = np.ascontiguousarray(np.exp(-across / SOFTNESS_CELLS).T)[:, None]
    keep_down = np.exp(-down / SOFTNESS_CELLS)[:, None]
    walked = mass.astype(np.float64).transpose(1, 0, 2)
    for _ in range(ROUNDS):
        walked = _summed(np.ascontiguousarray(walked.transpose(2, 1, 0)), keep_across)
        walked = _summed(np.ascontiguousarray(walked.transpose(2, 1, 0)), keep_down)
    return walked.transpose(1, 0, 2)


def _left(reach: Plane, known: npt.NDArray[np.bool_], across: Doubles, down: Doubles) -> Doubles:
    """Return how much of the reach of the hint that reaches farthest is left in each cell, in cells."""
    left = np.where(known, reach + 1.0, -1.0)
    across = np.ascontiguousarray(across.T)
    for _ in range(ROUNDS):
        left = _farthest(np.ascontiguousarray(left.T), across)
        left = _farthest(np.ascontiguousarray(left.T), down)
    return left


def _summed(mass: Doubles, kept: Doubles) -> Doubles:
    """Return mass that has walked along the first axis, both ways. Shapes: (n, C, m), (n, 1, m) kept per step."""
    walked = np.stack([mass, mass[::-1]], axis=1)  # both ways at once
    shares = np.stack([kept[1:], kept[:0:-1]], axis=1)
    for share, before, here in zip(shares, walked[:-1], walked[1:], strict=True):
        np.add(here, share * before, out=here)
    return np.asarray(walked[:, 0] + walked[::-1, 1] - mass)


def _farthest(left: Doubles, steps: Doubles) -> Doubles:
    """Return how much reach is left after walks along the first axis, both ways, in place. Shapes: (n, m) twice."""
    for step, before, here in zip(steps[1:], left[:-1], left[1:], strict=True):
        np.maximum(here, before - step, out=here)
    for step, before, here in zip(steps[:0:-1], left[:0:-1], left[-2::-1], strict=True):
        np.maximum(here, before - step, out=here)
    return left
