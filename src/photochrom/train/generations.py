"""Saved generations: what a generator paints once, so that a critic can be trained on it alone (NoGAN)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from photochrom.computer.systems import put_in_place
from photochrom.train.config import Stage
from photochrom.train.data import BatchSource, shuffled_order
from photochrom.train.objectives import Objectives

# A stage's own photographs start at position 0; those of its generations far from them.
FIRST_POSITION = 1 << 40
# What a stage's folder of pictures is called, before its number.
FOLDER = "generated-"


class Generations:
    """A folder of pictures that one stage's generator painted, as lossless files.

    Real pictures are rounded to the same 8 bits before a critic sees them: a file format must not be what it learns.
    """

    def __init__(self, run_folder: Path, number: int, stage: Stage, source: BatchSource) -> None:
        self.folder = run_folder / f"{FOLDER}{number}"
        self.number, self.stage, self.source = number, stage, source
        self.count = stage.generations or len(source.photos)

    def save(self, net: nn.Module, objectives: Objectives, should_stop: Callable[[], bool]) -> bool:
        """Paint what is not there yet; of several processes, each its share. Return False when asked to stop before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mine = range(self.source.rank, self.count, self.source.processes)
        absent = [number for number in mine if not self._path(number).exists()]
        device = objectives.runtime.device
        for start in range(0, len(absent), self.stage.batch):
            if should_stop():
                return False
            numbers = absent[start : start + self.stage.batch]
            batch = self.source.at(self.stage.size_px, self.number, [FIRST_POSITION + n for n in numbers])
            pictures = objectives.generate(net, torch.from_numpy(batch.photo).to(device))
            for number, picture in zip(numbers, as_codes(pictures), strict=True):
                aside = self._path(number).with_suffix(".partial")
                Image.fromarray(picture).save(aside, "PNG", compress_level=1)
                put_in_place(aside, self._path(number))
        return True

    def batch(self, step: int, count: int) -> Tensor:
        """Return the generations that a step of the critic sees: (count, 3, S, S), 0..1."""
        first = (step * self.source.processes + self.source.rank) * count
        pictures = []
        for position in range(first, first + count):
            epoch, index = divmod(position, self.count)
            # Another order than the photographs', so that a picture and its original do not meet.
            order = shuffled_order(self.source.seed + 1, self.number, epoch, self.count)
            with Image.open(self._path(int(order[index]))) as picture:
                pictures.append(np.asarray(picture.convert("RGB"), dtype=np.float32) / 255)
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(np.stack(pictures), -1, 1)))

    def discard(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:07d}.png"


def forget_generations(run_folder: Path) -> None:
    """Delete the pictures of all stages of a run: nothing in them says which net painted them."""
    for folder in run_folder.glob(f"{FOLDER}*"):
        shutil.rmtree(folder)


def as_codes(pictures: Tensor) -> np.ndarray:
    """Return 8-bit pictures: (B, 3, H, W) 0..1 -> (B, H, W, 3) codes."""
    return np.asarray((pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())


def rounded(pictures: Tensor) -> Tensor:
    """Return pictures as they would be after 8 bits: (B, 3, H, W), 0..1."""
    return (pictures.clamp(0, 1) * 255).round() / 255
