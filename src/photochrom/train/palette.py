"""The colours of a run: fitted to its photographs once, or taken over with the weights it starts from."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from photochrom.errors import TrainingError
from photochrom.files.codecs.atomic import write_whole
from photochrom.nets.palette import Palette, fit_palette
from photochrom.train.checkpoint import read_checkpoint
from photochrom.train.config import TrainConfig
from photochrom.train.data import PhotoSet, sample_colours
from photochrom.train.runtime import Runtime

PALETTE_PHOTOS = 2000
PALETTE = "palette.json"


def run_palette(photos: PhotoSet, config: TrainConfig, runtime: Runtime) -> Palette:
    """Return a run's palette, kept as ``palette.json`` in its folder from the first time on.

    Raises:
        TrainingError: the file there is damaged.
    """
    path, rebalancing = config.run.folder / PALETTE, config.model.rebalancing
    if runtime.leads and not path.exists():
        palette = _first_palette(photos, config)
        kept = {"bins_ab": palette.bins_ab.tolist(), "shares": palette.shares.tolist()}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(kept).encode())
    runtime.wait_for_all()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Palette(torch.tensor(kept["bins_ab"]), torch.tensor(kept["shares"]), rebalancing)
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"is damaged ({error})",
            where=str(path),
            next_step="Delete it: it is made anew, as it was if photographs, seed and model.init are the same",
        ) from error


def forget_palette(run_folder: Path) -> None:
    """Delete a run's palette: the photographs it was fitted to may be others now."""
    (run_folder / PALETTE).unlink(missing_ok=True)


def _first_palette(photos: PhotoSet, config: TrainConfig) -> Palette:
    if config.model.init is not None:
        # The head has one output per colour: they must be the colours it was trained for.
        _, tensors = read_checkpoint(config.model.init)
        if "average.palette.bins_ab" in tensors:
            return Palette(tensors["average.palette.bins_ab"], tensors["average.palette.shares"])
    count = min(PALETTE_PHOTOS, len(photos))
    return fit_palette(sample_colours(photos, count, config.run.seed), config.model.rebalancing)
