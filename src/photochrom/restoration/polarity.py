"""Does a photograph without colours look like a negative? Told, never acted upon: see `ReadingOptions.negative`.

A small network says how probable it is that the photograph is a positive. Its file says how improbable that has to be
for a negative, which was chosen so that hardly a positive is called one (`docs/models/photochrom-polarity.md`).
"""

from __future__ import annotations

import functools

import numpy as np

from photochrom.engines.base import FloatArray
from photochrom.engines.hub import find_model
from photochrom.engines.restoration import CURRENT, POLARITY_SIDE_PX, OnnxStage, StageEngine
from photochrom.files.pages import TURNED
from photochrom.files.photo import Photo
from photochrom.luma import Codes, is_blank, shrink_luma
from photochrom.options import EngineOptions

MODEL = "photochrom-polarity"
NEGATIVE = "looks like a black-and-white negative: --negative turns it into a positive first"
TURNED_WRONGLY = "looks like a negative now that --negative has turned it: leave that out if it was a positive"
# Of fewer pixels nobody could tell; longer strips, made square, are unlike all that the network has learned from.
SMALLEST_SIDE_PX, LONGEST = 48, 2.0


@functools.cache
def polarity_engine() -> StageEngine:
    """Return the network, loaded once a process: half a megabyte, and on one core quicker than on several."""
    file = find_model(MODEL)
    options = EngineOptions(device="cpu", threads=1)
    return OnnxStage(file.path, CURRENT["polarity"], expected_sha256=file.sha256, options=options)


def whole_luma(pixels: Codes) -> FloatArray:
    """Return the luma of the whole picture, squashed to what the network sees: (H, W, 1 or 3) -> (128, 128), 0..1."""
    return shrink_luma(pixels, POLARITY_SIDE_PX, POLARITY_SIDE_PX, 2).net


def positive_probability(luma: FloatArray, engine: StageEngine | None = None) -> float:
    """Return how probable it is that a picture is a positive: (128, 128), 0..1 -> 0..1. About 10 ms."""
    rgb = np.broadcast_to(luma.astype(np.float32), (1, 3, *luma.shape))
    return float((engine or polarity_engine()).run(np.ascontiguousarray(rgb))["positive"][0, 0])


def note_of_negative(photo: Photo) -> str:
    """Return what there is to say of a grey or toned photograph that looks like a negative; "" of any other.

    Cost: 10 ms, and 5 ms a megapixel.
    """
    short, long = sorted((photo.width, photo.height))
    if short < SMALLEST_SIDE_PX or long > LONGEST * short:
        return ""
    luma = whole_luma(photo.pixels)
    if is_blank(luma) or positive_probability(luma) > polarity_engine().spec.negative:
        return ""
    return TURNED_WRONGLY if TURNED in photo.notes else NEGATIVE
