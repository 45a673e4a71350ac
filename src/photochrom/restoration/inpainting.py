"""The damage stage, second half: holes filled from what lies around them, and not a pixel outside them touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photochrom.computer.room import empty_pixels, let_go
from photochrom.engines.base import FloatArray
from photochrom.engines.restoration import CONTRACTS, StageEngine
from photochrom.holes import SUREST
from photochrom.luma import Codes, strips
from photochrom.restoration.masks import Mask, Probability, any_in_blocks, largest_in_blocks, thick_parts
from photochrom.restoration.planes import codes_from_planes, enlarged_rows, padded, reduced, tile_planes
from photochrom.restoration.tiling import Grid, Tile, blended_rows
from photochrom.restoration.views import mean_over, views_of

GRID = Grid(side=512, overlap=128, margin=32)
# Thickness of a hole, in pixels, that the model fills well at full size; thicker ones are filled on smaller copies.
REACH_PX = 40
COARSEST, SMALLEST_COPY_PX = 16, 64


@dataclass(frozen=True, slots=True)
class _Holes:
    """Where a picture is not known, (H, W), and how sure that is, 0..255 (None: as sure as can be)."""

    mask: Mask
    probability: Probability | None

    def reduced(self, factor: int) -> _Holes:
        """Return the same for a copy whose sides are a ``factor``-th."""
        of_copy = None if self.probability is None else largest_in_blocks(self.probability, factor)
        return _Holes(any_in_blocks(self.mask, factor), of_copy)

    def plane(self, tile: Tile) -> FloatArray:
        """Return a tile as the model takes it, (1, h, w)."""
        plane = self.mask[tile.window].astype(np.float32)[None]
        if self.probability is not None:
            plane *= np.clip(self.probability[tile.window].astype(np.float32) / 255, 1 / 255, SUREST)
        return plane


def fill(
    pixels: Codes,
    mask: Mask,
    engine: StageEngine,
    grid: Grid = GRID,
    *,
    probability: Probability | None = None,
) -> None:
    """Fill the holes of a picture in place: thick ones first, on a smaller copy, where the model sees across them.

    Args:
        pixels: (H, W, 1 or 3); only what lies under the mask changes.
        mask: (H, W), true where a hole is.
        engine: of contract ``inpaint/2``.
        grid: how the picture is cut into tiles; those without a hole are not looked at.
        probability: (H, W), 0..255, that what is under the mask is damage: the model may then keep what is none. Left
            out, it does not look under the mask.

    Memory: a quarter of the picture at most, and a row of tiles.
    """
    height, width = mask.shape
    remaining: Mask = empty_pixels(mask.shape, np.bool_)
    remaining[:] = mask
    holes = _Holes(remaining, probability)
    factor = COARSEST
    while factor > 1:
        thick = thick_parts(remaining, REACH_PX * factor / 2)
        if min(width, height) >= factor * SMALLEST_COPY_PX and thick.cells.any():
            part: Mask = empty_pixels(mask.shape, np.bool_)
            for top, bottom in strips(width, height):
                part[top:bottom] = remaining[top:bottom] & thick.rows(top, bottom)
            _fill_on_copy(pixels, part, holes, factor, engine, grid)
            for top, bottom in strips(width, height):
                remaining[top:bottom] &= ~part[top:bottom]
        factor //= 2
    _fill_full_size(pixels, holes, engine, grid)


def _fill_full_size(pixels: Codes, holes: _Holes, engine: StageEngine, grid: Grid) -> None:
    height, width = holes.mask.shape

    def run(tile: Tile) -> FloatArray | None:
        return _filled(pixels, holes, holes.mask, tile, engine)

    for top, rows in blended_rows(width, height, 3, grid, run):
        bottom = top + rows.shape[1]
        hole = holes.mask[top:bottom]
        pixels[top:bottom][hole] = codes_from_planes(rows, pixels)[hole]
        let_go(pixels)


def _fill_on_copy(pixels: Codes, part: Mask, holes: _Holes, factor: int, engine: StageEngine, grid: Grid) -> None:
    """Fill ``part``, which belongs to ``holes``, from a copy whose sides are a ``factor``-th."""
    small = reduced(pixels, factor).copy()
    small_part, small_holes = any_in_blocks(part, factor), holes.reduced(factor)
    height, width = small_part.shape

    def run(tile: Tile) -> FloatArray | None:
        return _filled(small, small_holes, small_part, tile, engine)

    for top, rows in blended_rows(width, height, 3, grid, run):
        hole = small_part[top : top + rows.shape[1]]
        small[top : top + rows.shape[1]][hole] = codes_from_planes(rows, small)[hole]
    full_height, full_width = part.shape
    for top, bottom in strips(full_width, full_height, step=factor):
        hole = part[top:bottom]
        if hole.any():
            rows = np.moveaxis(enlarged_rows(small, factor, top, bottom, full_width), 0, -1)
            pixels[top:bottom][hole] = np.rint(rows[hole]).astype(pixels.dtype)
            let_go(pixels)


def _filled(pixels: Codes, holes: _Holes, wanted: Mask, tile: Tile, engine: StageEngine) -> FloatArray | None:
    """Return a tile with its holes filled, (3, h, w), or None where nothing of what is wanted lies in it."""
    if not wanted[tile.window].any():
        return None
    multiple = CONTRACTS["inpaint/2"].multiple
    planes, mask = tile_planes(pixels, tile, multiple), padded(holes.plane(tile), multiple)
    restored = mean_over(views_of(pixels), lambda rgb, hole: engine.run(rgb, hole)["restored"], planes, mask)
    return tile.cropped(restored[0])
