"""The repository travels light: one copy of each model, nothing large beside them, and no file too long to be read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COLOR = "src/photochrom/engines/weights/photochrom-color.onnx"
# 40 MB in all, also after the next colour model: so much for it, and so much for everything else.
MOST_FOR_COLOR, MOST_BESIDE = 23_000_000, 17_000_000
MOST_LINES = 350


@pytest.fixture(scope="module")
def sizes() -> dict[str, int]:
    """The tracked files and their sizes."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=200).stdout
    files = [ROOT / name for name in listed.decode().split("\0") if name]
    return {file.relative_to(ROOT).as_posix(): file.stat().st_size for file in files if file.is_file()}


def test_a_clone_is_small(sizes: dict[str, int]) -> None:
    assert sizes[COLOR] <= MOST_FOR_COLOR
    assert sum(sizes.values()) - sizes[COLOR] <= MOST_BESIDE


def test_weights_lie_in_one_place(sizes: dict[str, int]) -> None:
    weights = [name for name in sizes if name.endswith((".onnx", ".safetensors", ".pth", ".pt", ".ckpt"))]
    assert {Path(name).parent.as_posix() for name in weights} == {Path(COLOR).parent.as_posix()}


def test_a_file_of_code_is_read_in_one_sitting(sizes: dict[str, int]) -> None:
    code = [name for name in sizes if name.startswith("src/") and name.endswith(".py")]
    lengths = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in code}
    assert len(lengths) > 200
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
