"""Names of outputs that can be neither a result's nor a folder's are told in one line, and nothing is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_USAGE

MakePhoto = Callable[..., Path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["album", "-o", "album"], "album: is the folder of the photographs. Choose another --output"),
        (["album", "-o", "album/../album/"], "album: is the folder of the photographs."),
        (["other", "album", "-o", "album"], "album: is the folder of the photographs."),
        (["album", "-o", "album", "--shard", "1/2"], "album: is the folder of the photographs."),
        (
            ["a.jpg", "-o", "y.jpg", "--format", "png"],
            "y.jpg: is the name of a JPEG, and the format is to be PNG. Choose a name that ends in .png",
        ),
        (["a.jpg", "-o", "k.psd"], "k.psd: cannot write files of type '.psd'"),
        (["a.jpg", "-o", "k.HEIC"], "k.HEIC: cannot write files of type '.heic'"),
        (
            ["a.jpg", "-o", "k.png", "--shard", "1/1"],
            "k.png: is named like a picture, and a folder is needed here. Choose another --output",
        ),
        (["album", "-o", "k.png"], "k.png: is named like a picture"),
        (["a.jpg", "album/b.jpg", "-o", "k.psd"], "k.psd: is named like a picture"),
    ],
)
@pytest.mark.slow
@pytest.mark.parametrize("verb", ["colorize", "restore"])
def test_an_output_that_cannot_be_meant_is_refused(
    verb: str,
    arguments: list[str],
    said: str,
    make_photo: MakePhoto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("a.jpg", "album/b.jpg", "other/c.jpg"):
        make_photo(name)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert run([verb, *arguments]) == EXIT_USAGE
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_names_that_can_be_meant_are_taken(make_photo: MakePhoto, tmp_path: Path, tiny_model: Path) -> None:
    photo, model = make_photo("album/b.jpg"), ["--model", str(tiny_model), "--quiet"]
    (tmp_path / "folder.png").mkdir()
    for inputs, output, made in (
        (photo, "y.jpeg", "y.jpeg"),
        (tmp_path / "album", "folder.png", "folder.png/b.jpg"),
        (photo, "2020.v2", "2020.v2/b.jpg"),
    ):
        assert run(["colorize", str(inputs), "-o", str(tmp_path / output), "--format", "jpeg", *model]) == EXIT_OK
        with Image.open(tmp_path / made) as image:
            assert image.format == "JPEG"


@pytest.mark.slow
def test_a_recipe_is_not_made_again_under_another_formats_name(
    make_photo: MakePhoto, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", str(tiny_model)]
    arguments = ["-o", str(tmp_path / "out"), "--format", "png", "--recipe", *model]
    assert run(["colorize", str(make_photo("a.jpg")), *arguments]) == EXIT_OK
    recipe = tmp_path / "out" / "a.png.recipe.json"
    capsys.readouterr()
    assert run(["redo", str(recipe), "-o", str(tmp_path / "y.jpg"), *model]) == EXIT_USAGE
    assert "y.jpg: is the name of a JPEG, and the format is to be PNG." in capsys.readouterr().err
    assert not (tmp_path / "y.jpg").exists()
    assert run(["redo", str(recipe), "-o", str(tmp_path / "y.png"), *model]) == EXIT_OK
