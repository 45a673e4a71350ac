"""The damage stage, first half: where a photograph is damaged, how sure that is, and what is too large to fill."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from photochrom.computer.room import empty_pixels, let_go
from photochrom.engines.base import FloatArray
from photochrom.engines.restoration import CONTRACTS, StageEngine
from photochrom.files.codecs.libvips import libvips
from photochrom.holes import POSSIBLE
from photochrom.luma import Codes, strips
from photochrom.options import RestoreOptions
from photochrom.restoration.decisions import StageDecision, is_wanted
from photochrom.restoration.masks import (
    Coarse,
    Mask,
    Probability,
    any_in_blocks,
    cell_side,
    grown,
    largest_in_cells,
    share_in_cells,
    share_of,
    thick_parts,
)
from photochrom.restoration.planes import enlarged_rows, reduced, tile_planes
from photochrom.restoration.tiling import Grid, Tile, blended_rows
from photochrom.restoration.toning import Coloring
from photochrom.restoration.views import VIEWS, Views, mean_over, views_of
from photochrom.restoration.writing import said, take_out_writing

GRID = Grid(side=640, overlap=96, margin=32)
# A large scan is searched at its full size for what is thin, and at fractions of it for what is wide.
SMALLEST_SEARCHED_PX = 768
# In a picture that counts as damaged, smaller copies are searched too, for cracks as soft and wide as old prints have;
# what they show has to be likelier, and not ruled out by the larger ones: masks from small copies are broad.
SMALLEST_IN_DAMAGED_PX, LIKELIER, RULED_OUT = 100, 0.6, 0.15
# Whether a picture is damaged is told by what is surely damage. In one that is, a region is filled if damage is likely
# somewhere in it, as far as it is POSSIBLE.
SURE, LIKELY = 0.98, 0.8
# What is filled where nobody asks whether the picture is damaged.
ALWAYS = 0.5
# Regions of fewer pixels at full size, in shares of the picture, are not touched.
SMALLEST_REGION = 12e-6
# Of squares so many to the short side, those that hold a surely damaged pixel are counted: a scratch across the picture
# counts alike in a small scan and a large one.
SQUARES_ACROSS = 64
# Pictures in colour are seldom old, and have white lines and poles as others do: they need so many times the limit.
IN_COLOUR = 3
# Share of the picture above which the model is not believed, or nothing is left to fill from.
MOST_FILLED = 0.2


@dataclass(frozen=True, slots=True)
class FoundDamage:
    """What is to be filled.

    Attributes:
        mask: (H, W), true where the picture is to be filled.
        probability: (H, W), 0..255, of damage.
        share: of the picture, in 0..1.
        squares: share of the squares (SQUARES_ACROSS) in which some of it is sure.
        too_large: share of the picture that is damaged, and too thick to be filled.
        writing: share of the picture that looked damaged, and is writing.
    """

    mask: Mask
    probability: Probability
    share: float
    squares: float
    too_large: float = 0.0
    writing: float = 0.0


def find(
    pixels: Codes, engine: StageEngine, options: RestoreOptions, coloring: Coloring, grid: Grid = GRID
) -> tuple[FoundDamage, StageDecision]:
    """Return what is to be filled, and whether it is.

    Whether the picture is damaged is decided at full size and on one view, because few marks are sure four times over;
    in one that is, the other views tell where, and ``search_further`` finds more of it.
    """
    first, further = VIEWS[:1], views_of(pixels)[1:]
    probability = search(pixels, engine, grid, views=first)

    def decided(squares: float | None = None) -> tuple[FoundDamage, StageDecision]:
        found = find_damage(probability, options)
        found = found if squares is None else replace(found, squares=squares)
        decision = decide(found, options, engine.spec.damaged, coloring)
        if options.fill_writing or not decision.applied:
            return found, decision
        found = without(found, pixels, keep_squares=squares is not None)
        return found, decide(found, options, engine.spec.damaged, coloring)

    found, decision = decided()
    if not decision.applied:
        return found, decision
    if further:
        seen_otherwise = search(pixels, engine, grid, views=further)
        mean = (probability.astype(np.float32) + np.float32(len(further)) * seen_otherwise) / (1 + len(further))
        probability = np.rint(mean).astype(np.uint8)
    search_further(pixels, probability, engine, grid)
    more, decision_on_more = decided(found.squares)
    return (more, decision_on_more) if decision_on_more.applied else (found, decision)


def without(found: FoundDamage, pixels: Codes, *, keep_squares: bool) -> FoundDamage:
    """Return what was found without what is writing; the share of sure squares is that of the rest, or kept."""
    writing = take_out_writing(pixels, found.mask)
    if not writing:
        return found
    squares = found.squares if keep_squares else share_of_sure_squares(found.probability, found.mask)
    return replace(found, share=share_of(found.mask), squares=squares, writing=writing)


def search(pixels: Codes, engine: StageEngine, grid: Grid = GRID, *, views: Views | None = None) -> Probability:
    """Return the probability of damage at each pixel, (H, W), 0..255.

    At full size, and at halves, quarters ... of it while the short side stays above SMALLEST_SEARCHED_PX; the largest
    counts. Left out, ``views`` are those that suit the picture's size. Memory: one byte per pixel, a smaller copy of
    the picture, and a row of tiles.
    """
    views = views or views_of(pixels)
    probability = empty_pixels(pixels.shape[:2], np.uint8)
    for factor in _factors(pixels, SMALLEST_SEARCHED_PX):
        _search_one_size(reduced(pixels, factor), factor, engine, probability, grid, views)
    return probability


def search_further(pixels: Codes, probability: Probability, engine: StageEngine, grid: Grid = GRID) -> None:
    """Raise the probability that is not RULED_OUT where still smaller copies show it to be LIKELIER."""
    searched = _factors(pixels, SMALLEST_SEARCHED_PX)
    for factor in _factors(pixels, SMALLEST_IN_DAMAGED_PX)[len(searched) :]:
        _search_one_size(reduced(pixels, factor), factor, engine, probability, grid, likelier=True)


def _factors(pixels: Codes, smallest_px: int) -> list[int]:
    """Return 1, 2, 4 ... as long as the short side divided by it is at least ``smallest_px``."""
    factors = [1]
    while min(pixels.shape[:2]) / (2 * factors[-1]) >= smallest_px:
        factors.append(2 * factors[-1])
    return factors


def find_damage(probability: Probability, options: RestoreOptions) -> FoundDamage:
    """Return the regions that are damaged, without the parts that are too thick to be filled."""
    height, width = probability.shape
    likely, low = (ALWAYS, ALWAYS) if options.damage == "always" else (LIKELY, POSSIBLE)
    mask: Mask = empty_pixels((height, width), np.bool_)
    np.greater_equal(probability, round(low * 255), out=mask)
    sizes = share_in_cells(mask) * np.float32(cell_side(width, height) ** 2)
    regions = _likely_regions(largest_in_cells(probability), sizes, likely, SMALLEST_REGION * width * height)
    kept = Coarse(width, height, regions)
    for top, bottom in strips(width, height):
        mask[top:bottom] &= kept.rows(top, bottom)
    too_large = take_out(mask, thick_parts(mask, options.largest_hole * min(width, height)))
    return FoundDamage(mask, probability, share_of(mask), share_of_sure_squares(probability, mask), too_large)


def share_of_sure_squares(probability: Probability, mask: Mask) -> float:
    """Return the share of squares that hold a surely damaged pixel of the mask, 0..1."""
    sure: Mask = empty_pixels(mask.shape, np.bool_)
    np.greater_equal(probability, round(SURE * 255), out=sure)
    sure &= mask
    return float(any_in_blocks(sure, max(1, round(min(mask.shape) / SQUARES_ACROSS))).mean())


def decide(found: FoundDamage, options: RestoreOptions, limit: float, coloring: Coloring) -> StageDecision:
    """Return whether the holes are filled; ``limit`` is the model's own, see ``StageSpec.damaged``."""
    limit *= IN_COLOUR if coloring == "colour" else 1
    possible = 0 < found.share <= MOST_FILLED
    applied = possible and is_wanted(options.damage, needed=found.squares >= limit)
    limited = f"{limit:.2%} is the limit{' in colour' if coloring == 'colour' else ''}"
    seen = f"sure in {found.squares:.2%} of its squares, {limited}"
    if applied:
        verb = f"{found.share:.2%} of the picture filled ({seen})"
    elif found.share == 0:
        left = found.too_large or found.writing
        verb = "left alone (none found that could be filled)" if left else "none found"
    elif possible:
        verb = f"left alone ({seen})"
    else:
        verb = f"left alone ({found.share:.0%} of the picture looks damaged, {MOST_FILLED:.0%} is the limit)"
    note = f"damage: {verb}"
    if found.too_large:
        note += f"; {found.too_large:.2%} left, thicker than {options.largest_hole:.0%} of the short side"
    note += said(found.writing)
    return StageDecision("damage", options.damage, applied, found.squares, limit, note)


