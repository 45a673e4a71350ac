from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from photochrom import luma as luma_module
from photochrom.color import LUMA_WEIGHTS
from photochrom.luma import LumaCopies, luma_codes, luma_strip, normalize_tone, shrink_luma, strips


def test_eight_bit_luma_is_pillows_for_every_kind_of_colour() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert np.array_equal(luma_codes(pixels), np.asarray(Image.fromarray(pixels).convert("L")))


def test_sixteen_bit_luma_is_rounded_bt601() -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (300, 300, 3), dtype=np.uint16)
    exact = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma_codes(pixels) - exact).max() <= 0.5 + 1e-6
    assert pytest.approx([0.299, 0.587, 0.114]) == LUMA_WEIGHTS


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_luma_of_equal_channels_is_that_grey(dtype: type) -> None:
    top = np.iinfo(dtype).max
    grey = np.arange(top + 1, dtype=dtype).reshape(1, -1, 1)
    assert np.array_equal(luma_codes(np.repeat(grey, 3, axis=-1)), grey[..., 0])
    assert np.array_equal(luma_codes(grey), grey[..., 0])


def test_codes_survive_the_way_through_float32() -> None:
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.array_equal(np.rint(luma_strip(codes, 0, 256) * np.float32(65535)), codes[..., 0])


@given(st.integers(1, 400_000), st.integers(1, 5000), st.integers(1, 40), st.integers(1, 9))
def test_strips_cover_every_row_once(width: int, height: int, step: int, sharers: int) -> None:
    cut = strips(width, height, step=step, sharers=sharers)
    assert cut[0][0] == 0
    assert cut[-1][1] == height
    assert all(bottom == top for (_, bottom), (top, _) in zip(cut, cut[1:], strict=False))
    assert all((bottom - top) % step == 0 for top, bottom in cut[:-1])


@pytest.mark.parametrize("sharers", [1, 2, 3, 8])
def test_strips_are_as_many_for_each_thread_and_no_larger_than_for_one(sharers: int) -> None:
    alone = strips(960, 720)
    shared = strips(960, 720, sharers=sharers)
    assert len(shared) % sharers == 0
    assert max(bottom - top for top, bottom in shared) <= max(bottom - top for top, bottom in alone)
    assert min(bottom - top for top, bottom in shared) > 0.9 * 720 / len(shared) - 1


def test_copies_are_those_of_each_size_and_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, made = np.random.default_rng(4).integers(40, 90, (90, 120, 1), dtype=np.uint8), []
    monkeypatch.setattr(luma_module, "shrink_luma", lambda *given: (made.append(given[1:]), shrink_luma(*given))[1])
    copies, sizes = LumaCopies(pixels), [(30 + 2 * k, 20 + 2 * k, 2) for k in range(luma_module.KEPT_SIZES + 2)]
    for size in (*sizes, *sizes[-2:]):
        small = shrink_luma(pixels, *size)
        assert np.array_equal(copies.small(*size).net, small.net)
        assert np.array_equal(copies.small(*size).cell, small.cell)
        assert np.array_equal(copies.toned(*size)[0], normalize_tone(small.net)[0])
        assert copies.toned(*size)[1] == normalize_tone(small.net)[1] != ()
    assert made == sizes
    assert len(copies._small) == len(copies._toned) == luma_module.KEPT_SIZES


@pytest.mark.parametrize("size", [(640, 1003), (97, 2000), (33, 40)])
def test_block_averaging_in_strips_hardly_changes_the_small_copy(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    pixels = (128 + 90 * np.sin(rows / height * 9) * np.cos(columns / width * 11)).astype(np.uint8)[..., None]
    monkeypatch.setattr(luma_module, "STRIP_PIXELS", 5000)
    small = shrink_luma(pixels, 32, 16, 2)
    monkeypatch.setattr(luma_module, "_block_side", lambda *_: 1)
    direct = shrink_luma(pixels, 32, 16, 2)
    assert small.net.shape == (16, 32)
    assert small.cell.shape == (8, 16)
    assert np.abs(small.net - direct.net).max() < 0.02
    assert np.abs(small.cell - direct.cell).max() < 0.01


def test_a_faded_scan_is_stretched_and_says_so() -> None:
    faded = np.linspace(0.4, 0.7, 4096, dtype=np.float32).reshape(64, 64)
    stretched, notes = normalize_tone(faded)
    assert stretched.min() < 0.06
    assert stretched.max() > 0.94
    assert "faded" in notes[0]
    assert (np.diff(stretched.ravel()) >= 0).all()


@pytest.mark.parametrize("tone", [0.0, 1.0])
def test_a_border_hides_from_the_net_neither_that_a_scan_is_faded_nor_that_it_is_not_dark(
    tone: float,
) -> None:
    small = data.camera()[::2, ::2].astype(np.float32) / 255
    for plane in (0.35 + 0.4 * small, 0.1 + 0.8 * small):
        alone, notes = normalize_tone(plane)
        framed, notes_framed = normalize_tone(np.pad(plane, 24, constant_values=tone))
        assert notes == () or "faded" in notes[0]
        assert len(notes) == len(notes_framed)
        assert np.abs(framed[24:-24, 24:-24] - alone).mean() < 0.01


def test_a_dark_picture_is_lifted_and_says_so() -> None:
    dark = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64) ** 4
    lifted, notes = normalize_tone(dark)
    assert np.median(lifted) > np.median(dark)
    assert "dark" in notes[0]


@pytest.mark.parametrize("plane", [np.zeros((8, 8)), np.ones((8, 8)), np.full((8, 8), 0.5), np.eye(64) * 0.03])
def test_blank_pages_stay_as_they_are(plane: np.ndarray) -> None:
    result, notes = normalize_tone(plane.astype(np.float32))
    assert np.array_equal(result, plane.astype(np.float32))
    assert notes == ()


def test_a_good_print_stays_as_it_is() -> None:
    good = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
    result, notes = normalize_tone(good)
    assert result is good
    assert notes == ()
