"""Vividness, warmth and ceiling: colours change as said, luma never."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.color import (
    chroma_from_ab,
    colorfulness,
    lab_from_srgb,
    linear_from_srgb,
    merge_luma_chroma,
    srgb_from_linear,
)
from photochrom.coloring.grading import (
    MOST_LIFTED,
    MOST_SPREAD,
    grade,
    hold_ceiling,
    lift_pale,
    split_vividness,
    spread_chroma,
    warm,
)
from photochrom.coloring.pipeline import colorize_photo
from photochrom.engines.base import FakeEngine
from photochrom.files.photo import Photo
from photochrom.luma import luma_codes
from photochrom.options import ColorizeOptions

GREY = np.full((1, 1), 0.6, np.float32)
PLAIN = FakeEngine().spec


def test_no_warmth_is_no_change() -> None:
    ab = np.random.default_rng(0).normal(0, 30, (2, 5, 6)).astype(np.float32)
    luma = np.linspace(0, 1, 30, dtype=np.float32).reshape(5, 6)
    assert np.allclose(warm(ab, luma, 0.0), ab, atol=2e-4)
    assert grade(ab, luma, ColorizeOptions(chroma_ceiling=None), PLAIN)[0] is ab


def test_warmer_is_yellower_and_cooler_is_bluer_step_by_step() -> None:
    steps = [warm(np.zeros((2, 1, 1), np.float32), GREY, mired)[1, 0, 0] for mired in range(-80, 81, 20)]
    assert all(low < high for low, high in zip(steps, steps[1:], strict=False))
    assert steps[4] == pytest.approx(0, abs=1e-4)


def test_white_under_d50_is_the_published_white() -> None:
    """A shift from D65 to D50 gives what colour science says of D50's white, seen from D65."""
    mired = 1e6 / 5003 - 1e6 / 6504
    a, b = warm(np.zeros((2, 1, 1), np.float32), np.ones((1, 1), np.float32), mired)[:, 0, 0]
    x, z = 0.96422 / 0.95047, 0.82521 / 1.08883  # D50 and D65, CIE 15
    assert a == pytest.approx(500 * (x ** (1 / 3) - 1), abs=0.3)
    assert b == pytest.approx(200 * (1 - z ** (1 / 3)), abs=0.3)


def test_black_stays_black_and_dark_is_tinted_less_than_light() -> None:
    luma = np.array([[0.0, 0.2, 0.9]], np.float32)
    b = warm(np.zeros((2, 1, 3), np.float32), luma, 40)[1, 0]
    assert b[0] < b[1] < b[2]
    black = Photo(np.zeros((8, 8, 1), np.uint8))
    warmed = colorize_photo(black, FakeEngine(ab=(0.0, 0.0)), ColorizeOptions(warmth=60))
    assert (warmed.photo.pixels == 0).all()


def test_warmth_is_that_of_light_scaled_by_daylight() -> None:
    """Compared with scaling XYZ itself, on a colour far from the toe of Lab's curve."""
    rgb = np.array([0.7, 0.55, 0.5])
    lab = lab_from_srgb(rgb)
    grey = srgb_from_linear(((lab[0] + 16) / 116) ** 3)
    ab = warm(lab[1:].reshape(2, 1, 1).astype(np.float32), np.full((1, 1), grey, np.float32), 30)[:, 0, 0]
    white = warm(np.zeros((2, 1, 1), np.float32), np.ones((1, 1), np.float32), 30)[:, 0, 0]
    gains = np.array([(1 + white[0] / 500) ** 3, 1, (1 - white[1] / 200) ** 3])
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = to_xyz @ linear_from_srgb(rgb) / to_xyz.sum(axis=1) * gains
    fx, fy, fz = np.cbrt(xyz)
    assert ab == pytest.approx([500 * (fx - fy), 200 * (fy - fz)], abs=0.05)


@pytest.mark.slow
@given(
    st.integers(0, 2**31), st.floats(-80, 80), st.floats(0, 3), st.sampled_from([np.uint8, np.uint16]), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_luma_is_kept_whatever_is_asked(seed: int, warmth: float, vividness: float, dtype: type, held: bool) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, np.iinfo(dtype).max, (23, 17, 1), dtype=dtype, endpoint=True)
    options = ColorizeOptions(warmth=warmth, vividness=vividness, chroma_ceiling=60.0 if held else None)
    engine = FakeEngine(ab=lambda luma: generator.normal(0, 60, (1, 2, *luma.shape[2:])))
    coloured = colorize_photo(Photo(pixels), engine, options, threads=1).photo.pixels
    assert np.array_equal(luma_codes(coloured), luma_codes(pixels))


