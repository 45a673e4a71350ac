"""Measure training on this machine: steps, memory, and whether data keeps up. Ratios, all taken in one run.

    python benchmarks/training.py artistic    # the step at DeOldify artistic's configuration against the plain one
    python benchmarks/training.py backbones   # photographs/s and peak memory per backbone and precision
    python benchmarks/training.py memory      # peak memory of a joint GAN step, with and without recomputation
    python benchmarks/training.py data PHOTOS # photographs/s of the loader against what the step consumes
    python benchmarks/training.py scan        # listing and indexing 1.3 million files (empty ones, made for it)

Every variant runs in a process of its own, so that peaks of memory do not mix. Pictures are noise and weights random:
neither changes the work. "Plain" is what the original ran: the same network, batch and losses in eager float32 with
contiguous memory and an optimizer that walks parameter by parameter.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PLAIN = {"channels_last": False, "precision": "float32", "fused": False, "winograd": False}
LAST = {"channels_last": True, "precision": "float32", "fused": True, "winograd": False}
FAST = {"channels_last": False, "precision": "float32", "fused": True, "winograd": True}
FAST_LAST = {"channels_last": True, "precision": "float32", "fused": True, "winograd": True}
BF16 = {"channels_last": True, "precision": "bfloat16", "fused": True, "winograd": False}


def measure(case: dict[str, Any]) -> dict[str, float]:  # noqa: PLR0915 - one measurement, top to bottom
    """Run one case in this process: median seconds a step (wall and processor), photographs a second, peak GB."""
    import torch
    from safetensors.torch import save_file

    from photochrom.nets.critics import build_patch_critic
    from photochrom.nets.vgg import Vgg16, load_vgg16
    from photochrom.nets.winograd import set_fast
    from photochrom.train.config import TrainConfig
    from photochrom.train.generator import build_generator
    from photochrom.train.learner import Learner, set_training
    from photochrom.train.objectives import Objectives
    from photochrom.train.perceptual import PerceptualLoss
    from photochrom.train.runtime import PRECISIONS, Runtime, choose_device, keep_freed_memory, memory_gb
    from photochrom.train.targets import build_task
    from photochrom.train.tasks import TensorBatch

    torch.manual_seed(0)
    device = choose_device("auto", 0)
    if device.type == "cpu" and case["fused"]:
        keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        loss = {"pixel": 1.0}
        if case.get("vgg"):
            weights = Path(folder) / "vgg.safetensors"
            save_file(Vgg16((0,), has_norms=True).state_dict(), weights)
            loss |= {"perceptual": 1.0, "network": "vgg16_bn", "network_weights": weights, "levels": (2, 3, 4)}
            loss |= {"level_weights": (20.0, 70.0, 10.0)}
        stage = {"name": "step", "size_px": case["px"], "batch": case["batch"], "photos_seen": 1, "lr_backbone": 1e-5}
        stage |= {"lr_decoder": 1e-4, "lr_critic": 1e-4, "kind": "joint" if case.get("joint") else "generator"}
        config = TrainConfig.model_validate(
            {
                "run": {"folder": folder, "precision": case["precision"], "recompute": case.get("recompute", False)},
                "data": {"photos": ["-"]},
                "task": {"input": "grey", "target": "rgb"},
                "model": {key: case[key] for key in ("backbone", "decoder", "width") if key in case}
                | {"pretrained": False},
                "loss": loss,
                "stages": [stage],
            }
        )
        runtime = Runtime(device, PRECISIONS[case["precision"]])
        objectives = Objectives(config, build_task(config.task, runtime), runtime)
        looks = objectives.of_picture.get("perceptual")
        if isinstance(looks, PerceptualLoss) and not case["fused"]:
            unfolded = load_vgg16("vgg16_bn", weights, looks.network.taps)
            looks.network = unfolded.eval().requires_grad_(False).to(device)
    layout = torch.channels_last if case["channels_last"] else torch.contiguous_format
    net = build_generator(config, None, pretrained=False).to(device).to(memory_format=layout)
    net.unet.recomputes = config.run.recompute
    if isinstance(looks, PerceptualLoss):
        looks.to(memory_format=layout)
    critic = None
    if case.get("joint"):
        critic = build_patch_critic(case.get("critic_width", 256)).to(device).eval().requires_grad_(False)
        critic.to(memory_format=layout)
    set_fast(net, case["winograd"])
    learner = Learner("generator", net, runtime, config.optimizer, (0.9, 0.98))
    if not case["fused"]:
        learner.optimizer = torch.optim.AdamW(learner.optimizer.param_groups, eps=1e-7, foreach=False, fused=False)
    set_training(net, config.stages[0])
    shape = (case["batch"], 1, case["px"], case["px"])
    batch = TensorBatch(
        torch.rand(shape, device=device), torch.rand(shape, device=device).expand(-1, 3, -1, -1), torch.empty(0)
    )
    rng = torch.Generator().manual_seed(0)
    seconds, busy = [], []
    for number in range(case["steps"] + 1):
        if number == 1:
            idle_gb = resident_gb(resets_peak=True)
        began, busy_before = time.perf_counter(), time.process_time()
        learner.step((objectives.generator_part(net, batch, rng, critic) for _ in range(1)), 1)
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - busy_before)
    step = statistics.median(seconds[1:])
    return {"step_s": step, "cpu_s": statistics.median(busy[1:]), "photos_per_s": case["batch"] / step} | {
        "memory_gb": memory_gb(device),
        "growth_gb": peak_gb() - idle_gb,
    }


def resident_gb(*, resets_peak: bool) -> float:
    """Return the memory this process holds between steps, freed memory given back first; NaN where it is not told."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    ctypes.CDLL(None).malloc_trim(0)
    if resets_peak:
        Path("/proc/self/clear_refs").write_text("5")
    return _status_gb("VmRSS")


