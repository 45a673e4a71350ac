"""Measure `photochrom colorize` on one 1500 x 1000 JPEG: the whole process, its parts, and ratios to a baseline.

    python benchmarks/colorize.py [--model NAME_OR_PATH] [--runs 5]

The baseline is Pillow decoding and encoding the same file in a process of its own: what any tool must pay. Every
figure is the median of the runs, each in a fresh process; memory is the process's peak resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from processes import run_process

WIDTH, HEIGHT = 1500, 1000
TARGETS = {"whole process": "1.5 s, 400 MB", "import photochrom": "0.3 s", "net": "0.15 s"}

PILLOW = "import sys; from PIL import Image; Image.open(sys.argv[1]).convert('RGB').save(sys.argv[2], quality=95)"
STEPS = """
import json, sys, time
start = time.perf_counter()
import photochrom
seconds = {"import photochrom": time.perf_counter() - start}
start = time.perf_counter()
session = photochrom.Colorizer(sys.argv[2])
seconds["load the model, imports included"] = time.perf_counter() - start
start = time.perf_counter()
photo = photochrom.open_photo(sys.argv[1])
seconds["decode"] = time.perf_counter() - start
first = session.run(photo)
seconds["net, first run"] = first.seconds["net"]
result = session.run(photo)
seconds.update(result.seconds)
start = time.perf_counter()
photochrom.save_photo(result.photo, sys.argv[3])
seconds["encode"] = time.perf_counter() - start
print(json.dumps(seconds))
"""


def write_photograph(path: Path) -> None:
    """Write a grey picture with smooth areas, edges and grain, as a scan has them."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    picture = 110 + 60 * np.sin(columns / 170) * np.cos(rows / 130) + 40 * ((rows // 90 + columns // 140) % 2)
    picture += np.random.default_rng(0).normal(0, 6, picture.shape)
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path, quality=92)


def median_run(command: list[str], runs: int) -> tuple[float, float]:
    """Return the median seconds and megabytes of a command; one run to warm the file cache is not counted."""
    run_process(command)
    measured = [run_process(command) for _ in range(runs)]
    return statistics.median(one.wall_s for one in measured), statistics.median(
        one.peak_bytes / 1e6 for one in measured
    )


def median_steps(command: list[str], runs: int) -> dict[str, float]:
    """Return the median seconds of each step."""
    measured = [json.loads(run_process(command).out) for _ in range(runs)]
    return {step: statistics.median(one[step] for one in measured) for step in measured[0]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="photochrom-color")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        source, copy, target = (Path(folder, name) for name in ("scan.jpg", "copy.jpg", "out.jpg"))
        write_photograph(source)
        colorize = [python, "-m", "photochrom", "colorize", str(source), "-o", str(target), "--overwrite", "--quiet"]
        colorize += ["--model", arguments.model]
        base_s, base_mb = median_run([python, "-c", PILLOW, str(source), str(copy)], arguments.runs)
        ours_s, ours_mb = median_run(colorize, arguments.runs)
        steps = median_steps([python, "-c", STEPS, str(source), arguments.model, str(target)], arguments.runs)
    print(f"{WIDTH} x {HEIGHT} JPEG, {len(os.sched_getaffinity(0))} processors, medians of {arguments.runs} runs")
    print(f"{'':34}{'seconds':>9}{'ratio':>8}{'MB':>7}{'ratio':>8}  target")
    print(f"{'baseline: Pillow decode + encode':34}{base_s:9.3f}{1:8.2f}{base_mb:7.0f}{1:8.2f}")
    target_text = TARGETS["whole process"]
    print(
        f"{'photochrom colorize, whole process':34}{ours_s:9.3f}{ours_s / base_s:8.2f}"
        f"{ours_mb:7.0f}{ours_mb / base_mb:8.2f}  {target_text}"
    )
    for step, seconds in steps.items():
        print(f"  {step:32}{seconds:9.3f}{seconds / base_s:8.2f}{'':15}  {TARGETS.get(step, '')}".rstrip())


if __name__ == "__main__":
    main()
