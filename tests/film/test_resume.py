"""Nothing is lost: a run that ends early goes on where it was, and its result is the one of an undisturbed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import photochrom
from photochrom.film.options import FilmOptions
from photochrom.film.results import FilmResult
from photochrom.film.session import FilmColorizer
from tests.film.films import read_planes, two_shots, write_film


@pytest.fixture(autouse=True)
def _short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few frames, so that a small film has several."""
    monkeypatch.setattr("photochrom.film.pipeline.SEGMENT_FRAMES", 8)
    monkeypatch.setattr("photochrom.film.passages.LONGEST", 5)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "in.mkv", two_shots(16), sound=True, codec="libx264", options={"crf": "12"})


def colored(
    source: Path, target: Path, stop_at: int = 0, error: type[BaseException] = KeyboardInterrupt, **options: Any
) -> FilmResult:
    """Colour a film; at a frame, end the run with an error."""

    def progress(done: int, expected: int) -> None:
        if done == stop_at:
            raise error

    def by_place(luma: Any) -> Any:  # colours that differ over the picture and from frame to frame
        return 40 * (photochrom_ab(luma) - 0.5)

    chosen = FilmOptions(key_spacing=3, **options)
    with FilmColorizer(options=chosen, engine=photochrom.FakeEngine(by_place)) as colorizer:
        return colorizer(source, target, progress)


def photochrom_ab(luma: Any) -> Any:
    import numpy as np

    return np.concatenate([luma, 1 - luma], axis=1)


# Passages have 5 frames and end at the cut, after 16; segments end with the passage that brings them to 8: 10, 21, 31.
@pytest.mark.slow
@pytest.mark.parametrize(("stop_at", "kept"), [(3, 0), (11, 10), (20, 10), (31, 21)])
def test_a_run_that_was_ended_goes_on_and_gives_the_same_bytes(
    stop_at: int, kept: int, film: Path, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    undisturbed = colored(film, tmp_path / "a" / "out.mp4")
    with pytest.raises(MemoryError):
        colored(film, tmp_path / "b" / "out.mp4", stop_at, MemoryError)
    result = colored(film, tmp_path / "b" / "out.mp4")
    assert result.resumed == kept
    assert (tmp_path / "a" / "out.mp4").read_bytes() == (tmp_path / "b" / "out.mp4").read_bytes()
    assert result.cuts == undisturbed.cuts == (16,)
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["out.mp4"]


@pytest.mark.slow
def test_ctrl_c_leaves_something_that_plays(film: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        colored(film, tmp_path / "out.mp4", 25)
    unfinished = tmp_path / "out-unfinished.mp4"
    assert len(read_planes(unfinished)) == 21
    assert not (tmp_path / "out.mp4").exists()
    assert colored(film, tmp_path / "out.mp4").resumed == 21
    assert len(read_planes(tmp_path / "out.mp4")) == 32
    assert not unfinished.exists()


@pytest.mark.slow
def test_a_segment_without_its_record_is_made_again(film: Path, tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        colored(film, tmp_path / "out.mp4", 25, MemoryError)
    work = tmp_path / ".photochrom-film-out.mp4"
    (work / "00001.json").write_text("{half")
    assert colored(film, tmp_path / "out.mp4").resumed == 10
    assert len(read_planes(tmp_path / "out.mp4")) == 32


@pytest.mark.slow
def test_other_options_or_another_film_begin_anew(film: Path, tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        colored(film, tmp_path / "out.mp4", 25, MemoryError)
    write_film(film, two_shots(14), codec="libx264", options={"crf": "12"})
    result = colored(film, tmp_path / "out.mp4")
    assert result.resumed == 0
    assert any("begun anew" in note for note in result.notes)


@pytest.mark.slow
def test_a_disk_that_fills_up_keeps_what_is_finished(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from photochrom.film import segments

    real = segments.write_whole

    def full(path: Path, data: bytes) -> None:
        if path.name == "00002.npz":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(segments, "write_whole", full)
        with pytest.raises(photochrom.OutputError, match="disk is full"):
            colored(film, tmp_path / "out.mp4")
    assert colored(film, tmp_path / "out.mp4").resumed == 21


@pytest.mark.slow
def test_two_runs_do_not_work_on_one_film(film: Path, tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        colored(film, tmp_path / "out.mp4", 25, MemoryError)
    (tmp_path / ".photochrom-film-out.mp4" / "process").write_text("1")
    with pytest.raises(photochrom.OutputError, match="process 1 is working"):
        colored(film, tmp_path / "out.mp4")
