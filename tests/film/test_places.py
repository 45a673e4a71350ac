"""Everything that is written has its place, and replaces neither the film nor what lies there already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

import photochrom
from photochrom.film.options import FilmOptions
from photochrom.film.preview import preview_film
from photochrom.film.session import FilmColorizer
from tests.film.films import panned, read_planes, scene, write_film
from tests.film.test_film import colored


def test_a_master_never_replaces_the_film(tmp_path: Path) -> None:
    source = write_film(tmp_path / "reel-master.mkv", panned(scene(1), 2))
    before = source.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(photochrom.OptionError, match=r"reel-master\.mkv: the result would replace the film"):
            colored(source, tmp_path / "reel.mp4", keep_masters=True, overwrite=overwrite)
    assert source.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["reel-master.mkv"]


@pytest.mark.posix
def test_a_master_never_replaces_the_film_by_another_name(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    os.link(source, tmp_path / "out-master.mkv")
    with pytest.raises(photochrom.OptionError, match="replace the film"):
        colored(source, tmp_path / "out.mp4", keep_masters=True, overwrite=True)


def test_a_master_that_is_there_is_replaced_on_request_alone(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    master = tmp_path / "out-master.mkv"
    master.write_bytes(b"mine")
    for name in ("out.mp4", "out.mov"):  # one name of a master for both
        with pytest.raises(photochrom.OutputError, match=r"out-master\.mkv: is there already"):
            colored(source, tmp_path / name, keep_masters=True)
    assert master.read_bytes() == b"mine"
    assert colored(source, tmp_path / "out.mp4", keep_masters=True, overwrite=True).master == master
    assert len(read_planes(master)) == 2


def test_a_sheet_of_a_preview_that_is_there_is_told_before_the_first_frame(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    sheet = tmp_path / "out-preview.png"
    sheet.write_bytes(b"mine")
    with (
        FilmColorizer(options=FilmOptions(), engine=photochrom.FakeEngine()) as colorizer,
        pytest.raises(photochrom.OutputError, match=r"out-preview\.png: is there already"),
    ):
        preview_film(colorizer, source, tmp_path / "out.mp4")
    assert sheet.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out-preview.png"]


def test_a_lossless_result_has_a_master_too(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    result = colored(source, tmp_path / "out.mkv", codec="ffv1", keep_masters=True)
    assert result.master == tmp_path / "out-master.mkv"
    assert len(read_planes(result.master)) == 2


def test_pictures_of_an_earlier_film_do_not_stay_among_the_new_ones(tmp_path: Path) -> None:
    long = write_film(tmp_path / "long.mkv", panned(scene(1), 5))
    short = write_film(tmp_path / "short.mkv", panned(scene(2), 2))
    folder = tmp_path / "frames"
    colored(long, folder, codec="frames")
    (folder / "000004-mine.png").write_bytes(b"mine")
    with pytest.raises(photochrom.OutputError, match="holds pictures already"):
        colored(short, folder, codec="frames")
    result = colored(short, folder, codec="frames", overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == ["000000.png", "000001.png", "000004-mine.png"]
    assert "begun anew: 3 pictures of an earlier film removed" in result.notes


def test_pictures_of_a_run_that_was_ended_do_not_stay_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.film.pipeline.SEGMENT_FRAMES", 2)
    monkeypatch.setattr("photochrom.film.passages.LONGEST", 2)
    long = write_film(tmp_path / "long.mkv", panned(scene(1), 8))
    short = write_film(tmp_path / "short.mkv", panned(scene(2), 2))

    def stop(done: int, _: int) -> None:
        if done == 6:
            raise MemoryError

    with FilmColorizer(options=FilmOptions(codec="frames"), engine=photochrom.FakeEngine()) as colorizer:
        with pytest.raises(MemoryError):
            colorizer(long, tmp_path / "frames", stop)
        assert len(list((tmp_path / "frames").glob("*.png"))) >= 4
        colorizer(short, tmp_path / "frames")
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == ["000000.png", "000001.png"]


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_a_film_that_somebody_else_made_is_never_replaced_and_ours_is(name: str, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    other = write_film(tmp_path / name, panned(scene(2), 2), codec="mpeg4")
    before = other.read_bytes()
    with pytest.raises(photochrom.OutputError, match=rf"{name}: is a film that photochrom did not make"):
        colored(source, other, overwrite=True)
    assert other.read_bytes() == before
    other.unlink()
    colored(source, other)
    assert colored(source, other, overwrite=True).path == other


def test_a_preview_replaces_its_own_files_and_nobody_elses(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    sheet = tmp_path / "out-preview.png"
    with FilmColorizer(options=FilmOptions(overwrite=True), engine=photochrom.FakeEngine()) as colorizer:
        preview_film(colorizer, source, tmp_path / "out.mp4")
        assert preview_film(colorizer, source, tmp_path / "out.mp4").sheet == sheet
        Image.new("L", (9, 9)).save(sheet)
        with pytest.raises(photochrom.OutputError, match="is a photograph that photochrom did not make"):
            preview_film(colorizer, source, tmp_path / "out.mp4")


def test_pictures_that_somebody_else_made_stay_in_their_folder(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    (tmp_path / "frames").mkdir()
    Image.new("L", (9, 9)).save(tmp_path / "frames" / "000005.png")
    with pytest.raises(photochrom.OutputError, match=r"000005\.png: is a photograph that photochrom did not make"):
        colored(source, tmp_path / "frames", codec="frames", overwrite=True)
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["000005.png"]
