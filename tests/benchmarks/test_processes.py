"""What benchmarks share: a process is charged with its own memory alone, photographs are drawn from all of a folder."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.processes import run_process
from benchmarks.samples import photographs


@pytest.mark.posix
def test_a_process_is_not_charged_with_what_its_starter_held() -> None:
    held = np.ones(30_000_000)
    done = run_process([sys.executable, "-c", "print('one'); print('two')"])
    assert held.nbytes == 240_000_000
    assert done.peak_bytes < 100_000_000
    assert done.out == "one\ntwo"
    assert 0 < done.processor_s < 60


@pytest.mark.posix
def test_a_process_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match=r"failed \(3\)"):
        run_process([sys.executable, "-c", "raise SystemExit(3)"])


def test_photographs_are_spread_over_the_folder(tmp_path: Path) -> None:
    for code in range(19):
        Image.new("RGB", (2, 2), (code, 0, 0)).save(tmp_path / f"{code:02}.png")
    assert [photo[0, 0, 0] for photo in photographs(tmp_path, 10)] == [0, 1, 3, 5, 7, 9, 11, 13, 15, 17]
    assert len(photographs(tmp_path, 99)) == 19


def test_a_folder_without_photographs_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no photographs there"):
        photographs(tmp_path, 3)
