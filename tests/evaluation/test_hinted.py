"""What hints are worth: the places are drawn once, more hints help, and copying has its right value."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, ModelError, OptionError
from photochrom.evaluation.contestants import row_name
from photochrom.evaluation.hinted import NEAREST, checked_counts, draw_places, measure_hints
from photochrom.evaluation.photographs import find_photographs


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """Return a folder with one photograph, its left half green, its right half orange."""
    rgb = np.zeros((256, 256, 3), dtype=np.uint8)
    rgb[:, :128], rgb[:, 128:] = (60, 140, 60), (220, 150, 60)
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(rgb).save(folder / "halves.png")
    return folder


def test_counts_are_read_in_order_and_wrong_ones_refused() -> None:
    assert checked_counts("10,1") == (0, 1, 10)
    for wrong in ("1,x", "-1", "5000"):
        with pytest.raises(OptionError, match="--hints"):
            checked_counts(wrong)


def test_places_belong_to_a_photograph_and_fewer_are_the_first_of_more() -> None:
    assert np.array_equal(draw_places("a", 100, 256)[:10], draw_places("a", 10, 256))
    assert not np.array_equal(draw_places("a", 10, 256), draw_places("b", 10, 256))
    assert len({tuple(place) for place in draw_places("a", 1000, 256)}) == 1000


@pytest.mark.slow
def test_hints_help_a_model_and_a_copy_of_the_nearest(halves: Path, hearing_model: Path) -> None:
    scores = measure_hints(find_photographs(halves), [str(hearing_model)], (0, 1, 20))
    for row in (NEAREST, "hearing"):
        none, one, many = scores.psnr[row][0]
        assert none < many
        assert one < many
    assert scores.psnr[NEAREST][0][2] > 22


def test_a_model_that_cannot_hear_is_told(halves: Path, tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="cannot take hints"):
        measure_hints(find_photographs(halves), [str(tiny_model)], (0, 1))


@pytest.mark.slow
def test_the_command_line_writes_the_table(halves: Path, hearing_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    arguments = ["evaluate", str(halves), "--report", str(out), "-m", str(hearing_model), "--hints", "1,5"]
    assert run([*arguments, "--no-stress", "--no-features", "--no-cost", "--no-squash", "-q"]) == EXIT_OK
    written = json.loads((out / "hints.json").read_text())
    assert written["counts"] == [0, 1, 5]
    assert set(written["psnr_db"]) == {"hearing", NEAREST}


QUICK = ("--no-stress", "--no-features", "--no-cost", "--no-squash")


def test_a_deaf_model_is_told_before_anything_is_measured(
    halves: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(halves), "--report", str(tmp_path / "r"), "-m", str(tiny_model), "--hints", "1", *QUICK]
    assert run(words) == EXIT_SOME_FAILED
    assert "cannot take hints" in capsys.readouterr().err
    assert not (tmp_path / "r" / "scoreboard.json").exists()


@pytest.mark.slow
def test_a_damaged_photograph_costs_its_own_hints_only(
    halves: Path, hearing_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (halves / "broken.png").write_bytes(b"\x89PNG")
    out = tmp_path / "report"
    words = ["evaluate", str(halves), "--report", str(out), "-m", str(hearing_model), *QUICK]
    assert run([*words, "--hints", "1"]) == EXIT_SOME_FAILED
    written = json.loads((out / "hints.json").read_text())
    assert written["photographs"] == ["halves.png"]
    assert written["psnr_db"]["hearing"][0]["low"] is None  # one photograph tells no interval
    capsys.readouterr()
    assert run([*words, "-q"]) == EXIT_SOME_FAILED
    assert "hints.json: is of an earlier evaluation" in capsys.readouterr().err


def test_a_row_is_called_as_on_the_scoreboard() -> None:
    assert row_name("folder/model.v2.onnx") == "model.v2"
    assert row_name("ddcolor-1.5") == "ddcolor-1.5"
