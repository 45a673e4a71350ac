from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.resample import GuidedUpsampler, block_mean, box_mean, pad_to_multiple, render_size, resize

SIDES = st.integers(1, 60_000)


@given(SIDES, SIDES, st.sampled_from([64, 256, 512]))
def test_the_render_size_is_bounded_and_fits_the_grid(width: int, height: int, short_px: int) -> None:
    w, h = render_size(width, height, short_px, multiple=32, stride=2)
    padded = (w + -w % 32) * (h + -h % 32)
    assert w % 2 == h % 2 == 0
    assert padded <= 4 * short_px**2 + 32 * (w + h) + 32 * 32  # the area, and at most one border of padding
    assert max(w / width, h / height) <= 2 or min(w, h) == 2


@given(st.integers(200, 5000), st.integers(200, 5000))
def test_ordinary_photographs_keep_their_aspect_ratio_and_short_side(width: int, height: int) -> None:
    w, h = render_size(width, height, 256, multiple=32, stride=2)
    if max(width, height) <= 4 * min(width, height) and min(width, height) >= 256:
        assert min(w, h) == 256
    assert abs(w / h - width / height) <= (width / height) * 2 / min(w, h)


@given(st.integers(1, 70), st.integers(1, 70))
def test_padding_reflects_even_when_the_picture_is_smaller_than_the_border(height: int, width: int) -> None:
    plane = np.arange(height * width, dtype=np.float32).reshape(height, width)
    padded = pad_to_multiple(plane, 32)
    assert padded.shape == (height + -height % 32, width + -width % 32)
    assert (padded[:height, :width] == plane).all()
    if padded.shape[0] > height > 1:
        assert (padded[height, :width] == plane[-2]).all()


def test_resizing_keeps_the_mean_and_does_not_alias() -> None:
    stripes = np.zeros((120, 120), dtype=np.float32)
    stripes[:, ::2] = 1
    small = resize(stripes, 30, 30)
    assert np.abs(small[2:-2, 2:-2] - 0.5).max() < 0.02  # nearest or plain bilinear would give black or white


def test_resizing_part_of_a_plane_takes_just_that_part() -> None:
    plane = np.random.default_rng(0).random((8, 9), dtype=np.float32)
    assert np.array_equal(resize(plane, 5, 8, extent=(5, 8)), plane[:, :5])


@pytest.mark.parametrize("radius", [1, 2, 3, 9])  # those of small windows are added up, others are running sums
def test_box_means_agree_with_a_plain_loop(radius: int) -> None:
    plane = np.random.default_rng(0).random((2, 7, 5))
    expected = np.empty_like(plane)
    for y in range(7):
        for x in range(5):
            window = plane[:, max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            expected[:, y, x] = window.mean(axis=(1, 2))
    assert np.allclose(box_mean(plane, radius), expected)
    assert np.allclose(box_mean(plane[:, :1, :1], radius), plane[:, :1, :1])


def half_and_half(side: int, place: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the luma and the chroma of a picture that is dark red left and bright blue right of a place."""
    right = np.arange(side) >= place * side
    luma = np.broadcast_to(np.where(right, 0.8, 0.3).astype(np.float32), (side, side))
    chroma = np.stack([np.where(right, 0.2, -0.1), np.where(right, -0.1, 0.25)], axis=-1)
    return np.ascontiguousarray(luma), np.broadcast_to(chroma, (side, side, 2)).astype(np.float32)


def cells(plane: np.ndarray, count: int) -> np.ndarray:
    return block_mean(np.ascontiguousarray(plane), plane.shape[0] // count)


def bilinear(plane: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(plane).resize((side, side), Image.Resampling.BILINEAR))


@pytest.mark.slow
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.integers(0, 1000))
def test_constant_chroma_stays_constant_under_any_luma(cb: float, cr: float, seed: int) -> None:
    luma = np.random.default_rng(seed).random((40, 56), dtype=np.float32)
    grid = block_mean(luma, 8)
    constant = np.broadcast_to(np.array([cb, cr], dtype=np.float32), (5, 7, 2))
    upsampled = GuidedUpsampler.fit(constant, grid, 56, 40).rows(0, luma)
    assert np.allclose(upsampled, [cb, cr], atol=1e-4)


@pytest.mark.parametrize(("place", "share"), [(0.43, 0.15), (0.40, 0.40)], ids=["inside a cell", "between cells"])
def test_a_colour_edge_on_a_luma_edge_is_much_sharper_than_bilinear(place: float, share: float) -> None:
    side, count = 160, 20
    luma, chroma = half_and_half(side, place)
    small = np.stack([cells(chroma[..., k], count) for k in range(2)], axis=-1)
    guided = GuidedUpsampler.fit(small, cells(luma, count), side, side).rows(0, luma)
    plain = np.stack([bilinear(small[..., k], side) for k in range(2)], axis=-1)
    assert np.abs(guided - chroma).mean() < share * np.abs(plain - chroma).mean()


def test_colour_does_not_bleed_beyond_the_cells_at_the_edge_and_leaves_no_halo() -> None:
    side, count = 160, 20
    luma, chroma = half_and_half(side, 0.43)
    small = np.stack([cells(chroma[..., k], count) for k in range(2)], axis=-1)
    guided = GuidedUpsampler.fit(small, cells(luma, count), side, side).rows(0, luma)
    assert guided.max() <= chroma.max() + 0.01
    assert guided.min() >= chroma.min() - 0.01


def test_grain_does_not_become_colour_noise() -> None:
    generator = np.random.default_rng(1)
    side, count = 240, 30
    clean = np.full((side, side), 0.5, dtype=np.float32)
    grainy = np.clip(clean + generator.normal(0, 0.06, clean.shape), 0, 1).astype(np.float32)
    blotchy = generator.normal(0.05, 0.02, (count, count, 2)).astype(np.float32)  # an undecided net
    guided = GuidedUpsampler.fit(blotchy, cells(grainy, count), side, side).rows(0, grainy)
    noise = guided[:, 1:] - guided[:, :-1]
    assert noise.std() < 0.5 * 0.06  # chroma moves far less than the luma that guides it


@pytest.mark.slow
@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(0, 1000))
def test_strips_are_identical_to_the_whole(heights: list[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    luma = generator.random((sum(heights), 33), dtype=np.float32)
    chroma = generator.normal(0, 0.1, (4, 6, 2)).astype(np.float32)
    upsampler = GuidedUpsampler.fit(chroma, generator.random((4, 6), dtype=np.float32), 33, sum(heights))
    whole = upsampler.rows(0, luma)
    tops = np.cumsum([0, *heights])
    pieces = [upsampler.rows(top, luma[top:bottom]) for top, bottom in zip(tops[:-1], tops[1:], strict=True)]
    assert np.array_equal(np.concatenate(pieces), whole)
