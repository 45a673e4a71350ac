"""Film restored by its neighbours in time: marks, lines, breathing exposure and grain go, the picture stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photochrom
from photochrom.degradation import Dose, Preset, degrade_film
from photochrom.film.exposure import even_exposures, exposure_changes
from photochrom.film.marks import LINE_WIDTH_PX, row_median
from photochrom.film.matrices import Codes
from photochrom.film.motion import Motion, compare
from photochrom.film.options import FilmOptions
from photochrom.film.restoring import Reel, restore_reel
from photochrom.film.session import FilmColorizer
from tests.film.films import panned, read_planes, scene, write_film

CODES = Codes(8, full=True)
DOSES = {
    "dust": Dose(strength=(0.3, 0.3)),
    "film-runs": Dose(strength=(0.0, 0.0), lasts="drift"),
    "flicker": Dose(strength=(0.35, 0.35)),
    "grain": Dose(strength=(1.0, 1.0), lasts="texture"),
}


def worn_by(lumas: list[np.ndarray], *kinds: str, seed: int = 2) -> list[np.ndarray]:
    """Return a film (H, W) 0..1 worn by these kinds, uint8."""
    preset = Preset(disorder=0, kinds={kind: DOSES[kind] for kind in kinds})
    frames = degrade_film(lumas, preset, seed)
    return [np.rint(frame.picture.mean(axis=2) * 255).astype(np.uint8) for frame in frames]


@pytest.fixture(scope="module")
def clean() -> list[np.ndarray]:
    return [luma / np.float32(255) for luma in panned(scene(5, 300), 9, 192, 128, step=1.3)]


def psnr(lumas: list[np.ndarray], truth: list[np.ndarray]) -> float:
    squared = [np.mean((np.asarray(a, np.float32) / 255 - b) ** 2) for a, b in zip(lumas, truth, strict=True)]
    return float(10 * np.log10(1 / max(np.mean(squared), 1e-9)))


def restored(worn: list[np.ndarray]) -> tuple[list[np.ndarray], Reel]:
    motions: list[Motion] = [compare(a, b) for a, b in zip(worn, worn[1:], strict=False)]
    reel = Reel(worn, motions, 0, len(worn))
    exposures = even_exposures(exposure_changes([CODES.luma(luma) for luma in worn], motions))
    return list(restore_reel(reel, CODES, FilmOptions(restore=True), exposures)), reel


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [("dust",), ("film-runs",), ("grain",), tuple(DOSES)], ids=" ".join)
def test_each_kind_of_wear_goes_and_a_temporal_median_is_worse(kinds: tuple[str, ...], clean: list[np.ndarray]) -> None:
    worn = worn_by(clean, *kinds)
    got, _ = restored(worn)
    median = [np.median(worn[max(0, k - 1) : k + 2], axis=0) for k in range(len(worn))]
    inside = slice(
        1, -1
    )  # a shot's first and last frame have neighbours on one side only, and keep half of their marks
    assert psnr(got[inside], clean[inside]) > psnr(worn[inside], clean[inside]) + 3
    assert psnr(got[inside], clean[inside]) > psnr(median[inside], clean[inside]) + 1


def test_exposure_that_breathes_is_evened_out(clean: list[np.ndarray]) -> None:
    worn = worn_by(clean, "flicker")
    got, _ = restored(worn)

    def breathing(film: list[np.ndarray]) -> float:
        levels = [np.log(np.median(luma) / np.median(truth)) for luma, truth in zip(film, clean, strict=True)]
        return float(np.std(np.diff(levels)))

    assert breathing(got) < 0.3 * breathing(worn)


def test_a_clean_film_is_left_alone(clean: list[np.ndarray]) -> None:
    film = worn_by(clean)
    got, reel = restored(film)
    assert psnr(got, [luma / np.float32(255) for luma in film]) > 48
    assert reel.findings.breathing == reel.findings.lined == reel.findings.grainy == 0


def test_a_slow_fade_is_no_flicker() -> None:
    assert even_exposures([0.0] + [-0.05] * 30) == [0.0] * 31
    flicker = np.random.default_rng(0).normal(0, 0.08, 31)
    changes = [0.0, *np.diff(flicker)]
    left = np.cumsum(changes) + even_exposures(changes)
    assert np.std(np.diff(left)) < 0.3 * np.std(np.diff(flicker))


def colored(source: Path, target: Path, stop_at: int = 0) -> Any:
    def progress(done: int, expected: int) -> None:
        if done == stop_at:
            raise MemoryError

    options = FilmOptions(restore=True, codec="ffv1", tone="never")
    with FilmColorizer(options=options, engine=photochrom.FakeEngine()) as colorizer:
        return colorizer(source, target, progress)


@pytest.mark.slow
def test_where_passages_end_makes_no_difference_and_ended_runs_go_on(
    clean: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worn = worn_by([*clean, *clean[::-1]], "dust", "film-runs", "grain")
    source = write_film(tmp_path / "in.mkv", worn, pixels="gray")
    whole = colored(source, tmp_path / "whole.mkv")
    monkeypatch.setattr("photochrom.film.passages.LONGEST", 4)
    monkeypatch.setattr("photochrom.film.pipeline.SEGMENT_FRAMES", 4)
    colored(source, tmp_path / "pieces.mkv")
    with pytest.raises(MemoryError):
        colored(source, tmp_path / "again.mkv", 10)
    again = colored(source, tmp_path / "again.mkv")
    assert again.resumed == 8
    assert (tmp_path / "pieces.mkv").read_bytes() == (tmp_path / "again.mkv").read_bytes()
    for (_, a), (_, b) in zip(read_planes(tmp_path / "whole.mkv"), read_planes(tmp_path / "pieces.mkv"), strict=True):
        assert np.array_equal(a[0], b[0])
    assert any("grain averaged in 18 of 18" in note for note in again.notes)
    assert [note for note in whole.notes if "of 18" in note] == [note for note in again.notes if "of 18" in note]


def test_what_belongs_to_restoring_needs_it() -> None:
    with pytest.raises(photochrom.OptionError, match="needs --restore"):
        FilmColorizer(options=FilmOptions(grain="never"), engine=photochrom.FakeEngine())


@pytest.mark.parametrize("width", [1, 7, 40])
@pytest.mark.parametrize("largest", [1, 255])
def test_the_running_median_is_the_one_that_sorting_finds(width: int, largest: int) -> None:
    codes = np.random.default_rng(width).integers(0, largest + 1, (9, width)).astype(np.uint8)
    padded = np.pad(codes, ((0, 0), (LINE_WIDTH_PX // 2,) * 2), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, LINE_WIDTH_PX, axis=1)
    assert np.array_equal(row_median(codes), np.median(windows, axis=-1))
