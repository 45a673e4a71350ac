"""What a newcomer types wrongly: each answer is one line that says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from photochrom.albums.album import look_through
from photochrom.cli.app import run
from photochrom.errors import EXIT_NOT_INSTALLED, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, PhotoNotFoundError
from tests.albums.test_batch import write

FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["help"], "help: unknown command. Did you mean '--help'?"),
        (["--versoin"], "Did you mean '--version'?"),
        (["--quiet", "colorize", "a.png"], "--quiet: options stand behind the verb"),
        (["models", "list", "more"], "more: nothing more is taken here. See `photochrom models list --help`."),
        (["film", "a.mp4", "b.mp4"], "--output: has to be given, as in -o NAME. See `photochrom film --help`."),
        (["colorize", "-lead.png"], "-lead.png: is taken for an option; write ./-lead.png"),
        (["colorize", "https://example.org/a.jpg"], "is an address of the web"),
        (["colorize", "a.png", "b.png"], "b.png: there is no such photograph. Check the path; if it is where"),
        (["colorize", "a.png", "--vividness", "x"], "--vividness: should be a valid number, not 'x'. See"),
    ],
)
def test_the_line_says_what_to_write(
    words: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.png")
    write(tmp_path / "-lead.png")
    assert run(words) == EXIT_USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert expected in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["-lead.png", "a.png"]


def test_a_folder_that_is_not_there_is_not_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(PhotoNotFoundError, match="there is no such folder"):
        look_through(tmp_path / "nowhere")
    write(tmp_path / "a.png")
    with pytest.raises(PhotoNotFoundError, match="is no folder"):
        look_through(tmp_path / "a.png")


def test_a_film_is_told_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_bytes(FILM)
    assert run(["colorize", str(tmp_path / "a.mp4")]) == EXIT_SOME_FAILED
    assert "this is a film. Give a photograph such as" in (err := capsys.readouterr().err)
    assert "films are for `photochrom film`" in err


def test_help_of_films_offers_nothing_that_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["film", "--help"]) == EXIT_OK
    out = capsys.readouterr().out
    assert out.startswith("Usage: ")
    assert "--vividness" in out
    refused = ("--alternative", "--uncertainty", "--colored", "--empty-reference", "--empty-without")
    assert [name for name in refused if name in out] == []


def test_a_model_is_shown_with_each_fact_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "show"]) == EXIT_OK
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(names) == len(set(names)) > 15
    assert "bin_shares" not in names


def test_what_is_known_of_a_model_that_is_not_here_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    assert run(["models", "show", "deoldify-stable"]) == EXIT_NOT_INSTALLED
    out, err = capsys.readouterr()
    assert "rgb-generator/1" in out
    assert "photochrom models pull deoldify-stable" in err
