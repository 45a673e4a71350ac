"""Keep what a run has learned, small enough to commit: `slim_checkpoint.py RUN models/NAME.safetensors`.

Only the averaged weights stay, larger kernels as float16, as in model files; the optimizer and the raw weights go.
The result is a checkpoint that `photochrom export` reads and that `model.init` of a configuration starts from.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from photochrom.export.color import SMALLEST_HALF
from photochrom.train.checkpoint import checkpoint_of, read_checkpoint


def slim(run: Path, output: Path) -> None:
    """Write the averaged weights of a run, or of one checkpoint, with the committed place for its photographs."""
    header, tensors = read_checkpoint(checkpoint_of(run))
    config = json.loads(header["config"])
    config["data"]["photos"] = [f"data/{Path(pattern).name}" for pattern in config["data"]["photos"]]
    config["model"]["init"] = None  # a place on the computer it was trained on
    kept = {
        name: value.to(torch.float16) if value.numel() >= SMALLEST_HALF and value.is_floating_point() else value
        for name, value in tensors.items()
        if name.startswith("average.")
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    save_file(kept, output, metadata=header | {"config": json.dumps(config)})
    print(f"{output}  {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    slim(Path(sys.argv[1]), Path(sys.argv[2]))
