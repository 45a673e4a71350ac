"""Stress splits degrade only what the colouriser sees, the same way every time, and each as its name says."""

from __future__ import annotations

import numpy as np
import pytest
import skimage

from photochrom import color, metrics
from photochrom.evaluation.contestants import Truth
from photochrom.evaluation.measuring import make_task
from photochrom.evaluation.stress import SPLITS, given_to_colorizer


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return skimage.data.astronaut()[0:160, 150:310]


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_repeats_and_differs_between_photographs(split: str, photo: np.ndarray) -> None:
    before = photo.copy()
    given = given_to_colorizer(split, photo, "a.jpg")
    assert given.shape == photo.shape
    assert given.dtype == np.uint8
    np.testing.assert_array_equal(given, given_to_colorizer(split, photo, "a.jpg"))
    assert (given != given_to_colorizer(split, photo, "b.jpg")).any()
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize("split", SPLITS)
def test_nothing_of_the_true_colour_is_given_away(split: str, photo: np.ndarray) -> None:
    given = given_to_colorizer(split, photo, "a.jpg").astype(float)
    if split != "sepia":
        assert np.ptp(given, axis=-1).max() == 0
        return
    luma = metrics.luma_codes(given.astype(np.uint8))
    red_minus_blue = given[..., 0] - given[..., 2]
    # one brown: how strong it is follows from the luma alone
    assert max(red_minus_blue[luma == tone].std() for tone in np.unique(luma)) < 2
    assert red_minus_blue.mean() > 10


def mean_luma(picture: np.ndarray) -> float:
    return float(metrics.luma_codes(picture).mean())


def test_each_split_does_what_it_is_called(photo: np.ndarray) -> None:
    given = {split: metrics.luma_codes(given_to_colorizer(split, photo, "x")).astype(float) for split in SPLITS}
    clean = metrics.luma_codes(photo).astype(float)
    assert given["dark"].mean() < 0.65 * clean.mean()
    assert given["bright"].mean() > 1.15 * clean.mean()
    assert np.ptp(given["faded"]) < 0.85 * np.ptp(clean)
    noise = given["grain"] - clean
    assert 4 < noise.std() < 16
    assert np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1] > 0.2  # clumps, not white noise
    spectrum = np.abs(np.fft.fft2(given["halftone"] - clean))
    across = np.hypot(*np.meshgrid(np.fft.fftfreq(160), np.fft.fftfreq(160)))
    peak = across.ravel()[spectrum.ravel().argmax()]
    assert 1 / 4.1 < peak < 1 / 2.9  # the screen's period of 3 to 4 px


def test_orthochromatic_plates_do_not_see_red() -> None:
    swatches = np.zeros((1, 3, 3), np.uint8)
    swatches[0, range(3), range(3)] = 200
    red, green, blue = metrics.luma_codes(given_to_colorizer("orthochromatic", swatches, "x"))[0]
    assert red < 50
    assert green > 120
    assert blue > 120


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_the_truth_in_a_split_is_the_best_that_can_be_done(split: str, photo: np.ndarray) -> None:
    task = make_task("x", split, photo)
    best = Truth().color(task).rgb
    np.testing.assert_array_equal(metrics.luma_codes(best), metrics.luma_codes(task.given))
    error = metrics.score_pair(photo, best, task.given, relight=True)
    grey = metrics.score_pair(photo, task.given, task.given, relight=True)
    assert error["luma_error"] == 0
    assert error["ciede2000"] < 0.5 * grey["ciede2000"]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 120), (16, 16)])
@pytest.mark.parametrize("value", [0, 255])
def test_degenerate_pictures_stay_sane(split: str, shape: tuple[int, int], value: int) -> None:
    flat = np.full((*shape, 3), value, np.uint8)
    task = make_task("x", split, flat)
    assert task.given.shape == flat.shape
    assert np.isfinite(color.lab_from_srgb(metrics.unit_range(Truth().color(task).rgb))).all()