def _search_one_size(
    small: Codes,
    factor: int,
    engine: StageEngine,
    probability: Probability,
    grid: Grid,
    views: Views = VIEWS[:1],
    *,
    likelier: bool = False,
) -> None:
    height, width = small.shape[:2]
    multiple = CONTRACTS["damage/1"].multiple

    def run(tile: Tile) -> FloatArray:
        mask = mean_over(views, lambda planes: engine.run(planes)["mask"], tile_planes(small, tile, multiple))
        return tile.cropped(mask[0])

    found = probability if factor == 1 else np.empty((height, width), np.uint8)
    for top, rows in blended_rows(width, height, 1, grid, run):
        found[top : top + rows.shape[1]] = np.rint(np.clip(rows[0], 0, 1) * 255)
        let_go(small)
    if factor == 1:
        return
    for top, bottom in strips(probability.shape[1], probability.shape[0], step=factor):
        rows = enlarged_rows(found[..., None], factor, top, bottom, probability.shape[1])[0].astype(np.uint8)
        if likelier:
            rows[(rows < round(LIKELIER * 255)) | (probability[top:bottom] < round(RULED_OUT * 255))] = 0
        np.maximum(probability[top:bottom], rows, out=probability[top:bottom])


def take_out(mask: Mask, part: Coarse) -> float:
    """Clear a part of a mask, and return the share of the picture that was marked there."""
    height, width = mask.shape
    taken = 0
    for top, bottom in strips(width, height):
        both = mask[top:bottom] & part.rows(top, bottom)
        taken += int(np.count_nonzero(both))
        mask[top:bottom] &= ~both
    return float(taken / (width * height))


def _likely_regions(peaks: Probability, sizes: FloatArray, likely: float, smallest: float) -> Mask:
    """Return the cells of regions that reach ``likely`` somewhere and have some size.

    ``peaks`` are cells' largest probabilities, ``sizes`` how many of their pixels may be damaged.
    """
    on = sizes > 0
    if not on.any():
        return on
    joined = grown(on, 1)  # what is one region may have gaps of a cell
    # Reshaped, because vips gives a picture of one pixel back as a number.
    regions = libvips().Image.new_from_array(joined.astype(np.uint8)).labelregions().numpy().reshape(joined.shape)
    highest, area = np.zeros(regions.max() + 1), np.bincount(regions[on], sizes[on], minlength=regions.max() + 1)
    np.maximum.at(highest, regions[on], peaks[on])
    is_likely = (highest >= round(likely * 255)) & (area >= smallest)
    return np.asarray(on & is_likely[regions])
