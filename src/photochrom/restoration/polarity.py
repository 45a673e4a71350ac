"""Does a photograph without colours look like a negative? Told, never acted upon: see `ReadingOptions.negative`.

A small network says how probable it is that the photograph is a positive. Its file says how improbable that has to be
for a negative, which was chosen so that hardly a positive is called one (`docs/models/photochrom-polarity.md`).
"""

from __future__ import annotations

import functools
import math

import numpy as np

from photochrom.engines.base import FloatArray
from photochrom.engines.hub import find_model
from photochrom.engines.restoration import CURRENT, POLARITY_SIDE_PX, OnnxStage, StageEngine
from photochrom.files.pages import TURNED
from photochrom.files.photo import Photo
from photochrom.luma import Codes, is_blank, shrink_luma
from photochrom.options import EngineOptions
from photochrom.resample import resize

MODEL = "photochrom-polarity"
NEGATIVE = "looks like a black-and-white negative: --negative turns it into a positive first"
TURNED_WRONGLY = "looks like a negative now that --negative has turned it: leave that out if it was a positive"
# Of fewer pixels nobody could tell; longer strips, made square, are unlike all that the network has learned from.
SMALLEST_SIDE_PX, LONGEST = 48, 2.0
# Corners are as large as what the network sees, two thirds of the sides. At this logit of the whole they do not decide.
SEEN_PX, CLEARLY_POSITIVE = 192, 1.0
SUREST = 1e-7  # a probability of float32 may come as 0 or 1


@functools.cache
def polarity_engine() -> StageEngine:
    """Return the network, loaded once a process: half a megabyte, and on one core quicker than on several."""
    file = find_model(MODEL)
    options = EngineOptions(device="cpu", threads=1)
    return OnnxStage(file.path, CURRENT["polarity"], expected_sha256=file.sha256, options=options)


def seen_luma(pixels: Codes) -> FloatArray:
    """Return the luma of the whole picture, squashed to what is looked at: (H, W, 1 or 3) -> (192, 192), 0..1."""
    return shrink_luma(pixels, SEEN_PX, SEEN_PX, 2).net


def positive_probability(luma: FloatArray, engine: StageEngine | None = None) -> float:
    """Return how probable it is that a picture is a positive: (192, 192), 0..1 -> 0..1.

    Unless the whole says so clearly, its four corners are looked at too, and have a say each: more is recognised at
    that size. Cost: about 10 ms, and 50 where the whole is in doubt, which one positive in eight is.
    """
    engine = engine or polarity_engine()
    side = POLARITY_SIDE_PX
    whole = _logit(np.clip(resize(luma, side, side), 0, 1), engine)
    if whole >= CLEARLY_POSITIVE:
        return _probability(whole)
    starts = (0, SEEN_PX - side)
    corners = [luma[top : top + side, left : left + side] for top in starts for left in starts]
    return _probability(float(np.mean([whole, *(_logit(corner, engine) for corner in corners)])))


def _logit(luma: FloatArray, engine: StageEngine) -> float:
    rgb = np.broadcast_to(luma.astype(np.float32), (1, 3, *luma.shape))
    positive = float(engine.run(np.ascontiguousarray(rgb))["positive"][0, 0])
    positive = min(max(positive, SUREST), 1 - SUREST)
    return math.log(positive / (1 - positive))


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def note_of_negative(photo: Photo) -> str:
    """Return what there is to say of a grey or toned photograph that looks like a negative; "" of any other.

    Cost: 10 to 50 ms, and 5 ms a megapixel.
    """
    short, long = sorted((photo.width, photo.height))
    if short < SMALLEST_SIDE_PX or long > LONGEST * short:
        return ""
    luma = seen_luma(photo.pixels)
    if is_blank(luma) or positive_probability(luma) > polarity_engine().spec.negative:
        return ""
    return TURNED_WRONGLY if TURNED in photo.notes else NEGATIVE
