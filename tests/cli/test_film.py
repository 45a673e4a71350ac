"""`photochrom film`: what it prints, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import photochrom
from photochrom.cli.app import run
from photochrom.errors import EXIT_NOT_INSTALLED, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from photochrom.film.options import FilmOptions
from photochrom.film.preview import preview_film
from photochrom.film.session import FilmColorizer
from tests.film.films import panned, read_planes, scene, two_shots, write_film


def test_a_film_is_coloured_and_told_about(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(5), sound=True)
    code = run(["film", str(source), "-o", str(tmp_path / "out.mkv"), "--model", str(tiny_model), "--codec", "ffv1"])
    printed = capsys.readouterr().out.splitlines()
    assert code == EXIT_OK
    assert "frames a second" in printed[0]
    assert "to go" in printed[0]
    assert "10 frames, 2 shots" in printed[1]
    assert "every sample is the film's" in printed[-1]
    assert len(read_planes(tmp_path / "out.mkv")) == 10


@pytest.mark.slow
def test_a_preview_is_five_parts_and_a_sheet(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(25))
    assert (
        run(["film", str(source), "-o", str(tmp_path / "out.mp4"), "--model", str(tiny_model), "--preview"]) == EXIT_OK
    )
    names = [f"out-preview-{k}.mp4" for k in range(1, 6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", *names, "out-preview.png"]
    assert sum(len(read_planes(tmp_path / name)) for name in names) >= 45
    with Image.open(tmp_path / "out-preview.png") as sheet:
        assert sheet.size == (4 * 320, 5 * 213)
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_a_preview_keeps_to_its_part_and_is_told_by_time(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(4))
    for name, folder in (("0.1s.png", "times"), ("3.png", "numbers")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (96, 64), (0, 90, 0)).save(tmp_path / folder / name)
    by_time = FilmOptions(start=0.08, end=0.2, keyframes=tmp_path / "times")
    with FilmColorizer(options=by_time, engine=photochrom.FakeEngine()) as colorizer:
        made = preview_film(colorizer, source, tmp_path / "out.mp4")
    assert [part.frames for part in made.parts] == [1, 1, 1]  # three frames have no five parts
    by_number = FilmOptions(keyframes=tmp_path / "numbers")
    with (
        FilmColorizer(options=by_number, engine=photochrom.FakeEngine()) as colorizer,
        pytest.raises(photochrom.OptionError, match="by number"),
    ):
        preview_film(colorizer, source, tmp_path / "other.mp4")


def test_errors_are_one_line(tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    for words in ((["--start", "never"]), (["--crf", "70"]), (["--codec", "ffv1", "--preset", "slow"])):
        assert (
            run(["film", str(source), "-o", str(tmp_path / "o.mkv"), "--model", str(tiny_model), *words]) == EXIT_USAGE
        )
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert (
        run(["film", str(tmp_path / "no.mkv"), "-o", str(tmp_path / "o.mkv"), "--model", str(tiny_model)])
        == EXIT_SOME_FAILED
    )
    assert "no such file" in capsys.readouterr().err


def test_without_the_extra_the_command_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "av" else real(name, *rest))
    assert run(["film", str(tmp_path / "in.mp4"), "-o", str(tmp_path / "out.mp4")]) == EXIT_NOT_INSTALLED
    assert "pip install 'photochrom[film]'" in capsys.readouterr().err


@pytest.mark.slow
def test_help_explains_what_goes_in_and_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["film", "--help"]) == EXIT_OK
    printed = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "A film file, or a folder with one picture for each frame" in printed
    assert "make a sheet of their frames" in printed
