"""The Python of README and documents runs as printed, and the commands they show have the options that are shown."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from cyclopts import App
from PIL import Image

from photochrom import colorizer
from photochrom.cli.app import build_app
from photochrom.engines.hub import ModelFile

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
DOCUMENTS = [README, *sorted((README.parent / "docs").rglob("*.md"))]
SNIPPETS = {
    f"{path.stem.lower()}-{number}": snippet
    for path in DOCUMENTS
    for number, snippet in enumerate(re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), flags=re.DOTALL))
}
SHOWN_IN_BLOCKS = re.compile(r"(?:^|&& |\buvx |\| )photochrom (.*?)(?:\s#|&&|;|\||$)", re.MULTILINE)
SHOWN_IN_TEXT = re.compile(r"`photochrom ([^`]*)`")
OPTION = re.compile(r"--?[a-z][\w.-]*")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if "Restorer" in SNIPPETS[name] else []) for name in SNIPPETS]
)
def test_the_python_snippets_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(colorizer, "find_model", lambda _: ModelFile("tiny", tiny_model, "", None))
    Image.linear_gradient("L").save("grandmother.jpg")
    given = {"pixels": np.full((64, 64, 3), 128, np.uint8)}  # what a document speaks of and need not show
    exec(compile(SNIPPETS[name], name, "exec"), given)  # noqa: S102
    saved = re.findall(r'\.save\("(.+)"\)', SNIPPETS[name])
    assert [path for path in saved if not Path(path).is_file()] == []


def test_the_documents_that_show_python_are_found() -> None:
    shown = {name.rpartition("-")[0] for name in SNIPPETS}
    assert shown >= {"readme", "tutorial", "restoration", "degradation", "hints"}


def commands_in(text: str) -> list[list[str]]:
    """Return the commands of photochrom's that a document shows, in blocks and in its sentences, as words."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)).replace("\\\n", " ")
    blocks += "\n" + "\n".join(re.findall(r"^ {4}(photochrom .*)", text, flags=re.MULTILINE))
    return [shown.split() for shown in SHOWN_IN_BLOCKS.findall(blocks) + SHOWN_IN_TEXT.findall(text)]


def options_that_are_none(app: App, words: list[str]) -> list[str]:
    """Return the options of a command that its verb has not."""
    verb = app
    while words and words[0] in verb and not words[0].startswith("-"):
        verb, words = verb[words[0]], words[1:]
    shown = {found[0] for word in words if (found := OPTION.match(word))} - {"--help", "--version"}
    if not shown:
        return []
    return sorted(shown - {name for argument in verb.assemble_argument_collection() for name in argument.names})


@pytest.mark.slow
def test_every_option_that_the_documents_show_is_one() -> None:
    app, checked = build_app(), 0
    for path in [*DOCUMENTS, README.parent / "CHANGELOG.md", README.parent / "CONTRIBUTING.md"]:
        for words in commands_in(path.read_text(encoding="utf-8")):
            assert options_that_are_none(app, words) == [], f"{path.name}: photochrom {' '.join(words)}"
            checked += 1
    assert checked > 100


def test_an_option_that_is_none_would_be_found() -> None:
    text = "`photochrom models pull x --idnex y`\n```sh\nuvx photochrom models pull x --index y  # --not-one\n```"
    wrong = [options_that_are_none(build_app(), words) for words in commands_in(text)]
    assert wrong == [[], ["--idnex"]]


@pytest.mark.parametrize("name", ["colour", "test"])
def test_the_marked_commands_are_there(name: str) -> None:
    found = re.search(rf"<!-- command: {name} -->\n```sh\n(.+)\n```", TEXT)
    assert found is not None
    assert found[1].startswith("pip install ")


def test_every_picture_that_is_shown_exists() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", TEXT)
    assert pictures
    assert [picture for picture in pictures if not (README.parent / picture).is_file()] == []
