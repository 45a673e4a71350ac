"""Everything that is written has its place, and replaces neither the film nor what lies there already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
