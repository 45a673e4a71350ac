from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photochrom import luma as luma_module
from photochrom.color import colorfulness
from photochrom.coloring.pipeline import colorize_photo
from photochrom.coloring.prediction import RANGES
from photochrom.coloring.remembered import Remembered
from photochrom.colorizer import Colorizer
from photochrom.engines.base import FakeEngine
from photochrom.errors import ModelError
from photochrom.files.photo import Photo
from photochrom.hints.hint import Hint
from photochrom.luma import luma_codes
from photochrom.options import ColorizeOptions

OPTIONS = ColorizeOptions(chroma_ceiling=None)


def colorize(pixels: np.ndarray, ab: Any = (20.0, 40.0), options: ColorizeOptions = OPTIONS) -> np.ndarray:
    return colorize_photo(Photo(pixels), FakeEngine(ab=ab), options, threads=1).photo.pixels


def wild_ab(seed: int) -> Any:
    """Return a net that gives colours far outside the gamut, and edges everywhere."""
    low, high = RANGES["ab"]
    return lambda luma: np.random.default_rng(seed).normal(0, 120, (luma.shape[0], 2, *luma.shape[2:])).clip(low, high)


shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))
dtypes = st.sampled_from([np.uint8, np.uint16])
channels = st.sampled_from([1, 3])


@given(shapes, channels, st.integers(0, 2**31), st.booleans())
@settings(max_examples=60)
def test_eight_bit_luma_is_kept_at_every_pixel(shape: tuple[int, int], bands: int, seed: int, extremes: bool) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (*shape, bands), dtype=np.uint8)
    if extremes:  # the corners and edges of the colour cube
        pixels = np.where(pixels < 128, pixels % 3, 255 - pixels % 3).astype(np.uint8)
    grey = np.asarray(Image.fromarray(pixels.squeeze(-1) if bands == 1 else pixels).convert("L"))
    coloured = colorize(pixels, wild_ab(seed))
    assert coloured.dtype == np.uint8
    assert np.array_equal(np.asarray(Image.fromarray(coloured).convert("L")), grey)


@given(shapes, channels, st.integers(0, 2**31), st.booleans())
@settings(max_examples=60)
def test_sixteen_bit_luma_is_kept_at_every_pixel(shape: tuple[int, int], bands: int, seed: int, extremes: bool) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 65536, (*shape, bands), dtype=np.uint16)
    if extremes:
        pixels = np.where(pixels < 32768, pixels % 3, 65535 - pixels % 3).astype(np.uint16)
    coloured = colorize(pixels, wild_ab(seed))
    exact = coloured.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    assert coloured.dtype == np.uint16
    assert np.abs(exact - luma_codes(pixels)).max() < 0.31


def test_every_grey_of_both_depths_keeps_its_luma_under_every_hue() -> None:
    for dtype in (np.uint8, np.uint16):
        codes = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(256, -1, 1)
        for degrees in range(0, 360, 30):
            ab = (100 * np.cos(np.radians(degrees)), 100 * np.sin(np.radians(degrees)))
            assert np.array_equal(luma_codes(colorize(codes, ab)), codes[..., 0])


def test_the_picture_does_become_coloured() -> None:
    grey = np.full((64, 64, 1), 128, dtype=np.uint8)
    red, green, blue = colorize(grey, (40.0, 40.0))[32, 32]
    assert red > green > blue
    assert tuple(colorize(grey, (0.0, 0.0))[32, 32]) == (128, 128, 128)


def test_a_sepia_scan_loses_its_tint() -> None:
    sepia = np.broadcast_to(np.array([180, 150, 110], dtype=np.uint8), (40, 40, 3))
    assert np.ptp(colorize(np.ascontiguousarray(sepia), (0.0, 0.0)), axis=-1).max() <= 1


