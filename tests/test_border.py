"""A plain border around a photograph is no part of it, and what only looks like one is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photochrom.border import inside, inside_plane
from photochrom.resample import block_mean
from photochrom.restoration.tone import squash

Sides = tuple[int, int, int, int]


def found(picture: np.ndarray) -> Sides:
    """Return the thickness of what is taken for a border: top, bottom, left, right."""
    pixels = picture[..., None] if picture.ndim == 2 else picture
    box = inside(*pixels.shape[:2], lambda part: squash(pixels[part.window]))
    return box.top, pixels.shape[0] - box.bottom, box.left, pixels.shape[1] - box.right


@pytest.mark.parametrize("tone", [0, 60, 255])
@pytest.mark.parametrize(
    "sides", [(20, 20, 20, 20), (15, 120, 15, 15), (60, 60, 0, 0), (0, 0, 40, 44), (0, 99, 0, 200)]
)
def test_a_border_is_found_to_a_hundredth_of_the_side(tone: int, sides: Sides) -> None:
    top, bottom, left, right = sides
    light = data.camera() // 2 + 90
    framed = np.pad(light, ((top, bottom), (left, right)), constant_values=tone)
    for here, there in zip(sides, found(framed), strict=True):
        assert there == 0 if here == 0 else here <= there <= here + 8


@pytest.mark.parametrize("bed", [250, 10])
@pytest.mark.parametrize("degrees", [0, 1, 2])
def test_of_a_faded_print_laid_askew_into_a_corner_its_own_tones_are_left(bed: int, degrees: int) -> None:
    print_ = Image.fromarray((90 + 0.4 * data.camera()).astype(np.uint8))
    laid = np.asarray(print_.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=bed))
    sheet = np.pad(laid, ((0, 160), (0, 120)), constant_values=bed)
    within = inside_plane(block_mean(sheet / np.float32(255), 3))
    assert np.ptp(np.percentile(within, [0.5, 99.5])) < 0.42
    assert within.size > 0.8 * (512 / 3) ** 2


def test_a_mount_in_a_sheet_on_rough_paper_and_askew() -> None:
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:612, :612]
    sheet = np.pad(np.pad(data.camera() // 2 + 60, 20, constant_values=10), 30, constant_values=235)
    turned = sheet[np.clip(rows + (columns - 306) // 100, 0, 611), np.clip(columns - (rows - 306) // 100, 0, 611)]
    pixels = np.clip(turned + rng.normal(0, 3, turned.shape), 0, 255).astype(np.uint8)
    assert all(45 <= thickness <= 65 for thickness in found(pixels))


def test_what_ends_little_by_little_is_no_border() -> None:
    rows, columns = np.mgrid[:300, :400]
    moon = np.where(np.hypot(rows - 150, columns - 200) < 120, 180, 8).astype(np.uint8)
    sea = np.where(rows < 90, 255, 40 + (columns * rows) % 90).astype(np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 400), (300, 400)).astype(np.uint8)
    for picture in (
        data.camera(),
        data.coffee(),
        moon,
        sea,
        ramp,
        np.full((300, 400), 90, np.uint8),
        np.pad(data.camera()[:20, :20], 8),
    ):
        assert found(picture) == (0, 0, 0, 0)
