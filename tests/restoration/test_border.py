"""A plain border around a photograph is no part of it, and what only looks like one is."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.restoration.border import inside
from photochrom.restoration.tiling import Tile
from photochrom.restoration.tone import ToneCorrection, squash
from tests.restoration.samples import RestorerFor, decision, faded, photo_of

Sides = tuple[int, int, int, int]


def found(picture: np.ndarray) -> Sides:
    """Return the thickness of what is taken for a border: top, bottom, left, right."""
    pixels = picture[..., None] if picture.ndim == 2 else picture
    box = inside(pixels, squash(pixels))
    return box.top, pixels.shape[0] - box.bottom, box.left, pixels.shape[1] - box.right


@pytest.mark.parametrize("tone", [0, 60, 255])
@pytest.mark.parametrize("sides", [(20, 20, 20, 20), (15, 120, 15, 15), (60, 60, 0, 0), (0, 0, 40, 44)])
def test_a_border_is_found_to_a_hundredth_of_the_side(tone: int, sides: Sides, camera: np.ndarray) -> None:
    top, bottom, left, right = sides
    light = camera // 2 + 90
    framed = np.pad(light, ((top, bottom), (left, right)), constant_values=tone)
    for here, there in zip(sides, found(framed), strict=True):
        assert there == 0 if here == 0 else here <= there <= here + 8


def test_a_mount_in_a_sheet_on_rough_paper_and_askew(camera: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:612, :612]
    sheet = np.pad(np.pad(camera // 2 + 60, 20, constant_values=10), 30, constant_values=235)
    turned = sheet[np.clip(rows + (columns - 306) // 100, 0, 611), np.clip(columns - (rows - 306) // 100, 0, 611)]
    pixels = np.clip(turned + rng.normal(0, 3, turned.shape), 0, 255).astype(np.uint8)
    assert all(45 <= thickness <= 65 for thickness in found(pixels))


def test_what_ends_little_by_little_is_no_border(camera: np.ndarray, coffee: np.ndarray) -> None:
    rows, columns = np.mgrid[:300, :400]
    moon = np.where(np.hypot(rows - 150, columns - 200) < 120, 180, 8).astype(np.uint8)
    sea = np.where(rows < 90, 255, 40 + (columns * rows) % 90).astype(np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 400), (300, 400)).astype(np.uint8)
    for picture in (camera, coffee, moon, sea, ramp, np.full((300, 400), 90, np.uint8), np.pad(camera[:20, :20], 8)):
        assert found(picture) == (0, 0, 0, 0)


@pytest.mark.parametrize("tone", [0, 255])
def test_a_border_does_not_hide_that_a_photograph_is_faded(
    tone: int, restorer_for: RestorerFor, camera: np.ndarray
) -> None:
    session = restorer_for(damage="never", noise="never")
    bare, framed = faded(camera), np.pad(faded(camera), 60, constant_values=tone)
    alone, within = session.run(photo_of(bare)), session.run(photo_of(framed))
    assert decision(alone, "tone")
    assert decision(within, "tone")
    there = within.photo.pixels[60:-60, 60:-60, 0]
    assert np.abs(there.astype(int) - alone.photo.pixels[..., 0]).mean() < 6
    assert "a plain border, " in within.notes[0]
    assert "border" not in alone.notes[0]


def test_a_border_does_not_hide_that_a_photograph_is_noisy(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    noisy = np.clip(camera + np.random.default_rng(0).normal(0, 12, camera.shape), 0, 255).astype(np.uint8)
    session = restorer_for(damage="never", tone="never")
    alone, within = (session.run(photo_of(one)) for one in (noisy, np.pad(noisy, 150, constant_values=60)))
    assert decision(alone, "noise")
    assert decision(within, "noise")
    assert within.decisions[0].measured == pytest.approx(alone.decisions[0].measured, rel=0.1)


def test_beyond_the_box_a_correction_goes_on_as_at_its_border() -> None:
    rng = np.random.default_rng(2)
    gain, offset = (rng.random((1, 16, 16), dtype=np.float32) for _ in range(2))
    curves = np.linspace(0, 1, 33, dtype=np.float32)[None]
    values = np.full((1, 50, 70), 0.4, np.float32)
    whole = ToneCorrection(curves, gain, offset, box=Tile(10, 40, 20, 60)).rows(values, 0, 50)
    inner = ToneCorrection(curves, gain, offset).rows(values[:, :30, :40], 0, 30)
    assert np.array_equal(whole, np.pad(inner, ((0, 0), (10, 10), (20, 10)), mode="edge"))
    strips = [
        ToneCorrection(curves, gain, offset, box=Tile(10, 40, 20, 60)).rows(values[:, top : top + 5], top, 50)
        for top in range(0, 50, 5)
    ]
    assert np.allclose(np.concatenate(strips, axis=1), whole, atol=1e-6)
