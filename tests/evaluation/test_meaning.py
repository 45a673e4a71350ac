"""Figures that mean what they are called: one name, one measure; one set of photographs; no certainty from nothing."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.errors import PhotoError
from photochrom.evaluation import contest as board
from photochrom.evaluation.contestants import Model
from photochrom.evaluation.report import photographs_csv
from tests.evaluation.conftest import samples, tint, write_pictures

NATIVE = board.Plan(squash=False, stress=False)


def test_a_tools_damaged_picture_leaves_the_photograph_out_of_every_row(photo_folder: Path, tmp_path: Path) -> None:
    tool = write_pictures(tmp_path / "tool", samples())
    (tool / "suit.png").write_bytes((tool / "suit.png").read_bytes()[:300])
    truths = board.pick_photographs(photo_folder)
    models = [Model("brown", tint), board.load_pictures(truths, tool)]
    result = board.evaluate(truths, models, plan=NATIVE)
    assert result.found.skipped == {"suit.png": f"not a picture, or damaged ({tool / 'suit.png'})"}
    for row in ("brown", "tool", "grey", "truth"):
        assert [record.key for record in result.found.of(row, "native")] == [
            key for key in sorted(samples()) if key != "suit.png"
        ]


def test_what_one_photograph_measures_is_not_called_as_what_many_do(photo_folder: Path) -> None:
    result = board.evaluate(board.pick_photographs(photo_folder), [Model("brown", tint)], plan=NATIVE)
    brown = result.summary()["views"]["native"]["brown"]
    lines = [line for line in csv.DictReader(io.StringIO(photographs_csv(result))) if line["row"] == "brown"]
    shared = lines[0].keys() & brown.keys() - {"seconds"}
    assert "psnr" in shared
    for key in shared:
        mean = np.mean([float(line[key]) for line in lines])
        np.testing.assert_allclose(mean, brown[key]["value"], rtol=1e-4, atol=1e-9, err_msg=key)
    assert {"ciede2000_pixel_median", "false_color_of_picture", "missed_color_of_picture"} <= lines[0].keys()


def test_the_squash_is_no_stress(photo_folder: Path) -> None:
    plan = board.Plan(stress=False)
    result = board.evaluate(board.pick_photographs(photo_folder), [Model("brown", tint)], plan=plan)
    views = result.summary()["views"]
    assert list(views) == ["native", "squash256"]
    assert "ciede2000_vs_clean" not in views["squash256"]["brown"]


def test_few_photographs_are_told_to_say_little(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "one", {"a.png": samples()["coffee.png"]})
    result = board.evaluate(board.pick_photographs(folder), [Model("brown", tint)], plan=NATIVE)
    summary = result.summary()
    assert summary["views"]["native"]["brown"]["ciede2000"]["value"] > 1
    assert summary["views"]["native"]["brown"]["ciede2000"]["low"] is None
    assert "of only 1 photographs, too narrow" in summary["method"]["intervals"]


def test_a_tools_picture_of_another_size_is_told_before_anything_is_measured(
    photo_folder: Path, tmp_path: Path
) -> None:
    tool = write_pictures(tmp_path / "tool", samples() | {"suit.png": samples()["suit.png"][::2, ::2]})
    with pytest.raises(PhotoError, match=r"suit\.png: 40 x 40 pixels, but the truth suit\.png has 80 x 80"):
        board.load_pictures(board.pick_photographs(photo_folder), tool)


def test_a_tools_picture_may_say_by_a_tag_how_it_lies(photo_folder: Path, tmp_path: Path) -> None:
    tool = write_pictures(tmp_path / "tool", samples())
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(samples()["coffee.png"])).save(tool / "coffee.png", exif=exif)
    truths = board.pick_photographs(photo_folder)
    result = board.evaluate(truths, [board.load_pictures(truths, tool)], plan=NATIVE)
    assert result.summary()["views"]["native"]["tool"]["ciede2000"]["value"] == 0
