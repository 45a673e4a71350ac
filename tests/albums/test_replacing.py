"""`--overwrite` replaces results, and never a photograph that somebody else has made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from photochrom.albums.plan import plan
from photochrom.cli.app import run
from tests.files.makers import textured

OFF = ["--damage=never", "--noise=never", "--quiet"]


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(textured()[..., 0]).save(path)
    return path


def restore(*arguments: object) -> int:
    return run(["restore", *map(str, arguments), *OFF])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b.png", "b.jpg", "b.tif", "b.bmp"])
def test_a_photograph_named_outright_is_not_replaced(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, other = picture(tmp_path / "a.png"), picture(tmp_path / name)
    before = other.read_bytes()
    assert restore(source, "-o", other, "--overwrite") == 1
    assert "is a photograph that photochrom did not make" in capsys.readouterr().err
    assert other.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b.png", "b.jpg", "b.tif", "b.webp"])
def test_a_result_is_replaced(name: str, tmp_path: Path) -> None:
    source, target = picture(tmp_path / "a.png"), tmp_path / name
    assert restore(source, "-o", target) == 0
    Image.fromarray(255 - textured()[..., 0]).save(source)
    before = target.read_bytes()
    assert restore(source, "-o", target, "--overwrite") == 0
    assert target.read_bytes() != before


@pytest.mark.slow
def test_a_result_in_a_format_without_words_is_known_by_its_recipe(tmp_path: Path) -> None:
    source, target = picture(tmp_path / "a.png"), tmp_path / "b.bmp"
    assert restore(source, "-o", target, "--recipe") == 0
    assert restore(source, "-o", target, "--recipe", "--overwrite") == 0
    Image.fromarray(255 - textured()[..., 0]).save(target)
    assert restore(source, "-o", target, "--recipe", "--overwrite") == 1


def test_what_is_no_photograph_is_replaced(tmp_path: Path) -> None:
    source, target = picture(tmp_path / "a.png"), tmp_path / "b.png"
    target.write_bytes(b"notes")
    assert restore(source, "-o", target, "--overwrite") == 0


def test_pictures_that_are_not_read_are_in_the_report(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.psd").write_bytes(b"8BPS")
    report = tmp_path / "report.jsonl"
    assert restore(tmp_path / "in", "-o", tmp_path / "out", "--report", report) == 0
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert sorted((Path(line["source"]).name, line["status"]) for line in lines) == [
        ("a.png", "done"),
        ("b.psd", "unread"),
    ]
    assert [path.name for path in plan([tmp_path / "in"], tmp_path / "out", format=None).unread] == ["b.psd"]
