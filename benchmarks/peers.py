"""Measure photochrom against the DeOldify generators on one photograph: seconds and peak memory, as ratios.

    python benchmarks/peers.py [--model NAME_OR_PATH] [--peers artistic stable video] [--runs 3]

Each contestant runs in a process of its own: it loads, colours one 1500 x 1000 grey picture once to warm up, and then
`--runs` times. Seconds are the median of these, without loading; memory is the peak of the whole process, Python and
its libraries included.

The peers are this project's own DeOldify networks in PyTorch, with random weights: that changes the colours, not the
work. Around them stands what DeOldify does: the grey is squashed to a square of 16 times the render factor, coloured,
enlarged, and its chroma joined to the photograph's luma. Render factors are DeOldify's defaults.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.evaluation.cost import peak_mb

Rgb = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 1500, 1000
PIXELS_PER_RENDER_FACTOR = 16
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
GOAL = "Goal: DeOldify artistic takes at least 20 x the seconds and 5 x the memory."


@dataclass(frozen=True)
class Peer:
    """One published DeOldify model: its network in ``photochrom.nets.deoldify`` and its default render factor."""

    network: str
    render_factor: int


PEERS = {"artistic": Peer("artistic", 35), "stable": Peer("stable", 35), "video": Peer("stable", 21)}


def grey_photograph() -> Rgb:
    """Return a grey picture with smooth areas, edges and grain, as three equal channels."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    picture = 110 + 60 * np.sin(columns / 170) * np.cos(rows / 130) + 40 * ((rows // 90 + columns // 140) % 2)
    picture += np.random.default_rng(0).normal(0, 6, picture.shape)
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def load_ours(model: str | None) -> Callable[[Rgb], Rgb]:
    """Return photochrom's colouriser."""
    from photochrom.colorizer import Colorizer

    return Colorizer(model).__call__


def load_peer(peer: Peer) -> Callable[[Rgb], Rgb]:
    """Return a DeOldify colouriser with random weights."""
    import torch

    from photochrom.nets import deoldify

    torch.manual_seed(0)
    net = getattr(deoldify, peer.network)().eval()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    side = peer.render_factor * PIXELS_PER_RENDER_FACTOR

    def colorize(grey: Rgb) -> Rgb:
        original = Image.fromarray(grey)
        square = np.asarray(original.resize((side, side), Image.Resampling.BILINEAR), np.float32) / 255
        with torch.inference_mode():
            batch = (torch.from_numpy(square).permute(2, 0, 1)[None] - mean) / std
            rgb = (net(batch) * std + mean).clamp(0, 1)[0].permute(1, 2, 0).numpy()
        coloured = Image.fromarray((rgb * 255).astype(np.uint8)).resize(original.size, Image.Resampling.BILINEAR)
        _, cb, cr = coloured.convert("YCbCr").split()
        return np.asarray(Image.merge("YCbCr", (original.convert("L"), cb, cr)).convert("RGB"))

    return colorize


def measure_here(contestant: str, model: str | None, runs: int) -> dict[str, float | None]:
    """Return seconds and peak megabytes of one contestant, measured in this process."""
    grey = grey_photograph()
    start = time.perf_counter()
    colorize = load_ours(model) if contestant == "photochrom" else load_peer(PEERS[contestant])
    load_s = time.perf_counter() - start
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        result = colorize(grey)
        seconds.append(time.perf_counter() - start)
        if result.shape != grey.shape:
            raise SystemExit(f"{contestant} gave a picture of shape {result.shape}")
    return {"seconds": statistics.median(seconds[1:]), "load_seconds": load_s, "peak_mb": peak_mb()}


def measure(contestant: str, model: str | None, runs: int) -> dict[str, float | None]:
    """Return the same, measured in a process of its own."""
    command = [sys.executable, __file__, "--only", contestant, "--runs", str(runs)]
    done = subprocess.run(
        [*command, *(["--model", model] if model else [])], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{contestant} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    figures: dict[str, float | None] = json.loads(done.stdout)
    return figures


def table(figures: dict[str, dict[str, float | None]]) -> str:
    """Return the figures as text, with ratios to photochrom."""
    ours = figures["photochrom"]
    lines = [f"{'':34}{'seconds':>9}{'ratio':>8}{'peak MB':>9}{'ratio':>8}{'load s':>8}"]
    for name, own in figures.items():
        title = name
        if name in PEERS:
            title = f"DeOldify {name}, render factor {PEERS[name].render_factor}"
        cells = f"{title:34}{_text(own['seconds'], 9, 3)}{_ratio(own['seconds'], ours['seconds'])}"
        cells += f"{_text(own['peak_mb'], 9, 0)}{_ratio(own['peak_mb'], ours['peak_mb'])}"
        lines.append(cells + _text(own["load_seconds"], 8, 2))
    return "\n".join(lines)


def _text(value: float | None, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"


def _ratio(value: float | None, base: float | None) -> str:
    return _text(value / base if value is not None and base else None, 8, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="ours; the default model if left out")
    parser.add_argument("--peers", nargs="*", choices=sorted(PEERS), default=["artistic"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["photochrom", *PEERS], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure_here(arguments.only, arguments.model, arguments.runs)))
        return
    figures = {name: measure(name, arguments.model, arguments.runs) for name in ("photochrom", *arguments.peers)}
    print(f"{WIDTH} x {HEIGHT} picture, medians of {arguments.runs} runs, each contestant in a process of its own")
    print(table(figures))
    print(GOAL)


if __name__ == "__main__":
    main()
