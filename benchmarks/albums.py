"""Albums and large scans: photographs per second, seconds by stage, memory against megapixels.

    python benchmarks/albums.py [--model PATH] [--photos 200] [--megapixels 12 24 50 100 200] [--skip PART...]

Prints ratios beside the absolute numbers, for those are true of one computer only. Pictures are made here: smooth
tones with grain, so that files have the size of real scans.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from photochrom import Colorizer
from photochrom.albums.batch import run_batch
from photochrom.albums.manifest import Manifest
from photochrom.albums.plan import plan
from photochrom.albums.reports import PhotoReport
from photochrom.albums.results import BatchSettings
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import save_photo

ONE_RUN = """
import json, sys, time
from photochrom import Colorizer, open_photo, save_photo
with Colorizer(model=sys.argv[1] or None) as colorizer:
    start = time.perf_counter()
    photo = open_photo(sys.argv[2])
    seconds = {"read": time.perf_counter() - start}
    result = colorizer.run(photo)
    seconds.update(result.seconds)
    del photo
    start = time.perf_counter()
    save_photo(result.photo, sys.argv[3])
    seconds["write"] = time.perf_counter() - start
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak = int(status["VmHWM"].split()[0]) / 1024  # ru_maxrss would count the parent before exec
print(json.dumps({"seconds": seconds, "peak_mib": peak}))
"""
TILE = 1024
NET_RUNS = 15


def scan(width: int, height: int, dtype: type = np.uint8, *, seed: int = 0) -> Photo:
    """Return a grey scan: tones that change slowly, edges, and grain (one square of it, over and over)."""
    grain = np.random.default_rng(seed).normal(0, 0.02, (TILE, TILE)).astype(np.float32)
    grain = np.tile(grain, (1, -(-width // TILE)))[:, :width]
    columns = np.arange(width, dtype=np.float32)
    waves = 0.3 * np.sin(columns / width * 9 + seed)
    white = np.iinfo(dtype).max
    pixels = np.empty((height, width, 1), dtype)
    for row in range(height):
        tone = 0.5 + waves * np.cos(row / height * 7) + 0.1 * ((columns // 97 + row // 61) % 2) + grain[row % TILE]
        pixels[row, :, 0] = np.clip(tone, 0, 1) * white
    return Photo(pixels)


def throughput(model: str | None, count: int, workers: Sequence[int], folder: Path) -> None:
    """Photographs per second of an album of one-megapixel JPEGs, against the net alone."""
    scans = [scan(1224, 816, seed=seed).pixels for seed in range(10)]
    for number in range(count):
        save_photo(Photo(np.roll(scans[number % 10], number, axis=1)), folder / "album" / f"{number:04}.jpg")
    with Colorizer(model=model) as colorizer:
        net_alone, color_alone = rates_alone(colorizer, open_photo(folder / "album" / "0000.jpg"))
        print(f"the net alone: {net_alone:.2f} photos/s; with shrinking and merging: {color_alone:.2f} photos/s")
        for number in workers:
            out = folder / f"out-{number}"
            reports: list[PhotoReport] = []
            settings = BatchSettings(colorizer.provenance)
            jobs = plan([folder / "album"], out, format=None).jobs
            summary = run_batch(
                jobs, colorizer.run, settings, manifest=Manifest.of(out), workers=number, on_report=reports.append
            )
            rate = summary.photos_per_second
            print(
                f"{summary.done} JPEGs of 1 MP, {number} workers: {rate:.2f} photos/s, "
                f"{rate / net_alone:.0%} of the net alone"
            )
        again = run_batch(jobs, colorizer.run, settings, manifest=Manifest.of(out))
        print(f"rerun with nothing to do: {again.skipped / again.seconds:.0f} photos/s")


def rates_alone(colorizer: Colorizer, photo: Photo) -> tuple[float, float]:
    """Return photographs per second of the net, and of all of colouring, one after the other."""
    colorizer.run(photo)
    start = time.perf_counter()
    net = sum(colorizer.run(photo).seconds["net"] for _ in range(NET_RUNS))
    return NET_RUNS / net, NET_RUNS / (time.perf_counter() - start)


def one_run(model: str | None, photo: Photo, source: Path, target: Path) -> tuple[dict[str, float], float]:
    """Colour one file in a process of its own and return its seconds by stage and its peak memory in MiB."""
    save_photo(photo, source)
    command = [sys.executable, "-c", ONE_RUN, model or "", str(source), str(target)]
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return done["seconds"], done["peak_mib"]


def print_run(name: str, seconds: dict[str, float], peak_mib: float) -> None:
    """Print one line."""
    stages = ", ".join(f"{stage} {taken:.2f}" for stage, taken in seconds.items())
    print(f"{name:22} {sum(seconds.values()):6.2f} s ({stages}), peak {peak_mib:4.0f} MiB", flush=True)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="*", default=[2])
    parser.add_argument("--megapixels", type=int, nargs="*", default=[12, 24, 50, 100, 200])
    parser.add_argument("--formats", nargs="*", default=["jpg", "tif"], choices=["jpg", "png", "tif"])
    parser.add_argument("--skip", nargs="*", default=[], choices=["throughput", "sizes"])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "album").mkdir()
        if "throughput" not in chosen.skip:
            throughput(chosen.model, chosen.photos, chosen.workers, folder)
        if "sizes" not in chosen.skip:
            for megapixels in chosen.megapixels:
                width, height = round((megapixels * 1.5e6) ** 0.5), round((megapixels / 1.5 * 1e6) ** 0.5)
                for suffix in chosen.formats:
                    dtype = np.uint8 if suffix == "jpg" else np.uint16
                    files = folder / f"a.{suffix}", folder / f"b.{suffix}"
                    seconds, peak_mib = one_run(chosen.model, scan(width, height, dtype), *files)
                    print_run(f"{megapixels} MP {suffix}, {8 * np.dtype(dtype).itemsize} bit", seconds, peak_mib)


if __name__ == "__main__":
    main()
