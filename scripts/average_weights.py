"""Mix the averaged weights of two runs of one network: `python scripts/average_weights.py A B SHARE OUT`.

A and B are runs, checkpoints, exported model files or names of models. OUT, a checkpoint, holds (1 - SHARE) * A +
SHARE * B, under the header of B, and can be exported or trained on from. Meant for a run
and one that went on from its weights: what fine-tuning gained stays in part, and so does what it forgot.
Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", equation 1 (WiSE-FT).
"""

from __future__ import annotations

import sys
from pathlib import Path

from safetensors.torch import save_file

from photochrom.train.checkpoint import read_checkpoint


def average(first: Path, second: Path, share: float, out: Path) -> float:
    """Write the mix and return its size in MB."""
    (_, one), (header, two) = (read_checkpoint(run) for run in (first, second))
    names = [name for name in two if name.startswith("average.")]
    if {name for name in one if name.startswith("average.")} != set(names):
        raise SystemExit("the two are not of one network")
    mixed = {
        name: (1 - share) * one[name] + share * two[name] if two[name].is_floating_point() else two[name]
        for name in names
    }
    save_file(mixed, out, metadata=header)
    return out.stat().st_size / 1e6


if __name__ == "__main__":
    print(f"{average(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])):.1f} MB")
