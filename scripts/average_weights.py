"""Mix the averaged weights of two runs of one network: `python scripts/average_weights.py A B SHARE OUT`.

A and B are runs, checkpoints, exported model files or names of models; with --last the last weights of runs are taken
instead of their averages, which lag behind while a network still learns fast. OUT, a checkpoint, holds
(1 - SHARE) * A + SHARE * B, under the header of B, and can be exported or trained on from. Meant for a run and one that
went on from its weights: what fine-tuning gained stays in part, and so does what it forgot.
Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", equation 1 (WiSE-FT).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import save_file

from photochrom.train.checkpoint import read_checkpoint, with_prefix


def average(first: Path, second: Path, share: float, out: Path, *, last: bool = False) -> float:
    """Write the mix and return its size in MB."""
    (_, all_of_one), (header, all_of_two) = (read_checkpoint(run) for run in (first, second))
    one, two = (with_prefix(tensors, "net." if last else "average.") for tensors in (all_of_one, all_of_two))
    if one.keys() != two.keys() or not two:
        raise SystemExit("the two are not of one network, or hold no such weights")
    mixed = {
        f"average.{name}": (1 - share) * one[name] + share * two[name] if two[name].is_floating_point() else two[name]
        for name in two
    }
    save_file(mixed, out, metadata=header)
    return out.stat().st_size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("share", type=float)
    parser.add_argument("out", type=Path)
    parser.add_argument("--last", action="store_true", help="the last weights, not their average")
    options = parser.parse_args()
    size_mb = average(options.first, options.second, options.share, options.out, last=options.last)
    print(f"{size_mb:.1f} MB")


if __name__ == "__main__":
    main()
