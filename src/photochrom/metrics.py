"""Measures of coloured pictures against their true colours, as pure functions on numpy arrays.

Conventions used throughout:

* A picture is ``(H, W, 3)`` gamma-encoded sRGB, either ``uint8`` (0..255) or floats in 0..1; every function takes both.
* "Truth" is the photograph before it was greyed, "predicted" is what a colouriser made of the grey.
* Lab is CIE Lab (D65, 2 degree observer); luma is BT.601 Y' on gamma-encoded sRGB (see ``photochrom.color``).

``score_pair`` gives all measures of one pair; the means over a set and their intervals are made from its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom import color, luma

Picture = npt.NDArray[Any]
Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Interval = tuple[float, float]

FLAT_LUMA_GRADIENT = 2.0  # 8-bit code values per pixel; below it the luma is taken to be flat
STRONG_CHROMA = 25.0  # Lab units; most skin, skies and grass in sunlight have more
SUPPORT = 0.5  # share of a strong colour's chroma that the other picture must have in that hue
SSIM_SIGMA_PX, SSIM_RADIUS_PX = 1.5, 5  # the 11x11 window of Wang et al. 2004
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


def unit_range(picture: Picture) -> Floats:
    """Return a picture as float32 in 0..1, from uint8 codes or from floats that are in 0..1 already."""
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.float32) / np.float32(255)
    return np.asarray(picture, np.float32)


def eight_bit(picture: Picture) -> npt.NDArray[np.uint8]:
    """Return a picture as uint8, rounding floats in 0..1 to the nearest code."""
    if picture.dtype == np.uint8:
        return np.asarray(picture)
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255), np.uint8)


# -- One pair of pictures ---------------------------------------------------------------------------------------------


def ciede2000_map(truth: Picture, predicted: Picture) -> Floats:
    """Return the CIEDE2000 difference of each pixel under shared luma: only errors of colour count.

    Shared luma means: both pictures are converted to Lab; the predicted L* is thrown away and replaced by the
    truth's L*; the predicted a* and b* stay as they are (no gamut mapping afterwards); the two Lab pictures are then
    compared with kL = kC = kH = 1. A grey prediction therefore scores the truth's own distance from neutral.

    Shapes: (H, W, 3) twice -> (H, W). Range: 0..about 120.
    Source: Sharma, Wu, Dalal 2005, equations 2 to 22.
    """
    truth_lab = color.lab_from_srgb(unit_range(truth))
    return _ciede2000_under_same_lightness(truth_lab, color.lab_from_srgb(unit_range(predicted)))


def _ciede2000_under_same_lightness(truth_lab: Floats, predicted_lab: Floats) -> Floats:
    return color.ciede2000(truth_lab, np.concatenate([truth_lab[..., :1], predicted_lab[..., 1:]], axis=-1))


def psnr(truth: Picture, predicted: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB over all three 8-bit sRGB channels; equal pictures give infinity.

    Shapes: (H, W, 3) twice. It favours grey: hedging between two plausible colours is the safest guess.
    """
    error = eight_bit(truth).astype(np.float64) - eight_bit(predicted)
    mean_squared = float(np.mean(error**2))
    return float("inf") if mean_squared == 0 else float(10 * np.log10(255**2 / mean_squared))


def ssim(truth: Picture, predicted: Picture) -> float:
    """Return the structural similarity of two pictures: the mean over pixels, then over the three sRGB channels.

    Shapes: (H, W, 3) twice, at least 11 px on each side; smaller ones give NaN. Range: -1..1.
    Window: 11x11 Gaussian, sigma 1.5 px, population covariance, borders of 5 px left out.
    Source: Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment", equation 13.
    """
    x, y = unit_range(truth).astype(np.float64), unit_range(predicted).astype(np.float64)
    if min(x.shape[:2]) <= 2 * SSIM_RADIUS_PX:
        return float("nan")
    mean_x, mean_y = _gaussian_window_mean(x), _gaussian_window_mean(y)
    variance_x = _gaussian_window_mean(x * x) - mean_x**2
    variance_y = _gaussian_window_mean(y * y) - mean_y**2
    covariance = _gaussian_window_mean(x * y) - mean_x * mean_y
    numerator = (2 * mean_x * mean_y + SSIM_C1) * (2 * covariance + SSIM_C2)
    return float(np.mean(numerator / ((mean_x**2 + mean_y**2 + SSIM_C1) * (variance_x + variance_y + SSIM_C2))))


