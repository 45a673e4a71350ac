"""The net's answer for one picture: which copies of it the net is shown, and how its answers become one.

What a net says of a picture and of its mirror image differs, as it does of copies of several sizes. What differs by
chance averages out, so several *views* are shown, and what is said of them is averaged on the grid of the largest: the
logarithms of its colours' shares, if it tells them, for what one view excludes is then excluded; else its colours. How
far the views lie apart is told with the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.engines.base import Engine, FloatArray, ModelSpec
from photochrom.errors import ModelError
from photochrom.options import LARGEST_RENDER_PX
from photochrom.resample import Plane, pad_to_multiple, render_size, resize

# Distance between views, in Lab units, that halves the confidence: the net's own scale. It raises the rank correlation
# with the true error from 0.37 to 0.39 and from 0.30 to 0.32 on two sets of 60 photographs.
HALF_CONFIDENCE_AB = 10.0


@dataclass(frozen=True, slots=True)
class View:
    """One copy of the picture as the net is shown it."""

    width: int
    height: int
    mirrored: bool = False

    def __str__(self) -> str:
        """Return the view as a note names it."""
        return f"{self.width} x {self.height}{' mirrored' if self.mirrored else ''}"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the net says of a picture, on the chroma grid of the largest view.

    Attributes:
        ab: (2, h, w) Lab a*, b*, the mean over the views.
        views: the views, largest first.
        disagreement: distance of the views' colours from their mean, in Lab units, averaged over the picture; 0 for
            one view.
        extras: further outputs of the net, averaged likewise: ``confidence`` (1, h, w), lowered where the views
            disagree, and ``logits`` (K, h, w).
    """

    ab: FloatArray
    views: tuple[View, ...]
    disagreement: float
    extras: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """Return which views were shown, and how well they agreed."""
        if len(self.views) == 1:
            return f"net run at {self.views[0]}"
        *others, last = map(str, self.views)
        return f"net run at {', '.join(others)} and {last}: colours agree within {self.disagreement:.1f} Lab units"


def choose_views(
    width: int, height: int, spec: ModelSpec, size: int | None = None, *, detailed: bool = True
) -> tuple[View, ...]:
    """Return the views of a picture of this size, largest first; one alone, as it is, where ``size`` asks for it.

    A picture that has more pixels than ``spec.render_px`` is shown with them, too, up to ``spec.detail_px``, if the
    model has one and ``detailed`` allows it; never enlarged, for that shows nothing but larger grain. No view is larger
    than two squares of LARGEST_RENDER_PX: of a long picture a large ``size`` is made smaller.
    """
    squares = min(max(width, height) / min(width, height), 4.0)  # as many as ``render_size`` makes of it at most

    def view(short_px: int, *, mirrored: bool) -> View:
        short_px = min(short_px, int(LARGEST_RENDER_PX * math.sqrt(2 / squares)))
        sides = render_size(width, height, short_px, multiple=spec.multiple, stride=spec.output_stride)
        return View(*sides, mirrored)

    if size:
        return (view(size, mirrored=False),)
    largest = max(spec.render_px, min(spec.detail_px, width, height)) if detailed else spec.render_px
    # Two, one of them mirrored. At 75 % of the truth's colourfulness, 50 photographs each of coco, of held-out
    # collections and of people (sixth model), the error is below grey's by 11.6, 9.8 and 12.7 %; with 5/7 of the size
    # instead of the picture as it is 10.9, 9.7 and 12.7; with both 11.2, 9.9 and 12.5; with 9/7 both ways as well
    # 11.7, 9.8 and 12.2. Averaging colours instead of logits takes off 0 to 0.4; the one view that agrees best was
    # worse than averaging. A larger copy instead of the mirror image is 0.7, 1.1 and 2.3 points better on 110
    # photographs of 288, 352 and 448 px, each at its own size; enlarged to 448 px the first two gain 0.2 less, and
    # grainy ones of 256 px lose 6.5 (docs/experiments/color.md; `benchmarks/decoding.py`, with --split grain).
    return view(largest, mirrored=True), view(spec.render_px, mirrored=False)


