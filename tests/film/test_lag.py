"""Colour lag: colours that come late are found out, by how many frames, whatever colours they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import photochrom
from photochrom.film.contest import FILM, FRAMES, TRUTH, measure_film
from photochrom.film.lag import Lag
from photochrom.film.matrices import Codes, Matrix
from photochrom.film.measuring import FilmScores
from photochrom.film.motion import compare
from photochrom.film.steadiness import color_passage
from tests.film.films import scene, write_film

MATRIX = Matrix.of_tag(6)
FRAMES_MADE = 16
Film = list[np.ndarray]


def walk(step: float = 3.0) -> tuple[Film, Film]:
    """Return (luma, chroma) planes of something bright and red that walks over a dark green and blue ground."""
    ground, thing = scene(1)[:90] // 2, 140 + scene(2)[:40, :24] // 3
    lumas, truths = [], []
    for k in range(FRAMES_MADE):
        move = np.array([[1, 0, 10 + step * k], [0, 1, 25]], np.float32)
        mask = cv2.warpAffine(np.ones(thing.shape, np.float32), move, (160, 90))
        luma = ground * (1 - mask) + cv2.warpAffine(thing, move, (160, 90)) * mask
        level = ground.astype(np.float32) / 255
        behind = np.dstack([0.3 * (level - 0.4), -0.15 * level])
        lumas.append(np.rint(luma).astype(np.uint8))
        truths.append((behind * (1 - mask[..., None]) + np.float32([-0.1, 0.3]) * mask[..., None]).astype(np.float32))
    return lumas, truths


def late(film: Film, frames: float) -> Film:
    """Return a film whose frames come late, or early: between two of them where that is no whole number."""
    places = np.clip(np.arange(len(film)) - frames, 0, len(film) - 1)
    pairs = [(int(place), min(int(place) + 1, len(film) - 1), np.float32(place % 1)) for place in places]
    return [film[one] * (1 - share) + film[other] * share for one, other, share in pairs]


def lag_of(colours: Film, truths: Film) -> float:
    lag = Lag()
    for k, (chroma, truth) in enumerate(zip(colours, truths, strict=True)):
        lag.add(chroma, truth, begins=k == 0)
    return lag.frames


@pytest.mark.parametrize("frames", [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
def test_a_film_whose_colours_come_late_says_by_how_many_frames(frames: float) -> None:
    _, truths = walk()
    assert lag_of(late(truths, frames), truths) == pytest.approx(frames, abs=0.15)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda chroma: 0.3 * chroma,
        lambda chroma: chroma @ np.float32([[0.5, -0.6], [0.6, 0.5]]),
        lambda chroma: chroma + np.random.default_rng(int(1e6 * abs(chroma.sum()))).normal(0, 0.02, chroma.shape),
    ],
    ids=["pale", "of another hue", "noisy"],
)
def test_wrong_colours_make_no_lag(wrong: Callable[[np.ndarray], np.ndarray]) -> None:
    _, truths = walk()
    assert lag_of([wrong(chroma) for chroma in truths], truths) == pytest.approx(0, abs=0.1)
    assert lag_of([wrong(chroma) for chroma in late(truths, 1)], truths) == pytest.approx(1, abs=0.1)


def test_no_lag_is_told_where_nothing_moves_or_all_is_smeared() -> None:
    _, truths = walk()
    still, grey = [truths[0]] * FRAMES_MADE, [np.zeros_like(truths[0])] * FRAMES_MADE
    assert math.isnan(lag_of(still, still))
    assert math.isnan(lag_of(grey, truths))
    assert math.isnan(lag_of(truths[:4], truths[:4])), "too few frames to shift"
    smeared = [np.mean(truths[max(0, k - 6) : k + 7], axis=0) for k in range(FRAMES_MADE)]
    assert math.isnan(lag_of(smeared, truths))


def test_shots_are_not_compared_with_each_other() -> None:
    _, truths = walk()
    lag = Lag()
    for k in range(FRAMES_MADE):
        lag.add(truths[k], truths[k], begins=k % 4 == 0)
    assert math.isnan(lag.frames)


def test_a_lag_shows_in_the_measures_of_a_film_and_beside_what_moves() -> None:
    lumas, truths = walk()
    motions = [None, *(compare(a, b) for a, b in zip(lumas, lumas[1:], strict=False))]
    means = {}
    for name, frames in (("true", 0), ("late", 1)):
        scores = FilmScores(MATRIX)
        for luma, chroma, truth, motion in zip(lumas, late(truths, frames), truths, motions, strict=True):
            scores.add(Codes(8, full=True).luma(luma), chroma, truth, motion)
        means[name] = scores.means()
    assert means["true"]["uncovered"] == 0
    assert means["late"]["uncovered"] > 3 * means["late"]["ciede2000"] > 0
    assert (means["true"]["lag"], means["late"]["lag"]) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.1))


@pytest.mark.slow
def test_a_film_that_is_coloured_late_is_found_out_beside_frame_by_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lumas, truths = walk()
    chroma = [np.rint(128 + 224 * truth[::2, ::2]).astype(np.uint8) for truth in truths]
    film = write_film(tmp_path / "in.mkv", lumas, chroma=chroma)
    net = photochrom.FakeEngine(lambda luma: np.concatenate([luma, -luma], axis=1) * 40)
    lags = [measure_film(film, net).rows]

    def color_late(*words: Any) -> Any:
        made = color_passage(*words)
        return replace(made, frames=late_by_one(made.frames))

    monkeypatch.setattr("photochrom.film.contest.color_passage", color_late)
    lags.append(measure_film(film, net).rows)
    found = [[rows[name]["lag"] for name in (TRUTH, FRAMES, FILM)] for rows in lags]
    assert found == [pytest.approx([0, 0, 0], abs=0.2), pytest.approx([0, 0, 1], abs=0.2)]


def late_by_one(frames: list[Any]) -> list[Any]:
    return [frames[0], *frames[:-1]]
