"""What is written beside a result: other versions and the uncertainty map, in albums too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.files.companions import without_companion_mark
from photochrom.files.provenance import read_provenance

MakePhoto = Callable[..., Path]


@pytest.fixture
def colorize(tiny_model: Path) -> Callable[..., int]:
    def call(*arguments: object) -> int:
        return run(["colorize", *map(str, arguments), "--model", str(tiny_model), "--quiet"])

    return call


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def test_versions_lie_beside_the_result_and_differ(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert colorize(make_photo("a.png"), "-o", out / "a.png", "--alternatives", 3) == EXIT_OK
    assert names_in(out) == ["a-alternative-2.png", "a-alternative-3.png", "a.png"]
    pictures = [Image.open(out / name) for name in names_in(out)]
    grey = np.asarray(Image.open(make_photo("a.png")))
    for picture in pictures:
        assert np.array_equal(np.asarray(picture.convert("L")), grey)
    assert len({picture.tobytes() for picture in pictures}) == 3
    made = read_provenance(photochrom.open_photo(out / "a-alternative-3.png").metadata.xmp)
    assert made is not None
    assert (made.settings["alternative"], made.settings["alternatives"]) == (3, 3)


def test_the_uncertainty_is_a_grey_picture_of_full_size(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path
) -> None:
    source = make_photo("a.png")
    assert colorize(source, "-o", tmp_path / "b.jpg", "--uncertainty", "--size", 64) == EXIT_OK
    with Image.open(tmp_path / "b-uncertainty.png") as shown, Image.open(source) as photo:
        assert shown.mode == "L"
        assert shown.size == photo.size
        # The tiny model is as sure of one view as the picture is light.
        assert np.corrcoef(np.asarray(shown).ravel(), np.asarray(photo).ravel())[0, 1] > 0.9


@pytest.mark.slow
def test_every_version_is_made_again_to_the_byte(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path, tiny_model: Path
) -> None:
    source = make_photo("a.png")
    options = ["--alternatives", 3, "--warmth", -25, "--vividness", 1.2, "--uncertainty", "--recipe"]
    assert colorize(source, "-o", tmp_path / "b.png", *options) == EXIT_OK
    for name in ("b.png", "b-alternative-2.png", "b-alternative-3.png"):
        target = tmp_path / name
        before = target.read_bytes()
        target.unlink()
        assert run(["redo", str(tmp_path / f"{name}.recipe.json"), "--model", str(tiny_model)]) == EXIT_OK
        assert target.read_bytes() == before


def test_the_uncertainty_gets_no_recipe(colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path) -> None:
    assert colorize(make_photo("a.png"), "-o", tmp_path / "b.png", "--uncertainty", "--recipe") == EXIT_OK
    assert (tmp_path / "b.png.recipe.json").exists()
    assert not (tmp_path / "b-uncertainty.png.recipe.json").exists()


@pytest.mark.slow
def test_an_album_goes_on_with_its_companions(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("album/a.png")
    make_photo("album/b.tif")
    arguments = (tmp_path / "album", "-o", tmp_path / "out", "--uncertainty", "--alternatives", 2)
    expected = ["a-alternative-2.png", "a-uncertainty.png", "a.png"]
    expected += ["b-alternative-2.tif", "b-uncertainty.png", "b.tif"]
    assert colorize(*arguments) == EXIT_OK
    assert names_in(tmp_path / "out") == sorted(expected)
    (tmp_path / "out" / "a.png").unlink()  # as if stopped between a companion and its result
    assert colorize(*arguments) == EXIT_OK
    assert names_in(tmp_path / "out") == sorted(expected)


def test_asking_for_more_later_makes_it(colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path) -> None:
    make_photo("album/a.png")
    assert colorize(tmp_path / "album", "-o", tmp_path / "out") == EXIT_OK
    assert names_in(tmp_path / "out") == ["a.png"]
    assert colorize(tmp_path / "album", "-o", tmp_path / "out", "--uncertainty") == EXIT_OK
    assert names_in(tmp_path / "out") == ["a-uncertainty.png", "a.png"]


@pytest.mark.slow
def test_asking_for_fewer_later_removes_what_we_made_and_nothing_else(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("album/a.png")
    make_photo("album/b.png")
    make_photo("album/a.png#-alternative-3.png")  # a photograph that is called as our notes call a companion
    out = tmp_path / "out"
    assert colorize(tmp_path / "album", "-o", out, "--alternatives", 3, "--uncertainty", "--recipe") == EXIT_OK
    edited, foreign = out / "b-alternative-3.png", out / "a-alternative-9.png"
    edited.write_bytes(edited.read_bytes() + b"edited by somebody")
    foreign.write_bytes(b"put there by somebody")
    before = set(names_in(out))
    assert {"a-alternative-3.png", "a-alternative-3.png.recipe.json", "a-uncertainty.png"} <= before
    assert colorize(tmp_path / "album", "-o", out, "--alternatives", 2) == EXIT_OK
    gone = before - set(names_in(out))
    assert {name for name in gone if name.startswith("a-")} == {
        "a-alternative-3.png",
        "a-alternative-3.png.recipe.json",
        "a-uncertainty.png",
    }
    assert edited.exists()
    assert foreign.exists()
    assert {"a.png", "b.png", "a.png#-alternative-3.png"} <= set(names_in(out))
    assert colorize(tmp_path / "album", "-o", out, "--alternatives", 2) == EXIT_OK
    assert before - set(names_in(out)) == gone


@pytest.mark.slow
def test_companions_beside_photographs_are_not_coloured_in_turn(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("album/a.png")
    for _ in range(2):
        assert colorize(tmp_path / "album", "--overwrite", "--alternatives", 2, "--uncertainty") == EXIT_OK
        found = ["a-color-alternative-2.png", "a-color-uncertainty.png", "a-color.png", "a.png"]
        assert names_in(tmp_path / "album") == found


def test_a_companion_never_replaces_what_is_not_ours(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = tmp_path / "b-uncertainty.png"
    precious.write_bytes(b"precious")
    assert colorize(make_photo("a.png"), "-o", tmp_path / "b.png", "--uncertainty") == EXIT_SOME_FAILED
    assert "b-uncertainty.png: exists already" in capsys.readouterr().err
    assert precious.read_bytes() == b"precious"


def test_a_companion_and_a_photograph_of_its_name(
    colorize: Callable[..., int], make_photo: MakePhoto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_photo("album/a.png")
    make_photo("album/a-uncertainty.png")
    assert colorize(tmp_path / "album", "-o", tmp_path / "out", "--uncertainty") == EXIT_SOME_FAILED
    assert "another photograph's result" in capsys.readouterr().err
    with Image.open(tmp_path / "out" / "a-uncertainty.png") as picture:
        assert picture.mode == "RGB"  # the photograph of that name


def test_pages_of_a_tiff_have_companions_of_as_many_pages(
    colorize: Callable[..., int], tmp_path: Path, grey_ramp: np.ndarray
) -> None:
    pages = [Image.fromarray(grey_ramp), Image.fromarray(255 - grey_ramp)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert colorize(tmp_path / "a.tif", "-o", tmp_path / "b.tif", "--uncertainty", "--alternatives", 2) == EXIT_OK
    for name in ("b.tif", "b-uncertainty.tif", "b-alternative-2.tif"):
        with Image.open(tmp_path / name) as picture:
            assert getattr(picture, "n_frames", 1) == 2, name


def test_the_report_says_how_many_there_are(
    colorize: Callable[..., int], tmp_path: Path, make_photo: MakePhoto
) -> None:
    black = tmp_path / "black.png"
    Image.new("L", (50, 40)).save(black)
    report = tmp_path / "report.jsonl"
    assert colorize(black, "-o", tmp_path / "b.png", "--alternatives", 3, "--report", report) == EXIT_OK
    assert any("1 of 3 versions" in note for note in json.loads(report.read_text())["notes"])
    assert not (tmp_path / "b-alternative-2.png").exists()


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("a-uncertainty", "a"),
        ("a-alternative-12", "a"),
        ("a-alternative-x", "a-alternative-x"),
        ("a", "a"),
        ("the-alternative", "the-alternative"),
    ],
)
def test_marks_are_recognised(stem: str, expected: str) -> None:
    assert without_companion_mark(stem) == expected
