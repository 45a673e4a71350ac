"""Two processes with half a batch each must do what one does with the whole."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from photochrom.train.config import load_config
from photochrom.train.loop import Training
from photochrom.train.runtime import buckets
from tests.train.conftest import write_config

pytestmark = pytest.mark.slow

OPTIONS = """
[optimizer]
pixel_share = 1.0
clip_norm = 1e9
"""


def start(config: Path, rank: int, processes: int, port: int) -> subprocess.Popen[bytes]:
    """Start one process of a run as torchrun would."""
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "MASTER_PORT": port}
    environment = os.environ | {"MASTER_ADDR": "127.0.0.1"} | {key: str(value) for key, value in place.items()}
    return subprocess.Popen([sys.executable, "-m", "photochrom", "train", str(config), "--quiet"], env=environment)


def test_two_processes_take_the_step_of_one_with_the_joint_batch(shard: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configs = [write_config(tmp_path / f"{name}.toml", shard, tmp_path / name, OPTIONS) for name in ("1", "2")]
    for config in configs:
        config.write_text(config.read_text().replace("batch = 2\nphotos_seen = 6", "batch = 8\nphotos_seen = 8"))
    pair = [start(configs[1], rank, 2, port) for rank in range(2)]
    Training(load_config(configs[0])).run()
    assert [process.wait(timeout=120) for process in pair] == [0, 0]
    one, two = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("1", "2"))
    assert one.keys() == two.keys()
    compared = 0
    for name, tensor in one.items():
        # Adam's first moment after one step is a tenth of the gradient: it shows what was averaged.
        if name.startswith("optimizer.exp_avg.") or "running" in name:
            # Batch norm over few pixels magnifies rounding; half a batch alone would be off by far more.
            assert (two[name] - tensor).abs().max() <= 0.02 * tensor.abs().max() + 1e-6, name
            compared += 1
    assert compared > 50
    assert len((tmp_path / "2" / "log.jsonl").read_text().splitlines()) == 2


def test_gradients_travel_in_buckets_without_losing_any() -> None:
    gradients = [torch.full((size,), float(size)) for size in (5_000_000, 2_000_000, 10, 7_000_000)]
    groups = list(buckets(gradients))
    assert [len(group) for group in groups] == [2, 2]
    assert [tensor for group in groups for tensor in group] == gradients
