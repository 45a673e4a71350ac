"""What a model costs: seconds and peak memory, measured in a process of its own so that nothing else is counted.

Run as ``python -m photochrom.evaluation.cost MODEL MEGAPIXELS`` it colours one generated picture and prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from photochrom.errors import ModelError

SMALL_MEGAPIXELS, LARGE_MEGAPIXELS = 1, 4
REPEATS = 3
LIMIT_S = 600
STATUS = Path("/proc/self/status")
# What is measured, and its title on the page.
FIGURES = {
    "seconds_at_1_mp": "seconds at 1 MP",
    "seconds_per_further_mp": "per further MP",
    "load_seconds": "seconds to load",
    "peak_mb_at_1_mp": "peak MB at 1 MP",
    "peak_mb_per_further_mp": "MB per further MP",
    "idle_mb": "MB before the model",
}


def measure_cost(model: str) -> dict[str, float | None]:
    """Return seconds and peak memory at 1 megapixel, and what each further megapixel adds.

    Keys: ``seconds_at_1_mp`` (median of three), ``seconds_per_further_mp``, ``load_seconds``, ``peak_mb_at_1_mp`` (the
    whole process, Python and libraries included), ``idle_mb`` (before the model is loaded), ``peak_mb_per_further_mp``.
    Memory is None where the system does not tell a process its peak.

    Raises:
        ModelError: the measuring process failed, or took longer than ``LIMIT_S``.
    """
    small, large = (_in_own_process(model, size) for size in (SMALL_MEGAPIXELS, LARGE_MEGAPIXELS))
    further = LARGE_MEGAPIXELS - SMALL_MEGAPIXELS

    def slope(key: str) -> float | None:
        low, high = small[key], large[key]
        return None if low is None or high is None else (high - low) / further

    return {
        "seconds_at_1_mp": small["seconds"],
        "seconds_per_further_mp": slope("seconds"),
        "load_seconds": small["load_seconds"],
        "peak_mb_at_1_mp": small["peak_mb"],
        "idle_mb": small["idle_mb"],
        "peak_mb_per_further_mp": slope("peak_mb"),
    }


def _in_own_process(model: str, megapixels: int) -> dict[str, float | None]:
    command = [sys.executable, "-m", "photochrom.evaluation.cost", model, str(megapixels)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603 - our own
    except subprocess.TimeoutExpired:
        why = f"{megapixels} megapixels took longer than {LIMIT_S} s"
        raise ModelError(f"its cost cannot be measured ({why})", where=model) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"its cost cannot be measured ({last})", where=model)
    figures: dict[str, float | None] = json.loads(done.stdout)
    return figures


def peak_mb() -> float | None:
    """Return this process's peak resident memory in MB (10^6 bytes), or None where the system does not tell it."""
    if STATUS.exists():  # getrusage's peak survives exec on Linux: it would be the parent's
        lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")), None)
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def main(model: str, megapixels: int) -> dict[str, Any]:
    """Colour one generated picture a few times; return seconds and memory."""
    from photochrom.colorizer import Colorizer

    height = round(1000 * np.sqrt(megapixels))
    width = round(megapixels * 1e6 / height)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    grey = (127 + 60 * np.sin(x / 37) + 60 * np.cos(y / 53)).astype(np.uint8)
    del x, y
    idle = peak_mb()
    start = time.perf_counter()
    colorizer = Colorizer(model)
    load_seconds = time.perf_counter() - start
    colorizer(grey[:64, :64])
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        colorizer(grey)
        seconds.append(time.perf_counter() - start)
    return {"seconds": float(np.median(seconds)), "load_seconds": load_seconds, "peak_mb": peak_mb(), "idle_mb": idle}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))  # noqa: T201 - the answer to the parent process
