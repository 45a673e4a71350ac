"""Looking at a network while it trains: errors on held-out photographs, and a sheet of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from photochrom.color import (
    chroma_from_ab,
    ciede2000,
    colorfulness,
    lab_from_srgb,
    luma,
    merge_luma_chroma,
)
from photochrom.nets.generators import ColorNet
from photochrom.train.data import PhotoSet

SHEET_PHOTOS = 12
BATCH = 16


class Validation:
    """A fixed set of held-out squares and what a network makes of them."""

    def __init__(self, photos: PhotoSet, size_px: int, temperature: float = 0.5) -> None:
        self.temperature = temperature
        usable = (pixels for i in range(len(photos)) if (pixels := photos.photo(i)) is not None)
        squares = [_centre_square(pixels, size_px) for pixels in usable]
        self.truth = np.stack(squares).astype(np.float32) / 255 if squares else np.zeros((0, size_px, size_px, 3))

    def measure(self, net: ColorNet, sheet: Path | None = None) -> dict[str, float]:
        """Return mean errors over the squares, and write the first few as a picture: grey, coloured, truth.

        CIEDE2000 is taken at the truth's lightness (a*, b* of the prediction, L* of the photograph), beside that
        of an all-grey answer; colourfulness as a share of the truth's.
        """
        if not len(self.truth):
            return {}
        errors, grey_errors, colourful, colourful_truth, rows = [], [], [], [], []
        for start in range(0, len(self.truth), BATCH):
            rgb = self.truth[start : start + BATCH]
            painted = colour_squares(net, luma(rgb), self.temperature)
            truth_lab, painted_lab = lab_from_srgb(rgb), lab_from_srgb(painted)
            painted_lab[..., 0] = truth_lab[..., 0]
            grey_lab = truth_lab * np.array([1, 0, 0], dtype=np.float32)
            errors.append(ciede2000(truth_lab, painted_lab).mean(axis=(1, 2)))
            grey_errors.append(ciede2000(truth_lab, grey_lab).mean(axis=(1, 2)))
            colourful += [colorfulness(picture) for picture in painted]
            colourful_truth += [colorfulness(picture) for picture in rgb]
            rows += list(zip(luma(rgb), painted, rgb, strict=True))[: SHEET_PHOTOS - len(rows)]
        if sheet is not None:
            write_sheet(rows, sheet)
        return {
            "ciede2000": float(np.concatenate(errors).mean()),
            "ciede2000_grey": float(np.concatenate(grey_errors).mean()),
            "colourfulness_share": float(np.mean(colourful) / max(float(np.mean(colourful_truth)), 1e-6)),
        }


@torch.no_grad()
def colour_squares(net: ColorNet, grey: npt.NDArray[np.floating], temperature: float) -> npt.NDArray[np.floating]:
    """Return coloured pictures: (B, S, S) luma 0..1 -> (B, S, S, 3) sRGB 0..1; chroma enlarged bilinearly."""
    net.eval()
    ab = net.palette.decode(net(torch.from_numpy(grey[:, None].astype(np.float32))), temperature)
    ab = torch.nn.functional.interpolate(ab, scale_factor=2.0, mode="bilinear")
    return merge_luma_chroma(grey, chroma_from_ab(grey, ab.permute(0, 2, 3, 1).numpy(), refinements=1))


def write_sheet(rows: list[tuple[npt.NDArray[np.floating], ...]], path: Path) -> None:
    """Write grey, coloured and true pictures beside each other, two photographs a row."""
    strips = [np.concatenate([np.repeat(grey[..., None], 3, -1), painted, rgb], 1) for grey, painted, rgb in rows]
    strips += [np.zeros_like(strips[0])] * (len(strips) % 2)
    sheet = np.concatenate([np.concatenate(strips[i : i + 2], 1) for i in range(0, len(strips), 2)], 0)
    Image.fromarray((sheet * 255 + 0.5).astype(np.uint8)).save(path)


def _centre_square(pixels: npt.NDArray[np.uint8], size_px: int) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(pixels).resize((size_px, size_px), Image.Resampling.BICUBIC, box=box))
