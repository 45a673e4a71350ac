"""Other ways in which a picture may have been coloured, taken from what the net holds possible.

The net gives each cell a distribution over colours. Cell by cell choices would be a patchwork, so the picture is cut
into a few *regions* of like tone, place and distribution, and a version is one choice per region: the net's own
answer, or another colour that the region's distribution holds likely enough. All combinations are ranked by
likelihood, and the likeliest that differ visibly from each other are kept: the diverse N-best idea, solved exactly,
because regions are few.

Source: the criterion is that of Batra, Yadollahpour, Guzman-Rivera, Shakhnarovich 2012, "Diverse M-Best Solutions in
Markov Random Fields" (equation 2: the most probable solution at least so far from those before); regions and decoding
are ours.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.color import chroma_from_ab, ciede2000, lab_from_srgb, lightness_from_luma, merge_luma_chroma
from photochrom.coloring.prediction import Prediction
from photochrom.engines.base import FloatArray, ModelSpec
from photochrom.errors import OptionError
from photochrom.options import ColorizeOptions
from photochrom.resample import Plane, box_mean

VISIBLE_DIFFERENCE = 4.0
"""Mean CIEDE2000 over the picture that any two versions differ by at least, on the net's grid, before grading."""
PLANNED_DIFFERENCE = 5.0  # the blurred borders between regions take away up to a fifth

REGIONS = 7
OPTIONS_PER_REGION = 4  # the net's own answer and three others: 4 ** 7 combinations are ranked in a blink
LEAST_STEP_AB = 16.0  # Lab units between the colours of one region's options
LEAST_LIKELIHOOD = 0.25  # of an option's colour, relative to the likeliest of its region
# Of an option's chroma, relative to the region's own; and Lab units from its hue, where its own colour has one (from so
# much chroma on): greyer and richer versions are what the vividness is for.
LEAST_CHROMA_SHARE, LEAST_STEP_FROM_HUE, HUE_FROM_CHROMA = 0.6, 10.0, 10.0
# Lab units: width of the neighbourhood in which an option's cells may choose their colours. Wider, and the likeliest
# colour, which the version is to differ from, pulls all of them back.
KERNEL_AB = 8.0
SOFT_BORDER_CELLS = 1
LEAST_BELIEF = 0.3  # likelihood of an option in a cell, of its region's mean, from which on the cell begins to turn
ITERATIONS = 12
PLACELESS = 3  # the features before place: a*, b*, lightness
# How much a step in each feature counts when regions are formed: colour per Lab unit, lightness per L*, place per
# short side of the picture.
COLOR_WEIGHT, LIGHTNESS_WEIGHT, PLACE_WEIGHT = 1.0, 0.4, 14.0
LEAST_CENTRE_DISTANCE = 6.0  # regions more alike than this, wherever they lie, are one: a wall gets one colour


@dataclass(frozen=True, slots=True)
class Version:
    """One way of colouring a picture.

    Attributes:
        ab: (2, h, w) Lab a*, b*.
        number: 1 for the net's own answer, which is the likeliest.
        likelihood: relative to the first version, a geometric mean over the picture's cells.
    """

    ab: FloatArray
    number: int = 1
    likelihood: float = 1.0

    @property
    def notes(self) -> tuple[str, ...]:
        """Return which version this is, if it is not the first."""
        return () if self.number == 1 else (f"version {self.number}: {self.likelihood:.0%} as likely as the first",)


def choose_versions(
    predicted: Prediction, cell_luma: Plane, spec: ModelSpec, options: ColorizeOptions, gain: float = 1.0
) -> tuple[list[Version], tuple[str, ...]]:
    """Return the versions that the options ask for, the result first, and a note if there are fewer.

    Where a ``gain`` of 0 leaves the picture without colour, all versions would look alike: there is one.

    Raises:
        OptionError: the picture has no version of that number.
    """
    wanted, found = max(options.alternatives, options.alternative), [Version(predicted.ab)]
    if wanted > 1 and gain:
        found = find_versions(predicted, np.array(spec.bins_ab, dtype=np.float32), cell_luma, wanted)
    if options.alternative > len(found):
        raise OptionError(f"this picture has {len(found)} visibly different versions, no more", where="alternative")
    if options.alternative > 1:
        return [found[options.alternative - 1]], ()
    missing = len(found) < wanted
    return found, (f"{len(found)} of {wanted} versions: no other is likely and visibly different",) if missing else ()