@given(shapes, dtypes)
@settings(max_examples=40, deadline=None)
def test_size_depth_alpha_and_metadata_come_through(shape: tuple[int, int], dtype: type) -> None:
    photo = Photo(np.full((*shape, 1), 90, dtype=dtype), np.full(shape, 7, dtype=dtype), format="tiff")
    photo = replace(photo, notes=("first frame taken",))
    result = colorize_photo(photo, FakeEngine(), OPTIONS, threads=1)
    assert result.photo.pixels.shape == (*shape, 3)
    assert result.photo.pixels.dtype == dtype
    assert result.photo.alpha is photo.alpha
    assert result.photo.metadata is photo.metadata
    assert result.photo.format == "tiff"
    assert result.notes[0] == "first frame taken"


def test_strips_and_threads_leave_no_trace(monkeypatch: pytest.MonkeyPatch, grey_ramp: np.ndarray) -> None:
    photo = Photo(grey_ramp[..., None])
    engine = FakeEngine(ab=wild_ab(3))
    whole = colorize_photo(photo, engine, OPTIONS, threads=1).photo.pixels
    original_shrink_strips = luma_module.STRIP_PIXELS
    monkeypatch.setattr(luma_module, "STRIP_PIXELS", 700)
    assert original_shrink_strips > grey_ramp.size
    cut = colorize_photo(photo, engine, OPTIONS, threads=3).photo.pixels
    assert np.array_equal(cut, whole)


HINTS = [Hint(point=(0.2, 0.3), color="navy"), Hint(stroke=((0.6, 0.2), (0.9, 0.8)), color="gold", width=0.05)]


def test_hints_are_followed_alike_in_strips_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Photo(np.random.default_rng(2).integers(0, 255, (300, 410, 1), dtype=np.uint8))
    engine = FakeEngine(ab=wild_ab(3), hears=True)
    whole = colorize_photo(photo, engine, OPTIONS, threads=1, hints=HINTS).photo.pixels
    monkeypatch.setattr(luma_module, "STRIP_PIXELS", 7000)
    assert np.array_equal(colorize_photo(photo, engine, OPTIONS, threads=3, hints=HINTS).photo.pixels, whole)


