"""The benchmark against other generators: it measures in processes of its own, and its ratios are right."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "peers.py"


@pytest.fixture(scope="module")
def peers() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("peers", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["peers"] = importlib.util.module_from_spec(spec)  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["peers"]


def test_ratios_are_to_photochrom_and_unknown_memory_is_a_dash(peers: ModuleType) -> None:
    figures = {
        "photochrom": {"seconds": 0.5, "peak_mb": 300.0, "load_seconds": 0.2},
        "artistic": {"seconds": 12.0, "peak_mb": None, "load_seconds": 2.0},
    }
    lines = [line.split() for line in peers.table(figures).splitlines()]
    assert lines[1] == ["photochrom", "0.500", "1.0", "300", "1.0", "0.20"]
    assert lines[2] == ["DeOldify", "artistic,", "render", "factor", "35", "12.000", "24.0", "-", "-", "2.00"]


@pytest.mark.slow
def test_one_contestant_is_measured(peers: ModuleType, tiny_model: Path) -> None:
    figures = peers.measure("photochrom", str(tiny_model), 1)
    assert figures["seconds"] > 0
    assert figures["load_seconds"] > 0


@pytest.mark.slow
def test_a_contestant_that_fails_is_named(peers: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="photochrom failed"):
        peers.measure("photochrom", str(tmp_path / "absent.onnx"), 1)
