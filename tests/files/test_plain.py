"""Photographs as learners and judges take them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.evaluation.photographs import read_rgb
from photochrom.files.codecs.icc import adobe_rgb_profile, gray_profile, srgb_profile
from photochrom.files.plain import plain_rgb
from photochrom.train.data import PhotoSet
from photochrom.train.index import find_photos

CODES = (200, 60, 40)
IN_SRGB = (232, 57, 34)  # what that is in Adobe RGB, by its primaries and curve


def saved(profile: bytes | None, mode: str = "RGB") -> Image.Image:
    """Return an opened PNG of one colour that carries this profile."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), CODES).convert(mode).save(buffer, "PNG", icc_profile=profile)
    return Image.open(io.BytesIO(buffer.getvalue()))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_profile_counts(mode: str) -> None:
    picture = plain_rgb(saved(adobe_rgb_profile(), mode))
    assert picture.mode == "RGB"
    np.testing.assert_allclose(np.asarray(picture)[10, 10], IN_SRGB, atol=1)


@pytest.mark.parametrize(
    "profile", [None, srgb_profile(), b"no profile", srgb_profile()[:200], gray_profile("g", (2.2,))], ids=str
)
def test_none_srgbs_own_a_damaged_one_and_one_for_other_pixels_change_nothing(profile: bytes | None) -> None:
    np.testing.assert_array_equal(np.asarray(plain_rgb(saved(profile)))[10, 10], CODES)


def test_training_and_evaluation_see_the_same(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (64, 48), CODES)
    picture.save(tmp_path / "a.png", icc_profile=adobe_rgb_profile(), exif=exif)
    judged = read_rgb(tmp_path / "a.png")
    photos = PhotoSet(find_photos((str(tmp_path),)), short_side_px=48, min_chroma=4.0, cache_gb=0.1)
    assert judged.shape == (64, 48, 3)
    np.testing.assert_allclose(judged[10, 10], IN_SRGB, atol=1)
    np.testing.assert_array_equal(photos.photo(0), judged)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "deep.pgm", "floats.tif"])
def test_deep_grey_keeps_its_tones(name: str, tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(8, axis=0)
    picture = ramp if name == "floats.tif" else np.rint(ramp * 65535).astype(np.uint16)
    Image.fromarray(picture).save(tmp_path / name)
    np.testing.assert_allclose(read_rgb(tmp_path / name)[..., 1], np.rint(ramp * 255), atol=1)


def test_the_profile_of_a_palette_counts() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), CODES).quantize(4).save(buffer, "PNG", icc_profile=adobe_rgb_profile())
    picture = Image.open(io.BytesIO(buffer.getvalue()))
    assert picture.mode == "P"
    np.testing.assert_allclose(np.asarray(plain_rgb(picture))[10, 10], IN_SRGB, atol=2)
