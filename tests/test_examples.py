"""The examples in public docstrings run, and show what they say."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest

import photochrom

GIVEN = {"np": np, "photochrom": photochrom}
FOUND = [
    example
    for name in photochrom.__all__
    if callable(value := getattr(photochrom, name))
    for example in doctest.DocTestFinder(recurse=False).find(value, name, globs=GIVEN)
    if example.examples
]


def test_the_doors_have_examples() -> None:
    doors = {"Colorizer", "ColorizeOptions", "Restorer", "colorize", "open_photo", "restore"}
    assert doors <= {example.name for example in FOUND}


@pytest.mark.parametrize("example", FOUND, ids=lambda example: example.name)
def test_an_example_shows_what_it_says(
    example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert not failed, "".join(said)
