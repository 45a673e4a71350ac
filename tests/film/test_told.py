"""Hints for frames and reference photographs rule a film's shots."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom import Hint, HintSheet
from photochrom.coloring.reference import Places
from photochrom.film.given import FrameFiles
from photochrom.film.states import State
from photochrom.hints.sheet import HINTS_SUFFIX, PAINTED_SUFFIX
from tests.coloring.test_reference import Looking
from tests.film.films import panned, read_planes, scene, two_shots, write_film
from tests.film.test_keyframes import colored

GREEN_BELOW = Hint(region=((0.0, 0.55), (1.0, 0.55), (1.0, 1.0), (0.0, 1.0)), color="green", reach=0.02)


def hearing(ab: tuple[float, float] = (0.0, 0.0)) -> Looking:
    return Looking(ab, hears=True)


def folder_of(path: Path, **sheets: bytes) -> Path:
    path.mkdir()
    for name, content in sheets.items():
        (path / f"{name.lstrip('_')}{HINTS_SUFFIX}").write_bytes(content)
    return path


@pytest.mark.slow
def test_hints_of_a_frame_rule_their_shot_and_unmet_ones_are_told(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(8))
    sheet = HintSheet(hints=(GREEN_BELOW,)).as_json()
    hints = folder_of(tmp_path / "hints", _3=sheet, _99=sheet)
    result = colored(source, tmp_path / "out.mkv", hearing(), codec="ffv1", hints=hints)
    assert "hints followed in 1 frames" in result.notes
    assert any("99.hints.json" in note for note in result.notes)
    frames = [planes for _, planes in read_planes(tmp_path / "out.mkv")]
    for _, _, cr in frames[:8]:
        assert cr[22:].mean() < 122, "green below"
        assert abs(float(cr[:10].mean()) - 128) < 2, "and the net's own grey above"
    for _, _, cr in frames[9:]:
        assert abs(float(cr.mean()) - 128) < 1, "another shot"


@pytest.mark.slow
def test_a_turned_and_squeezed_film_takes_hints_and_frames_as_players_show_it(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", panned(scene(1), 3), codec="libx264", rotation=90, aspect=Fraction(2, 1))
    hints = folder_of(tmp_path / "hints", _0=HintSheet(hints=(GREEN_BELOW,)).as_json())
    colored(source, tmp_path / "out.mp4", hearing(), crf=0, hints=hints)
    _, (_, _, cr) = read_planes(tmp_path / "out.mp4")[1]
    # A quarter turn counter-clockwise: the stored left side is shown below.
    assert cr[:, :16].mean() < 122
    assert abs(float(cr[:, 32:].mean()) - 128) < 2
    keys = tmp_path / "keys"
    keys.mkdir()
    Image.new("RGB", (64, 192), (40, 160, 60)).save(keys / "0.png")
    colored(source, tmp_path / "keyed.mp4", hearing(), crf=0, keyframes=keys)
    assert read_planes(tmp_path / "keyed.mp4")[1][1][2].mean() < 122


@pytest.mark.slow
def test_a_reference_lends_its_colours_to_the_shot_that_it_shows(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    textures = [random.integers(60, 200, (192, 288)).astype(np.uint8) for _ in range(2)]
    lumas = [texture for texture in textures for _ in range(3)]
    source = write_film(tmp_path / "in.mkv", lumas)
    luma = (lumas[0].astype(np.float64) - 16) * 255 / 219
    green = np.clip(np.stack([luma - 24, luma + 16, luma - 20], axis=-1), 0, 255).astype(np.uint8)
    Image.fromarray(green).save(tmp_path / "other.png")
    (tmp_path / "cuts.txt").write_text("cut 3\n")  # noise and noise have one histogram
    given = {"reference": (tmp_path / "other.png",), "cuts": tmp_path / "cuts.txt"}
    result = colored(source, tmp_path / "out.mkv", hearing(), codec="ffv1", **given)
    assert "reference: matched in 1 of 2 passages" in result.notes
    frames = [planes for _, planes in read_planes(tmp_path / "out.mkv")]
    assert frames[1][2].mean() < 124
    assert abs(float(frames[4][2].mean()) - 128) < 1


@pytest.mark.slow
def test_a_shot_knows_again_by_its_looks_what_has_worn_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.film.pipeline.passage_length", lambda *_, restored: 3)
    monkeypatch.setattr("photochrom.film.steadiness.GIVEN_FADE_FRAMES", 0.05)  # nothing travels far
    texture = np.random.default_rng(0).integers(60, 200, (192, 288)).astype(np.uint8)
    source = write_film(tmp_path / "in.mkv", [texture] * 5)
    hints = folder_of(tmp_path / "hints", _0=HintSheet(hints=(GREEN_BELOW,)).as_json())
    colored(source, tmp_path / "out.mkv", hearing(), codec="ffv1", hints=hints)
    cr = [planes[2] for _, planes in read_planes(tmp_path / "out.mkv")]
    assert cr[0][70:].mean() < 122
    assert cr[2][70:].mean() > 126, "worn off"
    assert cr[3][70:].mean() < 123, "known again where the next passage begins"
    assert abs(float(cr[3][:40].mean()) - 128) < 2


def test_what_is_remembered_goes_through_a_file_to_the_bit(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    places = Places(
        random.random((6, 4), dtype=np.float32),
        random.random(6, dtype=np.float32),
        random.random((6, 2), dtype=np.float32),
        (2, 3),
    )
    (tmp_path / "state.npz").write_bytes(State(remembered=(places, places)).to_bytes())
    back = State.from_file(tmp_path / "state.npz").remembered
    assert [one.grid for one in back] == [(2, 3), (2, 3)]
    for one in back:
        for part in ("features", "luma", "ab"):
            np.testing.assert_array_equal(getattr(one, part), getattr(places, part))


def test_hints_that_cannot_be_used_are_refused_before_the_first_frame(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 3))
    hints = folder_of(tmp_path / "hints", _0=HintSheet(hints=(GREEN_BELOW,)).as_json())
    Image.new("L", (20, 20), 99).save(tmp_path / "grey.png")
    wrong = folder_of(tmp_path / "wrong", _99=b"{")
    for options, engine, refusal in (
        ({"hints": wrong}, hearing(), "no JSON"),
        ({"hints": hints}, None, "takes no hints"),
        ({"hints": tmp_path / "nowhere"}, hearing(), "is no folder"),
        ({"reference": (tmp_path / "grey.png",)}, hearing(), "has no colours"),
    ):
        with pytest.raises(photochrom.OptionError, match=refusal):
            colored(source, tmp_path / "out.mkv", engine, **options)
    assert not (tmp_path / "out.mkv").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(photochrom.OptionError, match="holds nothing that ends in"):
        FrameFiles.read(tmp_path / "empty", "--hints", (HINTS_SUFFIX, PAINTED_SUFFIX))
