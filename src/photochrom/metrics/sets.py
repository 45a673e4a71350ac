"""Measures of sets of pictures: how sure a mean is, how far two sets of features lie apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from photochrom.metrics.codes import Doubles, Floats

Interval = tuple[float, float]
NUMBERS_AT_ONCE = 4_000_000  # that are in memory, of resamples and of kernels, however many pictures there are

# Student's t for 95 % by degrees of freedom, 1 to 19: what 1.96 is for a spread that is itself told by few numbers.
STUDENT_95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093),
)


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

    Returns:
        The two ends; NaN for fewer than two pictures, which tell no spread. With few pictures it is too narrow: of 100
        intervals of a mean over 5, 10 and 20 about 80, 90 and 92 hold it where 95 should.

    Source: Efron, Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3.
    """
    table = np.asarray(values, np.float64)
    if len(table) < 2:
        return float("nan"), float("nan")
    draw, at_once = np.random.default_rng(seed), max(1, NUMBERS_AT_ONCE // table.size)
    results = np.concatenate(
        [
            (_mean if statistic is None else statistic)(
                table[draw.integers(0, len(table), size=(min(at_once, resamples - done), len(table)))]
            )
            for done in range(0, resamples, at_once)
        ]
    )
    low, high = np.quantile(results, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def _mean(values: Doubles) -> Doubles:
    return np.asarray(values.mean(axis=1))


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
    Cost: N x M products of D numbers, in bounded memory.
    Source: Binkowski et al. 2018, "Demystifying MMD GANs", section 4: kernel (x.y / D + 1)^3.
    """
    x, y = np.asarray(features_1, np.float64), np.asarray(features_2, np.float64)
    across = _mean_kernel(x, y, paired=paired)
    return _mean_kernel(x, x, paired=True) + _mean_kernel(y, y, paired=True) - 2 * across


def _mean_kernel(x: Doubles, y: Doubles, *, paired: bool) -> float:
    """Return the mean cubic kernel of each row of x with each of y; ``paired``: but for those of one number."""
    rows = max(1, NUMBERS_AT_ONCE // len(y))
    total = sum(float(((x[k : k + rows] @ y.T / x.shape[1] + 1) ** 3).sum()) for k in range(0, len(x), rows))
    if not paired:
        return total / (len(x) * len(y))
    own = float((((x * y).sum(axis=1) / x.shape[1] + 1) ** 3).sum())
    return (total - own) / (len(x) * (len(x) - 1))


def jackknife_intervals(
    statistic: Callable[[npt.NDArray[np.intp]], Doubles], count: int, *, groups: int = 20, seed: int = 0
) -> list[Interval]:
    """Return 95 % intervals of statistics of a set, such as a Frechet distance, by leaving out a group at a time.

    Args:
        statistic: takes the indices of the photographs to be used and returns (K,) numbers.
        count: how many photographs there are.
        groups: how many disjoint groups are left out in turn.
        seed: the same seed gives the same groups.

    The spread is told by as few numbers as there are groups, so the interval is Student's, not the normal one.
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
    variance = (groups - 1) / groups * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    half = _student_95(groups - 1) * np.sqrt(variance)
    return [(float(value - width), float(value + width)) for value, width in zip(whole, half, strict=True)]


def _student_95(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, to 0.001; beyond the table by its expansion about the normal one's."""
    return STUDENT_95[freedom - 1] if freedom <= len(STUDENT_95) else 1.95996 + 2.3723 / freedom + 2.823 / freedom**2
