"""THE MAIN PATH: a photograph goes in, the same photograph in colour comes out.

    luma -> small copy -> tone -> pad -> net -> crop -> chroma -> vividness and ceiling -> upsample and merge in strips

The promise about luma. Let Y' be the input's BT.601 luma, rounded to a code value of its depth. The output has the
same depth, and its luma rounds to the same code value at *every* pixel, for 8 and for 16 bit: colour is added by
moving along the line of equal luma, a colour that the gamut cannot hold at that luma loses chroma and never
lightness, and rounding to integers is done so that the luma error stays under 0.3 of a code value. For 8 bit this
means that ``convert("L")`` of input and output are equal arrays. (A lossy file format may change it afterwards.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.classic import colorize_classic
from photochrom.color import chroma_from_ab, merge_luma_chroma, quantize_keeping_luma
from photochrom.cores import usable_cores
from photochrom.engines.base import Engine, FloatArray, ModelSpec
from photochrom.engines.generator_spec import PX_PER_FACTOR
from photochrom.errors import ModelError
from photochrom.luma import luma_strip, normalize_tone, shrink_luma, strips
from photochrom.options import ColorizeOptions
from photochrom.photo import Photo
from photochrom.rendering import RenderPlan, plan_render
from photochrom.resample import GuidedUpsampler, pad_to_multiple


@dataclass(frozen=True, slots=True)
class ColorizeResult:
    """A coloured photograph, and what was decided on the way."""

    photo: Photo
    model: ModelSpec
    options: ColorizeOptions
    render_width: int
    render_height: int
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)  # per step, in order


def colorize_photo(photo: Photo, engine: Engine, options: ColorizeOptions, *, threads: int = 0) -> ColorizeResult:
    """Return the photograph in colour: same size, depth, alpha and metadata, and its luma untouched.

    Args:
        photo: grey, tinted or coloured; only its luma is used.
        engine: runs the model; may be shared between threads.
        options: how to colour.
        threads: for merging, 0 for all usable cores.

    Raises:
        ModelError: the model gave values that are not numbers, or arrays of another shape than it promised.

    Cost: the net, which does not depend on the photograph's size, and about 0.1 core seconds per megapixel.
    Memory: input and output pixels, and some megabytes per thread.
    """
    seconds: dict[str, float] = {}
    spec = engine.spec
    plan = plan_render(photo.width, photo.height, engine, options)
    if options.classic:
        return _colorize_classic(photo, engine, options, plan)
    width, height = plan.width, plan.height
    with _timed(seconds, "shrink"):
        small = shrink_luma(photo.pixels, width, height, spec.output_stride)
        net_luma, tone_notes = normalize_tone(small.net) if options.normalize_tone else (small.net, ())
    with _timed(seconds, "net"):
        ab = predict_ab(net_luma, engine)
    with _timed(seconds, "upsample and merge"):
        ab, ceiling_notes = tune_ab(ab, options)
        pixels = merge_chroma(photo.pixels, ab, small.cell, threads or usable_cores())
    notes = (*photo.notes, *plan.notes, *tone_notes, *ceiling_notes)
    coloured = replace(photo, pixels=pixels, notes=notes)
    return ColorizeResult(coloured, spec, options, width, height, notes, seconds)


def _colorize_classic(photo: Photo, engine: Engine, options: ColorizeOptions, plan: RenderPlan) -> ColorizeResult:
    """Return the photograph as DeOldify would have coloured it; see ``classic``."""
    seconds: dict[str, float] = {}
    with _timed(seconds, "classic"):
        pixels, notes = colorize_classic(photo.pixels, engine, plan.width // PX_PER_FACTOR)
    notes = (*photo.notes, *plan.notes, *notes)
    coloured = replace(photo, pixels=pixels, alpha=None, notes=notes)
    return ColorizeResult(coloured, engine.spec, options, plan.width, plan.height, notes, seconds)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start


def predict_ab(net_luma: FloatArray, engine: Engine) -> FloatArray:
    """Return the net's Lab a*, b* for its copy of the luma. Shapes: (H, W) -> (2, H / stride, W / stride)."""
    spec = engine.spec
    height, width = net_luma.shape
    padded = pad_to_multiple(net_luma, spec.multiple)
    inputs = {"luma": padded[None, None], "temperature": np.array(spec.temperature, dtype=np.float32)}
    ab = engine.run(inputs, ("ab",))["ab"]
    expected = (1, 2, padded.shape[0] // spec.output_stride, padded.shape[1] // spec.output_stride)
    if ab.shape != expected:
        raise ModelError(f"the model gave an array of shape {ab.shape}, {expected} was expected", where=spec.name)
    if not np.isfinite(ab).all():
        raise ModelError(
            "the model gave values that are not numbers; nothing was written",
            where=spec.name,
            next_step="Run `photochrom doctor`, and try another --device or model.",
        )
    return ab[0, :, : height // spec.output_stride, : width // spec.output_stride]


def tune_ab(ab: FloatArray, options: ColorizeOptions) -> tuple[FloatArray, tuple[str, ...]]:
    """Return a*, b* after the vividness factor and the chroma ceiling, and a note if the ceiling acted."""
    ab = ab * np.float32(options.vividness)
    if options.chroma_ceiling is None:
        return ab, ()
    highest = float(np.percentile(np.hypot(ab[0], ab[1]), 99))
    if highest <= options.chroma_ceiling:
        return ab, ()
    factor = options.chroma_ceiling / highest
    return ab * np.float32(factor), (f"colours weakened to {factor:.0%}: chroma reached {highest:.0f}",)


def merge_chroma(
    pixels: npt.NDArray[Any], ab: FloatArray, cell_luma: FloatArray, threads: int
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return integer RGB: the full-size luma of ``pixels`` under the upsampled chroma of ``ab``.

    Shapes: (H, W, 1 or 3), (2, h, w) -> (H, W, 3), dtype kept. Works in row strips, whose borders leave no trace.
    """
    height, width = pixels.shape[:2]
    cbcr = chroma_from_ab(cell_luma, np.moveaxis(ab, 0, -1))
    upsampler = GuidedUpsampler.fit(cbcr, cell_luma, width, height)
    max_code = int(np.iinfo(pixels.dtype).max)
    out = np.empty((height, width, 3), dtype=pixels.dtype)

    def merge(strip: tuple[int, int]) -> None:
        top, bottom = strip
        luma = luma_strip(pixels, top, bottom)
        rgb = merge_luma_chroma(luma, upsampler.rows(top, luma))
        out[top:bottom] = quantize_keeping_luma(rgb, luma, max_code)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(merge, strips(width, height)):  # the loop raises what a thread raised
            pass
    return out