def _gaussian_window_mean(picture: Doubles) -> Doubles:
    """Return the Gaussian-weighted local mean where the window lies inside: (H, W, C) -> (H-10, W-10, C)."""
    offsets = np.arange(-SSIM_RADIUS_PX, SSIM_RADIUS_PX + 1)
    weights = np.exp(-(offsets**2) / (2 * SSIM_SIGMA_PX**2))
    weights /= weights.sum()
    height, width = (n - 2 * SSIM_RADIUS_PX for n in picture.shape[:2])
    rows = sum(weight * picture[k : k + height] for k, weight in enumerate(weights))
    return np.asarray(sum(weight * rows[:, k : k + width] for k, weight in enumerate(weights)))


def luma_codes(picture: Picture) -> npt.NDArray[np.int64]:
    """Return the 8-bit luma of an (H, W, 3) picture, or an (H, W) grey one as it is, as integers 0..255.

    Floats are rounded to 8 bits first, channel by channel.
    """
    codes = eight_bit(picture)
    return luma.luma_codes(codes[..., None] if codes.ndim == 2 else codes).astype(np.int64)


def luma_error(grey: Picture, predicted: Picture) -> float:
    """Return the mean absolute difference of 8-bit luma between the colouriser's input and its output.

    Shapes: (H, W) or (H, W, 3), and (H, W, 3). Unit: 8-bit code values; 0 means that every pixel's luma, rounded to
    8 bits, is the one that went in.
    """
    return float(np.mean(np.abs(luma_codes(grey) - luma_codes(predicted))))


def bleeding(truth: Picture, predicted: Picture) -> tuple[float, float]:
    """Return how much colour changes where the true luma does not: its mean slope there, and its share of all slopes.

    The chroma slope is the Sobel gradient's length over a* and b*. It is averaged over the pixels whose true luma has
    a Sobel gradient under 2 code values per pixel. The second value divides the sum of slopes there by the sum of
    slopes everywhere, so that dull colours do not read as clean ones. A colour that spills over an outline, or a
    blob, raises both; so do noise and real edges of equal luma, hence compare with the truth's own values.

    Shapes: (H, W, 3) twice, at least 3 px on each side. Unit: Lab units per pixel, and 0..1. Where no pixel is flat,
    or nothing has colour, the value is 0.
    Source: own definition.
    """
    return _bleeding_over(_flat_pixels(unit_range(truth)), color.lab_from_srgb(unit_range(predicted)))


def unsupported_color(lab: Floats, other_lab: Floats) -> tuple[float, float]:
    """Return the share of pixels of strong colour, and the share whose strong colour the other picture does not have.

    Strong is a chroma of 25 and more. The other picture supports it where its (a*, b*), projected on the same hue,
    reaches half of that chroma: more of the colour is support too, a grey is none, nor is a hue 60 degrees off. With
    the prediction first, the second share over the first is 1 - precision of strong colours (invented ones: a red
    patch on a jacket); with the truth first, it is 1 - recall (colours left out).

    Shapes: (H, W, 3) Lab twice. Range: 0..1 both, the second at most the first.
    Source: own definition.
    """
    ab, other = lab[..., 1:], other_lab[..., 1:]
    squared = (ab**2).sum(axis=-1)
    strong = squared >= STRONG_CHROMA**2
    unsupported = strong & ((ab * other).sum(axis=-1) < SUPPORT * squared)
    return float(strong.mean()), float(unsupported.mean())


def _flat_pixels(truth: Floats) -> npt.NDArray[np.bool_]:
    """Return where the luma is flat: (H, W, 3) -> (H-2, W-2), empty for a picture under 3 px."""
    return _sobel_length(color.luma(truth)[..., None] * 255) < FLAT_LUMA_GRADIENT


def _bleeding_over(flat: npt.NDArray[np.bool_], predicted_lab: Floats) -> tuple[float, float]:
    slopes = _sobel_length(predicted_lab[..., 1:])
    there, everywhere = float(slopes[flat].sum(dtype=np.float64)), float(slopes.sum(dtype=np.float64))
    # Grey sRGB comes out of Lab with a* and b* of about 1e-3: rounding, not colour.
    share = there / everywhere if everywhere > 1e-2 * slopes.size else 0.0
    return there / max(int(flat.sum()), 1), share


