"""How an imported DeOldify model compares with the network as published, run by PyTorch, on this computer.

    python benchmarks/deoldify.py ColorizeArtistic_gen.pth --render-factor 35 --threads 2

Each side is a process of its own: load, colour one square, exit. Wall time, processor time and the largest resident
memory are of the whole process. The published side is the unfolded network of ``nets.deoldify``: the arithmetic of the
original program, without its picture handling.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OURS = """
import sys, numpy as np
from pathlib import Path
from photochrom.engines.generator import GeneratorEngine
from photochrom.options import EngineOptions
engine = GeneratorEngine(Path(sys.argv[1]) / "model.onnx", options=EngineOptions(threads=int(sys.argv[4])))
side = int(sys.argv[3])
engine.paint(np.random.default_rng(0).random((side, side, 3), np.float32))
"""
PUBLISHED = """
import sys, warnings, torch
from pathlib import Path
from photochrom.checkpoints import read_checkpoint
from photochrom.importer.recognition import recognise
from photochrom.nets import deoldify
from photochrom.nets.loading import load_generator
warnings.simplefilter("ignore")
torch.set_num_threads(int(sys.argv[4]))
deoldify.ATTENTION_ENTRIES = 10**10
checkpoint = read_checkpoint(Path(sys.argv[2]))
network = load_generator(recognise(checkpoint).network, checkpoint.tensors)
side = int(sys.argv[3])
with torch.inference_mode():
    network(torch.rand(1, 3, side, side))
"""


def main() -> None:
    """Import the file into a temporary folder, run both sides, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--render-factor", type=int, default=35)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    from photochrom.importer.installation import import_model

    with tempfile.TemporaryDirectory() as folder:
        model = import_model(chosen.weights, Path(folder), name="benchmark")
        arguments = [str(model.folder), str(chosen.weights), str(16 * chosen.render_factor), str(chosen.threads)]
        print(f"{model.kind.what}, render factor {chosen.render_factor}, {chosen.threads} threads")
        for name, program in (("photochrom", OURS), ("as published", PUBLISHED)):
            wall, processor, memory = _measure(program, arguments)
            print(f"{name:13} {wall:6.1f} s wall  {processor:6.1f} s processor  {memory:5.2f} GiB")


def _measure(program: str, arguments: list[str]) -> tuple[float, float, float]:
    """Return wall seconds, processor seconds and GiB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", program, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the process failed ({status})")
    wall = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**30


if __name__ == "__main__":
    main()
