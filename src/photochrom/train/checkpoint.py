"""Checkpoints: one safetensors file with the network, its average, the optimizer and where the run stands.

No pickle is ever written or read. A checkpoint is written aside and renamed, so a crash or a full disk
leaves the previous one whole.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from photochrom.errors import TrainingError

FORMAT = "photochrom-checkpoint/1"


@dataclass(frozen=True)
class Position:
    """Where a run stands: the step to do next, and what has been spent."""

    stage: int = 0
    step: int = 0
    photos_seen: int = 0
    seconds: float = 0.0


def save_checkpoint(
    path: Path, net: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, position: Position, config: str
) -> None:
    """Write a checkpoint; ``config`` is the run's configuration as JSON.

    Raises:
        TrainingError: the file cannot be written; the last checkpoint is untouched.
    """
    tensors = {f"net.{k}": v for k, v in net.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    tensors |= optimizer_tensors(net, optimizer)
    tensors["random_state"] = torch.get_rng_state()
    header = {"format": FORMAT, "position": json.dumps(asdict(position)), "config": config}
    aside = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, aside, metadata=header)
        os.replace(aside, path)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise TrainingError(
            f"cannot write the checkpoint ({error})", where=str(path), next_step="Free space, then run with --resume"
        ) from error


def optimizer_tensors(net: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state by parameter name."""
    tensors = {}
    for name, parameter in net.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{key}.{name}"] = torch.as_tensor(value)
    return tensors


def load_checkpoint(
    path: Path, net: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer | None
) -> Position:
    """Fill the network, its average and the optimizer from a checkpoint, and return where the run stood.

    Raises:
        TrainingError: the file is missing, damaged, or belongs to another architecture.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise TrainingError("not a photochrom checkpoint", where=str(path))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"cannot read the checkpoint ({error})", where=str(path)) from error
    try:
        net.load_state_dict(with_prefix(tensors, "net."))
        average.load_state_dict(with_prefix(tensors, "average."))
    except RuntimeError as error:
        raise TrainingError(
            "the checkpoint is of another architecture than the configuration",
            where=str(path),
            next_step="Use the configuration it was made with, or another run.folder",
        ) from error
    if optimizer is not None:
        for name, parameter in net.named_parameters():
            suffix = f".{name}"
            state = {
                key.removeprefix("optimizer.").removesuffix(suffix): value
                for key in (f"optimizer.step.{name}", f"optimizer.exp_avg.{name}", f"optimizer.exp_avg_sq.{name}")
                if (value := tensors.get(key)) is not None
            }
            if state:
                # The layout must be the parameter's own: the fused update walks both in memory order.
                optimizer.state[parameter] = {
                    k: v if v.ndim == 0 else torch.empty_like(parameter).copy_(v) for k, v in state.items()
                }
        torch.set_rng_state(tensors["random_state"])
    return Position(**json.loads(header["position"]))


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with the prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
