"""A plain border around a photograph: a print's paper, a film holder's black, a scanner's white.

It is no part of the picture: its white hides that the picture has none, and its calm that the picture has grain. Found
are strips of one tone along opposite sides that end where the picture begins nearly all at once, as edges of prints do
and skies do not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.engines.base import FloatArray
from photochrom.luma import Codes
from photochrom.restoration.tiling import Tile
from photochrom.restoration.tone import squash

# Tones of a border differ by no more than this, of 1, but for stamps and writing on so much of a row.
ALIKE, WRITTEN_ON = 0.06, 0.04
# Where a border ends, most of a row is of other tones; edges of scans lean, so within this share of the side.
MOST, LEANING = 0.6, 0.03
# Of the whole, along either side: what is left of a picture by its border.
LEAST_LEFT = 0.25
# A mount within a sheet is a border within a border.
LAYERS = 3
SMALLEST_PX = 64


def inside(pixels: Codes, small: FloatArray) -> Tile:
    """Return the part of a picture (H, W, 1 or 3) that no plain border surrounds: all of it, where there is none.

    ``small`` is the whole of it, squashed. Cost: where there is a border, 5 ms a megapixel.
    """
    box = Tile(0, pixels.shape[0], 0, pixels.shape[1])
    for _ in range(LAYERS):
        height, width = box.bottom - box.top, box.right - box.left
        if min(height, width) < SMALLEST_PX:
            break
        top, bottom, left, right = _thicknesses(small)
        if not (top or bottom or left or right):
            break
        down, across = height / small.shape[1], width / small.shape[2]
        within = Tile(
            box.top + round(top * down),
            box.bottom - round(bottom * down),
            box.left + round(left * across),
            box.right - round(right * across),
        )
        if _too_small(within, pixels):
            break
        box, small = within, squash(pixels[within.window])
    return box


def _too_small(box: Tile, pixels: Codes) -> bool:
    height, width = pixels.shape[:2]
    return bool(box.bottom - box.top < LEAST_LEFT * height or box.right - box.left < LEAST_LEFT * width)


def _thicknesses(small: FloatArray) -> tuple[int, int, int, int]:
    """Return how thick the border is in rows and columns of a small copy (3, n, n): top, bottom, left, right."""
    side = small.shape[1]
    turned = [small, small[:, ::-1], small.swapaxes(1, 2), small.swapaxes(1, 2)[:, ::-1]]
    tones = [np.median(view[:, 0], axis=1) for view in turned]
    away = [np.abs(view - tone[:, None, None]).max(axis=0) > ALIKE for view, tone in zip(turned, tones, strict=True)]
    plain = [_leading(view.mean(axis=1) <= WRITTEN_ON) for view in away]
    ends = []
    for which, view in enumerate(away):
        before, after = plain[2:] if which < 2 else plain[:2]
        ends.append(_end(view[:, before : side - after], plain[which]))
    # A sky has none on the side across. Of a pair's neighbours one may be seen: by the other the picture is as dark.
    is_pair = [all(ends[k : k + 2]) and float(np.abs(tones[k] - tones[k + 1]).max()) <= 2 * ALIKE for k in (0, 2)]
    top, bottom, left, right = ends if any(is_pair) else [0] * 4
    return top, bottom, left, right


def _leading(rows: npt.NDArray[np.bool_]) -> int:
    """Return how many of the first are true."""
    return int(len(rows) if rows.all() else np.argmin(rows))


def _end(away: npt.NDArray[np.bool_], plain: int) -> int:
    """Return where the picture is fully there, of rows whose first ``plain`` are border; 0 where it does not begin."""
    if not 0 < plain < len(away) or not away.shape[1]:
        return 0
    shares = away[plain : plain + max(2, round(LEANING * len(away)))].mean(axis=1)
    if shares.max() < MOST:
        return 0
    # The row after it: the border's last pixels may share the first one with the picture's.
    return plain + 1 + int(np.argmax(shares >= 0.95 * shares.max()))
