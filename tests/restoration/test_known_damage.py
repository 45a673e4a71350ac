"""Damage that the file itself knows of: rows that were lost, and shadows in a film scan's infrared channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from photochrom import Restorer
from photochrom.files.photo import Photo
from photochrom.restoration.infrared import shadows

RestorerFor = Callable[..., Restorer]


def picture(height: int = 200, width: int = 256) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return (60 + rows * 0.3 + columns * 0.3).astype(np.uint8)[..., None].repeat(3, axis=2)


def infrared(dust: np.ndarray, dtype: type = np.uint16, falloff: float = 0.4) -> np.ndarray:
    """Film in infrared light that falls off towards a corner, with grain, dark where dust lies."""
    height, width = dust.shape
    rows, columns = np.mgrid[:height, :width]
    light = 0.9 - falloff * (rows / height + columns / width) / 2
    grain = np.random.default_rng(4).normal(1, 0.015, dust.shape)
    return (light * grain * np.where(dust, 0.45, 1) * np.iinfo(dtype).max).astype(dtype)


def dusty(height: int = 200, width: int = 256) -> np.ndarray:
    dust = np.zeros((height, width), bool)
    dust[20:24, 30:35] = dust[150:153, 200:203] = dust[90:96, 100:103] = True
    dust[:, 180] = True
    return dust


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(200, 256), (620, 410)])
def test_shadows_are_found_under_uneven_light(dtype: type, size: tuple[int, int]) -> None:
    dust = dusty(*size)
    found = shadows(infrared(dust, dtype))
    assert found[dust].all()
    assert found.mean() < 4 * dust.mean()


def test_a_mount_around_the_film_is_no_dust() -> None:
    plane = infrared(dusty())
    plane[:, :40] = 300
    found = shadows(plane)
    assert not found[:, :30].any()
    assert found[91:95, 101].all()


def test_infrared_says_what_is_filled(restorer_for: RestorerFor) -> None:
    clean, dust = picture(), dusty()
    spoiled = np.where(dust[..., None], 140, clean).astype(np.uint8)  # nothing that the damage model would see
    photo = Photo(spoiled, infrared=infrared(dust, np.uint8))
    result = restorer_for(noise="never", tone="never").run(photo)
    assert result.mask is not None
    assert (result.mask[dust] == 255).all()
    assert (result.photo.pixels[result.mask == 0] == spoiled[result.mask == 0]).all()
    before, after = (np.abs(p[dust].astype(int) - clean[dust]).mean() for p in (spoiled, result.photo.pixels))
    assert after < before / 3
    assert any("shown by the infrared channel" in note for note in result.notes)
    assert result.photo.infrared is None


def test_infrared_of_silver_film_is_not_used(restorer_for: RestorerFor) -> None:
    dark = np.zeros((200, 256), bool)
    dark[::3] = True
    result = restorer_for(noise="never", tone="never").run(Photo(picture(), infrared=infrared(dark, np.uint8)))
    assert any("infrared channel not used" in note for note in result.notes)
    assert result.mask is None


def test_lost_rows_are_filled_where_they_are_few_and_told_where_not(restorer_for: RestorerFor) -> None:
    clean = picture()
    for rows, filled in ((slice(100, 108), True), (slice(60, 200), False)):
        holes = np.zeros((200, 256), bool)
        holes[rows] = True
        spoiled = np.where(holes[..., None], 128, clean).astype(np.uint8)
        result = restorer_for(noise="never", tone="never").run(Photo(spoiled, holes=holes))
        note = next(note for note in result.notes if "lost by the damaged file" in note)
        if filled:
            assert result.mask is not None
            assert (result.mask[rows] == 255).all()
            assert np.abs(result.photo.pixels[rows].astype(int) - clean[rows]).mean() < 8
        else:
            assert result.mask is None
            assert "thicker than 8% of the short side" in note


def test_nothing_is_filled_where_filling_is_switched_off(restorer_for: RestorerFor) -> None:
    photo = Photo(picture(), infrared=infrared(dusty(), np.uint8))
    result = restorer_for(damage="never", noise="never", tone="always").run(photo)
    assert result.mask is None
    assert any("infrared channel shows left" in note for note in result.notes)


@pytest.mark.parametrize("mount", [0, 40])
def test_what_shines_through_a_mount_is_not_the_grain_of_the_film(mount: int) -> None:
    rng = np.random.default_rng(2)
    plane = np.clip(rng.normal(40_000, 6_000, (240, 360)), 1, 65_535).astype(np.uint16)
    assert shadows(plane).mean() < 0.001
    inside = np.zeros(plane.shape, bool)
    inside[50:-50, 50:-50] = True
    plane[~inside] = rng.integers(0, mount + 1, plane.shape)[~inside]
    assert shadows(plane)[60:-60, 60:-60].mean() < 0.001


def test_where_no_light_comes_through_there_is_no_dust() -> None:
    assert not shadows(np.zeros((60, 90), np.uint16)).any()