def _sobel_length(planes: Floats) -> Floats:
    """Return the gradient's length per pixel over all planes: (H, W, C) -> (H-2, W-2), in units per pixel."""
    if min(planes.shape[:2]) < 3:
        return np.zeros((0, 0), planes.dtype)
    rows = planes[:-2] + 2 * planes[1:-1] + planes[2:]
    columns = planes[:, :-2] + 2 * planes[:, 1:-1] + planes[:, 2:]
    across, down = (rows[:, 2:] - rows[:, :-2]) / 8, (columns[2:] - columns[:-2]) / 8
    return np.asarray(np.sqrt((across**2 + down**2).sum(axis=-1)))


def relit(truth: Picture, predicted: Picture) -> Floats:
    """Return the predicted a* and b* under the truth's L*, as sRGB clipped to 0..1.

    Shapes: (H, W, 3) twice -> (H, W, 3). Used where the colouriser was given a degraded grey on purpose: what is to be
    measured is its colours, not the degradation.
    """
    return _under_lightness_of(color.lab_from_srgb(unit_range(truth)), color.lab_from_srgb(unit_range(predicted)))


def _under_lightness_of(truth_lab: Floats, predicted_lab: Floats) -> Floats:
    lab = np.concatenate([truth_lab[..., :1], predicted_lab[..., 1:]], axis=-1)
    return np.asarray(np.clip(color.srgb_from_lab(lab), 0, 1))


@dataclass(frozen=True, slots=True)
class Reference:
    """The true picture with what every comparison needs of it, worked out once."""

    rgb: Picture  # (H, W, 3) as given
    lab: Floats  # (H, W, 3)
    flat: npt.NDArray[np.bool_]  # (H-2, W-2)
    scores: dict[str, float]  # its own colourfulness, both variants

    @classmethod
    def of(cls, truth: Picture) -> Reference:
        """Return the reference that a true picture makes; raise ValueError if it is not (H, W, 3)."""
        if truth.ndim != 3 or truth.shape[2] != 3:
            message = f"an (H, W, 3) picture is needed, not {truth.shape}"
            raise ValueError(message)
        rgb = unit_range(truth)
        scores = {
            "truth_colorfulness": color.colorfulness(rgb),
            "truth_colorfulness_absolute": color.colorfulness(rgb, absolute=True),
        }
        return cls(truth, color.lab_from_srgb(rgb), _flat_pixels(rgb), scores)


def score_pair(
    truth: Picture | Reference, predicted: Picture, grey: Picture | None = None, *, relight: bool = False
) -> dict[str, float]:
    """Return every measure of one predicted picture against the truth.

    Args:
        truth: (H, W, 3) sRGB, uint8 or 0..1; or its ``Reference``, which saves time where it is used again.
        predicted: the same size.
        grey: what the colouriser was given, (H, W) or (H, W, 3); by default the truth's luma.
        relight: take PSNR and colourfulness of ``relit(truth, predicted)``; for greys that were degraded on purpose.

    Returns:
        ``ciede2000`` and ``ciede2000_median`` (mean and median over the pixels, shared luma), ``psnr`` (dB),
        ``colorfulness`` (signed) and ``colorfulness_absolute`` of the prediction, the same of the truth as
        ``truth_colorfulness`` and ``truth_colorfulness_absolute``, ``colorfulness_difference`` and
        ``colorfulness_absolute_difference`` (size of the difference of this pair), ``bleeding``, ``bleeding_share``,
        ``strong_color`` and of it ``false_color``, ``truth_strong_color`` and of it ``missed_color`` (shares of the
        picture, see ``unsupported_color``), ``luma_error`` (code values).

    Raises:
        ValueError: if the two pictures differ in size, or are not (H, W, 3).

    Cost: about 0.6 s and 150 MB per megapixel; 0.4 s with a ``Reference``.
    """
    reference = truth if isinstance(truth, Reference) else Reference.of(truth)
    if reference.rgb.shape != predicted.shape:
        message = f"two (H, W, 3) pictures of one size are needed, not {reference.rgb.shape} and {predicted.shape}"
        raise ValueError(message)
    predicted_lab = color.lab_from_srgb(unit_range(predicted))
    differences = _ciede2000_under_same_lightness(reference.lab, predicted_lab)
    slope, share = _bleeding_over(reference.flat, predicted_lab)
    strong, false = unsupported_color(predicted_lab, reference.lab)
    truth_strong, missed = unsupported_color(reference.lab, predicted_lab)
    shown = _under_lightness_of(reference.lab, predicted_lab) if relight else predicted
    scores = {
        "ciede2000": float(differences.mean(dtype=np.float64)),
        "ciede2000_median": float(np.median(differences)),
        "psnr": psnr(reference.rgb, shown),
        "bleeding": slope,
        "bleeding_share": share,
        "strong_color": strong,
        "false_color": false,
        "truth_strong_color": truth_strong,
        "missed_color": missed,
        "luma_error": luma_error(reference.rgb if grey is None else grey, predicted),
        "colorfulness": color.colorfulness(unit_range(shown)),
        "colorfulness_absolute": color.colorfulness(unit_range(shown), absolute=True),
        **reference.scores,
    }
    for name in ("colorfulness", "colorfulness_absolute"):
        scores[f"{name}_difference"] = abs(scores[name] - scores[f"truth_{name}"])
    return scores


