"""How a film moves: optical flow between small grey copies, where it can be trusted, and planes carried along it.

Flow is OpenCV's DIS (dense inverse search) on copies of about 320 x 180, both ways; where going there and coming back
does not end where it began, or where the tones do not agree, nothing is believed.

Source: Kroeger, Timofte, Dai, Van Gool 2016, "Fast Optical Flow using Dense Inverse Search".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

# Area of the copies: 1.3 ms a pair for one direction. Four times the area takes five times as long.
GRID_AREA = 320 * 180
# DIS needs patches of 8 px on its coarsest level; smaller copies are taken to stand still.
SMALLEST_SIDE = 24
# Distance, in pixels of the grid, between a place and where there and back lead to, beyond which flow is not believed;
# a share of the flow's length is added, as long ways are less exact.
CLOSING_PX, CLOSING_SHARE = 1.0, 0.05
# Difference of tones, in codes of 255, at which trust has fallen to 1 / e, beyond the frame's own noise.
TONE_CODES = 14.0
# Exposure of neighbouring frames is evened out up to this factor.
LARGEST_GAIN = 2.0


def grid_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) of the copies of a film on which it is followed: the same shape, never enlarged."""
    scale = min(1.0, math.sqrt(GRID_AREA / (width * height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True, slots=True)
class Motion:
    """What two frames that follow each other have in common.

    Attributes:
        backward: (h, w, 2) for each place of the later frame, where it was in the earlier one, as absolute positions.
        forward: likewise for each place of the earlier frame, where it goes.
        trust_later: (h, w) 0..1 how far what comes along ``backward`` can be believed.
        trust_earlier: likewise for ``forward``.
        residual: mean difference of tones, in codes of 255, that flow does not explain.
        explained: share of the later frame that flow explains.
    """

    backward: Plane
    forward: Plane
    trust_later: Plane
    trust_earlier: Plane
    residual: float
    explained: float


@cache
def _still(height: int, width: int) -> Plane:
    """Return each place's own position, (h, w, 2) as (x, y)."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], axis=-1)


def flow(start: Grey, end: Grey) -> Plane:
    """Return for each place of ``start`` its position in ``end``. Shapes: (h, w) twice -> (h, w, 2) as (x, y).

    Cost: about 1.3 ms on the usual grid.
    """
    import cv2

    positions = _still(*start.shape)
    if min(start.shape) < SMALLEST_SIDE:
        return positions
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return positions + np.asarray(search.calc(start, end, None), dtype=np.float32)


def carry(plane: npt.NDArray[Any], positions: Plane) -> npt.NDArray[Any]:
    """Return a plane as seen from elsewhere: each place shows what lies at its position. Linear, edges continued."""
    import cv2

    none: Any = None  # both coordinates are in the first map
    return np.asarray(cv2.remap(plane, positions, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def compare(earlier: Grey, later: Grey) -> Motion:
    """Return the motion between two frames that follow each other.

    Shapes: (h, w) uint8 twice. Cost: about 5 ms on the usual grid.
    """
    later = equally_exposed(later, earlier)
    forward, backward = flow(earlier, later), flow(later, earlier)
    trust_later, residual = _trust(later, earlier, backward, forward)
    trust_earlier, _ = _trust(earlier, later, forward, backward)
    return Motion(backward, forward, trust_later, trust_earlier, residual, float((trust_later > 0.5).mean()))


def equally_exposed(grey: Grey, like: Grey) -> Grey:
    """Return a copy with the mean and the contrast of another, so that flow is not misled by exposure that breathes."""
    mean, spread = float(grey.mean()), float(grey.std())
    gain = float(like.std()) / spread if spread >= 1 else 1.0
    gain = min(max(gain, 1 / LARGEST_GAIN), LARGEST_GAIN)
    table = (np.arange(256) - mean) * gain + float(like.mean())
    return np.asarray(np.clip(np.rint(table), 0, 255).astype(np.uint8)[grey])


def closing(out: Plane, home: Plane) -> Plane:
    """Return how well going there and coming back ends where it began, 0..1. Shapes: (h, w, 2) twice -> (h, w)."""
    height, width = out.shape[:2]
    still = _still(height, width)
    missed = np.hypot(*np.moveaxis(carry(home, out) - still, -1, 0))
    length = np.hypot(*np.moveaxis(out - still, -1, 0))
    closes = np.clip(2 - missed / (CLOSING_PX + CLOSING_SHARE * length), 0, 1)
    inside = (out[..., 0] > -1) & (out[..., 0] < width) & (out[..., 1] > -1) & (out[..., 1] < height)
    return np.asarray(closes * inside, np.float32)


def enlarged(positions: Plane, width: int, height: int) -> Plane:
    """Return positions on a larger grid. Shapes: (h, w, 2) -> (height, width, 2), in that grid's pixels."""
    import cv2

    rows, columns = positions.shape[:2]
    moved = positions - _still(rows, columns)
    scale = np.array([width / columns, height / rows], np.float32)
    full = np.asarray(cv2.resize(moved * scale, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    full = full.reshape(height, width, 2)
    # Not by `_still`, which would be kept: full-size planes take room.
    full[..., 0] += np.arange(width, dtype=np.float32)
    full[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    return full


def _trust(here: Grey, there: Grey, out: Plane, home: Plane) -> tuple[Plane, float]:
    """Return how far each place's flow can be believed, and the tone difference that is left, in codes."""
    import cv2

    difference = cv2.absdiff(here, carry(there, out))
    # A change of exposure is no change of place: what all have in common is taken off.
    common = float(np.median(difference))
    smooth = cv2.blur(difference.astype(np.float32), (3, 3))
    alike = np.exp(-np.maximum(smooth - common, 0) / np.float32(TONE_CODES))
    return (closing(out, home) * alike).astype(np.float32), float(smooth.mean())


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep OpenCV to one thread: frames are worked on side by side, and flow depends on the count."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
