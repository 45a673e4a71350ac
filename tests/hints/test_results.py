"""Results that were made with hints: what they say of it, how they are made again, and when an album is up to date."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom import HintSheet, open_photo
from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from photochrom.files.codecs.xmp import read_property
from photochrom.files.provenance import COLORS_GIVEN, HUMAN_EDITS, read_provenance

MakePhoto = Callable[..., Path]
POINT = {"point": [0.4, 0.4], "color": "navy"}


def written_hints(path: Path, photo: Path, *hints: dict[str, object]) -> Path:
    path.write_bytes(HintSheet.for_photo(open_photo(photo), hints or [POINT]).as_json())
    return path


@pytest.mark.slow
def test_a_result_tells_the_colours_given_and_is_made_again_byte_for_byte(
    tmp_path: Path, make_photo: MakePhoto, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out = make_photo(), tmp_path / "out.png"
    sheet = written_hints(tmp_path / "h.json", photo)
    arguments = ["colorize", str(photo), "-o", str(out), "--hints", str(sheet), "--model", str(hearing_model)]
    assert run([*arguments, "--recipe", "--keep-hints"]) == EXIT_OK
    packet = open_photo(out).metadata.xmp
    made = read_provenance(packet)
    assert made is not None
    assert made.settings["hints"]["colors"] == ["navy"]
    assert read_property(packet or b"", COLORS_GIVEN) == ["navy"]
    assert read_property(packet or b"", HUMAN_EDITS)[0].endswith("/humanEdits")
    assert (tmp_path / "out.png.hints.json").read_bytes() == sheet.read_bytes()
    sheet.unlink()  # the recipe holds them
    before = out.read_bytes()
    out.unlink()
    assert run(["redo", f"{out}.recipe.json", "--model", str(hearing_model)]) == EXIT_OK
    assert out.read_bytes() == before
    assert "identical" in capsys.readouterr().out


def test_a_recipe_whose_hints_were_changed_is_refused(
    tmp_path: Path, make_photo: MakePhoto, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out = make_photo(), tmp_path / "out.png"
    sheet = written_hints(tmp_path / "h.json", photo)
    assert (
        run(["colorize", str(photo), "-o", str(out), "--hints", str(sheet), "--model", str(hearing_model), "--recipe"])
        == 0
    )
    recipe = tmp_path / "out.png.recipe.json"
    recipe.write_text(recipe.read_text().replace('"color": "navy"', '"color": "red"'))
    again = ["redo", str(recipe), "--model", str(hearing_model), "-o", str(tmp_path / "again.png")]
    assert run(again) == EXIT_USAGE
    assert "are not those that its result was made with" in capsys.readouterr().err


@pytest.mark.slow
def test_an_album_is_done_again_where_hints_changed_and_only_there(
    tmp_path: Path, make_photo: MakePhoto, hearing_model: Path
) -> None:
    for name in ("album/a.png", "album/b.png"):
        make_photo(name)
    folder, out, report = tmp_path / "hints", tmp_path / "out", tmp_path / "report.jsonl"
    folder.mkdir()
    written_hints(folder / "a.hints.json", tmp_path / "album/a.png")

    def statuses() -> dict[str, str]:
        arguments = ["colorize", str(tmp_path / "album"), "-o", str(out), "--hints", str(folder)]
        assert run([*arguments, "--model", str(hearing_model), "--report", str(report)]) == EXIT_OK
        lines = [json.loads(line) for line in report.read_text().splitlines()]
        return {Path(line["source"]).name: line["status"] for line in lines}

    assert statuses() == {"a.png": "done", "b.png": "done"}
    assert statuses() == {"a.png": "skipped", "b.png": "skipped"}
    assert (out / "a.png").read_bytes() != (out / "b.png").read_bytes()
    written_hints(folder / "a.hints.json", tmp_path / "album/a.png", {**POINT, "color": "red"})
    assert statuses() == {"a.png": "done", "b.png": "skipped"}


def test_one_file_of_hints_is_not_for_several_photographs(
    tmp_path: Path, make_photo: MakePhoto, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = [make_photo("a.png"), make_photo("b.png")]
    sheet = written_hints(tmp_path / "h.json", photos[0])
    assert run(["colorize", *map(str, photos), "-o", str(tmp_path / "out"), "--hints", str(sheet)]) == EXIT_USAGE
    assert "one file of hints cannot belong to several" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_file_of_hints_is_never_written_over(
    tmp_path: Path, make_photo: MakePhoto, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out = make_photo(), tmp_path / "out.png"
    sheet = written_hints(tmp_path / "out.png.hints.json", photo)
    before = sheet.read_bytes()
    arguments = ["colorize", str(photo), "-o", str(out), "--hints", str(sheet), "--model", str(hearing_model)]
    assert run([*arguments, "--keep-hints"]) == EXIT_SOME_FAILED
    assert "is the photograph itself" in capsys.readouterr().err
    assert sheet.read_bytes() == before


def test_hints_are_for_the_page_that_is_read(
    tmp_path: Path, hearing_model: Path, grey_ramp: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [Image.fromarray(grey_ramp), Image.fromarray(255 - grey_ramp)]
    pages[0].save(tmp_path / "m.tif", save_all=True, append_images=pages[1:])
    sheet = tmp_path / "h.json"
    sheet.write_text(json.dumps({"photochrom_hints": 1, "hints": [POINT]}))
    arguments = ["colorize", str(tmp_path / "m.tif"), "--hints", str(sheet), "--model", str(hearing_model)]
    assert run([*arguments, "-o", str(tmp_path / "out.tif")]) == EXIT_SOME_FAILED
    told = capsys.readouterr().err
    assert "m.tif: has several pages, and hints are for one picture. Say which with --page\n" in told
    assert run([*arguments, "-o", str(tmp_path / "out.tif"), "--page", "1"]) == EXIT_OK
    assert run([*arguments, "-o", str(tmp_path / "out.png")]) == EXIT_OK
    assert open_photo(tmp_path / "out.png").pixels.shape == (*grey_ramp.shape, 3)
