"""How an imported DeOldify model compares with the network as published, run by PyTorch, on this computer.

    python benchmarks/deoldify.py ColorizeArtistic_gen.pth --render-factor 35 --threads 2

Each line is a process of its own, from start to exit: load, colour one photograph of 800 x 532 pixels, write it.
Wall time, processor time and the largest resident memory are of the whole process; the time to load is what the
process says of itself. The published side is the unfolded network of ``nets.deoldify`` on one square: the arithmetic
of the original program, without its picture handling.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from processes import run_process

COLORIZE = """
import sys, time
from photochrom import Colorizer, ColorizeOptions
from photochrom.options import EngineOptions
folder, _, side, threads, photo = sys.argv[1:]
options, engine = ColorizeOptions(render_factor=int(side) // 16), EngineOptions(threads=int(threads))
start = time.perf_counter()
with Colorizer(folder + "/model.onnx", options, engine_options=engine) as colorizer:
    print(time.perf_counter() - start)
    colorizer(photo).save(photo + ".color.jpg")
"""
NETWORK = """
import sys, time, numpy as np
from pathlib import Path
from photochrom.engines.generator import GeneratorEngine
from photochrom.options import EngineOptions
start = time.perf_counter()
engine = GeneratorEngine(Path(sys.argv[1]) / "model.onnx", options=EngineOptions(threads=int(sys.argv[4])))
print(time.perf_counter() - start)
side = int(sys.argv[3])
engine.paint(np.random.default_rng(0).random((side, side, 3), np.float32))
"""
PUBLISHED = """
import sys, time, warnings
start = time.perf_counter()
import torch
from pathlib import Path
from photochrom.importer.checkpoints import read_checkpoint
from photochrom.importer.recognition import recognise
from photochrom.nets import deoldify
from photochrom.nets.loading import load_generator
warnings.simplefilter("ignore")
torch.set_num_threads(int(sys.argv[4]))
deoldify.ATTENTION_ENTRIES = 10**10
checkpoint = read_checkpoint(Path(sys.argv[2]))
network = load_generator(recognise(checkpoint).network, checkpoint.tensors)
print(time.perf_counter() - start)
side = int(sys.argv[3])
with torch.inference_mode():
    network(torch.rand(1, 3, side, side))
"""
PROGRAMS = {"photochrom": COLORIZE, "its network alone": NETWORK, "as published": PUBLISHED}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    wall_s: float
    processor_s: float
    memory_gib: float
    load_s: float


def main() -> None:
    """Import the file into a temporary folder, or take the installed model; run all sides, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--installed", metavar="NAME", help="the model made from it, instead of importing it again")
    parser.add_argument("--render-factor", type=int, default=35)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--runs", type=int, default=1, help="take the quickest of so many")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model, what = _model(chosen.weights, chosen.installed, Path(folder))
        photo = _photo(Path(folder))
        arguments = [str(model), str(chosen.weights), str(16 * chosen.render_factor), str(chosen.threads), str(photo)]
        print(f"{what}, render factor {chosen.render_factor}, {chosen.threads} threads")
        costs = {
            name: min((_measure(program, arguments) for _ in range(chosen.runs)), key=lambda cost: cost.wall_s)
            for name, program in PROGRAMS.items()
        }
    published = costs["as published"]
    for name, cost in costs.items():
        print(
            f"{name:18} {cost.wall_s:6.1f} s wall ({cost.wall_s / published.wall_s:.2f})"
            f"  {cost.processor_s:6.1f} s processor  {cost.memory_gib:5.2f} GiB"
            f" ({cost.memory_gib / published.memory_gib:.2f})  {cost.load_s:5.2f} s to load"
        )


def _model(weights: Path, installed: str | None, folder: Path) -> tuple[Path, str]:
    """Return the folder of the model, and what it is."""
    if installed:
        from photochrom.engines.hub import find_model

        return find_model(installed).path.parent, installed
    from photochrom.importer.installation import import_model

    made = import_model(weights, folder, name="benchmark")
    return made.folder, made.kind.what


def _photo(folder: Path) -> Path:
    """Write a soft grey photograph of 800 x 532 pixels."""
    rows, columns = np.mgrid[:532, :800].astype(np.float32)
    codes = 127 + 60 * (np.sin(rows / 37) + np.cos(columns / 51 + rows / 80))
    path = folder / "photo.jpg"
    Image.fromarray(codes.clip(0, 255).astype(np.uint8)).save(path)
    return path


def _measure(program: str, arguments: list[str]) -> Cost:
    done = run_process([sys.executable, "-c", program, *arguments])
    return Cost(done.wall_s, done.processor_s, done.peak_bytes / 2**30, float(done.out))


if __name__ == "__main__":
    main()
