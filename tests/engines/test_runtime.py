"""Nothing leaves the computer: ONNX Runtime's reports to its maker are off wherever photochrom runs a model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "photochrom"
LOAD = """
import sys
from pathlib import Path
from photochrom.engines.onnx import OnnxEngine
from photochrom.options import EngineOptions
OnnxEngine(Path(sys.argv[1]), options=EngineOptions(threads=1)).close()
"""


def test_one_module_alone_loads_onnx_runtime() -> None:
    loads = re.compile(r"^\s*(?:import onnxruntime|from onnxruntime)", flags=re.MULTILINE)
    found = {str(p.relative_to(SOURCE)) for p in SOURCE.rglob("*.py") if loads.search(p.read_text(encoding="utf-8"))}
    assert found == {"engines/runtime.py"}


@pytest.mark.posix
def test_a_loaded_model_leaves_no_trace_of_reports(tiny_model: Path, tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    # What builds and tests set would keep ONNX Runtime silent by itself.
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")}
    places = {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", LOAD, str(tiny_model)], env=kept | places, check=True, timeout=100)
    assert list(home.rglob("*")) + list(temporary.rglob("*")) == []
