"""An empty argument, as an unset variable leaves it, is no name: least of all that of the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from photochrom.cli.app import VERBS, build_app, run
from photochrom.errors import EXIT_USAGE
from tests.albums.test_batch import write

MODELS = ["import", "pull", "push", "show"]
COMMANDS = [[verb] for verb, _, _ in VERBS if verb not in {"models", "albums"}]
COMMANDS += [["models", verb] for verb in MODELS] + [["albums", verb] for verb in ("check", "merge")]
NAME = "an empty name. Name a file or folder; `.` is the folder that you are in"


def named_paths(command: list[str]) -> list[tuple[str, bool]]:
    """Return each parameter of a verb that is a path, and whether it is an option."""
    app = build_app()
    for word in command:
        app = app[word]
    arguments = app.assemble_argument_collection()
    return [(one.name, one.name.startswith("-")) for one in arguments if "Path" in str(one.hint)]


@pytest.mark.slow
def test_every_path_of_every_verb_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = 0
    for command in COMMANDS:
        places = 0
        for name, is_option in named_paths(command):
            more = ["x"] if name == "--pairs" else []  # takes two
            words = [name, "", *more] if is_option else [*["x"] * places, ""]
            places += not is_option
            assert run([*command, *words]) == EXIT_USAGE, (command, name)
            err = capsys.readouterr().err
            if "models push" in " ".join(command) and not is_option:
                continue  # whose first word is a text
            assert err == f"photochrom: {name}: {NAME}\n", (command, name)
            asked += 1
    assert asked > 50
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["colorize", "restore"])
@pytest.mark.parametrize("arguments", [[""], ["a.png", ""], ["a.png", "-o", ""], ["a.png", "--output="]])
def test_the_current_folder_is_not_meant_by_nothing(
    verb: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "a.png", 1)
    monkeypatch.chdir(tmp_path)
    assert run([verb, *arguments]) == EXIT_USAGE
    assert NAME in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["colorize", "x", "--shard", ""], "--shard: is empty. Leave it out, or say what it is to be"),
        (["batch", "", "out"], "IN: is empty. Leave it out, or say what it is to be"),
        (["batch", "in", ""], "OUT: is empty. Leave it out, or say what it is to be"),
        (["degrade", "x", "-o", "y.png", "--preset", ""], "--preset: is empty. Leave it out, or say what it is to be"),
        (["models", "push", "x", ""], f"PLACE: {NAME}"),
        (["models", "push", "x", "p", "--name", ""], "--name: is empty. Leave it out, or say what it is to be"),
        (["ask", "x", "--answer", "1=a", "--answer", ""], "--answer: is empty. Leave it out, or say what it is to be"),
    ],
)
def test_a_text_that_is_empty_is_not_left_out(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == EXIT_USAGE
    assert capsys.readouterr().err == f"photochrom: {expected}\n"


def test_switches_and_texts_that_may_be_empty_are_not_asked_about() -> None:
    words = ["export", "run", "-o", "x.onnx", "--name", "", "--trained-on", "", "--overwrite"]
    build_app().parse_args(words, exit_on_error=False, print_error=False)