# -- Sets of pictures -------------------------------------------------------------------------------------------------


def bootstrap_interval(
    values: Floats,
    statistic: Callable[[Doubles], Doubles] | None = None,
    *,
    resamples: int = 2000,
    seed: int = 0,
    coverage: float = 0.95,
) -> Interval:
    """Return the percentile bootstrap interval of a statistic of a set, by default of its mean.

    Args:
        values: (N,) one number per picture, or (N, K) numbers that belong together and are resampled together.
        statistic: takes (R, N) or (R, N, K) and returns (R,); the mean by default.
        resamples: how many sets of N are drawn with replacement.
        seed: the same seed gives the same interval.
        coverage: the share of resamples between the two ends.

    Source: Efron, Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3.
    """
    table = np.asarray(values, np.float64)
    if len(table) == 0:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(0, len(table), size=(resamples, len(table)))
    results = table[draws].mean(axis=1) if statistic is None else statistic(table[draws])
    low, high = np.quantile(results, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def set_mean_difference(pairs: Doubles) -> Doubles:
    """Return the size of the difference of two means: (..., N, 2) -> (...).

    Of colourfulness this is the figure that is usually published; errors of opposite sign cancel in it, so read it
    beside the mean of the per-picture differences. It is a ``statistic`` for ``bootstrap_interval``.
    """
    return np.asarray(np.abs(pairs[..., 0].mean(axis=-1) - pairs[..., 1].mean(axis=-1)))


def ratio_of_means(pairs: Doubles) -> Doubles:
    """Return the first column's mean over the second's: (..., N, 2) -> (...); NaN where the second is 0."""
    below = pairs[..., 1].mean(axis=-1)
    return np.asarray(np.where(below == 0, np.nan, pairs[..., 0].mean(axis=-1) / np.where(below == 0, 1, below)))


def frechet_distance(features_1: Floats, features_2: Floats) -> float:
    """Return the squared Frechet distance between Gaussians fitted to two sets of features (FID's formula).

    Shapes: (N, D) and (M, D), N and M at least 2. Unit: squared feature units. Biased upwards for small sets, so it
    compares rows of one table, not tables of different sizes.
    Cost: one singular value decomposition of a min(N, D) x min(M, D) matrix, and a QR of each set larger than D.
    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6. The trace of the root of a
    product of covariances A'A and B'B is computed as the sum of the singular values of AB', which needs no matrix root
    and stays real when there are fewer pictures than dimensions.
    """
    mean_1, root_1 = _mean_and_covariance_root(features_1)
    mean_2, root_2 = _mean_and_covariance_root(features_2)
    cross = np.linalg.svd(root_1 @ root_2.T, compute_uv=False).sum()
    distance = ((mean_1 - mean_2) ** 2).sum() + (root_1**2).sum() + (root_2**2).sum() - 2 * cross
    return float(max(distance, 0.0))


def _mean_and_covariance_root(features: Floats) -> tuple[Doubles, Doubles]:
    """Return the mean (D,) and a matrix R (min(N, D), D) with R'R = the sample covariance."""
    table = np.asarray(features, np.float64)
    mean = table.mean(axis=0)
    root = (table - mean) / np.sqrt(len(table) - 1)
    return mean, root if len(root) <= root.shape[1] else np.asarray(np.linalg.qr(root, mode="r"))


def kernel_distance(features_1: Floats, features_2: Floats, *, paired: bool = False) -> float:
    """Return the unbiased squared maximum mean discrepancy with the cubic kernel (KID), over the whole sets.

    Shapes: (N, D) and (M, D), N and M at least 2. Unbiased, so it may be slightly negative for equal distributions.
    ``paired``: row n of both comes from one photograph. Each is then not compared with its own pair, which is nearer to
    it than chance would have it; in a small set such pairs alone push the figure far below zero.
    Source: Binkowski et al. 2018, "Demystifying MMD GANs", section 4: kernel (x.y / D + 1)^3.
    """
    x, y = np.asarray(features_1, np.float64), np.asarray(features_2, np.float64)
    within_x, within_y, across = (_cubic_kernel(a, b) for a, b in ((x, x), (y, y), (x, y)))
    mean_x = (within_x.sum() - np.trace(within_x)) / (len(x) * (len(x) - 1))
    mean_y = (within_y.sum() - np.trace(within_y)) / (len(y) * (len(y) - 1))
    mean_across = (across.sum() - np.trace(across)) / (len(x) * (len(x) - 1)) if paired else across.mean()
    return float(mean_x + mean_y - 2 * mean_across)


def _cubic_kernel(x: Doubles, y: Doubles) -> Doubles:
    return np.asarray((x @ y.T / x.shape[1] + 1) ** 3)


def jackknife_intervals(
    statistic: Callable[[npt.NDArray[np.intp]], Doubles], count: int, *, groups: int = 20, seed: int = 0
) -> list[Interval]:
    """Return 95 % intervals of statistics of a set, such as a Frechet distance, by leaving out a group at a time.

    Args:
        statistic: takes the indices of the photographs to be used and returns (K,) numbers.
        count: how many photographs there are.
        groups: how many disjoint groups are left out in turn.
        seed: the same seed gives the same groups.

    A bootstrap will not do for feature distances: repeated pictures lower the covariance's rank and push them up.
    Cost: ``groups`` + 1 calls of ``statistic``.
    Source: Shao, Wu 1989, "A general theory for jackknife variance estimation" (delete-d, disjoint groups).
    """
    whole = np.atleast_1d(statistic(np.arange(count)))
    groups = min(groups, count // 2)
    if groups < 2:  # no spread can be told from one group
        return [(float("nan"), float("nan"))] * len(whole)
    group_of = np.random.default_rng(seed).permutation(count) % groups
    left_out = np.stack([np.atleast_1d(statistic(np.flatnonzero(group_of != g))) for g in range(groups)])
    half = 1.96 * np.sqrt((groups - 1) / groups * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    return [(float(value - width), float(value + width)) for value, width in zip(whole, half, strict=True)]


# -- Does the confidence tell the error? ------------------------------------------------------------------------------


def pearson(x: Floats, y: Floats) -> float:
    """Return the linear correlation of two (N,) series, -1..1; NaN if one of them is constant."""
    x, y = np.asarray(x, np.float64) - np.mean(x), np.asarray(y, np.float64) - np.mean(y)
    spread = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / spread) if spread > 0 else float("nan")


def spearman(x: Floats, y: Floats) -> float:
    """Return the rank correlation of two (N,) series, -1..1; ties share their mean rank."""
    return pearson(_mean_ranks(x), _mean_ranks(y))


def _mean_ranks(values: Floats) -> Doubles:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(counts)
    return np.asarray((last_rank - (counts - 1) / 2)[inverse], np.float64)


def reliability_curve(confidence: Floats, error: Floats, bins: int = 10) -> list[dict[str, float]]:
    """Return the points of a reliability plot: bins of equal count along the confidence, lowest first.

    Shapes: (N,) and (N,). Each point: ``confidence`` and ``error`` (means in the bin), ``low`` and ``high`` (the
    confidences at its ends) and ``count``. A useful confidence makes the error fall from point to point.
    """
    order = np.argsort(confidence, kind="stable")
    points = []
    for part in np.array_split(order, min(bins, len(order))):
        inside = np.asarray(confidence, np.float64)[part]
        points.append(
            {
                "confidence": float(inside.mean()),
                "error": float(np.mean(error[part], dtype=np.float64)),
                "low": float(inside[0]),
                "high": float(inside[-1]),
                "count": float(len(part)),
            }
        )
    return points