def predict(
    net_luma: Plane,
    views: Sequence[View],
    engine: Engine,
    extras: Sequence[str] = (),
    *,
    caution: float = 0.0,
    hints: FloatArray | None = None,
) -> Prediction:
    """Return the net's answer.

    Args:
        net_luma: (H, W) luma of the largest view, 0..1.
        views: from ``choose_views``.
        engine: runs the net.
        extras: outputs wanted beside the colours.
        caution: 0..1, how far to go from the distribution that the net was trained for, which favours rare colours,
            to the true one; see ``be_cautious``. Ignored for models that do not give their colours' shares.
        hints: (3, H, W) on the grid of ``net_luma``: Lab a*, b*, and how much they count, 0..1; for models that hear.

    Raises:
        ModelError: the model gave values that are not numbers, or arrays of another shape than it promised; or hints
            were given to a model that cannot hear.

    Cost: one run of the net per view. Averaging ``logits`` takes 5 ms on a grid of 84 x 56, caution as much a view.
    """
    spec = engine.spec
    grid = (net_luma.shape[1] // spec.output_stride, net_luma.shape[0] // spec.output_stride)
    wary = caution > 0 and is_rebalanced(spec)
    # Models that tell no colours' shares have no logits to average.
    averages_logits = len(views) > 1 and len(spec.bins_ab) > 0
    wanted = ("ab", *extras)
    outputs = dict.fromkeys((*(("logits",) if wary or averages_logits else ()), *(extras if wary else wanted)))
    answers = [show(net_luma, view, engine, tuple(outputs), hints) for view in views]
    if wary:
        answers = [be_cautious(answer, spec, caution) for answer in answers]
    answers = [{name: enlarge(planes, *grid) for name, planes in answer.items()} for answer in answers]
    mean = {name: _mean([answer[name] for answer in answers]) for name in answers[0]}
    if averages_logits:
        mean["ab"] = annealed_mean(mean["logits"], np.array(spec.bins_ab, dtype=np.float32), spec.temperature)
    apart = np.mean([np.hypot(*(answer["ab"] - mean["ab"])) for answer in answers], axis=0)
    mean = {name: mean[name] for name in wanted}
    if "confidence" in mean:
        mean["confidence"] = mean["confidence"] / (1 + apart / np.float32(HALF_CONFIDENCE_AB))
    return Prediction(mean.pop("ab"), tuple(views), float(apart.mean()), mean)


def show(
    net_luma: Plane, view: View, engine: Engine, outputs: Sequence[str], hints: FloatArray | None = None
) -> dict[str, FloatArray]:
    """Return what the net says of one view, turned back if it was mirrored. Shapes: (H, W) -> (channels, h, w)."""
    plane = net_luma
    if plane.shape != (view.height, view.width):
        plane = np.clip(resize(plane, view.width, view.height), 0, 1)
    if view.mirrored:
        plane = plane[:, ::-1]
    spec = engine.spec
    padded = np.ascontiguousarray(pad_to_multiple(plane, spec.multiple))
    inputs = {"luma": padded[None, None], "temperature": np.array(spec.temperature, dtype=np.float32)}
    if hints is not None:
        inputs["hints"] = _seen(hints, view, padded.shape)[None]
    answer = engine.run(inputs, tuple(outputs))
    rows, columns = view.height // spec.output_stride, view.width // spec.output_stride
    return {
        name: _checked(values, name, padded.shape, spec)[0, :, :rows, :columns][..., :: -1 if view.mirrored else 1]
        for name, values in answer.items()
    }


def resize_hints(hints: FloatArray, width: int, height: int) -> FloatArray:
    """Return hints at a smaller or equal size: (3, H, W) -> (3, height, width).

    A cell's colour is the mean by weight, and its weight the largest in it: a lone pixel that somebody chose does not
    fade because the net's copy is small.
    """
    if hints.shape[1:] == (height, width):
        return hints
    rows, columns = (np.arange(n) * small // n for n, small in zip(hints.shape[1:], (height, width), strict=True))
    cells = rows[:, None] * width + columns
    weight = hints[2]
    sums = [np.bincount(cells.ravel(), plane.ravel(), height * width) for plane in (*hints[:2] * weight, weight)]
    most = np.zeros(height * width)
    np.maximum.at(most, cells.ravel(), weight.ravel())
    ab = np.stack(sums[:2]) / np.maximum(sums[2], 1e-9)
    return np.concatenate([ab, most[None]]).reshape(3, height, width).astype(np.float32)


def _seen(hints: FloatArray, view: View, padded: tuple[int, ...]) -> FloatArray:
    """Return hints as a view shows them; nothing is known of its border."""
    small = resize_hints(hints, view.width, view.height)
    if view.mirrored:
        small = small[:, :, ::-1]
    border = [(0, wanted - has) for wanted, has in zip(padded, small.shape[1:], strict=True)]
    return np.ascontiguousarray(np.pad(small, [(0, 0), *border]))


RANGES = {"ab": (-400.0, 400.0), "confidence": (-0.1, 1.1), "logits": (-1e6, 1e6)}
"""What an output can be, generously: a colour of sRGB has a*, b* within 128, and three times that is arithmetic's."""


def _checked(values: FloatArray, name: str, padded: tuple[int, ...], spec: ModelSpec) -> FloatArray:
    channels = {"ab": 2, "confidence": 1, "logits": len(spec.bins_ab)}[name]
    expected = (1, channels, padded[0] // spec.output_stride, padded[1] // spec.output_stride)
    if values.shape != expected:
        raise ModelError(f"the model gave an array of shape {values.shape}, {expected} was expected", where=spec.name)
    low, high = RANGES[name]
    if not (np.isfinite(values).all() and values.min(initial=low) >= low and values.max(initial=high) <= high):
        raise ModelError(
            f"the model gave values that are not numbers, or beyond what {name} can be; nothing was written",
            where=spec.name,
            next_step="Run `photochrom doctor`, and try another --device or model.",
        )
    return values


def is_rebalanced(spec: ModelSpec) -> bool:
    """Return whether the model prefers rare colours and says how often each is met, so that this can be taken back."""
    return 0 < len(spec.bins_ab) == len(spec.bin_shares) and spec.rebalancing_left > 0


def be_cautious(answer: dict[str, FloatArray], spec: ModelSpec, caution: float) -> dict[str, FloatArray]:
    """Return the answer with its logits moved towards the true distribution, and the colours that follow from them.

    In training a colour of share s weighed w = 1 / ((1 - r) s + r / K), so the net's probabilities are w times too
    high; dividing by w to the power ``caution`` takes that back. Colours that the net is unsure of fade to the
    commonest, which is grey; sure ones stay.

    Source: Zhang, Isola, Efros 2016, "Colorful Image Colorization", equation 4 (the weights); the correction is that
    of Saerens, Latinne, Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities",
    equation 4.
    """
    shares = np.array(spec.bin_shares, dtype=np.float32)
    weights = 1 / ((1 - spec.rebalancing) * shares + spec.rebalancing / len(shares) + np.float32(1e-12))
    shift = np.float32(caution * spec.rebalancing_left) * np.log(weights).astype(np.float32)
    logits = answer["logits"] - shift[:, None, None]
    ab = annealed_mean(logits, np.array(spec.bins_ab, dtype=np.float32), spec.temperature)
    return {**answer, "logits": logits, "ab": ab}


def annealed_mean(logits: FloatArray, bins_ab: FloatArray, temperature: float) -> FloatArray:
    """Return the mean colour of the sharpened distributions: (K, h, w) logits, (K, 2) -> (2, h, w) Lab a*, b*.

    Source: Zhang, Isola, Efros 2016, equation 5.
    """
    cells = logits.reshape(len(logits), -1)
    powers = np.exp((cells - cells.max(axis=0)) / np.float32(temperature))
    ab = (bins_ab.T @ powers) / powers.sum(axis=0)
    return np.asarray(ab.reshape(2, *logits.shape[1:]), dtype=np.float32)


def enlarge(planes: npt.NDArray[Any], width: int, height: int) -> FloatArray:
    """Return planes at another size, linearly interpolated. Shapes: (C, h, w) -> (C, height, width)."""
    if planes.shape[1:] == (height, width):
        return np.asarray(planes, dtype=np.float32)
    images = (Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32)) for plane in planes)
    return np.stack([np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)) for image in images])


def _mean(answers: list[FloatArray]) -> FloatArray:
    return answers[0] if len(answers) == 1 else np.mean(answers, axis=0, dtype=np.float32)
