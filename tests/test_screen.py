"""The dots of printed pictures: found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from photochrom.color import luma
from photochrom.luma import normalize_tone, show_clearly, shrink_luma
from photochrom.screen import has_screen, smooth_screen
from tests.printing import printed


def copy_of(name: str) -> np.ndarray:
    """The net's copy of one of scikit-image's samples, 224 px high and wide."""
    pixels = getattr(data, name)()
    grey = pixels if pixels.ndim == 2 else np.rint(luma(pixels[..., :3] / 255) * 255).astype(np.uint8)
    return shrink_luma(grey[..., None], 224, 224, 4).net


@pytest.mark.parametrize("period_px", [2.2, 2.6, 3.1])
@pytest.mark.parametrize("name", ["camera", "coins", "astronaut"])
def test_a_printed_picture_is_shown_without_its_dots_and_says_so(name: str, period_px: float) -> None:
    clean = copy_of(name)
    seen = printed(clean, 0.5, period_px)
    smooth, notes = show_clearly(seen)
    assert "printed" in notes[-1]
    assert not has_screen(smooth)
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(np.diff(smooth[inside])).mean() < 0.5 * np.abs(np.diff(seen[inside])).mean()
    assert np.abs(smooth - seen).mean() < 0.15
    assert smooth.shape == seen.shape
    assert smooth.dtype == np.float32


@pytest.mark.parametrize("name", ["camera", "coins", "astronaut", "brick", "grass", "gravel", "page", "text", "moon"])
def test_what_is_no_screen_stays_as_it_is(name: str) -> None:
    clean = copy_of(name)
    noisy = np.clip(clean + np.random.default_rng(1).normal(0, 0.06, clean.shape), 0, 1).astype(np.float32)
    for plane in (clean, noisy):
        smooth, notes = smooth_screen(plane)
        assert smooth is plane
        assert notes == ()


@pytest.mark.parametrize("wave", ["one direction", "uneven", "slow", "faint"])
def test_only_two_like_waves_at_a_right_angle_are_a_screen(wave: str) -> None:
    y, x = np.mgrid[:160, :200]
    quick = 2 * np.pi / (14 if wave == "slow" else 3)
    first, second = np.cos(quick * x), np.cos(quick * y * (1.2 if wave == "uneven" else 1))
    dots = {"one direction": first}.get(wave, first + second) * (0.001 if wave == "faint" else 0.1)
    noise = np.random.default_rng(2).normal(0, 0.005, x.shape)
    assert not has_screen((0.5 + dots + noise).astype(np.float32))
    both = 0.1 * (np.cos(2 * np.pi / 3 * x) + np.cos(2 * np.pi / 3 * y))
    assert has_screen((0.5 + both + noise).astype(np.float32))


@pytest.mark.parametrize("size", [(1, 1), (127, 300), (128, 128)])
def test_any_size_is_looked_at(size: tuple[int, int]) -> None:
    plane = printed(np.full(size, 0.5, np.float32), 1.0)
    assert has_screen(plane) == (min(size) >= 128)
    assert smooth_screen(plane)[0].shape == size
    assert normalize_tone(plane)[0].shape == size