def find_versions(predicted: Prediction, bins_ab: FloatArray, cell_luma: Plane, count: int) -> list[Version]:
    """Return up to ``count`` versions of a picture, likeliest first; the first is the net's own answer.

    Fewer come back where the net is sure enough that no other version both is likely and differs visibly
    (VISIBLE_DIFFERENCE) from those before it. What comes back does not depend on ``count`` otherwise.

    Args:
        predicted: the net's answer, with its logits (K, h, w).
        bins_ab: (K, 2) Lab a*, b* that the logits stand for.
        cell_luma: (h, w) luma on the same grid, 0..1.
        count: how many are wanted.

    Cost: about 0.7 core seconds, whatever the picture's size.
    """
    own_ab, logits = predicted.ab, predicted.extras["logits"]
    cells = logits.reshape(len(logits), -1)
    share = _softmax(cells)
    lightness = lightness_from_luma(cell_luma).astype(np.float32)
    region_of = form_regions(own_ab, lightness)
    membership = np.stack([region_of == region for region in range(region_of.max() + 1)]).reshape(-1, share.shape[1])
    areas = membership.sum(axis=1) / membership.shape[1]
    region_share = membership @ share.T / np.maximum(membership.sum(axis=1, keepdims=True), 1)
    options = [
        _region_options(shares, bins_ab, own_ab.reshape(2, -1)[:, inside].mean(axis=1))
        for shares, inside in zip(region_share, membership, strict=True)
    ]
    painted = [
        [
            own_ab.reshape(2, -1),
            *(_turned(own_ab.reshape(2, -1), share, bins_ab, option.ab, inside) for option in region),
        ]
        for region, inside in zip(options, membership, strict=True)
    ]
    apart = _differences(painted, membership, cell_luma.reshape(-1))
    costs = [
        area * np.array([0.0, *(option.cost for option in region)]) for region, area in zip(options, areas, strict=True)
    ]
    chosen = _diverse_best(costs, apart, count)
    soft = _soft(membership.reshape(-1, *cell_luma.shape))
    versions, seen = [Version(own_ab)], [shown_lab(own_ab, cell_luma)]
    for choice, cost in chosen[1:]:
        ab = _paint(painted, soft, choice)
        lab = shown_lab(ab, cell_luma)
        if min(ciede2000(lab, other).mean() for other in seen) >= VISIBLE_DIFFERENCE:
            versions.append(Version(ab, len(versions) + 1, float(np.exp(-cost))))
            seen.append(lab)
    return versions


def shown_lab(ab: FloatArray, luma: FloatArray) -> npt.NDArray[np.floating]:
    """Return the Lab colours that can be shown at this luma: (2, ...) and (...) -> (..., 3)."""
    return lab_from_srgb(merge_luma_chroma(luma, chroma_from_ab(luma, np.moveaxis(ab, 0, -1))))


def form_regions(
    ab: FloatArray, lightness: Plane, most: int = REGIONS, *, wherever: bool = True
) -> npt.NDArray[np.intp]:
    """Return the region of each cell: k-means over colour, lightness and place. Shapes: (2, h, w), (h, w) -> (h, w).

    At most ``most`` regions; with ``wherever``, those that look alike are one wherever they lie. Deterministic: each
    centre starts at the cell farthest from the centres before it.
    """
    height, width = lightness.shape
    rows, columns = np.mgrid[:height, :width] / min(height, width)
    features = np.stack(
        [*(ab * COLOR_WEIGHT), lightness * LIGHTNESS_WEIGHT, rows * PLACE_WEIGHT, columns * PLACE_WEIGHT], axis=-1
    )
    smooth = np.moveaxis(box_mean(np.moveaxis(features, -1, 0).astype(np.float64), 1), 0, -1).reshape(-1, 5)
    centres = _spread_centres(smooth, min(most, len(smooth)))
    for _ in range(ITERATIONS):
        nearest = _distances(smooth, centres).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(centres))
        sums = np.stack([np.bincount(nearest, column, len(centres)) for column in smooth.T], axis=1)
        centres = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
    nearest = _distances(smooth, centres).argmin(axis=1)
    if wherever:
        nearest = _merge_alike(centres[:, :PLACELESS])[nearest]
    return np.unique(nearest, return_inverse=True)[1].reshape(height, width)


