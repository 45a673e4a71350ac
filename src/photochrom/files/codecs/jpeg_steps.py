"""A step in brightness that begins in the middle of a row of blocks: what one wrong bit makes, and no decoder notices.

A block's mean is coded as its difference from the block before, so a wrong difference shifts every block that follows,
in one or all channels. On the means of the units of coding that is a step of one height which runs along the top of a
row to its right end, and along the bottom of that row from the left: no scene has an edge like it, not even a leaning
horizon, whose units are in part above and in part below.

Source: ISO 10918-1, sections F.1.2.1 and F.2.2.1 (differences of DC coefficients, predictions begin anew at restarts).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.jpeg_frame import Frame, ends_early, is_followed_by_more, means_of_blocks

LEFT_OVER = "data is left over after its last row: bits before were lost or changed"
STEP = "from the middle of row {row} on every block is shifted by as much: bits were changed"
WRONG_DATA = "its compressed data is wrong, or ends early"
Means = npt.NDArray[np.float32]
# The least step, in codes; and how near to it the steps of each part of a row are, and the others to none.
LEAST_STEP, NEAR, ROUGHLY = 12.0, 0.35, 0.6
# What lies on either side of the beginning: so many units at least, in so many parts; no picture of fewer rows.
LEAST_UNITS, PARTS, LEAST_ROWS = 9, 3, 4


def wrong_blocks(data: bytes, frame: Frame) -> str:
    """Return what is wrong with the picture's blocks as a whole; "" where nothing is."""
    means = means_of_blocks(data, frame)
    if means is None:
        return ""
    if is_followed_by_more(means, frame):
        return LEFT_OVER
    if ends_early(means, data, frame):
        return WRONG_DATA
    row = row_of_step(means[: -frame.blocks[1]], frame)
    return "" if row is None else STEP.format(row=row + 1)


def row_of_step(blocks: npt.NDArray[Any], frame: Frame) -> int | None:
    """Return the first row of pixels that is shifted against those before, or None where none is.

    ``blocks`` (h, w, channels) are the means of 8 x 8 pixels, in codes.
    """
    across, down = frame.blocks
    height, width = blocks.shape[0] // down, blocks.shape[1] // across
    if not frame.in_one_scan or height < LEAST_ROWS or width < 2 * LEAST_UNITS:
        return None
    cut = blocks[: height * down, : width * across].astype(np.float32)
    units = cut.reshape(height, down, width, across, -1).mean(axis=(1, 3))
    steps = np.diff(units, axis=0)
    for row in range(len(steps) - 1):
        if any(_is_stair(steps[row, :, k], steps[row + 1, :, k]) for k in range(units.shape[2])):
            return 8 * down * (row + 1)
    return None


def _is_stair(upper: Means, lower: Means) -> bool:
    """Return whether the step into a row is found on its right, and the one out of it on its left, of one height.

    A leaning edge of the scene has such steps too, but small ones where it crosses from row to row; so each third of
    either side has to show the whole.
    """
    right, left = float(np.median(upper[-LEAST_UNITS:])), float(np.median(lower[:LEAST_UNITS]))
    if min(abs(right), abs(left)) < LEAST_STEP or abs(right - left) > ROUGHLY * max(abs(right), abs(left)):
        return False
    return any(
        _fits(lower[:begin], upper[begin:], upper[:begin], lower[begin:])
        for begin in range(LEAST_UNITS, len(upper) - LEAST_UNITS)
    )


def _fits(ends: Means, begins: Means, above: Means, below: Means) -> bool:
    """Return whether two parts of rows step by one height all along, and the other two by next to nothing."""
    height = float((np.median(ends) + np.median(begins)) / 2)
    near = NEAR * abs(height)
    stepping = [float(np.median(part)) for side in (ends, begins) for part in np.array_split(side, PARTS)]
    still = [float(np.median(part)) for side in (above, below) for part in np.array_split(side, PARTS)]
    return (
        abs(height) >= LEAST_STEP
        and all(abs(step - height) <= near for step in stepping)
        and all(abs(step) <= near for step in still)
    )
