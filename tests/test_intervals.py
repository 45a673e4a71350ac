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


def test_many_pictures_take_no_more_memory_and_change_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.metrics import sets

    draw = np.random.default_rng(11)
    pairs, x, y = draw.uniform(1, 2, (37, 2)), draw.normal(size=(37, 5)), draw.normal(0.2, 1, (37, 5))

    def figures() -> list[float]:
        return [
            *metrics.bootstrap_interval(pairs[:, 0]),
            *metrics.bootstrap_interval(pairs, metrics.ratio_of_means),
            metrics.kernel_distance(x, y),
            metrics.kernel_distance(x, y, paired=True),
        ]

    whole = figures()
    kernel = (x @ y.T / 5 + 1) ** 3
    own = [((z @ z.T / 5 + 1) ** 3) for z in (x, y)]
    within = sum((k.sum() - np.trace(k)) / (37 * 36) for k in own)
    assert whole[-2:] == pytest.approx(
        [within - 2 * kernel.mean(), within - 2 * (kernel.sum() - np.trace(kernel)) / (37 * 36)]
    )
    monkeypatch.setattr(sets, "NUMBERS_AT_ONCE", 200)
    assert figures() == pytest.approx(whole, rel=1e-12)
