"""Does the confidence tell the error? Correlations, and the points of a reliability plot."""

from __future__ import annotations

import numpy as np

from photochrom.metrics.codes import Doubles, Floats


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
