"""Checkpoints: one safetensors file with the networks, the average, the optimizers and where the run stands.

No pickle is ever written or read. A checkpoint is written aside and renamed, so a crash or a full disk
leaves the previous one whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from photochrom.computer.systems import flush_to_disk, put_in_place
from photochrom.engines.base import METADATA_KEY
from photochrom.engines.catalog import model_cards
from photochrom.engines.hub import find_model, installed_models
from photochrom.engines.weights_file import checked_sha256
from photochrom.errors import TrainingError
from photochrom.export.kept import read_kept
from photochrom.train.learner import Learner

FORMAT = "photochrom-checkpoint/1"
CHECKPOINT = "checkpoint.safetensors"
SAID = "said"
"""Under this key a header has what a model file says of itself; checkpoints say nothing."""
# What each learner's tensors are called: its network, its optimizer.
PREFIXES = {"generator": ("net.", "optimizer."), "critic": ("critic.", "critic_optimizer.")}


@dataclass(frozen=True)
class Position:
    """Where a run stands: the step to do next, whose turn it is, and what has been spent."""

    stage: int = 0
    step: int = 0
    photos_seen: int = 0
    seconds: float = 0.0
    turn: str = ""

    @classmethod
    def from_json(cls, text: str) -> Position:
        """Return the position a checkpoint's header holds."""
        return cls(**json.loads(text))


def save_checkpoint(path: Path, learners: list[Learner], average: nn.Module, position: Position, config: str) -> None:
    """Write a checkpoint; ``config`` is the run's configuration as JSON.

    Raises:
        TrainingError: the file cannot be written; the last checkpoint is untouched.
    """
    tensors = {f"average.{k}": v for k, v in average.state_dict().items()}
    for learner in learners:
        tensors |= learner_tensors(learner)
    header = {"format": FORMAT, "position": json.dumps(asdict(position)), "config": config}
    aside = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, aside, metadata=header)
        with aside.open("rb") as written:
            flush_to_disk(written.fileno())
        put_in_place(aside, path)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise TrainingError(
            f"cannot write the checkpoint ({error})",
            where=str(path),
            next_step="The last one is whole. Free space, then run with --resume",
        ) from error


def learner_tensors(learner: Learner) -> dict[str, Tensor]:
    """Return a learner's weights, its optimizer's state by parameter name, and its loss scale."""
    of_net, of_optimizer = PREFIXES[learner.name]
    tensors = {f"{of_net}{k}": v for k, v in learner.net.state_dict().items()}
    for name, parameter in learner.net.named_parameters():
        for key, value in learner.optimizer.state.get(parameter, {}).items():
            tensors[f"{of_optimizer}{key}.{name}"] = torch.as_tensor(value)
    if learner.scaler.is_enabled():
        state = learner.scaler.state_dict()
        tensors[f"{of_optimizer}loss_scale"] = torch.tensor([state["scale"], float(state["_growth_tracker"])])
    return tensors


def read_checkpoint(source: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return a checkpoint's header and tensors: of a model file what it says of itself, and the average alone.

    Args:
        source: a checkpoint, a run's folder, a model file, or a name from the catalogue of models.

    Raises:
        TrainingError: the file is missing, damaged, or not a checkpoint of ours.
        ModelFileError: the model file cannot be read, or holds nothing to train on from.
    """
    path = checkpoint_of(source)
    if path.suffix == ".onnx":
        model, kept = read_kept(path)
        told = {entry.key: entry.value for entry in model.metadata_props}
        header = {"format": FORMAT, **kept.header, SAID: told.get(METADATA_KEY, "{}")}
        return header, {f"average.{name}": value for name, value in kept.state().items()}
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise TrainingError("not a photochrom checkpoint", where=str(path))
            return header, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"cannot read the checkpoint ({error})", where=str(path)) from error


def checkpoint_of(source: Path) -> Path:
    """Return the file with the weights of a run's folder or of a model in the catalogue; a file stands for itself.

    Raises:
        ModelNotInstalledError: the model is known, and its file is not on this computer.
        ModelFileError: the model's file is damaged.
    """
    if source.is_dir():
        return source / CHECKPOINT
    if source.exists() or str(source) not in model_cards() | installed_models():
        return source
    model = find_model(str(source))
    checked_sha256(model.path, model.sha256)
    return model.path


def load_checkpoint(path: Path, learners: list[Learner], average: nn.Module) -> Position:
    """Fill the learners and the average from a checkpoint, and return where the run stood.

    Raises:
        TrainingError: the file is missing, damaged, or belongs to another architecture.
    """
    header, tensors = read_checkpoint(path)
    fill(average, with_prefix(tensors, "average."), path)
    for learner in learners:
        fill(learner.net, with_prefix(tensors, PREFIXES[learner.name][0]), path)
        _fill_optimizer(learner, with_prefix(tensors, PREFIXES[learner.name][1]))
    return Position.from_json(header["position"])


def fill(net: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Load a state dict that must fit exactly; raise TrainingError where it does not."""
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise TrainingError(
            "the checkpoint is of another architecture than the configuration",
            where=str(path),
            next_step="Use the configuration it was made with, or another run.folder",
        ) from error


def _fill_optimizer(learner: Learner, tensors: dict[str, Tensor]) -> None:
    momentum_alone = {p for group in learner.optimizer.param_groups if group["is_matrix"] for p in group["params"]}
    for name, parameter in learner.net.named_parameters():
        needed = ("exp_avg",) if parameter in momentum_alone else ("step", "exp_avg", "exp_avg_sq")
        state = {key: tensors.get(f"{key}.{name}") for key in needed}
        # The layout must be the parameter's own: the fused update walks both in memory order.
        placed = {
            key: (value if value.ndim == 0 else torch.empty_like(parameter).copy_(value)).to(parameter.device)
            for key, value in state.items()
            if value is not None
        }
        # Where the run changed from Muon to AdamW, a part of the state is missing: it begins anew.
        if len(placed) == len(needed):
            learner.optimizer.state[parameter] = placed
    if (scale := tensors.get("loss_scale")) is not None and learner.scaler.is_enabled():
        kept = learner.scaler.state_dict()
        learner.scaler.load_state_dict(kept | {"scale": scale[0].item(), "_growth_tracker": int(scale[1])})


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with the prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
