"""Say how well training uses this machine's accelerator: throughput, memory, share of its own matmul peak.

    python scripts/check_gpu.py [--seconds 10] [--device cuda]

First the largest rate of multiply-adds that a plain matrix product reaches here, in float32, bfloat16 and float16; then
training steps of a small and a large generator at several batch sizes. The share is the step's counted floating-point
operations (forward and backward, convolutions and matrix products) over what the matrix product would have done in the
same time. Runs on a CPU too, slowly, to try the script itself (--px 32 --batches 2).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from photochrom.errors import PhotochromError
from photochrom.train.config import TrainConfig
from photochrom.train.generator import build_generator
from photochrom.train.learner import Learner, set_training
from photochrom.train.objectives import Objectives
from photochrom.train.runtime import PRECISIONS, Runtime, choose_device, memory_gb
from photochrom.train.targets import build_task
from photochrom.train.tasks import TensorBatch

GENERATORS = {
    "lite0, base decoder": {"backbone": "lite0", "decoder": "base"},
    "ResNet-34, deep decoder (artistic)": {"backbone": "resnet34", "decoder": "deep", "width": 1.5},
}


def seconds_per_call(call: Callable[[], object], device: torch.device, at_least_s: float) -> float:
    """Return how long a call takes, warmed up, over at least so many seconds."""
    for _ in range(2):
        call()
    finish(device)
    began, calls = time.perf_counter(), 0
    while calls < 2 or time.perf_counter() - began < at_least_s:
        call()
        finish(device)
        calls += 1
    return (time.perf_counter() - began) / calls


def finish(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_peak(device: torch.device, dtype: torch.dtype, side: int, at_least_s: float) -> float:
    """Return the floating-point operations a second of a square matrix product."""
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side**3 / seconds_per_call(lambda: left @ right, device, at_least_s)


def step_of(generator: dict[str, Any], precision: str, px: int, batch: int, device: torch.device) -> Callable[[], Any]:
    """Return a training step with pixel and perceptual loss on noise."""
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig.model_validate(
            {
                "run": {"folder": folder, "precision": precision},
                "data": {"photos": ["-"]},
                "task": {"input": "grey", "target": "rgb"},
                "model": generator | {"pretrained": False},
                "loss": {"pixel": 1.0, "perceptual": 1.0},
                "stages": [
                    {"name": "step", "size_px": px, "batch": batch, "photos_seen": batch}
                    | {"lr_decoder": 1e-4, "lr_backbone": 1e-5}
                ],
            }
        )
    runtime = Runtime(device, PRECISIONS[precision])
    objectives = Objectives(config, build_task(config.task, runtime), runtime)
    net = build_generator(config, None, pretrained=False).to(device).to(memory_format=torch.channels_last)
    learner = Learner("generator", net, runtime, config.optimizer, (0.9, 0.98))
    set_training(net, config.stages[0])
    photo = torch.rand(batch, 1, px, px, device=device)
    pictures = TensorBatch(photo, photo.expand(-1, 3, -1, -1), torch.empty(0))
    rng = torch.Generator().manual_seed(0)
    return lambda: learner.step((objectives.generator_part(net, pictures, rng, None) for _ in range(1)), 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=5.0, help="at least so long for each figure")
    parser.add_argument("--px", type=int, default=192)
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 32, 64])
    given = parser.parse_args()
    try:
        device = choose_device(given.device, 0)
    except PhotochromError as error:
        raise SystemExit(f"check_gpu: {error}") from None
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}")
    side = 8192 if device.type == "cuda" else 1024
    precisions = ("float32", "bfloat16", "float16") if device.type == "cuda" else ("float32", "bfloat16")
    peaks = {key: matmul_peak(device, PRECISIONS[key], side, given.seconds) for key in precisions}
    for key, peak in peaks.items():
        print(f"matrix product {side} x {side}, {key}: {peak / 1e12:.2f} TFLOP/s", flush=True)
    for title, generator in GENERATORS.items():
        for precision in precisions:
            for batch in given.batches:
                report(title, generator, precision, given.px, batch, device, peaks[precision], given.seconds)


def report(
    title: str,
    generator: dict[str, Any],
    precision: str,
    px: int,
    batch: int,
    device: torch.device,
    peak: float,
    at_least_s: float,
) -> None:
    """Measure one configuration and print its line; say so where it does not fit."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    try:
        step = step_of(generator, precision, px, batch, device)
        counter = FlopCounterMode(display=False)
        with counter:
            step()
        seconds = seconds_per_call(step, device, at_least_s)
    except torch.cuda.OutOfMemoryError:
        print(f"{title}, {precision}, {px} px, batch {batch}: does not fit", flush=True)
        return
    share = counter.get_total_flops() / seconds / peak
    print(
        f"{title}, {precision}, {px} px, batch {batch}: {batch / seconds:.1f} photographs/s,"
        f" {memory_gb(device):.2f} GB, {share:.0%} of the matmul peak",
        flush=True,
    )


if __name__ == "__main__":
    main()