def peak_gb() -> float:
    """Return the most memory held since the peak was reset."""
    return _status_gb("VmHWM") if sys.platform.startswith("linux") else float("nan")


def _status_gb(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024 / 1e9


def in_own_process(case: dict[str, Any]) -> dict[str, float]:
    """Measure a case in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "case", json.dumps(case)], capture_output=True, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {case} -> {result}", file=sys.stderr, flush=True)
    return result


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Print a table, each row with its ratio to the first."""
    print(f"\n{title}")
    first = next(iter(rows.values()))
    for name, row in rows.items():
        speed, memory = row["photos_per_s"] / first["photos_per_s"], row["memory_gb"] / first["memory_gb"]
        # On a machine with other work the processor's time is the steadier of the two.
        print(
            f"  {name:36} {row['photos_per_s']:8.2f} photos/s ({speed:4.2f}x)"
            f"   {row['cpu_s']:6.2f} processor s a step ({first['cpu_s'] / row['cpu_s']:4.2f}x)"
            f"   {row['memory_gb']:6.2f} GB ({memory:4.2f}x)",
            flush=True,
        )


def artistic(steps: int, px: int, batch: int) -> None:
    """The step at DeOldify artistic's configuration."""
    base = {"backbone": "resnet34", "decoder": "deep", "width": 1.5, "px": px, "batch": batch, "steps": steps}
    variants = {"plain": PLAIN, "Winograd, fused, channels last": FAST_LAST, "channels last, fused": LAST}
    rows = {name: in_own_process(base | {"vgg": True} | options) for name, options in variants.items()}
    show(f"DeOldify artistic's step, {px} px, batch {batch}, VGG16 perceptual loss", rows)


def backbones(names: list[str], steps: int, px: int, batch: int) -> None:
    """Each backbone and precision."""
    for backbone in names or ("lite0", "lite1", "lite2", "resnet34"):
        base = {"backbone": backbone, "decoder": "base", "px": px, "batch": batch, "steps": steps}
        variants = {"plain": PLAIN, "Winograd, contiguous": FAST, "channels last": FAST_LAST, "bfloat16": BF16}
        rows = {name: in_own_process(base | options) for name, options in variants.items()}
        show(f"{backbone}, base decoder, {px} px, batch {batch}", rows)


def memory(steps: int, px: int, batch: int) -> None:
    """A joint step with and without recomputation."""
    base = {"backbone": "resnet34", "decoder": "deep", "width": 1.0, "px": px, "batch": batch, "steps": steps}
    base |= {"joint": True, "critic_width": 64} | FAST
    rows = {"joint step": in_own_process(base), "recomputing": in_own_process(base | {"recompute": True})}
    show(f"Joint GAN step, ResNet-34 deep at width 1, {px} px, batch {batch} (whole process)", rows)
    kept, recomputed = (row["growth_gb"] for row in rows.values())
    print(f"  what a step adds to weights and optimizer: {kept:.2f} GB, {recomputed:.2f} GB ({recomputed / kept:.2f}x)")


def data(photos: str, steps: int, px: int, batch: int) -> None:
    """The loader against the step."""
    from photochrom.degradation.ageing import AgeOptions
    from photochrom.train.config import Stage
    from photochrom.train.data import BatchSource, open_photo_sets
    from photochrom.train.sections import DataSection, TaskSection

    options = DataSection(photos=(photos,), cache_gb=0)
    training, _ = open_photo_sets(options, px)
    stage = Stage(name="load", size_px=px, batch=batch, photos_seen=batch * 10, lr_decoder=1)
    source = BatchSource(training, options.zoom, TaskSection(), AgeOptions(), 0)
    source.batch(stage, 0, 0)
    began = time.perf_counter()
    count = sum(len(loaded.names) for loaded in source.batches(stage, 0, 0, workers=2))
    loading = count / (time.perf_counter() - began)
    case = {"backbone": "lite0", "decoder": "base", "px": px, "batch": batch, "steps": steps} | FAST
    step = in_own_process(case)["photos_per_s"]
    print(
        f"\nloading, decoding and ageing {loading:.0f} photos/s, lite0's step takes {step:.0f}: {loading / step:.1f}x"
    )


def scan(count: int) -> None:
    """Listing many files, the second time from the index."""
    from photochrom.train.index import find_photos

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "train"
        for number in range(0, count, 1300):
            kind = root / f"n{number:08d}"
            kind.mkdir(parents=True)
            for index in range(min(1300, count - number)):
                (kind / f"{kind.name}_{index}.JPEG").touch()
        for name in ("listed", "from the index"):
            began = time.perf_counter()
            found = len(find_photos((str(root),), Path(folder) / "photos.index"))
            print(f"{found:,} files {name} in {time.perf_counter() - began:.2f} s", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["artistic", "backbones", "memory", "data", "scan", "case"])
    parser.add_argument("argument", nargs="?", default="")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--px", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--count", type=int, default=1_300_000)
    given = parser.parse_args()
    sizes = (given.steps, given.px, given.batch)
    match given.what:
        case "case":
            print(json.dumps(measure(json.loads(given.argument))))
        case "data":
            data(given.argument, *sizes)
        case "scan":
            scan(given.count)
        case "backbones":
            backbones(given.argument.split(), *sizes)
        case _:
            {"artistic": artistic, "memory": memory}[given.what](*sizes)


if __name__ == "__main__":
    main()
