"""From records to the table: each column's value and its 95 % interval, for each row in each view."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom import metrics
from photochrom.evaluation.columns import COLUMNS
from photochrom.evaluation.contestants import CLEAN_VIEWS, NATIVE
from photochrom.evaluation.measuring import Measurements, Record

Doubles = npt.NDArray[np.float64]
Estimate = dict[str, float | None]  # value, low, high; None where it could not be measured
RESAMPLES = 1000
JACKKNIFE_GROUPS = 10


def summarize(
    found: Measurements, views: Iterable[str], rows: Iterable[str]
) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Return view -> row -> column -> {value, low, high}, with None where something could not be measured."""
    rows = list(rows)
    table: dict[str, dict[str, dict[str, Estimate]]] = {}
    for view in views:
        present = [row for row in rows if found.of(row, view)]
        table[view] = {row: _summarize_row(found, row, view) for row in present}
    return table


def _summarize_row(found: Measurements, row: str, view: str) -> dict[str, Estimate]:
    records = found.of(row, view)
    columns = {column.key: mean_of(_scores(records, column.key)) for column in COLUMNS if column.is_mean}
    columns["ciede2000_median"] = _estimate(_scores(records, "ciede2000"), lambda x: np.median(x, axis=-1))
    columns |= _against_others(found, row, view, records)
    for name in ("colorfulness", "colorfulness_absolute"):
        pairs = np.stack([_scores(records, name), _scores(records, f"truth_{name}")], -1)
        columns[f"{name}_set_difference"] = _estimate(pairs, metrics.set_mean_difference)
        if name == "colorfulness":
            columns["colorfulness_vs_truth"] = _estimate(pairs, metrics.ratio_of_means)
    for part, whole in (("false_color", "strong_color"), ("missed_color", "truth_strong_color")):
        pairs = np.stack([_scores(records, part), _scores(records, whole)], -1)
        columns[part] = _estimate(pairs, metrics.ratio_of_means)
    columns |= _of_features(found, row, view)
    seconds = np.array([record.seconds for record in records])
    megapixels = np.array([record.width * record.height / 1e6 for record in records])
    columns["seconds"] = mean_of(seconds)
    columns["seconds_per_megapixel"] = _estimate(np.stack([seconds, megapixels], -1), metrics.ratio_of_means)
    return columns


def _against_others(found: Measurements, row: str, view: str, records: list[Record]) -> dict[str, Estimate]:
    """Return the change of the mean CIEDE2000 against the grey prediction, and of stress against undegraded greys."""
    own, columns = _scores(records, "ciede2000"), {}
    for key, others in (
        ("ciede2000_vs_grey", found.of("grey", view) or found.of("grey", NATIVE)),
        ("ciede2000_vs_clean", found.of(row, NATIVE) if view not in CLEAN_VIEWS else []),
    ):
        if others:
            pairs = np.stack([own, _scores(others, "ciede2000")], -1)
            columns[key] = _estimate(pairs, lambda x: metrics.ratio_of_means(x) - 1)
    return columns


def _of_features(found: Measurements, row: str, view: str) -> dict[str, Estimate]:
    """Return the distances to the truth's features, and how often the classifier is right."""
    if (row, view) not in found.features:
        return {}
    own, truth, grey = (np.stack(found.features[name, view]) for name in (row, "truth", "grey"))
    classes, true_classes = (np.array(found.predicted_classes[name, view]) for name in (row, "truth"))
    columns = {"same_class": mean_of((classes == true_classes).astype(np.float64))}
    labelled = [i for i, label in enumerate(found.labels) if label is not None]
    if labelled:
        labels = np.array([found.labels[i] for i in labelled])
        columns["top_1"] = mean_of((classes[labelled] == labels).astype(np.float64))
    if len(own) > 1:
        columns |= _distances(own, truth, grey)
    return columns


def _distances(
    own: npt.NDArray[np.float32], truth: npt.NDArray[np.float32], grey: npt.NDArray[np.float32]
) -> dict[str, Estimate]:
    def statistic(kept: npt.NDArray[np.intp]) -> Doubles:
        distance = metrics.frechet_distance(own[kept], truth[kept])
        of_grey = metrics.frechet_distance(grey[kept], truth[kept])
        kernel = 1000 * metrics.kernel_distance(own[kept], truth[kept], paired=True)
        return np.array([distance, distance / of_grey if of_grey else math.nan, kernel])

    intervals = metrics.jackknife_intervals(statistic, len(own), groups=JACKKNIFE_GROUPS)
    values = statistic(np.arange(len(own)))
    keys = ("feature_distance", "feature_distance_vs_grey", "kernel_distance")
    return {key: _known(float(value), between) for key, value, between in zip(keys, values, intervals, strict=True)}


def _scores(records: list[Record], key: str) -> Doubles:
    return np.array([record.scores[key] for record in records])


def mean_of(values: Doubles) -> Estimate:
    """Return the mean of (N,) numbers, one per photograph, and its interval."""
    return _estimate(values, lambda x: x.mean(axis=-1))


def _estimate(values: Doubles, statistic: Callable[[Doubles], Doubles]) -> Estimate:
    if not np.isfinite(values).all():  # the truth's PSNR is infinite; yardsticks have no seconds
        return _known(math.nan)
    return _known(float(statistic(values)), metrics.bootstrap_interval(values, statistic, resamples=RESAMPLES))


def _known(value: float, interval: tuple[float, float] = (math.nan, math.nan)) -> Estimate:
    """Return an estimate with None for what is not a finite number: NaN has no place in a file."""
    return {
        name: float(number) if math.isfinite(number) else None
        for name, number in zip(("value", "low", "high"), (value, *interval), strict=True)
    }


def summarize_reliability(found: Measurements) -> dict[str, dict[str, Any]]:
    """Return, for each row that offers a confidence, how well it tells the real error.

    Correlations are between *uncertainty*, 1 - confidence, and CIEDE2000: positive is useful, 1 is perfect.
    ``pixels_*`` pool the sampled cells of all photographs; ``within_picture`` is the mean rank correlation inside one
    photograph; ``between_pictures`` is that of their mean uncertainties and errors.
    """
    return {row: _reliability(samples) for row, samples in found.confidence.items()}


def _reliability(samples: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]) -> dict[str, Any]:
    confidence, error = (np.concatenate([sample[k] for sample in samples]) for k in range(2))
    within = np.array([metrics.spearman(-c, e) for c, e in samples])
    within = within[np.isfinite(within)]
    means = np.array([[c.mean(), e.mean()] for c, e in samples])
    return {
        "cells": len(confidence),
        "pixels_pearson": _known(metrics.pearson(-confidence, error))["value"],
        "pixels_spearman": _known(metrics.spearman(-confidence, error))["value"],
        "within_picture": mean_of(within) if len(within) else _known(math.nan),
        "between_pictures": _known(metrics.spearman(-means[:, 0], means[:, 1]))["value"],
        "curve": metrics.reliability_curve(confidence, error),
    }
