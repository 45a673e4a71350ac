"""Albums and large scans: photographs per second, seconds by stage, memory against megapixels.

    python benchmarks/albums.py [--model PATH] [--photos 200] [--megapixels 10 25 50 100] [--skip PART...]

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
from pathlib import Path

import numpy as np

from photochrom import Colorizer
from photochrom.album import plan_jobs
from photochrom.batch import BatchSettings, PhotoReport, run_batch
from photochrom.manifest import Manifest
from photochrom.photo import Photo, open_photo, save_photo

ONE_RUN = """
import json, sys, time
from photochrom import Colorizer, open_photo, save_photo
start = time.perf_counter()
with Colorizer(model=sys.argv[1] or None) as colorizer:
    photo = open_photo(sys.argv[2])
    read = time.perf_counter()
    result = colorizer.run(photo).photo
    coloured = time.perf_counter()
    del photo
    save_photo(result, sys.argv[3])
end = time.perf_counter()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak = int(status["VmHWM"].split()[0]) / 1024  # ru_maxrss would count the parent before exec
print(json.dumps({"read": read - start, "color": coloured - read, "write": end - coloured, "peak_mb": peak}))
"""


def scan(width: int, height: int, dtype: type = np.uint8, *, seed: int = 0) -> Photo:
    """Return a grey scan: tones that change slowly, edges, and grain."""
    grain = np.random.default_rng(seed).normal(0, 0.02, (height, width)).astype(np.float32)
    rows, columns = np.ogrid[:height, :width]
    tone = 0.5 + 0.3 * np.sin(columns / width * 9 + seed) * np.cos(rows / height * 7)
    tone = tone + 0.1 * ((columns // 97 + rows // 61) % 2) + grain
    white = np.iinfo(dtype).max
    return Photo((np.clip(tone, 0, 1) * white).astype(dtype)[..., None])


def throughput(model: str | None, count: int, folder: Path) -> None:
    """Photographs per second of an album of one-megapixel JPEGs, against the net alone and the codecs alone."""
    for number in range(count):
        save_photo(scan(1224, 816, seed=number), folder / "album" / f"{number:04}.jpg")
    with Colorizer(model=model) as colorizer:
        photo = open_photo(folder / "album" / "0000.jpg")
        colorizer.run(photo)
        start = time.perf_counter()
        for _ in range(20):
            colorizer.run(photo)
        color_alone = 20 / (time.perf_counter() - start)
        for workers in (1, 2, 3, 4):
            out = folder / f"out-{workers}"
            reports: list[PhotoReport] = []
            settings = BatchSettings(colorizer.provenance)
            jobs = plan_jobs(folder / "album", out)
            summary = run_batch(
                jobs, colorizer.run, settings, manifest=Manifest.of(out), workers=workers, on_report=reports.append
            )
            rate = summary.photos_per_second
            print(
                f"{workers} workers: {rate:6.1f} photos/s, "
                f"{rate / color_alone:4.0%} of colouring alone ({color_alone:.1f}/s)"
            )
        again = run_batch(jobs, colorizer.run, settings, manifest=Manifest.of(out))
        print(f"rerun with nothing to do: {again.skipped / again.seconds:.0f} photos/s")


def one_run(model: str | None, photo: Photo, source: Path, target: Path) -> dict[str, float]:
    """Colour one file in a process of its own and return its stages and peak memory."""
    save_photo(photo, source)
    command = [sys.executable, "-c", ONE_RUN, model or "", str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def print_run(name: str, megapixels: float, run: dict[str, float]) -> None:
    """Print one line."""
    stages = ", ".join(f"{stage} {run[stage]:5.2f} s" for stage in ("read", "color", "write"))
    total = run["read"] + run["color"] + run["write"]
    print(
        f"{name:22} {stages}, all {total:5.2f} s, "
        f"peak {run['peak_mb']:5.0f} MB = {run['peak_mb'] / megapixels:4.1f} MB/MP"
    )


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--megapixels", type=int, nargs="*", default=[10, 25, 50, 100])
    parser.add_argument("--skip", nargs="*", default=[], choices=["throughput", "stages", "memory"])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "album").mkdir()
        if "throughput" not in chosen.skip:
            throughput(chosen.model, chosen.photos, folder)
        if "stages" not in chosen.skip:
            run = one_run(chosen.model, scan(6000, 4000), folder / "a.jpg", folder / "b.jpg")
            print_run("24 MP JPEG, 8 bit", 24, run)
        if "memory" not in chosen.skip:
            for megapixels in chosen.megapixels:
                width, height = round((megapixels * 1.5e6) ** 0.5), round((megapixels / 1.5 * 1e6) ** 0.5)
                for dtype, suffix in ((np.uint8, "jpg"), (np.uint16, "tif")):
                    files = folder / f"a.{suffix}", folder / f"b.{suffix}"
                    run = one_run(chosen.model, scan(width, height, dtype), *files)
                    print_run(f"{megapixels} MP {suffix}, {8 * np.dtype(dtype).itemsize} bit", megapixels, run)


if __name__ == "__main__":
    main()
