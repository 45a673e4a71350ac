"""Single frames as people see them, and the shots of a film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from photochrom.film.sources import open_source
from photochrom.film.stills import find_shots, still_at
from tests.film.films import HEIGHT, WIDTH, two_shots, write_film

FULL_RANGE = (2, 2, 2, 2)


@pytest.fixture(scope="module")
def lumas() -> list[np.ndarray]:
    return two_shots(6)


def test_shots_lie_between_cuts_and_each_has_a_frame(tmp_path: Path, lumas: list[np.ndarray]) -> None:
    source = open_source(write_film(tmp_path / "reel.mkv", lumas, tags=FULL_RANGE))
    shots = list(find_shots(source))
    assert [(shot.begin_s, round(shot.end_s, 3)) for shot in shots] == [(0.0, 0.24), (0.24, 0.48)]
    for shot, first in zip(shots, (0, 6), strict=True):
        assert shot.still.at_s == (first + 3) / 25
        assert np.abs(shot.still.photo.pixels[..., 0].astype(int) - lumas[first + 3]).max() <= 1


@pytest.mark.parametrize(("seconds", "number"), [(0.0, 0), (0.05, 1), (0.24, 6), (0.459, 11), (9.0, 11)])
def test_a_still_is_the_frame_on_the_screen_then(
    tmp_path: Path, lumas: list[np.ndarray], seconds: float, number: int
) -> None:
    still = still_at(open_source(write_film(tmp_path / "reel.mkv", lumas, tags=FULL_RANGE)), seconds)
    assert still.at_s == number / 25
    assert np.abs(still.photo.pixels[..., 0].astype(int) - lumas[number]).max() <= 1


def test_a_still_stands_upright_in_its_true_shape(tmp_path: Path, lumas: list[np.ndarray]) -> None:
    path = write_film(tmp_path / "reel.mp4", lumas, codec="libx264", rotation=90, aspect=Fraction(3, 2))
    photo = still_at(open_source(path), 0.1).photo
    assert (photo.width, photo.height) == (HEIGHT, round(WIDTH * 1.5))


def test_a_stills_time_is_within_its_frame_also_where_milliseconds_round_down(tmp_path: Path) -> None:
    times, base = range(0, 8 * 1001, 1001), Fraction(1, 24_000)
    path = write_film(tmp_path / "reel.mp4", two_shots(4), codec="libx264", times=times, base=base)
    for number in range(8):
        at_s = still_at(open_source(path), number * 1001 / 24_000 + 0.01).at_s
        assert number <= at_s * 24_000 / 1001 < number + 1
