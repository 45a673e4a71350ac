"""A plain border around a photograph: a print's paper, a film holder's black, a scanner's bed, a film's bars.

It is no part of the picture: its white hides that the picture has none, and its calm that the picture has grain. Found
are strips of one tone along two sides or more, opposite ones or those that a print in a corner leaves, that end where
the picture begins nearly all at once, as edges of prints do and skies do not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.resample import Plane

# Tones of a border differ by no more than this, of 1, but for stamps and writing on so much of a row.
ALIKE, WRITTEN_ON = 0.06, 0.04
# Where a border ends, most of a row is of other tones; edges of scans lean, so within this share of the side.
MOST, LEANING = 0.6, 0.03
# Of the whole, along either side: what is left of a picture by its border.
LEAST_LEFT = 0.25
# A mount within a sheet is a border within a border.
LAYERS = 3
SMALLEST_PX = 64


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in pixels: rows from ``top`` to before ``bottom``, columns from ``left`` to ``right``."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows of it."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns of it."""
        return self.right - self.left

    @property
    def window(self) -> tuple[slice, slice]:
        """What cuts it out of an array (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def inside(height: int, width: int, look: Callable[[Box], Plane]) -> Box:
    """Return the part of a picture of this size that no plain border surrounds: all of it, where there is none.

    ``look`` returns a small copy (C, h, w), 0..1, of any part that it is asked for: of the whole, then of what is left.
    """
    box = Box(0, height, 0, width)
    for _ in range(LAYERS):
        if min(box.height, box.width) < SMALLEST_PX:
            break
        small = look(box)
        top, bottom, left, right = _thicknesses(small)
        down, across = box.height / small.shape[1], box.width / small.shape[2]
        within = Box(
            box.top + round(top * down),
            box.bottom - round(bottom * down),
            box.left + round(left * across),
            box.right - round(right * across),
        )
        if within == box or within.height < LEAST_LEFT * height or within.width < LEAST_LEFT * width:
            break
        box = within
    return box


def inside_plane(plane: Plane) -> Plane:
    """Return the part of a plane (H, W), 0..1, that no plain border surrounds, to measure tones in.

    Where there is a border, nothing that is near any side: of a print that leans against one, a wedge of bed is there.
    Cost: 1 ms for 224 x 288.
    """

    def look(box: Box) -> Plane:
        rows, columns = box.window
        return plane[None, rows, columns]

    height, width = plane.shape
    box = inside(height, width, look)
    if box == Box(0, height, 0, width):
        return plane
    down, across = math.ceil(LEANING * box.height), math.ceil(LEANING * box.width)
    return plane[box.top + down : box.bottom - down, box.left + across : box.right - across]


def _thicknesses(small: Plane) -> tuple[int, int, int, int]:
    """Return how thick the border is in rows and columns of a small copy (C, h, w): top, bottom, left, right."""
    turned = [small, small[:, ::-1], small.swapaxes(1, 2), small.swapaxes(1, 2)[:, ::-1]]
    tones = [np.median(view[:, 0], axis=1) for view in turned]
    away = [np.abs(view - tone[:, None, None]).max(axis=0) > ALIKE for view, tone in zip(turned, tones, strict=True)]
    plain = [_leading(view.mean(axis=1) <= WRITTEN_ON) for view in away]
    ends = []
    for which, view in enumerate(away):
        before, after = plain[2:] if which < 2 else plain[:2]
        ends.append(_end(view[:, before : view.shape[1] - after], plain[which]))
    # A sky has one side alone. Beside two that are alike others count, too: by one the picture may be nearly as dark.
    found = [tone for tone, end in zip(tones, ends, strict=True) if end]
    are_alike = (float(np.abs(one - other).max()) <= 2 * ALIKE for one, other in itertools.combinations(found, 2))
    top, bottom, left, right = ends if any(are_alike) else [0] * 4
    return top, bottom, left, right


def _leading(rows: npt.NDArray[np.bool_]) -> int:
    """Return how many of the first are true."""
    return int(len(rows) if rows.all() else np.argmin(rows))


def _end(away: npt.NDArray[np.bool_], plain: int) -> int:
    """Return where the picture is fully there, of rows whose first ``plain`` are border; 0 where it does not begin."""
    if not 0 < plain < len(away) or not away.shape[1]:
        return 0
    shares = away[plain : plain + max(2, math.ceil(LEANING * len(away)))].mean(axis=1)
    if shares.max() < MOST:
        return 0
    # The row after it: the border's last pixels may share the first one with the picture's.
    return plain + 1 + int(np.argmax(shares >= 0.95 * shares.max()))
