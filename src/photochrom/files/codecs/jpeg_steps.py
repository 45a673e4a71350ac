"""A step in brightness that begins in the middle of a row of blocks: what one wrong bit makes, and no decoder notices.

A block's mean is coded as its difference from the block before, so a wrong difference shifts every block that
follows, in one or all channels: up to the end, or where the file has restart markers up to the next. That is a step of
one height along the top of a row of blocks to its right end, and along the bottom of that row from the left (or, at a
restart, back again along the bottom to the right end). It lies between two rows of pixels, and scenes hardly have edges
as sharp as that which keep to the blocks and to their own height, and begin in the middle.

Source: ISO 10918-1, sections F.1.2.1 and F.2.2.1 (differences of DC coefficients, predictions begin anew at restarts).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.jpeg_ends import leaves_codes_unused
from photochrom.files.codecs.jpeg_frame import BLOCK, Frame
from photochrom.files.codecs.jpeg_means import (
    Means,
    ends_early,
    first_out_of_range,
    is_followed_by_more,
    means_of_blocks,
)
from photochrom.files.codecs.jpeg_zeros import has_lost_stretch

LEFT_OVER = "data is left over after its last row: bits before were lost or changed"
LEFT_OVER_INSIDE = "data is left over where a part of it ends: bits before were lost or changed"
OUT_OF_RANGE = "by row {row} its blocks are darker than black or lighter than white: bits were changed"
STEP = "from the middle of row {row} on every block is shifted by as much: bits were changed"
LOST_STRETCH = "zeros stand where its compressed data was"
WRONG_DATA = "its compressed data is wrong, or ends early"
Steps = npt.NDArray[np.float32]


class Likeness(NamedTuple):
    """The least step in codes, how near to it or to none a block's is, and in what share of each part of a row."""

    least: float
    near: float
    share: float


# Of 954 photographs, saved as JPEG in many ways, none has such a step; two have a band that keeps to half its height.
# Means are a block apart, and differ by more of the scene: with a step's limits 24 of them have one, with these none.
OF_A_STEP, OF_A_BAND, OF_MEANS = Likeness(8, 0.5, 0.75), Likeness(8, 0.4, 0.75), Likeness(16, 0.35, 0.85)
ENDS = 3
"""Blocks at the end of a row whose median is the height that is looked for."""
ROWS_AT_A_TIME = 64


def wrong_blocks(data: bytes, frame: Frame) -> str:
    """Return what is wrong with the picture's blocks as a whole; "" where nothing is."""
    if has_lost_stretch(data, frame):
        return LOST_STRETCH
    if leaves_codes_unused(data, frame):
        return LEFT_OVER_INSIDE
    means = means_of_blocks(data, frame)
    if means is None:
        return ""
    if frame.in_one_scan and is_followed_by_more(means, frame):
        return LEFT_OVER
    if frame.in_one_scan and ends_early(means, data, frame):
        return WRONG_DATA
    row = first_out_of_range(means, data, frame)
    if row is not None:
        return OUT_OF_RANGE.format(row=row + 1)
    row = row_of_shift(means, frame)
    return "" if row is None else STEP.format(row=row + 1)


def row_of_shift(means: Means, frame: Frame) -> int | None:
    """Return what :func:`row_of_step` does, by the means alone, which are neither cut to 0..255 nor smoothed.

    That tells a shift of colour, whose edge decoders smooth, and one that leaves most of a row black or white.
    """
    across, down = frame.blocks
    rows, columns = means.shape[0] // down - (1 if frame.in_one_scan else 0), means.shape[1] // across
    if frame.restarts or columns < 2 * ENDS or rows < 3:
        return None
    units = means[: rows * down, : columns * across].reshape(rows, down, columns, across, -1).mean(axis=3)
    found = _first_stair(units[1:, 0] - units[:-1, -1], OF_MEANS, restarts=False)
    return None if found is None else (found + 1) * down * BLOCK


