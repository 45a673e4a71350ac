"""The noise stage: how noisy a photograph is where it is quiet, and a denoiser in overlapping tiles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from photochrom.color import luma
from photochrom.computer.room import let_go
from photochrom.engines.base import FloatArray
from photochrom.engines.restoration import CONTRACTS, StageEngine
from photochrom.luma import Codes
from photochrom.options import RestoreOptions
from photochrom.resample import block_mean
from photochrom.restoration.decisions import StageDecision, is_wanted
from photochrom.restoration.planes import codes_from_planes, rgb_planes, tile_planes
from photochrom.restoration.tiling import Grid, Tile, blended_rows

GRID = Grid(side=512, overlap=64, margin=24)
SAMPLE_PX, SAMPLES_A_SIDE = 192, 3
BLOCK_PX = 8
# Nothing is learned of noise from blocks at black or white: there it is cut off.
DARKEST, BRIGHTEST = 0.06, 0.94
QUIET_PERCENTILE = 10
FEWEST_BLOCKS = 16


def measure(pixels: Codes, engine: StageEngine) -> float:
    """Return how much the model takes out of the quietest parts: root mean square of the luma, code values of 255.

    Of 8 x 8 blocks in samples all over the picture. Texture that the model takes for noise is not in the quietest tenth
    of them; noise is everywhere.
    """
    taken = [_taken_out(pixels[window], engine) for window in _samples(pixels)]
    blocks = np.concatenate(taken)
    return float(np.percentile(blocks, QUIET_PERCENTILE)) if len(blocks) >= FEWEST_BLOCKS else 0.0


def decide(pixels: Codes, engine: StageEngine, options: RestoreOptions) -> StageDecision:
    """Return whether a photograph is noisy enough for the stage."""
    found, limit = measure(pixels, engine), engine.spec.noisy
    strength = options.noise_strength
    applied = strength > 0 and is_wanted(options.noise, needed=found >= limit)
    verb = f"removed by {strength:.0%}" if applied else "left alone" if strength else "left alone at a strength of 0"
    note = f"noise: {verb} ({found:.1f} of 255 in the quietest parts, {limit} is the limit)"
    return StageDecision("noise", options.noise, applied, found, limit, note)


def apply(pixels: Codes, engine: StageEngine, strength: float, grid: Grid = GRID) -> None:
    """Denoise a picture in place.

    Memory: a row of tiles.
    """
    height, width = pixels.shape[:2]
    multiple = CONTRACTS["noise/1"].multiple

    def run(tile: Tile) -> FloatArray:
        return tile.cropped(engine.run(tile_planes(pixels, tile, multiple))["restored"][0])

    for top, rows in blended_rows(width, height, 3, grid, run):
        strip = pixels[top : top + rows.shape[1]]
        before = rgb_planes(strip)
        strip[:] = codes_from_planes(before + np.float32(strength) * (rows - before), strip)
        let_go(pixels)


def _samples(pixels: Codes) -> Iterator[tuple[slice, slice]]:
    """Yield evenly spread windows, or one of the whole picture where that is small."""
    height, width = pixels.shape[:2]
    for top in _spread(height):
        for left in _spread(width):
            yield slice(top, top + SAMPLE_PX), slice(left, left + SAMPLE_PX)


def _spread(length: int) -> list[int]:
    if length <= SAMPLE_PX:
        return [0]
    count = min(SAMPLES_A_SIDE, -(-length // SAMPLE_PX))
    return [int(start) for start in np.unique(np.linspace(0, length - SAMPLE_PX, count).astype(int))]


def _taken_out(window: Codes, engine: StageEngine) -> FloatArray:
    """Return what the model takes out of each block of a window that is neither black nor white, of 255."""
    height, width = window.shape[:2]
    tile = Tile(0, height, 0, width)
    after = tile.cropped(engine.run(tile_planes(window, tile, CONTRACTS["noise/1"].multiple))["restored"][0])
    before, after = (luma(np.moveaxis(planes, 0, -1)).astype(np.float32) for planes in (rgb_planes(window), after))
    height, width = height // BLOCK_PX * BLOCK_PX, width // BLOCK_PX * BLOCK_PX
    if not height or not width:
        return np.zeros(0, np.float32)
    tone = block_mean(np.ascontiguousarray(before[:height, :width]), BLOCK_PX)
    power = block_mean((before - after)[:height, :width] ** 2, BLOCK_PX)
    return np.asarray(np.sqrt(power[(tone > DARKEST) & (tone < BRIGHTEST)]) * 255, np.float32)
