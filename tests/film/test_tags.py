"""Primaries, transfer, matrix and range are read from a result as they were meant, in every codec and container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import photochrom
from tests.film.films import panned, read_planes, scene, write_film
from tests.film.test_film import colored


def tags_of(path: Path) -> tuple[int, int, int, int]:
    """Return what a player learns from a film's first frame."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), int(frame.color_range)


@pytest.mark.parametrize(("codec", "name"), [("ffv1", "out.mkv"), ("ffv1", "out.mp4"), ("prores", "out.mov")])
@pytest.mark.parametrize("tags", [(2, 2, 1, 1), (1, 1, 1, 1)])
def test_one_tag_alone_is_kept_as_all_are(
    codec: str, name: str, tags: tuple[int, int, int, int], tmp_path: Path
) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2), codec="libx264", tags=tags)
    result = colored(source, tmp_path / name, codec=codec, keep_masters=True)
    assert tags_of(result.path) == tags
    assert result.master is not None
    assert tags_of(result.master) == tags


def test_the_matrix_of_pictures_is_told_where_players_would_guess_another(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    Image.fromarray(np.tile(scene(1)[:32], (1, 8))).save(folder / "0.png")  # 1280 wide: high definition
    colored(folder, tmp_path / "out.mkv", codec="ffv1", fps=24)
    assert tags_of(tmp_path / "out.mkv") == (2, 2, 6, 2)


@pytest.mark.parametrize(("codec", "name"), [("x264", "out.mp4"), ("ffv1", "out.mp4"), ("ffv1", "out.mkv")])
def test_full_range_is_told(codec: str, name: str, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2), pixels="gray")
    colored(source, tmp_path / name, codec=codec)
    assert tags_of(tmp_path / name)[3] == 2


@pytest.mark.parametrize("name", ["out.mov", "out.mkv"])
def test_prores_gets_full_range_as_limited(name: str, tmp_path: Path) -> None:
    ramp = np.tile(np.repeat(np.arange(0, 256, 51, dtype=np.uint8), 16), (64, 1))  # 0, 51 ... 255
    source = write_film(tmp_path / "in.mkv", [ramp] * 2, pixels="gray")
    result = colored(source, tmp_path / name, codec="prores")
    assert "luma: full range brought to limited, for prores knows no other" in result.notes
    assert tags_of(tmp_path / name)[3] == 1
    luma = read_planes(tmp_path / name)[0][1][0]
    assert np.allclose(luma[32, 8::16], [64, 239, 414, 590, 765, 940], atol=4)


def test_prores_says_the_tags_in_every_frame(tmp_path: Path) -> None:
    source = write_film(
        tmp_path / "in.mkv", panned(scene(1), 2), codec="libx264", pixels="yuv420p10le", tags=(9, 16, 9, 1)
    )
    colored(source, tmp_path / "out.mov", codec="prores")
    data = (tmp_path / "out.mov").read_bytes()
    assert data.count(b"icpf") == 2
    for part in data.split(b"icpf")[1:]:
        assert list(part[14:17]) == [9, 16, 9]


def test_tags_that_would_be_lost_are_refused_before_the_first_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(bearer: Any, tags: tuple[int, ...]) -> None:
        bearer.color_range = 1

    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2), pixels="gray")
    monkeypatch.setattr("photochrom.film.joining.set_tags", forget)
    with pytest.raises(photochrom.OptionError, match=r"ffv1 in \.mp4 cannot hold the colour tags \(full range\)"):
        colored(source, tmp_path / "out.mp4", codec="ffv1")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]
