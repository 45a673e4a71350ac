"""Every path that README, ARCHITECTURE, CONTRIBUTING, CHANGELOG and the docs name is there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OWN = ("src", "tests", "docs", "configs", "scripts", "benchmarks", "notebooks", ".ci", ".github", "packaging")
# Paths in back ticks: files by their suffix, folders by a slash at the end. `FILE.toml` is the reader's.
NAMED = re.compile(r"`((?:[\w.*-]+/)*[\w.*-]+\.(?:py|md|toml|ipynb|npz|onnx)|(?:[\w.-]+/)+)`")
LINKED = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
# What a user or a build has, and we do not.
THEIRS = {"model.onnx", "result_images/", ".photochrom/records/", "ours/"}


@pytest.fixture(scope="module")
def paths() -> str:
    """All our files and folders, one a line, folders with a slash at the end."""
    found = [path.name for path in ROOT.iterdir() if path.is_file()]
    for folder in OWN:
        for parent, folders, files in os.walk(ROOT / folder):
            folders[:] = [name for name in folders if name != "__pycache__"]
            here = Path(parent).relative_to(ROOT).as_posix()
            found += [f"{here}/", *(f"{here}/{name}" for name in files)]
    return "\n".join(f"/{path}" for path in found) + "\n"


def is_there(named: str, paths: str) -> bool:
    """Return whether a path, or its end, or (from a hyphen on) a name's end, is one of ours; a star stands for any."""
    pattern = re.escape(named).replace(r"\*", "[^/\n]*")
    return re.search(f"{'' if named.startswith('-') else '/'}{pattern}\n", paths) is not None


def is_placeholder(named: str) -> bool:
    """Return whether a name stands for a file of the reader's: FILE.toml, and the few that are known."""
    in_capitals = re.search("[A-Z]{3}", Path(named).stem) is not None
    return named in THEIRS or (in_capitals and not (ROOT / named).exists())


@pytest.mark.skipif(not (ROOT / ".github").is_dir(), reason="a source distribution has not all that is named")
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_named_is_there(document: Path, paths: str) -> None:
    text = document.read_text(encoding="utf-8")
    named = {name for name in NAMED.findall(text) if not is_placeholder(name)}
    assert sorted(name for name in named if not is_there(name, paths)) == []
    assert sorted(link for link in LINKED.findall(text) if not (document.parent / link).exists()) == []


def test_a_path_that_is_not_there_would_be_found(paths: str) -> None:
    assert is_there("engines/hub.py", paths)
    assert is_there("engines/", paths)
    assert not is_there("photochrom/hub.py", paths)
    assert not is_there("ub.py", paths)
