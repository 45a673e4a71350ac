"""What a run has learned: its averaged network, read back from a checkpoint alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from photochrom.errors import TrainingError
from photochrom.nets.palette import Palette
from photochrom.train.checkpoint import Position, checkpoint_of, read_checkpoint, with_prefix
from photochrom.train.config import TrainConfig
from photochrom.train.generator import build_generator


@dataclass(frozen=True)
class Trained:
    """A network with the averaged weights of a run, in evaluation mode, and how it came about."""

    net: nn.Module
    config: TrainConfig
    position: Position

    def card(self) -> dict[str, Any]:
        """Return what a model card says of the training."""
        return {
            "backbone": self.config.model.backbone,
            "decoder": self.config.model.decoder,
            "photos_seen": self.position.photos_seen,
            "training_hours": round(self.position.seconds / 3600, 3),
            "seed": self.config.run.seed,
        }


def load_trained(run: Path) -> Trained:
    """Return the averaged network of a run's folder or of one checkpoint file; nothing else is needed.

    Raises:
        TrainingError: there is no checkpoint, or it is damaged or not ours.
    """
    path = checkpoint_of(run)
    if not path.exists():
        raise TrainingError("no checkpoint here", where=str(path), next_step="Name the folder of a training run")
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
    return Trained(net.eval(), config, Position.from_json(header["position"]))
