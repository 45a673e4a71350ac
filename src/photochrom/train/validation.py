"""Looking at a network while it trains: errors on held-out photographs, and a contact sheet of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import nn

from photochrom.color import (
    chroma_from_ab,
    ciede2000,
    colorfulness,
    lab_from_srgb,
    luma,
    merge_luma_chroma,
)
from photochrom.nets.generators import ColorNet
from photochrom.train.config import TrainConfig
from photochrom.train.data import BatchSource, PhotoSet
from photochrom.train.tasks import Task, TensorBatch

SHEET_PHOTOS = 12
BATCH = 16
Pictures = npt.NDArray[np.floating[Any]]


class ColorValidation:
    """A fixed set of held-out squares in plain grey, and the colours a network gives them."""

    def __init__(
        self, photos: PhotoSet, size_px: int, temperature: float = 0.5, device: torch.device | None = None
    ) -> None:
        self.temperature, self.device = temperature, device or torch.device("cpu")
        usable = (pixels for i in range(len(photos)) if (pixels := photos.photo(i)) is not None)
        squares = [centre_square(pixels, size_px) for pixels in usable]
        self.truth: Pictures = (
            np.stack(squares).astype(np.float32) / 255 if squares else np.zeros((0, size_px, size_px, 3))
        )

    def measure(self, net: nn.Module, sheet: Path | None = None) -> dict[str, float]:
        """Return mean errors over the squares, and write the first few as a picture: grey, coloured, truth.

        CIEDE2000 is taken at the truth's lightness (a*, b* of the prediction, L* of the photograph), beside that
        of an all-grey answer; colourfulness as a share of the truth's.
        """
        if not len(self.truth):
            return {}
        errors, grey_errors, colourful, colourful_truth = [], [], [], []
        rows: list[Sequence[Pictures]] = []
        for start in range(0, len(self.truth), BATCH):
            rgb = self.truth[start : start + BATCH]
            painted = colour_squares(cast("ColorNet", net), luma(rgb), self.temperature, self.device)
            truth_lab, painted_lab = lab_from_srgb(rgb), lab_from_srgb(painted)
            painted_lab[..., 0] = truth_lab[..., 0]
            grey_lab = truth_lab * np.array([1, 0, 0], dtype=np.float32)
            errors.append(ciede2000(truth_lab, painted_lab).mean(axis=(1, 2)))
            grey_errors.append(ciede2000(truth_lab, grey_lab).mean(axis=(1, 2)))
            colourful += [colorfulness(picture) for picture in painted]
            colourful_truth += [colorfulness(picture) for picture in rgb]
            grey = np.repeat(luma(rgb)[..., None], 3, -1)
            rows += list(zip(grey, painted, rgb, strict=True))[: SHEET_PHOTOS - len(rows)]
        if sheet is not None:
            write_sheet(rows, sheet)
        return {
            "ciede2000": float(np.concatenate(errors).mean()),
            "ciede2000_grey": float(np.concatenate(grey_errors).mean()),
            "colourfulness_share": float(np.mean(colourful) / max(float(np.mean(colourful_truth)), 1e-6)),
        }


class PhotoValidation:
    """A fixed set of held-out squares, damaged by fixed seeds, and what a network makes of them."""

    def __init__(self, source: BatchSource, task: Task, size_px: int, device: torch.device) -> None:
        self.source, self.task, self.size_px, self.device = source, task, size_px, device

    def measure(self, net: nn.Module, sheet: Path | None = None) -> dict[str, float]:
        """Return the task's figures over the set, and write a sheet of the first few: input, generated, truth."""
        found: list[dict[str, torch.Tensor]] = []
        rows: list[Sequence[Pictures]] = []
        net.eval()
        for start in range(0, len(self.source.photos), BATCH):
            positions = range(start, min(start + BATCH, len(self.source.photos)))
            batch = TensorBatch.of(self.source.at(self.size_px, 0, positions), self.device)
            with torch.no_grad():
                painted = self.task.shown(net, batch)
                found.append(self.task.figures(painted, batch))
            shown = (batch.photo.expand(-1, 3, -1, -1), painted, self.task.truth(batch))
            pictures = [tensor.permute(0, 2, 3, 1).cpu().numpy() for tensor in shown]
            rows += list(zip(*pictures, strict=True))[: SHEET_PHOTOS - len(rows)]
        if not found:
            return {}
        if sheet is not None:
            write_sheet(rows, sheet)
        return summary({name: torch.cat([figures[name] for figures in found]) for name in found[0]})


def summary(figures: dict[str, torch.Tensor]) -> dict[str, float]:
    """Return the means of figures per picture, without those that are not numbers.

    Intersection and union become one figure, over the whole set.
    """
    means = {name: float(values.nanmean()) for name, values in figures.items() if not values.isnan().all()}
    if "union" in means:
        means["iou"] = means.pop("intersection") / max(means.pop("union"), 1e-9)
    return means


def build_validation(
    config: TrainConfig, held_out: PhotoSet, task: Task, device: torch.device
) -> ColorValidation | PhotoValidation:
    """Return what the configuration's target is validated by, at the size of its last stage."""
    size_px = config.schedule[-1].size_px
    if config.task.target == "color":
        return ColorValidation(held_out, size_px, config.task.anneal, device)
    source = BatchSource(held_out, 1.0, config.task, config.age, config.run.seed)
    return PhotoValidation(source, task, size_px, device)


@torch.no_grad()
def colour_squares(net: ColorNet, grey: Pictures, temperature: float, device: torch.device) -> Pictures:
    """Return coloured pictures: (B, S, S) luma 0..1 -> (B, S, S, 3) sRGB 0..1; chroma enlarged bilinearly."""
    net.eval()
    ab = net.palette.decode(net(torch.from_numpy(grey[:, None].astype(np.float32)).to(device)), temperature)
    ab = torch.nn.functional.interpolate(ab, size=grey.shape[1:], mode="bilinear")
    return merge_luma_chroma(grey, chroma_from_ab(grey, ab.permute(0, 2, 3, 1).cpu().numpy(), refinements=1))


def write_sheet(rows: list[Sequence[Pictures]], path: Path) -> None:
    """Write the pictures of each row beside each other, two rows a line."""
    strips = [np.concatenate(row, 1) for row in rows]
    strips += [np.zeros_like(strips[0])] * (len(strips) % 2)
    sheet = np.concatenate([np.concatenate(strips[i : i + 2], 1) for i in range(0, len(strips), 2)], 0)
    Image.fromarray((np.clip(sheet, 0, 1) * 255 + 0.5).astype(np.uint8)).save(path)


def centre_square(pixels: npt.NDArray[np.uint8], size_px: int) -> npt.NDArray[np.uint8]:
    """Return the middle of a photograph as a square of that size."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(pixels).resize((size_px, size_px), Image.Resampling.BICUBIC, box=box))
