"""Tiles leave no seams: what a net of limited reach gives in tiles is what it gives in one piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.engines.restoration import OnnxStage
from photochrom.restoration import noise
from photochrom.restoration.planes import enlarged_rows, reduced, rgb_planes, tile_planes
from photochrom.restoration.tiling import Grid, Tile, blended_rows

SMALL = Grid(side=64, overlap=32, margin=8)


def together(width: int, height: int, grid: Grid, run: object) -> np.ndarray:
    out = np.full((3, height, width), np.nan, np.float32)
    for top, rows in blended_rows(width, height, 3, grid, run):  # type: ignore[arg-type]
        out[:, top : top + rows.shape[1]] = rows
    return out


@settings(deadline=None)
@given(st.integers(1, 400), st.sampled_from([SMALL, Grid(96, 32, 0), noise.GRID]))
def test_weights_of_all_tiles_add_up_to_one(length: int, grid: Grid) -> None:
    total = np.zeros(length)
    for start in grid.starts(length):
        weights = grid.weights(start, length)
        total[start : start + len(weights)] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 200), st.integers(1, 200))
def test_an_identity_gives_the_picture_back(width: int, height: int) -> None:
    picture = np.random.default_rng(width * 1000 + height).random((3, height, width), np.float32)
    out = together(width, height, SMALL, lambda tile: picture[:, tile.window[0], tile.window[1]])
    np.testing.assert_allclose(out, picture, atol=1e-6)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (65, 64), (200, 131), (97, 300), (33, 500)])
def test_tiles_equal_the_whole_for_a_net_of_limited_reach(
    width: int, height: int, stages: dict[str, OnnxStage]
) -> None:
    picture = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
    whole = stages["noise"].run(tile_planes(picture, Tile(0, height, 0, width), 16))["restored"][0][:, :height, :width]
    tiled = together(
        width,
        height,
        SMALL,
        lambda tile: stages["noise"].run(tile_planes(picture, tile, 16))["restored"][0][
            :, : tile.bottom - tile.top, : tile.right - tile.left
        ],
    )
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_a_gradient_stays_a_gradient(stages: dict[str, OnnxStage]) -> None:
    columns = np.broadcast_to(np.linspace(0, 65535, 700), (90, 700))[..., None].astype(np.uint16)
    out = columns.copy()
    noise.apply(out, stages["noise"], 1.0, SMALL)
    inner = out[8:-8, 8:-8, 0].astype(int)
    assert np.abs(inner - columns[8:-8, 8:-8, 0]).max() <= 1  # a mean changes no straight line, and seams would
    assert np.ptp(inner, axis=0).max() == 0


def test_rows_may_be_written_into_the_picture_they_are_read_from(stages: dict[str, OnnxStage]) -> None:
    picture = np.random.default_rng(6).integers(0, 256, (300, 150, 1), dtype=np.uint8)
    once, whole = picture.copy(), picture.copy()
    noise.apply(once, stages["noise"], 1.0, SMALL)
    noise.apply(whole, stages["noise"], 1.0, Grid(512, 64, 16))
    assert np.abs(once.astype(int) - whole).max() <= 1


def test_nothing_is_yielded_where_there_is_nothing_to_do() -> None:
    def only_below(tile: Tile) -> np.ndarray | None:
        return np.ones((3, tile.bottom - tile.top, tile.right - tile.left), np.float32) if tile.top >= 160 else None

    out = together(100, 300, SMALL, only_below)
    assert np.isnan(out[:, :160]).all()
    np.testing.assert_allclose(out[:, 192:], 1, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_small_copy_is_the_mean_and_is_enlarged_without_a_shift(factor: int) -> None:
    ramp = np.broadcast_to(np.arange(0, 50000, 500)[:, None], (100, 90))[..., None].astype(np.uint16)
    small = reduced(ramp, factor)
    assert small.shape == (-(-100 // factor), -(-90 // factor), 1)
    assert small[1, 0, 0] == ramp[factor : 2 * factor].mean()
    full = np.concatenate([enlarged_rows(small, factor, top, top + 20, 90) for top in range(0, 100, 20)], axis=1)
    np.testing.assert_allclose(full[0, 8:-8], ramp[8:-8, :, 0], atol=1)


def test_grey_becomes_three_equal_planes_and_16_bits_stay_exact() -> None:
    codes = np.array([[[0], [1], [65535]]], np.uint16)
    planes = rgb_planes(codes)
    assert planes.shape == (3, 1, 3)
    assert np.array_equal(np.rint(planes[2, 0] * 65535), [0, 1, 65535])
