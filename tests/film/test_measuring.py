"""Measures of film: what is steady measures as steady, what is true as true."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import photochrom
from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.evaluation.columns import FILM_COLUMNS
from photochrom.film.contest import FILM, FRAMES, GREY, MEAN, TRUTH, measure_film
from photochrom.film.matrices import Codes, Matrix
from photochrom.film.measuring import FilmScores, divergence, histograms
from photochrom.film.motion import compare
from tests.film.films import panned, scene, two_shots, write_film

MATRIX = Matrix.of_tag(6)


def scored(colours: list[np.ndarray], truth: np.ndarray) -> dict[str, float]:
    still = scene(1)[:90, :]
    motion = compare(still, still)
    scores = FilmScores(MATRIX)
    luma = Codes(8, full=True).luma(still)
    for k, chroma in enumerate(colours):
        scores.add(luma, chroma, truth, motion if k else None)
    return scores.means()


def test_flicker_is_the_distance_in_lab_units_between_frames() -> None:
    shape = (90, 160, 2)
    level = np.full(shape[:2], 0.5, np.float32)
    pair = [MATRIX.chroma_from_ab(level, np.full(shape, a, np.float32)) for a in (0, 8)]
    still = np.full((90, 160), 128, np.uint8)
    motion = compare(still, still)
    scores = FilmScores(MATRIX)
    for k in range(6):
        scores.add(level, pair[k % 2], pair[0], motion if k else None)
    means = scores.means()
    assert means["flicker"] == pytest.approx(np.hypot(8, 8), rel=0.02)
    assert means["cdc_1"] > 0.3
    assert means["cdc_2"] == pytest.approx(0, abs=1e-9)


def test_the_truth_has_no_error_and_a_still_film_no_flicker() -> None:
    truth = np.random.default_rng(0).uniform(-0.1, 0.1, (90, 160, 2)).astype(np.float32)
    means = scored([truth] * 5, truth)
    assert means["ciede2000"] == 0
    assert means["flicker"] == pytest.approx(0, abs=1e-4)
    assert scored([truth * 0] * 5, truth)["ciede2000"] > 1


def test_divergence_is_between_none_and_one_bit() -> None:
    dark, bright = (histograms(np.full((4, 4, 3), level, np.float32)) for level in (0.1, 0.9))
    assert divergence(dark, dark) == 0
    assert divergence(dark, bright) == pytest.approx(1)


def coloured_film(path: Path) -> Path:
    lumas = two_shots(14, width=160, height=96)
    chroma = [np.dstack([luma[::2, ::2] // 2 + 60, 190 - luma[::2, ::2] // 2]).astype(np.uint8) for luma in lumas]
    return write_film(path, lumas, chroma=chroma)


@pytest.mark.slow
def test_an_unsteady_net_is_steadier_as_film_than_frame_by_frame(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    net = photochrom.FakeEngine(lambda luma: np.concatenate([luma, -luma], axis=1) * 20 + random.normal(0, 6))
    contest = measure_film(coloured_film(tmp_path / "in.mkv"), net)
    rows = contest.rows
    assert (contest.frames, contest.cuts) == (28, 1)
    assert contest.key_frames < 8
    assert rows[TRUTH]["ciede2000"] == 0
    assert rows[GREY]["flicker"] == pytest.approx(0, abs=1e-3)
    assert rows[FILM]["flicker"] < rows[FRAMES]["flicker"] / 3
    assert rows[FILM]["flicker"] < rows[MEAN]["flicker"]
    assert rows[FILM]["ciede2000"] == pytest.approx(rows[FRAMES]["ciede2000"], rel=0.1)
    assert rows[TRUTH]["lag"] == pytest.approx(0, abs=0.1)


@pytest.mark.slow
def test_the_verb_prints_a_table_and_writes_it_down(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = coloured_film(tmp_path / "in.mkv")
    words = ["--model", str(tiny_model), "--report", str(tmp_path / "report"), "--frames", "6"]
    assert run(["evaluate-film", str(film), str(tmp_path / "none.mp4"), *words]) == EXIT_SOME_FAILED
    captured = capsys.readouterr()
    assert "none.mp4: no such file" in captured.err
    assert [line.split("  ")[1] for line in captured.out.splitlines()[2:7]] == [TRUTH, GREY, FRAMES, MEAN, FILM]
    values = json.loads((tmp_path / "report" / "film-scores.json").read_text())
    assert values[0]["frames"] == 6
    with (tmp_path / "report" / "film-scores.csv").open() as file:
        assert len(list(csv.reader(file))) == 6


def test_no_measure_of_a_film_stays_off_table_and_report(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, report = coloured_film(tmp_path / "in.mkv"), tmp_path / "report"
    words = ["--model", str(tiny_model), "--report", str(report), "--frames", "2"]
    assert run(["evaluate-film", str(film), *words]) == EXIT_OK
    keys = [column.key for column in FILM_COLUMNS]
    measures = set(FilmScores(MATRIX).means())
    assert measures | {"flicker_vs_truth"} == set(keys)
    head = capsys.readouterr().out.splitlines()[1]
    assert head.split() == " ".join(column.title for column in FILM_COLUMNS).split()
    rows = json.loads((report / "film-scores.json").read_text())[0]["rows"]
    assert all(row.keys() == set(keys) for row in rows.values())
    assert rows[TRUTH]["cdc_4"] is rows[TRUTH]["lag"] is None, "two frames are never four apart"
    with (report / "film-scores.csv").open() as file:
        table = list(csv.DictReader(file))
    assert list(table[0])[2:] == keys
    assert table[0]["cdc_4"] == ""
    assert float(table[0]["flicker_vs_truth"]) == 1


def test_a_grey_film_is_no_truth(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film, report = write_film(tmp_path / "grey.mkv", panned(scene(1), 2)), tmp_path / "report"
    words = ["--model", str(tiny_model), "--report", str(report), "--frames", "2"]
    assert run(["evaluate-film", str(film), *words]) == EXIT_SOME_FAILED
    captured = capsys.readouterr()
    assert "is not in colour, and there is nothing to compare with" in captured.err
    assert captured.out == ""
    assert not report.exists()


def test_panned_films_of_one_frame_are_measured(tmp_path: Path) -> None:
    film = write_film(tmp_path / "one.mkv", panned(scene(1), 1))
    assert measure_film(film, photochrom.FakeEngine()).frames == 1


def test_a_folder_of_films_is_told_from_a_film_that_is_broken(tmp_path: Path) -> None:
    with pytest.raises(photochrom.UnreadableFilmError, match=r"is a folder.*Name the films"):
        measure_film(tmp_path, photochrom.FakeEngine())
