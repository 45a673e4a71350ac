"""Matrices, ranges, depths, and chroma laid under a luma plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color as reference

from photochrom.color import chroma_from_ab
from photochrom.film.chroma import GuidedChroma, chroma_codes, covered_luma
from photochrom.film.matrices import WEIGHTS, Codes, Matrix, guess_matrix
from photochrom.film.planes import Layout, deepened, layout_of

TAGS = sorted(WEIGHTS)


@pytest.mark.parametrize("tag", TAGS)
def test_rgb_and_back_is_the_identity(tag: int) -> None:
    rgb = np.random.default_rng(0).uniform(0, 1, (500, 3)).astype(np.float32)
    matrix = Matrix.of_tag(tag)
    assert np.allclose(matrix.rgb(matrix.luma(rgb), matrix.chroma(rgb)), rgb, atol=1e-5)


def test_bt601_agrees_with_an_independent_library() -> None:
    rgb = np.random.default_rng(0).uniform(0, 1, (1, 500, 3)).astype(np.float32)
    want = reference.rgb2ycbcr(rgb)
    matrix, codes = Matrix.of_tag(6), Codes(8)
    luma = matrix.luma(rgb) * codes.span + codes.black
    chroma = matrix.chroma(rgb) * codes.chroma_span + codes.neutral
    assert np.allclose(np.concatenate([luma[..., None], chroma], axis=-1), want, atol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("tag", TAGS)
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_headroom_is_the_largest_that_fits_every_luma_between(tag: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    chroma = random.uniform(-0.5, 0.5, (40, 2)).astype(np.float32)
    dark, bright = np.sort(random.uniform(-0.1, 1.1, (2, 40)).astype(np.float32), axis=0)
    matrix = Matrix.of_tag(tag)
    keep = matrix.headroom(chroma, dark, bright)
    low, high = np.clip(dark, 0, 1), np.clip(bright, 0, 1)
    for luma in (low, high):
        rgb = matrix.rgb(luma, chroma * keep[:, None])
        assert rgb.min() >= -1e-5
        assert rgb.max() <= 1 + 1e-5
    more = chroma * np.minimum(keep * 1.01 + 1e-3, 1)[:, None]
    both = np.stack([matrix.rgb(low, more), matrix.rgb(high, more)])
    outside = (both.min(axis=(0, 2)) < 0) | (both.max(axis=(0, 2)) > 1)
    assert np.all(outside | (keep == 1))


def test_colours_from_lab_agree_with_the_photographs_where_the_matrix_is_theirs() -> None:
    random = np.random.default_rng(0)
    luma = random.uniform(0.1, 0.9, (12, 12)).astype(np.float32)
    ab = random.uniform(-30, 30, (12, 12, 2)).astype(np.float32)
    assert np.allclose(Matrix.of_tag(6).chroma_from_ab(luma, ab), chroma_from_ab(luma, ab), atol=2e-3)


def test_high_definition_is_taken_for_bt709() -> None:
    assert [guess_matrix(*size) for size in ((720, 576), (640, 480), (1280, 720), (1920, 800))] == [6, 6, 1, 1]


@pytest.mark.parametrize(("bits", "full"), [(8, False), (10, False), (8, True), (16, True)])
def test_deeper_luma_comes_back_by_rounding(bits: int, full: bool) -> None:
    source, target = Codes(bits, full), Codes(16 if bits == 16 else bits + 2, full)
    luma = np.arange(1 << bits).reshape(1, -1).astype(source.dtype)
    deep = deepened(luma, source, target)
    assert np.array_equal(deepened(deep, target, source), luma)
    assert np.allclose(source.luma(luma), target.luma(deep), atol=1e-3 if full else 1e-6)


@pytest.mark.parametrize(
    ("name", "sampling", "bits", "full", "unpacked"),
    [
        ("yuv420p", "420", 8, False, ""),
        ("yuvj422p", "422", 8, True, ""),
        ("yuv444p12le", "444", 12, False, ""),
        ("yuv420p10be", "420", 10, False, "yuv420p10le"),
        ("nv12", "420", 8, False, "yuv420p"),
        ("p010le", "420", 10, False, "yuv420p10le"),
        ("uyvy422", "422", 8, False, "yuv422p"),
        ("gray", "400", 8, True, ""),
        ("gray10le", "400", 10, True, ""),
        ("rgb24", "400", 8, True, "rgb24"),
        ("gbrp10le", "400", 16, True, "rgb48le"),
        ("pal8", "400", 8, True, "rgb24"),
    ],
)
def test_pixel_formats_are_told_apart(name: str, sampling: str, bits: int, full: bool, unpacked: str) -> None:
    layout = layout_of(name, full_range=False, where="film")
    assert (layout.sampling, layout.codes.bits, layout.codes.full, layout.unpacked) == (sampling, bits, full, unpacked)


@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (2, 2)])
def test_each_chroma_sample_knows_the_luma_it_covers(across: int, down: int) -> None:
    luma = np.random.default_rng(1).integers(0, 255, (7, 9)).astype(np.uint8)
    mean, dark, bright = covered_luma(luma, across, down)
    block = luma[down : 2 * down, across : 2 * across]
    assert mean[1, 1] == pytest.approx(block.mean())
    assert (dark[1, 1], bright[1, 1]) == (block.min(), block.max())
    assert dark.shape == (-(-7 // down), -(-9 // across))


def test_chroma_follows_the_lumas_edges() -> None:
    luma = np.full((64, 64), 60, np.uint8)
    luma[:, 35:] = 190  # an edge between two places of the grid
    grid = luma.reshape(16, 4, 16, 4).mean(axis=(1, 3)).astype(np.float32)
    truth = np.where(luma < 100, 0.1, -0.1).astype(np.float32)
    coarse = truth.reshape(16, 4, 16, 4).mean(axis=(1, 3)).astype(np.float32)
    codes, matrix = Codes(8, full=True), Matrix.of_tag(6)
    guided = GuidedChroma.fit(np.dstack([coarse, coarse]), codes.luma(grid))
    got = codes.chroma(chroma_codes(luma, guided, matrix, codes, Layout("444", codes)))[..., 0]
    plain = np.repeat(np.repeat(coarse, 4, 0), 4, 1)
    assert np.abs(got - truth).mean() < 0.6 * np.abs(plain - truth).mean()
