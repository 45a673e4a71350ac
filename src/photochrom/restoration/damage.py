"""The damage stage, first half: where a photograph is damaged, how sure that is, and what is too large to fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyvips

from photochrom.engines.base import FloatArray
from photochrom.engines.restoration import CONTRACTS, StageEngine
from photochrom.luma import Codes, strips
from photochrom.options import RestoreOptions
from photochrom.resample import box_mean
from photochrom.restoration.decisions import StageDecision, is_wanted
from photochrom.restoration.planes import enlarged_rows, reduced, tile_planes
from photochrom.restoration.tiling import Grid, Tile, blended_rows

GRID = Grid(side=640, overlap=96, margin=32)
# A large scan is searched at its full size for what is thin, and at fractions of it for what is wide.
SMALLEST_SEARCHED_PX = 768
# A region counts as damage if it is this probable somewhere, and reaches as far as the lower probability.
SURE, LESS_SURE = 0.85, 0.5
POSSIBLE = 0.4
# Regions of fewer pixels at full size, in millionths of the picture, are not touched.
SMALLEST_REGION = 12e-6
# Around what was found: damage fades out over a pixel or two.
GROWN_PX = 1
# Share of the picture above which the model is not believed, or nothing is left to fill from.
MOST_FILLED = 0.2
CELLS_A_SIDE = 1024

Mask = npt.NDArray[np.bool_]
Probability = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FoundDamage:
    """What is to be filled.

    Attributes:
        mask: (H, W), true where the picture is to be filled.
        share: of the picture, in 0..1.
        too_large: share of the picture that is damaged, and too thick to be filled.
    """

    mask: Mask
    share: float
    too_large: float = 0.0


def search(pixels: Codes, engine: StageEngine, grid: Grid = GRID) -> Probability:
    """Return the probability of damage at each pixel, (H, W), 0..255.

    At full size, and at halves, quarters ... of it while the short side stays above SMALLEST_SEARCHED_PX; the largest
    counts. Memory: one byte per pixel, a smaller copy of the picture, and a row of tiles.
    """
    height, width = pixels.shape[:2]
    probability = np.zeros((height, width), np.uint8)
    factor = 1
    while True:
        small = reduced(pixels, factor)
        _search_one_size(small, factor, engine, probability, grid)
        factor *= 2
        if min(width, height) / factor < SMALLEST_SEARCHED_PX:
            return probability


def find_damage(probability: Probability, options: RestoreOptions) -> FoundDamage:
    """Return the regions that are surely damaged, without the parts that are too thick to be filled."""
    height, width = probability.shape
    sure, low = (POSSIBLE, POSSIBLE) if options.damage == "always" else (SURE, LESS_SURE)
    cells = _Cells.of(width, height)
    kept = cells.enlarged(_sure_regions(cells.largest(probability), sure, low, SMALLEST_REGION * width * height))
    mask = grown((probability >= round(low * 255)) & kept, GROWN_PX)
    thick = thick_parts(mask, options.largest_hole * min(width, height))
    too_large = float((mask & thick).mean())
    mask &= ~thick
    return FoundDamage(mask, float(mask.mean()), too_large)


def decide(found: FoundDamage, options: RestoreOptions) -> StageDecision:
    """Return whether the holes are filled."""
    possible = 0 < found.share <= MOST_FILLED
    applied = possible and is_wanted(options.damage, needed=True)
    if applied:
        verb = f"{found.share:.2%} of the picture filled"
    elif found.share == 0:
        verb = "left alone (none found that could be filled)" if found.too_large else "none found"
    else:
        verb = f"left alone ({found.share:.0%} of the picture looks damaged, {MOST_FILLED:.0%} is the limit)"
    note = f"damage: {verb}"
    if found.too_large:
        note += f"; {found.too_large:.2%} left, thicker than {options.largest_hole:.0%} of the short side"
    return StageDecision("damage", options.damage, applied, found.share, MOST_FILLED, note)


def thick_parts(mask: Mask, thickness: float) -> Mask:
    """Return the parts of a mask that are thicker than ``thickness`` pixels: its morphological opening by a square.

    Reckoned on cells, so to about a thousandth of the picture's long side.
    """
    height, width = mask.shape
    cells = _Cells.of(width, height)
    radius = max(1, round(thickness / cells.side / 2))
    full = cells.means(mask) > 0.5
    core = box_mean(full.astype(np.float64), radius) > 1 - 1e-6
    if not core.any():
        return np.zeros_like(mask)
    return cells.enlarged(box_mean(core.astype(np.float64), radius) > 1e-6)


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


def _search_one_size(small: Codes, factor: int, engine: StageEngine, probability: Probability, grid: Grid) -> None:
    height, width = small.shape[:2]
    multiple = CONTRACTS["damage/1"].multiple

    def run(tile: Tile) -> FloatArray:
        return tile.cropped(engine.run(tile_planes(small, tile, multiple))["mask"][0])

    found = np.zeros((height, width), np.uint8)
    for top, rows in blended_rows(width, height, 1, grid, run):
        found[top : top + rows.shape[1]] = np.rint(np.clip(rows[0], 0, 1) * 255)
    if factor == 1:
        np.maximum(probability, found, out=probability)
        return
    for top, bottom in strips(probability.shape[1], probability.shape[0], step=factor):
        rows = enlarged_rows(found[..., None], factor, top, bottom, probability.shape[1])[0]
        np.maximum(probability[top:bottom], rows.astype(np.uint8), out=probability[top:bottom])


def _sure_regions(peaks: Probability, sure: float, low: float, smallest: float) -> Mask:
    """Return the cells of regions that reach ``sure`` somewhere and have some size; ``peaks`` are cells' maxima."""
    on = peaks >= round(low * 255)
    if not on.any():
        return on
    joined = grown(on, 1)  # what is one region may have gaps of a cell
    regions = pyvips.Image.new_from_array(joined.astype(np.uint8)).labelregions().numpy()
    highest, area = np.zeros(regions.max() + 1), np.bincount(regions[on], minlength=regions.max() + 1)
    np.maximum.at(highest, regions[on], peaks[on])
    return on & ((highest >= round(sure * 255)) & (area >= smallest))[regions]


@dataclass(frozen=True, slots=True)
class _Cells:
    """A coarse grid over a picture, at most CELLS_A_SIDE cells long, for what need not be known to the pixel."""

    width: int
    height: int
    side: int

    @classmethod
    def of(cls, width: int, height: int) -> _Cells:
        return cls(width, height, -(-max(width, height) // CELLS_A_SIDE))

    def largest(self, values: Probability) -> Probability:
        """Return the largest value in each cell."""
        return np.asarray(self._blocks(values).max(axis=(1, 3)))

    def means(self, values: Mask) -> FloatArray:
        """Return the mean of each cell; what lies beyond the picture counts as false."""
        return np.asarray(self._blocks(values).mean(axis=(1, 3), dtype=np.float32))

    def enlarged(self, cells: Mask) -> Mask:
        """Return cells at the size of the picture."""
        full = np.repeat(np.repeat(cells, self.side, axis=0), self.side, axis=1)
        return np.asarray(full[: self.height, : self.width])

    def _blocks(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        side = self.side
        whole = np.pad(values, ((0, -self.height % side), (0, -self.width % side)))
        return whole.reshape(whole.shape[0] // side, side, whole.shape[1] // side, side)
