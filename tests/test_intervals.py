"""Intervals hold what they are about as often as they say, and one picture tells none."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom import metrics


def test_one_picture_tells_no_interval() -> None:
    assert np.isnan(metrics.bootstrap_interval(np.array([5.0]))).all()
    assert np.isnan(metrics.bootstrap_interval(np.zeros((1, 2)), metrics.ratio_of_means)).all()


@pytest.mark.parametrize("count", [4, 10, 60])
def test_jackknife_intervals_hold_the_mean_as_often_as_they_say(count: int) -> None:
    draw, held = np.random.default_rng(8), []
    for _ in range(300):
        values = draw.normal(size=count)
        ((low, high),) = metrics.jackknife_intervals(lambda kept, v=values: v[kept].mean()[None], count, groups=10)
        held.append(low <= 0 <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.035)


def test_students_quantiles_are_scipys() -> None:
    from scipy import stats

    from photochrom.metrics.sets import _student_95

    for freedom in (*range(1, 40), 100, 1000):
        assert _student_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-3)
