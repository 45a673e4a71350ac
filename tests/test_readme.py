"""The Python of README and tutorial runs as printed; the README's marked commands are there for .ci/run to read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from photochrom import colorizer
from photochrom.engines.hub import ModelFile

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
TUTORIAL = (README.parent / "docs" / "tutorial.md").read_text(encoding="utf-8")
SNIPPETS = {
    f"{name}-{number}": snippet
    for name, text in (("readme", TEXT), ("tutorial", TUTORIAL))
    for number, snippet in enumerate(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_python_snippets_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(colorizer, "find_model", lambda _: ModelFile("tiny", tiny_model, "", None))
    Image.linear_gradient("L").save("grandmother.jpg")
    exec(compile(SNIPPETS[name], name, "exec"), {})  # noqa: S102
    saved = re.findall(r'\.save\("(.+)"\)', SNIPPETS[name])
    assert [path for path in saved if not Path(path).is_file()] == []


def test_both_documents_show_python() -> None:
    assert {name.partition("-")[0] for name in SNIPPETS} == {"readme", "tutorial"}


@pytest.mark.parametrize("name", ["colour", "test"])
def test_the_marked_commands_are_there(name: str) -> None:
    found = re.search(rf"<!-- command: {name} -->\n```sh\n(.+)\n```", TEXT)
    assert found is not None
    assert found[1].startswith("pip install ")


def test_every_picture_that_is_shown_exists() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", TEXT)
    assert pictures
    assert [picture for picture in pictures if not (README.parent / picture).is_file()] == []
