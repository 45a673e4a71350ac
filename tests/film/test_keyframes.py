"""Frames that somebody has coloured, and films shown to the net the right way up."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.film.given import FrameFiles
from photochrom.film.options import FilmOptions
from photochrom.film.session import FilmColorizer
from tests.film.films import panned, read_planes, scene, write_film

GREEN = (40, 160, 60, 255)


def colored(source: Path, target: Path, engine: Any = None, **options: Any) -> Any:
    with FilmColorizer(options=FilmOptions(**options), engine=engine or photochrom.FakeEngine((0.0, 0.0))) as colorizer:
        return colorizer(source, target)


def test_names_are_numbers_or_times(tmp_path: Path) -> None:
    for name in ("000012.png", "1.5s.png", "0-00-02.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    given = FrameFiles.read(tmp_path)
    assert given.at(12, 99, 0.04) == tmp_path / "000012.png"
    assert given.at(0, 1.48, 0.04) == tmp_path / "1.5s.png"
    assert given.at(0, 1.44, 0.04) is None
    assert [path.name for path in given.left] == ["0-00-02.png"]
    Image.new("RGB", (4, 4)).save(tmp_path / "grandma.png")
    with pytest.raises(photochrom.OptionError, match="neither by"):
        FrameFiles.read(tmp_path)
    (tmp_path / "grandma.png").rename(tmp_path / "12.png")
    with pytest.raises(photochrom.OptionError, match=r"000012.png and 12.png are for the same frame"):
        FrameFiles.read(tmp_path)


def test_frames_that_an_earlier_run_has_met_are_not_said_to_be_left(tmp_path: Path) -> None:
    for name in ("2.png", "7.png", "0.2s.png", "9s.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    given = FrameFiles.read(tmp_path)
    given.met_before(5, 0.2)
    assert [path.name for path in given.left] == ["7.png", "9s.png"]


def test_given_frames_colour_their_shot_and_unmet_ones_are_told(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 9))
    folder = tmp_path / "keys"
    folder.mkdir()
    picture = Image.new("RGBA", (96, 64), GREEN)
    picture.paste((0, 0, 0, 0), (0, 0, 30, 64))  # the left is left to the net
    picture.save(folder / "4.png")
    picture.save(folder / "99.png")
    result = colored(source, tmp_path / "out.mkv", codec="ffv1", keyframes=folder)
    assert any("99.png" in note for note in result.notes)
    for _, (_, cb, cr) in read_planes(tmp_path / "out.mkv"):
        assert cr[8:24, 22:40].mean() < 120  # green: Cr below neutral
        assert abs(float(cr[8:24, 0:8].mean()) - 128) < 3
        assert abs(float(cb[8:24, 0:8].mean()) - 128) < 3


def test_a_picture_of_another_shape_is_refused(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 3))
    with pytest.raises(photochrom.OptionError, match="is no folder"):
        colored(source, tmp_path / "out.mkv", keyframes=tmp_path / "keys")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]
    (tmp_path / "keys").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "keys" / "1.png")
    with pytest.raises(photochrom.OptionError, match="shape"):
        colored(source, tmp_path / "out.mkv", keyframes=tmp_path / "keys")
    (tmp_path / "keys" / "1.png").write_bytes(b"no picture")
    with pytest.raises(photochrom.PhotoError):
        colored(source, tmp_path / "out.mkv", keyframes=tmp_path / "keys")
    # Before the first frame: no work is begun that would have to begin anew.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "keys"]


def test_the_net_sees_a_turned_and_squeezed_film_as_players_show_it(tmp_path: Path) -> None:
    seen: list[tuple[int, ...]] = []

    def top_is_warm(luma: Any) -> Any:
        seen.append(luma.shape[2:])
        ab = np.zeros((1, 2, *luma.shape[2:]), np.float32)
        ab[:, :, : luma.shape[2] // 2] = 30
        return ab

    source = write_film(tmp_path / "in.mp4", panned(scene(1), 3), codec="libx264", rotation=90, aspect=Fraction(2, 1))
    engine = photochrom.FakeEngine(top_is_warm)
    colored(source, tmp_path / "out.mp4", engine, crf=0, key_spacing=1)
    height, width = seen[0]
    assert height > 2 * width  # 192 x 64 as shown, turned by a quarter
    # A quarter turn counter-clockwise: the stored right side is the shown top.
    _, (_, _, cr) = read_planes(tmp_path / "out.mp4")[1]
    assert cr[:, 30:].mean() > cr[:, :18].mean() + 5


class Listening:
    """An engine that hears, and remembers what it was told."""

    def __init__(self) -> None:
        self.fake = photochrom.FakeEngine((8.0, 12.0), hears=True)
        self.spec, self.description = self.fake.spec, self.fake.description
        self.told: list[Any] = []

    def run(self, inputs: Any, outputs: Any) -> Any:
        self.told.append(inputs.get("hints"))
        return self.fake.run(inputs, outputs)

    def close(self) -> None:
        self.fake.close()


def test_a_model_that_hears_is_told_what_has_travelled(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 9))
    engine = Listening()
    colored(source, tmp_path / "out.mkv", engine, codec="ffv1", key_spacing=4, tell_net=True)
    assert engine.told[0] is None  # nothing has travelled to the first frame
    hints = engine.told[-1][0][:, 8:24, 8:24]  # (a*, b*, how much they count)
    assert hints[0].mean() == pytest.approx(8, abs=1.5)
    assert hints[1].mean() == pytest.approx(12, abs=1.5)
    assert 0.4 < hints[2].mean() <= 1
    alone = Listening()
    colored(source, tmp_path / "alone.mkv", alone, key_spacing=4)
    assert alone.told[-1] is None
    with pytest.raises(photochrom.OptionError, match="takes no hints"):
        colored(source, tmp_path / "deaf.mkv", tell_net=True)


def test_told_colours_are_those_that_grading_was_given() -> None:
    from photochrom.coloring.grading import spread_chroma, unspread_chroma

    ab = np.random.default_rng(0).uniform(-60, 60, (2, 20, 20)).astype(np.float32)
    assert np.allclose(unspread_chroma(spread_chroma(ab, 0.35), 0.35), ab, atol=1e-3)
