"""Beside photographs and beside results: as many files as there are photographs, whatever stems they share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.albums.beside import is_named_beside, name_companions, result_beside, results_beside, without_results
from photochrom.albums.manifest import MANIFEST_NAME
from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from tests.files.makers import textured

Colorize = Callable[..., int]
BASE_NAMES = ["a.jpg", "a.png", "b.png"]


@pytest.fixture
def colorize(tiny_model: Path) -> Colorize:
    def call(*arguments: object) -> int:
        return run(["colorize", *map(str, arguments), "--model", str(tiny_model), "--quiet"])

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photographs, two of one stem."""
    for seed, name in enumerate(BASE_NAMES):
        picture(tmp_path / "in" / name, seed)
    return tmp_path / "in"


def picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.roll(textured()[..., 0], 7 * seed)).save(path)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != MANIFEST_NAME)


def grey(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"))


@pytest.mark.slow
def test_two_photographs_of_one_stem_have_a_result_each(colorize: Colorize, folder: Path) -> None:
    files = (folder / "a.jpg", folder / "a.png")
    made = [*BASE_NAMES, "a-color.png", "a-jpg-color.png"]
    for _ in range(2):
        assert colorize(*files, "--format", "png", "--overwrite") == EXIT_OK
        assert names_in(folder) == sorted(made)
    assert np.array_equal(grey(folder / "a-color.png"), grey(folder / "a.png"))
    assert np.array_equal(grey(folder / "a-jpg-color.png"), grey(folder / "a.jpg"))


def test_a_photograph_alone_leaves_the_name_to_the_one_it_is_for(colorize: Colorize, folder: Path) -> None:
    assert colorize(folder / "a.png") == EXIT_OK
    before = (folder / "a-color.png").read_bytes()
    assert colorize(folder / "a.jpg", "--format", "png", "--overwrite") == EXIT_OK
    assert (folder / "a-color.png").read_bytes() == before
    assert names_in(folder) == sorted([*BASE_NAMES, "a-color.png", "a-jpg-color.png"])


def test_formats_that_are_not_written_do_not_cost_anothers_result(colorize: Colorize, tmp_path: Path) -> None:
    for seed, name in enumerate(["a.gif", "a.png"]):
        picture(tmp_path / "in" / name, seed)
    for _ in range(2):  # what was made is not coloured in turn
        assert colorize(tmp_path / "in", "--overwrite") == EXIT_OK
        assert names_in(tmp_path / "in") == ["a-color.png", "a-gif-color.png", "a.gif", "a.png"]


@pytest.mark.slow
def test_in_an_album_each_result_has_a_map_of_its_own(colorize: Colorize, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = ["a-png-uncertainty.png", "a-uncertainty.png", "a.jpg", "a.png", "b-uncertainty.png", "b.png"]
    for options in ((), ("--size", 64)):  # done again, and none is taken for another's that is outdated
        assert colorize(folder, "-o", out, "--uncertainty", *options) == EXIT_OK
        assert names_in(out) == made


@pytest.mark.slow
def test_beside_photographs_each_result_has_a_map_of_its_own(colorize: Colorize, folder: Path) -> None:
    maps = ["a-color-png-uncertainty.png", "a-color-uncertainty.png", "b-color-uncertainty.png"]
    for _ in range(2):  # and none is coloured in turn
        assert colorize(folder, "--uncertainty", "--overwrite") == EXIT_OK
        assert names_in(folder) == sorted([*BASE_NAMES, *maps, "a-color.jpg", "a-color.png", "b-color.png"])


@pytest.mark.slow
def test_a_photograph_that_comes_later_takes_nobodys_map(colorize: Colorize, folder: Path, tmp_path: Path) -> None:
    (folder / "a.jpg").rename(tmp_path / "a.jpg")
    assert colorize(folder, "-o", tmp_path / "out", "--uncertainty") == EXIT_OK
    before = (tmp_path / "out" / "a-uncertainty.png").read_bytes()
    (tmp_path / "a.jpg").rename(folder / "a.jpg")
    picture(folder / "b-uncertainty.png", 5)
    assert colorize(folder, "-o", tmp_path / "out", "--uncertainty") == EXIT_OK
    assert (tmp_path / "out" / "a-uncertainty.png").read_bytes() == before
    assert names_in(tmp_path / "out") == [
        "a-jpg-uncertainty.png",
        "a-uncertainty.png",
        "a.jpg",
        "a.png",
        "b-uncertainty-png-uncertainty.png",
        "b-uncertainty-png.png",
        "b-uncertainty.png",
        "b.png",
    ]


@pytest.mark.slow
def test_masks_are_as_many_as_photographs(folder: Path, tmp_path: Path) -> None:
    off = ["--damage=always", "--noise=never", "--quiet"]
    assert run(["restore", str(folder), "-o", str(tmp_path / "out"), "--keep-mask", *off]) == EXIT_OK
    assert names_in(tmp_path / "out") == ["a-mask.png", "a-png-mask.png", "a.jpg", "a.png", "b-mask.png", "b.png"]


def test_a_result_that_exists_is_still_told(
    colorize: Colorize, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert colorize(folder / "b.png") == EXIT_OK
    assert colorize(folder / "b.png") == EXIT_SOME_FAILED
    assert "b-color.png: exists already. Use --overwrite to replace it" in capsys.readouterr().err


def test_names_told_apart_are_nobodys_own(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.jpeg", "a.png", "a-jpg.png", "other/a.png", "A.tif"):
        picture(tmp_path / name)
    results = results_beside(sorted(tmp_path.glob("*.*"), key=os.fsencode), "png")
    assert {source.name: target.name for source, target in results.items()} == {
        "A.tif": "A-tif-color.png",
        "a-jpg.png": "a-jpg-color.png",
        "a.jpeg": "a-jpeg-color.png",
        "a.jpg": "a-jpg-2-color.png",
        "a.png": "a-color.png",
    }
    assert result_beside(tmp_path / "a.jpg", "png").name == "a-jpg-2-color.png"
    assert result_beside(tmp_path / "missing" / "a.jpg", "png").name == "a-color.png"
    assert without_results([*results, *results.values()], ["-color"]) == [*results]


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("a.jpg", "a-color.png", True),
        ("a.jpg", "a-restored.png", True),
        ("a.jpg", "a-jpg-color.png", True),
        ("a.jpg", "a-jpg-3-color.png", True),
        ("a", "a-2-color.png", True),
        ("a.jpg", "a-png-color.png", False),
        ("a.jpg", "a-2-color.png", False),
        ("a.jpg", "sub/a-color.png", False),
        ("a.jpg", "a.png", False),
    ],
)
def test_a_results_name_is_known(source: str, target: str, expected: bool) -> None:
    assert is_named_beside(Path(source), Path(target)) is expected


def test_stems_of_companions_once_given_stay() -> None:
    names = {"x.jpg": "s/x.jpg", "x.png": "s/x.png", "X.tif": "s/X.tif", "y.png": "x.png"}
    assert name_companions(names, {}) == {"X.tif": "X", "x.jpg": "x-jpg", "x.png": "x-png", "y.png": "x"}
    given = {"x.png": ["s/x-uncertainty.png", "s/x-alternative-2.png"], "gone.png": ["s/x-jpg-mask.png"]}
    assert name_companions(names, given) == {"X.tif": "X-tif", "x.jpg": "x-jpg-2", "x.png": "x", "y.png": "x"}