def test_the_ceiling_holds_after_warmth_too() -> None:
    ab = np.full((2, 4, 4), 70, np.float32)
    held, notes = grade(ab, np.full((4, 4), 0.5, np.float32), ColorizeOptions(warmth=80, chroma_ceiling=50), PLAIN)
    assert np.hypot(*held).max() == pytest.approx(50, rel=1e-4)
    assert len(notes) == 1
    assert hold_ceiling(ab, None) == (ab, ())


def test_vividness_is_a_gain_above_one_and_caution_below() -> None:
    assert split_vividness(1.0, rebalanced=True) == (0.0, 1.0)
    assert split_vividness(1.4, rebalanced=True) == (0.0, 1.4)
    assert split_vividness(0.0, rebalanced=True) == (1.0, 0.0)
    assert split_vividness(0.25, rebalanced=True) == (0.75, 0.5)
    assert split_vividness(0.25, rebalanced=False) == (0.0, 0.25)


def halves(chroma: float) -> np.ndarray:
    """Return a*, b* of a picture whose halves are yellow and blue."""
    ab = np.zeros((2, 8, 8), np.float32)
    ab[1, :, :4], ab[1, :, 4:] = chroma, -chroma
    return ab


def colourfulness_of(ab: np.ndarray) -> float:
    grey = np.full(ab.shape[1:], 0.5, np.float32)
    return colorfulness(merge_luma_chroma(grey, chroma_from_ab(grey, np.moveaxis(ab, 0, -1))))


def test_pale_pictures_are_taken_halfway_to_what_photographs_are_and_vivid_ones_stay() -> None:
    grey, pale, vivid = np.full((8, 8), 0.5, np.float32), halves(6.0), halves(30.0)
    found = colourfulness_of(pale)
    lifted, notes = lift_pale(pale, grey, 2 * found)
    assert lifted == pytest.approx(pale * 2**0.5)
    assert colourfulness_of(lifted) == pytest.approx(found * 2**0.5, rel=0.05)
    assert notes == ("pale colours strengthened to 141%",)
    assert lift_pale(pale, grey, 100 * found)[0] == pytest.approx(pale * MOST_LIFTED)
    assert lift_pale(vivid, grey, 2 * found) == (vivid, ())
    assert lift_pale(pale, grey, 0.0) == (pale, ())
    assert lift_pale(halves(0.0), grey, 30.0)[1] == (), "no colour, nothing to tell"


def test_a_picture_that_was_asked_to_be_pale_is_not_lifted() -> None:
    grey, ab = np.full((8, 8), 0.5, np.float32), halves(20.0)
    limit = colourfulness_of(ab)
    half = grade(ab, grey, ColorizeOptions(vividness=0.5), PLAIN.model_copy(update={"pale_below": limit}), 0.5)[0]
    assert half == pytest.approx(ab / 2, rel=0.05)


def test_spread_strengthens_vivid_colours_and_keeps_faint_ones_and_hues() -> None:
    ab = np.random.default_rng(1).normal(0, 30, (2, 20, 20)).astype(np.float32)
    ab[:, 0, :3] = [[15.0, 0.0, 3.0], [20.0, 0.0, 4.0]]
    spread = spread_chroma(ab, 0.5)
    before, after = np.hypot(*ab), np.hypot(*spread)
    np.testing.assert_array_equal(spread[:, before < 15], ab[:, before < 15])
    assert after[0, 0] == pytest.approx(25 * (25 / 15) ** 0.5)
    assert (np.diff(after.ravel()[np.argsort(before.ravel())]) >= -1e-4).all(), "no colour overtakes another"
    np.testing.assert_allclose((ab * spread).sum(axis=0), before * after, rtol=1e-4, err_msg="hues stay")
    assert after.max() <= before.max() * MOST_SPREAD + 1e-3
    assert spread_chroma(ab, 0.0) is ab


def test_a_models_spread_and_gain_are_applied_whatever_vividness_asks_for() -> None:
    grey, ab = np.full((8, 8), 0.5, np.float32), halves(20.0)
    spec = PLAIN.model_copy(update={"chroma_spread": 0.5, "gain": 0.9})
    graded = grade(ab, grey, ColorizeOptions(chroma_ceiling=None), spec, 0.5)[0]
    assert graded == pytest.approx(ab * (20 / 15) ** 0.5 * 0.45, rel=1e-5)