@pytest.mark.parametrize("hints", [(), HINTS], ids=["none", "hints"])
def test_what_is_remembered_changes_nothing_and_what_is_of_others_is_not_taken(hints: list[Hint]) -> None:
    rng, engine = np.random.default_rng(2), FakeEngine(ab=wild_ab(3), hears=True)
    photo, other = (Photo(rng.integers(0, 255, (120, 170, 3), dtype=np.uint8)) for _ in range(2))
    expected = colorize_photo(photo, engine, OPTIONS, hints=hints)
    kept = Remembered(photo.pixels)
    for remembered in (kept, kept, Remembered(other.pixels)):
        result = colorize_photo(photo, engine, OPTIONS, hints=hints, remembered=remembered)
        assert np.array_equal(result.photo.pixels, expected.photo.pixels)
        assert result.notes == expected.notes


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 400), (3000, 1), (20, 800), (33, 31)], ids=["dot", "row", "column", "1:40", "odd"]
)
@pytest.mark.parametrize("fill", [0, 255, "noise"])
def test_odd_pictures_give_sane_pictures(shape: tuple[int, int], fill: int | str) -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (*shape, 1), dtype=np.uint8) if fill == "noise" else None
    pixels = np.full((*shape, 1), fill, dtype=np.uint8) if pixels is None else pixels
    assert np.array_equal(luma_codes(colorize(pixels)), pixels[..., 0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_net_that_fails_numerically_raises(bad: float) -> None:
    def net(luma: np.ndarray) -> np.ndarray:
        ab = np.zeros((1, 2, *luma.shape[2:]))
        ab[0, 0, 0, 0] = bad
        return ab

    with pytest.raises(ModelError, match="not numbers"):
        colorize(np.zeros((20, 20, 1), dtype=np.uint8), net)


def test_a_net_of_the_wrong_shape_raises() -> None:
    with pytest.raises(ModelError, match="shape"):
        colorize(np.zeros((20, 20, 1), dtype=np.uint8), lambda luma: np.zeros((1, 2, 3, 3)))


def test_vividness_scales_and_zero_is_grey(grey_ramp: np.ndarray) -> None:
    def colourfulness_at(vividness: float) -> float:
        pixels = colorize(grey_ramp[..., None], (10.0, 20.0), ColorizeOptions(vividness=vividness))
        return colorfulness(pixels / 255)

    assert colourfulness_at(0) == pytest.approx(0, abs=1.5)
    assert colourfulness_at(0) < colourfulness_at(0.5) < colourfulness_at(1) < colourfulness_at(1.5)


def test_the_chroma_ceiling_weakens_neon_and_says_so(grey_ramp: np.ndarray) -> None:
    engine = FakeEngine(ab=(60.0, 80.0))  # chroma 100
    photo = Photo(grey_ramp[..., None])
    free = colorize_photo(photo, engine, ColorizeOptions(chroma_ceiling=None))
    held = colorize_photo(photo, engine, ColorizeOptions(chroma_ceiling=50))
    assert not any("weakened" in note for note in free.notes)
    assert held.notes[-1] == "colours weakened to 50%: chroma reached 100"
    assert colorfulness(held.photo.pixels / 255) < colorfulness(free.photo.pixels / 255)


def test_tone_is_normalised_for_the_net_only() -> None:
    seen: list[np.ndarray] = []

    def net(luma: np.ndarray) -> np.ndarray:
        seen.append(luma)
        return np.zeros((1, 2, *luma.shape[2:]))

    faded = np.linspace(100, 150, 64 * 64).reshape(64, 64, 1).astype(np.uint8)
    result = colorize_photo(Photo(faded), FakeEngine(ab=net), OPTIONS)
    assert np.ptp(seen[0]) > 0.85
    assert "faded" in result.notes[0]
    assert np.array_equal(luma_codes(result.photo.pixels), faded[..., 0])
    colorize_photo(Photo(faded), FakeEngine(ab=net), ColorizeOptions(normalize_tone=False))
    assert np.ptp(seen[-1]) < 0.25


def test_the_result_says_what_was_done(grey_ramp: np.ndarray) -> None:
    photo = Photo(grey_ramp[..., None])
    result = colorize_photo(photo, FakeEngine(render_px=48), OPTIONS)
    assert result.model.name == "fake"
    assert (result.render_width, result.render_height) == (64, 48)
    assert list(result.seconds) == ["shrink", "net", "upsample and merge"]
    assert result.notes[0].startswith("net run at 64 x 48")
    assert "agree within 0.0 Lab units" in result.notes[0]
    alone = colorize_photo(photo, FakeEngine(), ColorizeOptions(size=96))
    assert alone.notes == ("net run at 128 x 96",)


@pytest.mark.parametrize("tone", [0, 90, 255])
@pytest.mark.parametrize("shape", [(1, 1), (60, 80), (10, 400)])
def test_a_blank_picture_stays_without_colour_and_says_so(tiny_model: Path, shape: tuple[int, int], tone: int) -> None:
    with Colorizer(tiny_model) as session:
        result = session.run(Photo(np.full((*shape, 1), tone, np.uint8)))
        assert np.ptp(result.photo.pixels, axis=-1).max() <= 1
        assert any("blank picture" in note for note in result.notes)


def test_noise_and_panoramas_are_coloured_by_a_real_model(tiny_model: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
    panorama = np.tile(np.linspace(0, 255, 1600), (40, 1)).astype(np.uint8)
    with Colorizer(tiny_model) as session:
        for picture in (noise, panorama):
            coloured = session(picture)
            assert np.array_equal(np.asarray(Image.fromarray(coloured).convert("L")), picture)
            assert np.ptp(coloured, axis=-1).max() > 10
