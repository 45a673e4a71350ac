"""Large pictures through a net, tile by tile: overlapping tiles in, rows blended without seams out.

Knows no model. A tile's outermost pixels, where a net sees the tile's border instead of the picture, are not used;
then two neighbours are blended linearly. Their weights add up to one everywhere, so a net that looks no further than
``margin`` gives the same picture in tiles as in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from photochrom.border import Box
from photochrom.engines.base import FloatArray


@dataclass(frozen=True, slots=True)
class Grid:
    """How a picture is cut. All numbers are pixels; starts are multiples of ``side - overlap``.

    Attributes:
        side: of a tile; the last ones of a row or column may be shorter.
        overlap: shared by two neighbours.
        margin: of these, unused on either side.
    """

    side: int
    overlap: int
    margin: int

    def starts(self, length: int) -> list[int]:
        """Return where tiles begin along one axis; the last reaches the end and is longer than the overlap."""
        step = self.side - self.overlap
        return [0, *range(step, length - self.overlap, step)]

    def weights(self, start: int, length: int) -> FloatArray:
        """Return the weight of each pixel of the tile that begins at ``start``, along an axis of this length."""
        end = min(start + self.side, length)
        ramp = (np.arange(self.overlap) + 0.5 - self.margin) / (self.overlap - 2 * self.margin)
        ramp = np.clip(ramp, 0, 1).astype(np.float32)
        weights = np.ones(end - start, np.float32)
        if start > 0:
            weights[: self.overlap] = ramp
        if end < length:
            weights[-self.overlap :] = 1 - ramp
        return weights


class Tile(Box):
    """A window of the picture, and of what its net is shown."""

    __slots__ = ()

    def cropped(self, values: FloatArray) -> FloatArray:
        """Return (C, h', w') without what was padded at the right and below."""
        return np.asarray(values[:, : self.height, : self.width])


RunTile = Callable[[Tile], FloatArray | None]


def blended_rows(width: int, height: int, channels: int, grid: Grid, run: RunTile) -> Iterator[tuple[int, FloatArray]]:
    """Yield (top, rows) from top to bottom, rows of shape (channels, n, width).

    Args:
        width: of the picture.
        height: of the picture.
        channels: that ``run`` gives.
        grid: how the picture is cut.
        run: returns (channels, h, w) of a tile, or None where there is nothing to do. Rows that no tile had anything
            for are not yielded; where a tile gave None and its neighbour did not, the overlap is not whole.

    Rows that have been yielded are not looked at again: the caller may write them into the picture that ``run`` reads.
    Memory: one row of tiles.
    """
    starts = grid.starts(height)
    columns = [(left, min(left + grid.side, width), grid.weights(left, width)) for left in grid.starts(width)]
    carried: FloatArray | None = None
    for top, following in zip(starts, [*starts[1:], height], strict=True):
        bottom = min(top + grid.side, height)
        down = grid.weights(top, height)[:, None]
        strip = _begun(carried, (channels, bottom - top, width))
        for left, right, across in columns:
            values = run(Tile(top, bottom, left, right))
            if values is None:
                continue
            if strip is None:
                strip = np.zeros((channels, bottom - top, width), np.float32)
            strip[:, :, left:right] += values * (down * across)
        if strip is None:
            carried = None
            continue
        yield top, strip[:, : following - top]
        carried = strip[:, following - top :].copy()


def _begun(carried: FloatArray | None, shape: tuple[int, int, int]) -> FloatArray | None:
    """Return a row of tiles that starts with what the one above left over; None where that is nothing."""
    if carried is None or not carried.any():
        return None
    strip = np.zeros(shape, np.float32)
    strip[:, : carried.shape[1]] = carried
    return strip
