"""What a run has learned: its averaged network, read back from a checkpoint alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from photochrom.errors import TrainingError
from photochrom.nets.palette import Palette
from photochrom.train.checkpoint import SAID, Position, checkpoint_of, read_checkpoint, with_prefix
from photochrom.train.config import TrainConfig
from photochrom.train.generator import build_generator


@dataclass(frozen=True)
class Trained:
    """A network with the averaged weights of a run, in evaluation mode, and how it came about."""

    net: nn.Module
    config: TrainConfig
    position: Position
    said: Mapping[str, Any] = field(default_factory=dict)
    """What the model file says of itself, if it is one."""

    def card(self) -> dict[str, Any]:
        """Return what a model card says of the training."""
        return {
            "backbone": self.config.model.backbone,
            "decoder": self.config.model.decoder,
            "photos_seen": self.position.photos_seen,
            "training_hours": round(self.position.seconds / 3600, 3),
            "seed": self.config.run.seed,
        }

    def header(self) -> dict[str, str]:
        """Return what a model file keeps of the run, as in a checkpoint, without places on this computer."""
        told = self.config.model_dump(mode="json")
        told["run"]["folder"] = f"runs/{self.config.model.name}"
        told["data"] = {key: value for key, value in told["data"].items() if isinstance(value, int | float)}
        told["data"]["photos"] = ["data"]
        told["model"] |= {"init": None, "backbone_weights": None}
        told["task"] |= {"finder": None} | {part: Path(told["task"][part]).stem for part in ("before", "wear")}
        for section in ("loss", "inflection"):
            told[section]["network_weights"] = None
        return {"config": json.dumps(told), "position": json.dumps(asdict(self.position))}


def load_trained(source: Path) -> Trained:
    """Return the averaged network of a run's folder, a checkpoint, a model file or a model's name; it needs no more.

    Raises:
        TrainingError: there is no checkpoint, or it is damaged or not ours.
        ModelFileError: the model file cannot be read, or holds nothing to train on from.
    """
    path = checkpoint_of(source)
    if not path.exists():
        raise TrainingError(
            "no checkpoint here",
            where=str(path),
            next_step="Name the folder of a training run, a checkpoint, or a model of `photochrom models list`",
        )
    header, tensors = read_checkpoint(path)
    try:
        config = TrainConfig.model_validate_json(header["config"])
    except (KeyError, ValidationError) as error:
        raise TrainingError("the checkpoint's configuration cannot be read", where=str(path)) from error
    average = with_prefix(tensors, "average.")
    try:
        palette = None
        if config.task.target == "color":
            palette = Palette(average["palette.bins_ab"], average["palette.shares"], config.model.rebalancing)
        net = build_generator(config, palette, pretrained=False)
        net.load_state_dict(average)
    except (KeyError, RuntimeError) as error:
        raise TrainingError("the checkpoint does not fit its own configuration", where=str(path)) from error
    return Trained(net.eval(), config, Position.from_json(header["position"]), json.loads(header.get(SAID, "{}")))
