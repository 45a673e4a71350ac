"""Photographs as scans hold them: the right way round, and nothing gives a negative away but what is shown."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from photochrom.degradation import scans
from photochrom.degradation.scans import scan, treated

PICTURE = np.ascontiguousarray(data.astronaut()[::6, ::6])
LUMA = (PICTURE @ np.array([0.299, 0.587, 0.114]) / 255).astype(np.float32)
STEPS = [scans.bend, scans.set_levels, scans.lay_border, scans.lay_dust]


def test_a_scan_is_a_picture_of_the_same_size_and_follows_its_seed() -> None:
    made = [scan(PICTURE, np.random.default_rng(seed)) for seed in (*range(20), 0)]
    assert {plane.shape for plane in made} == {PICTURE.shape[:2]}
    assert {plane.dtype for plane in made} == {np.dtype(np.float32)}
    assert min(plane.min() for plane in made) >= 0
    assert max(plane.max() for plane in made) <= 1
    np.testing.assert_array_equal(made[0], made[-1])
    assert not np.array_equal(made[0], made[1])


def test_photographs_come_the_right_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    for chance in ("UNTELLABLE", "TURNED", "SQUEEZED"):
        monkeypatch.setattr(scans, chance, 0.0)
    alike = [np.corrcoef(scan(PICTURE, np.random.default_rng(seed)).ravel(), LUMA.ravel())[0, 1] for seed in range(80)]
    assert np.mean(np.array(alike) > 0) > 0.95
    assert np.median(alike) > 0.6


def test_what_has_no_right_way_comes_either_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "UNTELLABLE", 1.0)
    monkeypatch.setattr(scans, "draw_clouds", scans.draw_page)
    monkeypatch.setattr(scans, "draw_sketch", scans.draw_page)
    light = [np.median(scan(PICTURE, np.random.default_rng(seed))) > 0.5 for seed in range(120)]
    assert 0.3 < np.mean(light) < 0.7


@pytest.mark.parametrize("step", STEPS)
def test_each_step_keeps_most_of_the_picture_and_its_direction(step: scans.Step) -> None:
    for seed in range(25):
        after = np.clip(step(LUMA, np.random.default_rng(seed)), 0, 1)
        assert after.shape == LUMA.shape
        middle = (slice(24, -24), slice(24, -24))
        assert np.corrcoef(after[middle].ravel(), LUMA[middle].ravel())[0, 1] > 0.5


def test_curves_rise_from_black_to_white() -> None:
    ramp = np.linspace(0, 1, 200, dtype=np.float32)[None]
    for seed in range(40):
        bent = scans.bend(ramp, np.random.default_rng(seed))[0]
        assert (np.diff(bent) >= -1e-6).all()
        np.testing.assert_allclose(bent[[0, -1]], [0, 1], atol=1e-5)


def test_a_negative_has_the_positives_treatment() -> None:
    one, other = (treated(plane, np.random.default_rng(4)) for plane in (LUMA, 1 - LUMA))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] < 0


@pytest.mark.parametrize("draw", [scans.draw_page, scans.draw_sketch, scans.draw_clouds])
def test_pages_drawings_and_clouds_are_pictures(draw: scans.Step) -> None:
    for seed in range(5):
        plane = draw(LUMA, np.random.default_rng(seed))
        assert plane.shape == LUMA.shape
        assert 0 <= plane.min() < plane.max() <= 1
