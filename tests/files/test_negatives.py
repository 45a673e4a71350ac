"""Scans of negatives, read as positives where that is asked for."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data as samples

import photochrom
from photochrom.files.reading import open_photo
from photochrom.luma import luma_codes
from photochrom.options import ReadingOptions
from tests.files.makers import pillow_bytes

NEGATIVE = ReadingOptions(negative=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_negative_becomes_the_positive_to_the_last_code(dtype: type) -> None:
    scene = samples.camera()[:80, :90].astype(dtype) * (257 if dtype is np.uint16 else 1)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.invert(scene))
    photo = open_photo(buffer.getvalue(), reading=NEGATIVE)
    assert (photo.pixels[..., 0] == scene).all()
    assert "a negative turned into a positive, in grey" in photo.notes
    assert (open_photo(buffer.getvalue()).pixels[..., 0] == np.invert(scene)).all()


def test_of_colour_film_only_the_tones_are_kept_and_its_orange_base_goes() -> None:
    scene = samples.astronaut()[:80, :90]
    negative = ((255 - scene) * (0.95, 0.6, 0.35)).astype(np.uint8)
    photo = open_photo(pillow_bytes(negative, "PNG"), reading=NEGATIVE)
    assert photo.pixels.shape == (80, 90, 1)
    truth = luma_codes(scene).astype(float)
    assert np.corrcoef(photo.pixels.ravel(), truth.ravel())[0, 1] > 0.95


def test_transparency_and_damage_are_not_turned() -> None:
    pixels = np.dstack([samples.camera()[:40, :50]] * 3 + [np.full((40, 50), 200, np.uint8)])
    pixels[:5, :, 3] = 0
    photo = open_photo(pillow_bytes(pixels, "PNG"), reading=NEGATIVE)
    assert photo.alpha is not None
    assert (photo.alpha == pixels[..., 3]).all()


def test_a_coloured_negative_has_the_luma_of_the_positive() -> None:
    scene = samples.camera()[:64, :96]
    photo = open_photo(pillow_bytes(np.invert(scene), "PNG"), reading=NEGATIVE)
    with photochrom.Colorizer(engine=photochrom.FakeEngine()) as colorizer:
        colored = colorizer.run(photo).photo.pixels
    assert np.abs(np.asarray(Image.fromarray(colored).convert("L")).astype(int) - scene).max() <= 1
