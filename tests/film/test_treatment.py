"""The photographs' networks in film: one correction of tones for a whole shot, and noise taken off where asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photochrom
from photochrom.border import Box
from photochrom.engines.restoration import CURRENT, OnnxStage
from photochrom.film.matrices import Codes
from photochrom.film.options import FilmOptions
from photochrom.film.session import FilmColorizer
from photochrom.film.treatment import Stages
from photochrom.options import RestoreOptions
from photochrom.restorer import Restorer
from tests.film.films import panned, read_planes, scene, two_shots, write_film
from tests.restoration.stand_in_stages import FADED_BLACK, FADED_WHITE, write_stand_ins

NEVER = {"exposure": "never", "dust": "never", "lines": "never", "grain": "never"}


@pytest.fixture(scope="module")
def restorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restorer]:
    paths = write_stand_ins(tmp_path_factory.mktemp("stages"))
    engines = {kind: OnnxStage(paths[kind], CURRENT[kind]) for kind in ("tone", "noise")}
    with Restorer(RestoreOptions(damage="never"), engines=engines) as made:
        yield made


@pytest.fixture(autouse=True)
def _short_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.film.passages.LONGEST", 4)
    monkeypatch.setattr("photochrom.film.pipeline.SEGMENT_FRAMES", 4)


def faded(lumas: list[np.ndarray]) -> list[np.ndarray]:
    """Return limited-range luma planes that use the middle half of the tones only."""
    black, white = 16 + 219 * FADED_BLACK, 16 + 219 * FADED_WHITE
    return [np.rint(black + (luma.astype(np.float32) - 16) / 219 * (white - black)).astype(np.uint8) for luma in lumas]


def colored(source: Path, target: Path, restorer: Restorer, stop_at: int = 0, **options: Any) -> Any:
    def progress(done: int, expected: int) -> None:
        if done == stop_at:
            raise MemoryError

    chosen = FilmOptions(restore=True, codec="ffv1", **{**NEVER, **options})
    with FilmColorizer(options=chosen, engine=photochrom.FakeEngine(), restorer=restorer) as colorizer:
        return colorizer(source, target, progress)


def lumas_of(path: Path) -> list[np.ndarray]:
    return [planes[0].astype(np.float32) for _, planes in read_planes(path)]


@pytest.mark.slow
def test_faded_shots_get_one_correction_each_and_a_killed_run_goes_on_with_it(
    restorer: Restorer, tmp_path: Path
) -> None:
    clean = two_shots(7)
    source = write_film(tmp_path / "in.mkv", faded(clean))
    result = colored(source, tmp_path / "out.mkv", restorer)
    for got, truth in zip(lumas_of(tmp_path / "out.mkv"), clean, strict=True):
        assert np.abs(got - truth).max() <= 2  # the same everywhere and in each frame: what the fading was
    assert "tones corrected in 14 of 14 frames" in result.notes
    with pytest.raises(MemoryError):
        colored(source, tmp_path / "again.mkv", restorer, 6)
    again = colored(source, tmp_path / "again.mkv", restorer)
    assert again.resumed == 4
    assert "tones corrected in 14 of 14 frames" in again.notes
    assert (tmp_path / "again.mkv").read_bytes() == (tmp_path / "out.mkv").read_bytes()


def test_what_the_network_looks_at_has_no_bars_though_some_frames_are_as_dark_as_they(restorer: Restorer) -> None:
    dark = np.full((96, 160), 16, np.uint8)
    frames = [*faded(two_shots(3, width=160, height=96)), dark, dark]
    framed = [np.pad(luma, ((0, 0), (32, 32)), constant_values=16) for luma in frames]
    looks = Stages(restorer, Codes(8)).looks(framed)
    assert (looks.box.top, looks.box.bottom) == (0, 96)
    assert 32 <= looks.box.left <= 36
    assert 188 <= looks.box.right <= 192
    tones = [float(np.ptp(look)) for look in looks.small]
    assert max(tones) <= FADED_WHITE - FADED_BLACK + 0.01
    assert min(tones) == 0
    assert Stages(restorer, Codes(8)).looks(frames).box == Box(0, 96, 0, 160)


def test_a_film_with_bars_is_corrected_within_them(restorer: Restorer, tmp_path: Path) -> None:
    clean = two_shots(5, width=160, height=96)
    framed = [np.pad(luma, ((0, 0), (32, 32)), constant_values=16) for luma in faded(clean)]
    source = write_film(tmp_path / "in.mkv", framed)
    result = colored(source, tmp_path / "out.mkv", restorer)
    assert "tones corrected in 10 of 10 frames" in result.notes
    for got, truth in zip(lumas_of(tmp_path / "out.mkv"), clean, strict=True):
        assert np.abs(got[:, 34:-34] - truth[:, 2:-2]).max() <= 2
        assert got[:, :32].max() == got[:, -32:].max() == 16
    with pytest.raises(MemoryError):
        colored(source, tmp_path / "again.mkv", restorer, 6)
    assert colored(source, tmp_path / "again.mkv", restorer).resumed == 4
    assert (tmp_path / "again.mkv").read_bytes() == (tmp_path / "out.mkv").read_bytes()


def test_what_a_network_says_differs_from_frame_to_frame_and_the_shot_does_not_flicker(
    restorer: Restorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photochrom.restoration import tone

    really, random = tone.predict, np.random.default_rng(0)

    def moody(*arguments: Any, **named: Any) -> Any:
        found = really(*arguments, **named)
        return tone.ToneCorrection(found.curves, found.gain * random.uniform(0.8, 1.1), found.offset)

    monkeypatch.setattr(tone, "predict", moody)
    clean = panned(scene(1), 12)
    source = write_film(tmp_path / "in.mkv", faded(clean))
    colored(source, tmp_path / "out.mkv", restorer)
    levels = [np.median(got - truth) for got, truth in zip(lumas_of(tmp_path / "out.mkv"), clean, strict=True)]
    assert np.ptp(levels) <= 1


def test_told_never_every_sample_stays(restorer: Restorer, tmp_path: Path) -> None:
    lumas = faded(two_shots(3))
    source = write_film(tmp_path / "in.mkv", lumas)
    colored(source, tmp_path / "out.mkv", restorer, tone="never")
    assert all(np.array_equal(a, b) for a, b in zip(lumas_of(tmp_path / "out.mkv"), lumas, strict=True))


@pytest.mark.slow
def test_a_black_beginning_is_not_judged(restorer: Restorer, tmp_path: Path) -> None:
    clean = [np.full((64, 96), 16, np.uint8)] * 9 + panned(scene(1), 5)
    source = write_film(tmp_path / "in.mkv", faded(clean))
    (tmp_path / "cuts.txt").write_text("no-cut 9\n")
    result = colored(source, tmp_path / "out.mkv", restorer, cuts=tmp_path / "cuts.txt")
    assert any(note.startswith("tones corrected") for note in result.notes)
    assert np.abs(lumas_of(tmp_path / "out.mkv")[-1] - clean[-1]).max() <= 2


def test_the_noise_network_runs_where_it_is_asked_for_and_needed(restorer: Restorer, tmp_path: Path) -> None:
    random, clean = np.random.default_rng(0), panned(scene(1), 5)
    grainy = [np.clip(luma + random.normal(0, 12, luma.shape), 16, 235).astype(np.uint8) for luma in clean]
    source = write_film(tmp_path / "in.mkv", grainy)
    asked = colored(source, tmp_path / "out.mkv", restorer, tone="never", noise="auto")
    assert "noise network run on 5 of 5 frames" in asked.notes
    before, after = (
        np.mean([np.abs(a - b).mean() for a, b in zip(films, clean, strict=True)])
        for films in (grainy, lumas_of(tmp_path / "out.mkv"))
    )
    assert after < 0.8 * before
    smooth = write_film(tmp_path / "smooth.mkv", [np.full((64, 96), 90 + k, np.uint8) for k in range(5)])
    alone = colored(smooth, tmp_path / "smooth-out.mkv", restorer, tone="never", noise="auto")
    assert not any("noise network" in note for note in alone.notes)


def test_hdr_is_left_to_what_neighbours_show(restorer: Restorer, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", faded(panned(scene(1), 3)), pixels="yuv420p10le", tags=(9, 16, 9, 1))
    result = colored(source, tmp_path / "out.mkv", restorer)
    assert any("this is HDR" in note for note in result.notes)
    assert np.array_equal(read_planes(source)[1][1][0], read_planes(tmp_path / "out.mkv")[1][1][0])
