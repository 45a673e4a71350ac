"""Dust and scratches from a film scan's infrared channel: what lies on the film throws a shadow, the picture does not.

The light's own falloff is taken out by comparing each place with the brightest quarter of its surroundings.
"""

from __future__ import annotations

import numpy as np

from photochrom.computer.room import empty_pixels, let_go
from photochrom.engines.base import FloatArray
from photochrom.luma import Codes, strips
from photochrom.restoration.masks import Mask, grown

# Cells of the falloff along the short side; the film is as bright there as its lighter quarter.
CELLS_ACROSS, LIGHTER = 32, 75
# A shadow is darker than its surroundings by this share, and by so many times the spread of the film's own grain.
LEAST_SHADOW, SPREADS = 0.12, 6.0
# Surroundings darker than this share of the whole are no film: a mount, an edge.
NO_FILM = 0.5
# Shadows are soft, and infrared is focused elsewhere: they are grown by so many pixels in a picture of this short side.
GROWN_PX, GROWN_AT_PX = 2, 2000


def shadows(infrared: Codes) -> Mask:
    """Return where something lies on the film: (H, W) -> (H, W), true in dust and scratches.

    Cost: some hundredths of a second a megapixel. Memory: a byte per pixel twice.
    """
    height, width = infrared.shape
    level = _levels(infrared)
    film = (level > 0) & (level >= NO_FILM * float(np.median(level)))
    limit = 1 - max(LEAST_SHADOW, SPREADS * _spread(infrared, level, film))
    mask: Mask = empty_pixels((height, width), np.bool_)
    for top, bottom in strips(width, height):
        around = _rows_of(level, top, bottom, height, width)
        on_film = _rows_of(film, top, bottom, height, width) > 0.5
        mask[top:bottom] = (infrared[top:bottom] < limit * around) & on_film
        let_go(mask, infrared)
    return grown(mask, max(1, round(GROWN_PX * min(height, width) / GROWN_AT_PX)))


def _levels(infrared: Codes) -> FloatArray:
    """Return how bright the film is in each cell, (h, w)."""
    height, width = infrared.shape
    side = max(1, -(-min(height, width) // CELLS_ACROSS))
    rows = [
        [np.percentile(infrared[top : top + side, left : left + side], LIGHTER) for left in range(0, width, side)]
        for top in range(0, height, side)
    ]
    levels = np.asarray(rows, np.float32)
    padded = np.pad(levels, 1, mode="edge")
    around = [padded[i : i + levels.shape[0], j : j + levels.shape[1]] for i in range(3) for j in range(3)]
    return np.asarray(np.median(around, axis=0), np.float32)


def _rows_of(cells: FloatArray | Mask, top: int, bottom: int, height: int, width: int) -> FloatArray:
    """Return rows of the cells enlarged to the picture, between the cells' middles by straight lines."""
    down = (np.arange(top, bottom) + 0.5) * (cells.shape[0] / height) - 0.5
    across = (np.arange(width) + 0.5) * (cells.shape[1] / width) - 0.5
    first = np.clip(np.floor(down).astype(np.intp), 0, cells.shape[0] - 1)
    second = np.minimum(first + 1, cells.shape[0] - 1)
    share = np.clip(down - first, 0, 1).astype(np.float32)[:, None]
    mixed = cells[first] * (1 - share) + cells[second] * share
    return np.stack([np.interp(across, np.arange(cells.shape[1]), row) for row in mixed]).astype(np.float32)


def _spread(infrared: Codes, level: FloatArray, film: Mask) -> float:
    """Return the spread of the film's own grain, of its brightness: from the median, so that shadows do not count.

    What is no film does not count either: a mount lets no light through, and its share of next to none means nothing.
    """
    height, width = infrared.shape
    step = max(1, min(height, width) // 256)
    ratios = [np.zeros(0)]
    for top in range(0, height, step):
        around, on_film = (_rows_of(cells, top, top + 1, height, width)[0, ::step] for cells in (level, film))
        whole = on_film >= 1
        ratios.append(infrared[top, ::step][whole] / around[whole])
    found = np.concatenate(ratios)
    return float(1.4826 * np.median(np.abs(found - np.median(found)))) if found.size else 0.0
