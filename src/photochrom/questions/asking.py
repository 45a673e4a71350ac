"""Which questions to ask of a photograph: those whose answers would change most.

A region is worth a question if the net is unsure of it, if it is large, and if no answer before has settled it. So
questions are chosen one by one, each the one whose answer removes most of the uncertainty that is left, where an
answer is taken to settle every cell as far as that looks like the region: of a like distribution of colours and a like
tone. That is the greedy choice of sensors of Krause, Singh, Guestrin 2008, "Near-Optimal Sensor Placements in Gaussian
Processes", with a likeness that costs no run of the net in the place of their covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.color import lightness_from_luma
from photochrom.coloring.alternatives import form_regions
from photochrom.coloring.hearing import refuse_deaf, tell_net
from photochrom.coloring.prediction import predict
from photochrom.coloring.rendering import plan_render
from photochrom.engines.base import Engine
from photochrom.errors import ModelError
from photochrom.files.photo import Photo
from photochrom.hints.hint import Hint
from photochrom.luma import is_blank, show_clearly, shrink_luma
from photochrom.options import ColorizeOptions
from photochrom.questions.choices import Choice, likely_choices
from photochrom.resample import box_mean

MOST_QUESTIONS = 20
REGIONS = 40
# L* by which cells differ that are half as alike, and the share of the short side likewise.
LIKE_LIGHTNESS, LIKE_DISTANCE = 14.0, 0.2
# Share of all uncertainty that an answer must remove to be worth asking for.
LEAST_REMOVED = 0.002
# Cells around a place that must be of the region for an answer to be told there.
HEART_CELLS = 2
# An answer is held as far as its region is large, within these shares of the short side.
SHORTEST_REACH, FARTHEST_REACH = 0.15, 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """Which colour is this?

    Attributes:
        number: from 1, in the order in which answers help.
        point: x, y in the region, relative to the picture: where the answer is told.
        box: left, top, right, bottom of the region, likewise.
        area: share of the picture.
        removed: share of all uncertainty that the answer is expected to remove.
        choices: likely answers, the likeliest first.
        reach: how far an answer is held, as a hint's: the size of the region.
    """

    number: int
    point: tuple[float, float]
    box: tuple[float, float, float, float]
    area: float
    removed: float
    choices: tuple[Choice, ...]
    reach: float = 0.15


@dataclass(frozen=True, slots=True)
class Doubts:
    """What the net says of a photograph, cell by cell of its grid.

    Attributes:
        share: (K, h, w) distribution over colours.
        spread: (h, w) its standard deviation, in Lab units.
        ab: (2, h, w) its answer.
        luma: (h, w) 0..1.
        bins_ab: (K, 2).
    """

    share: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]
    ab: npt.NDArray[np.float32]
    luma: npt.NDArray[np.float32]
    bins_ab: npt.NDArray[np.float32]


def ask(
    photo: Photo, engine: Engine, count: int, hints: Sequence[Hint] = (), options: ColorizeOptions | None = None
) -> list[Question]:
    """Return up to ``count`` questions, most useful first; fewer where the net is sure.

    The first ones do not depend on how many are asked for.

    Args:
        photo: the photograph.
        engine: runs a model that hears and gives a distribution over colours.
        count: 1 to MOST_QUESTIONS.
        hints: what is known already; nothing is asked twice.
        options: how it will be coloured.

    Raises:
        ModelError: the model cannot hear answers, or gives no distribution.

    Cost: that of colouring a preview, and 0.2 s.
    """
    doubts = find_doubts(photo, engine, hints, options)
    return choose_questions(doubts, count) if doubts is not None else []


def find_doubts(
    photo: Photo, engine: Engine, hints: Sequence[Hint] = (), options: ColorizeOptions | None = None
) -> Doubts | None:
    """Return what the net is unsure of; None for a blank picture. Raises as :func:`ask`."""
    refuse_deaf(engine.spec)
    if not engine.spec.bins_ab:
        raise ModelError("the model gives one colour only, and has no doubts to ask about", where=engine.spec.name)
    options = options or ColorizeOptions()
    plan = plan_render(photo.width, photo.height, engine, options, detailed=False)
    small = shrink_luma(photo.pixels, plan.width, plan.height, engine.spec.output_stride)
    if is_blank(small.net):
        return None
    net_luma = show_clearly(small.net)[0] if options.normalize_tone else small.net
    predicted = predict(net_luma, plan.views, engine, ("logits",), hints=tell_net(hints, net_luma))
    logits = predicted.extras["logits"]
    powers = np.exp(logits - logits.max(axis=0))
    share = powers / powers.sum(axis=0)
    bins = np.array(engine.spec.bins_ab, dtype=np.float32)
    mean, squared = np.tensordot(bins.T, share, axes=1), np.tensordot((bins**2).sum(axis=1), share, axes=1)
    spread = np.sqrt(np.maximum(squared - (mean**2).sum(axis=0), 0))
    return Doubts(share, spread.astype(np.float32), predicted.ab, small.cell, bins)


def choose_questions(doubts: Doubts, count: int) -> list[Question]:
    """Return up to ``count`` questions about what the net is unsure of."""
    lightness = lightness_from_luma(doubts.luma).astype(np.float32)
    region_of = form_regions(doubts.ab, lightness, REGIONS, wherever=False)
    likeness = _likeness(doubts, lightness, region_of)
    left = doubts.spread.astype(np.float64).ravel() ** 2
    whole = float(left.sum())
    asked, questions = np.zeros(len(likeness), dtype=bool), list[Question]()
    while len(questions) < count and whole > 0:
        removed = np.where(asked, -1, likeness @ left) / whole
        best = int(removed.argmax())
        if removed[best] < LEAST_REMOVED:
            break
        asked[best] = True
        questions.append(_question(len(questions) + 1, doubts, region_of == best, left, float(removed[best])))
        left = left * (1 - likeness[best])
    return questions


def _likeness(
    doubts: Doubts, lightness: npt.NDArray[np.float32], region_of: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Return how far an answer about each region settles each cell, 0..1: (regions, cells).

    Colours are compared by Bhattacharyya's coefficient, tone and place by a Gaussian.
    """
    height, width = region_of.shape
    rows, columns = np.mgrid[:height, :width] / min(height, width)
    root = np.sqrt(doubts.share.reshape(len(doubts.share), -1))
    tone, y, x = lightness.ravel(), rows.ravel(), columns.ravel()
    found = []
    for region in range(int(region_of.max()) + 1):
        inside = (region_of == region).ravel()
        same = root[:, inside].mean(axis=1) @ root
        apart = ((tone - tone[inside].mean()) / LIKE_LIGHTNESS) ** 2
        nearest = np.hypot(y - y[inside].mean(), x - x[inside].mean()) / LIKE_DISTANCE
        found.append(np.clip(same, 0, 1) ** 2 * np.exp2(-apart - nearest**2))
    return np.stack(found)


