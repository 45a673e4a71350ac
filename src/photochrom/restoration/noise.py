"""The noise stage: how noisy a photograph is where it is quiet, and a denoiser in overlapping tiles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from photochrom.codecs.room import let_go
from photochrom.engines.base import FloatArray
from photochrom.engines.restoration import CONTRACTS, StageEngine
from photochrom.luma import Codes, luma_codes
from photochrom.options import RestoreOptions
from photochrom.resample import Plane, block_mean
from photochrom.restoration.decisions import StageDecision, is_wanted
from photochrom.restoration.planes import codes_from_planes, rgb_planes, tile_planes
from photochrom.restoration.tiling import Grid, Tile, blended_rows

GRID = Grid(side=512, overlap=64, margin=24)
# Code values of 255 from which on a photograph counts as noisy.
NOISY = 2.2
SAMPLE_PX, SAMPLES_A_SIDE = 192, 5
BLOCK_PX = 8
# Nothing is learned of noise from blocks at black or white: there it is cut off.
DARKEST, BRIGHTEST = 0.06, 0.94
QUIET_PERCENTILE = 20
FEWEST_BLOCKS = 16


def measure(pixels: Codes) -> float:
    """Return the standard deviation of noise in the quietest parts, in code values of 255.

    Of 8 x 8 blocks in samples all over the picture; texture is not quiet, so what the quietest fifth has in common is
    noise. At full and at half size, because grain is often coarser than a pixel; the larger counts.

    Source of the operator: Immerkaer 1996, "Fast noise variance estimation".
    """
    samples = list(_samples(pixels))
    return max(_quiet_deviation(samples), _quiet_deviation([block_mean(sample, 2) for sample in samples]))


def decide(pixels: Codes, options: RestoreOptions) -> StageDecision:
    """Return whether a photograph is noisy enough for the stage."""
    found = measure(pixels)
    applied = is_wanted(options.noise, needed=found >= NOISY)
    verb = f"removed by {options.noise_strength:.0%}" if applied else "left alone"
    note = f"noise: {verb} ({found:.1f} of 255 in the quietest parts, {NOISY} is the limit)"
    return StageDecision("noise", options.noise, applied, found, NOISY, note)


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


def _samples(pixels: Codes) -> Iterator[Plane]:
    """Yield the luma of evenly spread windows, or of the whole picture where that is small; 0..255."""
    height, width = pixels.shape[:2]
    scale = np.float32(255 / np.iinfo(pixels.dtype).max)
    for top in _spread(height):
        for left in _spread(width):
            window = pixels[top : top + SAMPLE_PX, left : left + SAMPLE_PX]
            yield luma_codes(window).astype(np.float32) * scale


def _spread(length: int) -> list[int]:
    if length <= SAMPLE_PX:
        return [0]
    count = min(SAMPLES_A_SIDE, -(-length // SAMPLE_PX))
    return [int(start) for start in np.unique(np.linspace(0, length - SAMPLE_PX, count).astype(int))]


def _quiet_deviation(samples: list[Plane]) -> float:
    deviations = np.concatenate([_block_deviations(sample) for sample in samples])
    return float(np.percentile(deviations, QUIET_PERCENTILE)) if len(deviations) >= FEWEST_BLOCKS else 0.0


def _block_deviations(plane: Plane) -> FloatArray:
    """Return the noise in each block that is neither black nor white, as a standard deviation."""
    if min(plane.shape) < BLOCK_PX + 2:
        return np.zeros(0, np.float32)
    columns = plane[:, :-2] - 2 * plane[:, 1:-1] + plane[:, 2:]
    response = columns[:-2] - 2 * columns[1:-1] + columns[2:]
    rows, across = (side // BLOCK_PX for side in response.shape)
    inner = plane[1 : rows * BLOCK_PX + 1, 1 : across * BLOCK_PX + 1]
    power = block_mean(response[: rows * BLOCK_PX, : across * BLOCK_PX] ** 2, BLOCK_PX)
    tone = block_mean(np.ascontiguousarray(inner), BLOCK_PX) / 255
    fit = (tone > DARKEST) & (tone < BRIGHTEST)
    return np.asarray(np.sqrt(power[fit]) / 6, np.float32)  # the operator multiplies white noise's deviation by 6