def _spread_centres(features: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    centres: npt.NDArray[np.float64] = features.mean(axis=0, keepdims=True)
    while len(centres) < count:
        farthest = _distances(features, centres).min(axis=1).argmax()
        centres = np.concatenate([centres, features[farthest : farthest + 1]])
    return centres


def _merge_alike(centres: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the number of the region that each becomes part of; chains of alike regions become one."""
    region = np.arange(len(centres))
    for i, j in itertools.combinations(range(len(centres)), 2):
        if np.linalg.norm(centres[i] - centres[j]) < LEAST_CENTRE_DISTANCE:
            region[region == region[j]] = region[i]
    return region


def _distances(features: npt.NDArray[np.float64], centres: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    squared = (features**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * features @ centres.T
    return np.asarray(squared)


@dataclass(frozen=True, slots=True)
class _Option:
    ab: npt.NDArray[np.float64]  # the colour that the region turns to
    cost: float  # how much less likely than the region's likeliest colour, as a difference of logarithms


def _region_options(
    shares: FloatArray, bins_ab: npt.NDArray[np.floating], own: npt.NDArray[np.floating]
) -> list[_Option]:
    """Return the likely colours of a region that differ from its own and from each other, likeliest first."""
    squared = ((bins_ab[:, None] - bins_ab[None]) ** 2).sum(axis=-1)
    density = np.exp(-squared / (2 * (LEAST_STEP_AB / 2) ** 2)) @ shares  # of the neighbourhood, not of one bin
    least_chroma = LEAST_CHROMA_SHARE * np.hypot(*own)
    taken, options = [np.asarray(own, dtype=np.float64)], list[_Option]()
    for best in np.argsort(-density, kind="stable"):
        relative = density[best] / density.max()
        if relative < LEAST_LIKELIHOOD or len(options) == OPTIONS_PER_REGION - 1:
            break
        color = bins_ab[best].astype(np.float64)
        if np.hypot(*color) < least_chroma or _has_hue_of(own, color):
            continue
        if min(np.hypot(*(color - other)) for other in taken) >= LEAST_STEP_AB:
            taken.append(color)
            options.append(_Option(color, float(-np.log(relative))))
    return options


def _has_hue_of(own: npt.NDArray[np.floating], color: npt.NDArray[np.float64]) -> bool:
    along, aside = own @ color, own[0] * color[1] - own[1] * color[0]
    chroma = np.hypot(*own)
    return bool(chroma >= HUE_FROM_CHROMA and along > 0 and abs(aside) < LEAST_STEP_FROM_HUE * chroma)


def _turned(
    own: FloatArray,
    share: FloatArray,
    bins_ab: npt.NDArray[np.floating],
    center: npt.NDArray[np.float64],
    inside: npt.NDArray[np.bool_],
) -> FloatArray:
    """Return each cell's mean colour under its own distribution times a Gaussian around ``center``: (2, cells).

    A cell that holds ``center`` much less likely than its region does on the mean keeps its own colour: a sleeve turns
    blue, the hair in the same region does not.
    """
    nearness = np.exp(-((bins_ab - center) ** 2).sum(axis=1) / (2 * KERNEL_AB**2)) + 1e-9
    weights = np.concatenate([(bins_ab * nearness[:, None]).T, nearness[None]]).astype(np.float32)
    a, b, total = weights @ share
    believed = np.clip(total / np.maximum(total[inside].mean(), 1e-12) * 2 - LEAST_BELIEF * 2, 0, 1)
    return np.asarray(own + believed * (np.stack([a, b]) / np.maximum(total, 1e-12) - own), dtype=np.float32)


def _differences(
    painted: list[list[FloatArray]], membership: npt.NDArray[np.bool_], luma: FloatArray
) -> list[npt.NDArray[np.float64]]:
    """Return, per region, what each two of its options add to the picture's mean CIEDE2000."""
    tables = []
    for region, inside in zip(painted, membership, strict=True):
        labs = [shown_lab(ab[:, inside], luma[inside]) for ab in region]
        table = np.zeros((len(labs), len(labs)))
        for i, j in itertools.combinations(range(len(labs)), 2):
            table[i, j] = table[j, i] = ciede2000(labs[i], labs[j]).sum() / len(inside)
        tables.append(table)
    return tables


def _diverse_best(
    costs: list[npt.NDArray[np.float64]], apart: list[npt.NDArray[np.float64]], count: int
) -> list[tuple[tuple[int, ...], float]]:
    """Return up to ``count`` choices of an option per region, cheapest first, each visibly apart from those before."""
    choices = np.array(list(itertools.product(*(range(len(cost)) for cost in costs))))
    totals = sum(cost[choices[:, region]] for region, cost in enumerate(costs))
    order = np.argsort(totals, kind="stable")
    choices, totals = choices[order], np.asarray(totals)[order]
    nearest = np.full(len(choices), np.inf)
    chosen: list[tuple[tuple[int, ...], float]] = []
    at = 0
    while len(chosen) < count:
        chosen.append((tuple(choices[at]), float(totals[at])))
        distance = sum(table[choices[at][region]][choices[:, region]] for region, table in enumerate(apart))
        nearest = np.minimum(nearest, distance)
        visible = np.flatnonzero(nearest >= PLANNED_DIFFERENCE)
        if not len(visible):
            break
        at = int(visible[0])
    return chosen


def _soft(membership: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return how much each cell belongs to each region, with borders a little blurred; sums to one."""
    return box_mean(membership.astype(np.float64), SOFT_BORDER_CELLS)


def _paint(painted: list[list[FloatArray]], soft: npt.NDArray[np.float64], choice: tuple[int, ...]) -> FloatArray:
    _, height, width = soft.shape
    planes = [region[option].reshape(2, height, width) for region, option in zip(painted, choice, strict=True)]
    return np.asarray(sum(weight * plane for weight, plane in zip(soft, planes, strict=True)), dtype=np.float32)


def _softmax(cells: FloatArray) -> FloatArray:
    """Return shares of the first axis, which sum to one."""
    powers = np.exp(cells - cells.max(axis=0, keepdims=True))
    return np.asarray(powers / powers.sum(axis=0, keepdims=True), dtype=np.float32)
