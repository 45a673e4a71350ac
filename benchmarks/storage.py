"""Measure what storing a colour network's weights in fewer bits does to its colours.

    python benchmarks/storage.py CHECKPOINT PHOTOS [--count 24] [--side 192]

Each photograph of the folder is greyed and coloured by the network with its weights as trained, and as each way of
storing them gives them back; the row says how far apart the two pictures are (CIEDE2000 at one lightness: mean over
photographs, and the worst photograph's mean), and how large the weights are. Integers have one scale for each output
channel; "but small kernels" leaves kernels of fewer than 4,096 numbers, the first layer's among them, in float32.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from samples import photographs
from torch import Tensor

from photochrom.color import chroma_from_ab, ciede2000, lab_from_srgb, luma, merge_luma_chroma
from photochrom.export.color import ColorGraph
from photochrom.export.kept import SMALLEST_HALF
from photochrom.train.trained import load_trained

TEMPERATURE = 0.3


def as_half(weight: Tensor) -> Tensor:
    """Return the weights as float16 gives them back."""
    return weight.half().float()


def as_int8(weight: Tensor) -> Tensor:
    """Return the weights as symmetric 8-bit integers with a scale for each output channel give them back."""
    scale = weight.flatten(1).abs().amax(dim=1).clamp(min=1e-12) / 127
    scale = scale.view(-1, *[1] * (weight.ndim - 1))
    return (weight / scale).round().clamp(-127, 127) * scale


WAYS: dict[str, tuple[Callable[[Tensor], Tensor], int, int]] = {
    "float16, all": (as_half, 2, 0),
    "float16, but small kernels (shipped)": (as_half, 2, SMALLEST_HALF),
    "int8, all": (as_int8, 1, 0),
    "int8, but small kernels": (as_int8, 1, SMALLEST_HALF),
}


def stored(
    graph: ColorGraph, way: Callable[[Tensor], Tensor], byte_count: int, smallest: int
) -> tuple[ColorGraph, float]:
    """Return a copy with its kernels stored that way, and the weights' size in MB."""
    rounded, size = copy.deepcopy(graph), 0
    with torch.no_grad():
        for weight in rounded.parameters():
            narrow = weight.ndim > 1 and weight.numel() >= smallest
            size += weight.numel() * (byte_count if narrow else 4)
            if narrow:
                weight.copy_(way(weight))
    return rounded, size / 1e6


def coloured(graph: ColorGraph, grey: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> np.ndarray:
    """Return Lab of the coloured picture, (H, W, 3), from its luma, (H, W), 0..1."""
    with torch.no_grad():
        ab = graph(torch.from_numpy(grey)[None, None], torch.tensor(TEMPERATURE))[0]
        ab = torch.nn.functional.interpolate(ab, scale_factor=2.0, mode="bilinear")[0].permute(1, 2, 0).numpy()
    return lab_from_srgb(merge_luma_chroma(grey, chroma_from_ab(grey, ab, refinements=1)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--side", type=int, default=192)
    given = parser.parse_args()
    photos = photographs(given.photos, given.count, (given.side, given.side))
    greys = [luma(photo.astype(np.float32) / 255).astype(np.float32) for photo in photos]
    graph = ColorGraph(load_trained(given.checkpoint).net).eval()
    as_trained = [coloured(graph, grey) for grey in greys]
    print(f"{len(greys)} photographs of {given.photos.name}, {given.side} px, temperature {TEMPERATURE}\n")
    print("| weights stored as | MB | CIEDE2000 to the trained network | the worst photograph |\n|---|---|---|---|")
    for name, way in WAYS.items():
        rounded, size = stored(graph, *way)
        apart = [ciede2000(lab, coloured(rounded, grey)).mean() for lab, grey in zip(as_trained, greys, strict=True)]
        print(f"| {name} | {size:.1f} | {np.mean(apart):.3f} | {np.max(apart):.3f} |", flush=True)


if __name__ == "__main__":
    main()