def _question(
    number: int, doubts: Doubts, inside: npt.NDArray[np.bool_], left: npt.NDArray[np.float64], removed: float
) -> Question:
    height, width = inside.shape
    row, column = _heart(inside, left.reshape(inside.shape))
    rows, columns = np.nonzero(inside)
    box = (columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height)
    near = inside & _near(inside.shape, row, column)
    choices = likely_choices(doubts.share[:, near].mean(axis=1), doubts.bins_ab, float(doubts.luma[near].mean()))
    point = (round((column + 0.5) / width, 4), round((row + 0.5) / height, 4))
    left_, top, right, bottom = (round(float(side), 4) for side in box)
    area = float(inside.mean())
    reach = round(min(max(area**0.5, SHORTEST_REACH), FARTHEST_REACH), 3)
    shown = (left_, top, right, bottom)
    return Question(number, point, shown, round(area, 4), round(removed, 4), choices, reach)


def _heart(inside: npt.NDArray[np.bool_], left: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return the cell, well inside a region, around which most is unsure."""
    around = box_mean(np.stack([inside.astype(np.float64), inside * left]), HEART_CELLS)
    score = np.where(inside, around[0] ** 2 * (around[1] + 1e-6), -1)
    row, column = np.unravel_index(int(score.argmax()), inside.shape)
    return int(row), int(column)


def _near(shape: tuple[int, ...], row: int, column: int) -> npt.NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((abs(rows - row) <= HEART_CELLS) & (abs(columns - column) <= HEART_CELLS))
