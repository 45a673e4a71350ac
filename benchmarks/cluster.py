"""What a photograph costs a core, and what a storage adds, modelled to machines.

    python benchmarks/cluster.py [--photos 8] [--megapixels 6] [--machines 1 10 100] [--cores 16]

Measured in processor time, which other work on the computer changes little: `photochrom colorize` on a folder with one
thread, and `photochrom batch` from a folder to a folder, whose records and staging are those of the cloud. Ratios are
to the first. The table that follows is a model: processor time by cores, beside a network that all machines share.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOGRAPHS = 1_000_000
NETWORK_GBIT = 10.0
REQUESTS_PER_S = 3_500
"""Puts a second that S3 promises for one prefix (AWS, "Best practices design patterns: optimizing performance")."""
REQUESTS = 5
"""For each photograph: get; record found, begun, done; put of the result."""


def make_album(folder: Path, count: int, megapixels: float) -> int:
    """Write grey scans with grain, and return their mean size in bytes."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    folder.mkdir()
    for number in range(count):
        grain = np.random.default_rng(number).normal(0, 5, (height, width))
        tones = 120 + 60 * np.sin(columns / (90 + 9 * number)) + 40 * np.cos(rows / 140) + grain
        Image.fromarray(np.clip(tones, 0, 255).astype(np.uint8)).save(folder / f"{number:03}.jpg", quality=90)
    return sum(path.stat().st_size for path in folder.iterdir()) // count


def processor_seconds(*words: str) -> float:
    """Run a command line, and return what it took of all cores together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "photochrom", *words, "--quiet"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def each(verb: str, album: Path, out: Path, count: int, *more: str) -> float:
    """Return processor seconds for each photograph, the start of the program taken off."""
    words = [verb, str(album), *more, "--threads", "1", "--workers", "1"]
    full = processor_seconds(*[word.replace("OUT", str(out)) for word in words])
    again = processor_seconds(*[word.replace("OUT", str(out)) for word in words])  # all done before
    return (full - again) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--megapixels", type=float, default=6.0)
    parser.add_argument("--machines", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--cores", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = make_album(folder / "in", options.photos, options.megapixels)
        alone = each("colorize", folder / "in", folder / "out", options.photos, "-o", "OUT")
        staged = each("batch", folder / "in", folder / "cloud", options.photos, "OUT")
        written = sum(path.stat().st_size for path in (folder / "out").glob("*.jpg")) // options.photos
    print(f"{options.megapixels:g} megapixels, {size / 1e6:.1f} MB in, {written / 1e6:.1f} MB out")
    for what, seconds in (("colorize, a folder", alone), ("batch, staged and recorded", staged)):
        an_hour, ratio = 3600 / seconds, seconds / alone
        print(f"{what}: {seconds:.2f} processor s, {an_hour:,.0f} an hour and core, {ratio:.2f} of the first")
    moved_s = PHOTOGRAPHS * (size + written) * 8 / (NETWORK_GBIT * 1e9)
    asked_s = PHOTOGRAPHS * REQUESTS / REQUESTS_PER_S
    print(f"| machines of {options.cores} cores | computing, h | network, h | requests, h | processor hours |")
    for machines in options.machines:
        computing = PHOTOGRAPHS * staged / (machines * options.cores)
        network = moved_s / machines  # each has a card of its own
        hours = " | ".join(f"{seconds / 3600:,.1f}" for seconds in (computing, network, asked_s))
        print(f"| {machines} | {hours} | {PHOTOGRAPHS * staged / 3600:,.0f} |")


if __name__ == "__main__":
    main()