def row_of_step(pixels: npt.NDArray[Any], frame: Frame) -> int | None:
    """Return the first row of pixels that is shifted against those before, or None where none is.

    ``pixels`` are as decoded, (H, W, channels) of 8 or 16 bits, not turned. Cost: a twentieth of decoding them.
    """
    down = BLOCK * frame.blocks[1]
    if frame.width < 2 * ENDS * BLOCK * frame.blocks[0]:
        return None
    for top in range(0, pixels.shape[0] // down, ROWS_AT_A_TIME):
        part = pixels[top * down : (top + ROWS_AT_A_TIME + 2) * down + 2]
        alike = OF_A_BAND if frame.restarts else OF_A_STEP
        found = _first_stair(_steps_between(part, frame), alike, restarts=frame.restarts)
        if found is not None:
            return (top + found + 1) * down
    return None


def _steps_between(pixels: npt.NDArray[Any], frame: Frame) -> Steps:
    """Return how far each block (h - 1, w, channels) is from the one above, in 8-bit codes, beyond what leads there."""
    across, down = (BLOCK * blocks for blocks in frame.blocks)
    columns, channels = pixels.shape[1] // across, pixels.shape[2]
    edges = np.arange(down, pixels.shape[0] - 1, down)
    wide: type[np.signedinteger[Any]] = np.int32 if pixels.itemsize > 1 else np.int16
    before, above, below, behind = (pixels[edges + k, : columns * across].astype(wide) for k in (-2, -1, 0, 1))
    twice = (3 * (below - above) - (behind - before)).astype(np.float32)  # less the mean of the steps on either side
    scale = np.float32(255 / np.iinfo(pixels.dtype).max / across / 2)
    adding = np.tile(np.eye(channels, dtype=np.float32), (across, 1)) * scale  # a product is far faster than a sum
    return np.asarray(twice.reshape(len(edges), columns, across * channels) @ adding)


def _first_stair(steps: Steps, alike: Likeness, *, restarts: bool) -> int | None:
    """Return the first row (of those that have one below them) into which a step leads that begins in its middle."""
    into, out_of = steps[:-1], steps[1:]
    if not len(into):
        return None
    found = list[int]()
    # The height is taken from one end of a row, so that a stair has to reach as far from there.
    for end, places in ((into[:, -ENDS:], slice(-ENDS + 1)), (out_of[:, :ENDS], slice(ENDS - 1, None))):
        if restarts and places.start:
            break
        height = np.median(end, axis=1, keepdims=True)
        tall = np.abs(height) >= alike.least
        rows = np.flatnonzero(tall.any(axis=(1, 2)))
        stairs = (tall[rows] & _is_stair(into[rows], out_of[rows], height[rows], alike, restarts=restarts))[:, places]
        found += [int(row) for row in rows[stairs.any(axis=(1, 2))][:1]]
    return min(found, default=None)


def _is_stair(into: Steps, out_of: Steps, height: Steps, alike: Likeness, *, restarts: bool) -> npt.NDArray[np.bool_]:
    """Return for each block but the first whether a shift by ``height`` begins with it, by most blocks of each part."""
    near = alike.near * np.abs(height)

    def share(steps: Steps, wanted: Steps | float, *, on_the_right: bool) -> Steps:
        return (_shares_right if on_the_right else _shares_left)(np.abs(steps - wanted) <= near)

    parts = [share(into, height, on_the_right=True), share(into, 0.0, on_the_right=False)]
    if restarts:
        # What the scene has on the left may lie along one side of the band.
        parts = [parts[0], share(out_of, -height, on_the_right=True)]
        parts += [np.maximum(share(into, 0.0, on_the_right=False), share(out_of, 0.0, on_the_right=False))]
    else:
        parts += [share(out_of, height, on_the_right=False), share(out_of, 0.0, on_the_right=True)]
    return np.asarray(np.min(parts, axis=0) >= alike.share)


def _shares_left(agrees: npt.NDArray[np.bool_]) -> Steps:
    """Return for each block but the first what share of those to its left agrees."""
    count = np.arange(1, agrees.shape[1], dtype=np.float32)[:, None]
    return np.asarray(np.cumsum(agrees, axis=1, dtype=np.float32)[:, :-1] / count)


def _shares_right(agrees: npt.NDArray[np.bool_]) -> Steps:
    """Return for each block but the first what share of it and those to its right agrees."""
    return _shares_left(agrees[:, ::-1])[:, ::-1]
