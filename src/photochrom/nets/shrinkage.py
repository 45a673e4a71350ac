"""Classical denoising as layers without weights: what a network can choose from instead of inventing it.

Each 8 x 8 block is taken apart into cosines, those weaker than noise of a given strength would make are dropped, and
the many overlapping answers for a pixel are averaged, blocks that needed fewer cosines counting more.
Sources: Yu, Sapiro 2011, "DCT image denoising: a simple and effective image denoising algorithm" (the method and the
threshold); Guleryuz 2007, "Weighted Average Denoising With Sparse Orthonormal Transforms" (the weights).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

# A step of 2 gains 0.3 dB and takes four times as long: more than all other stages together.
BLOCK, STEP = 8, 4
# Answers come in cells of so many pixels a side, as the network that reads them works on.
CELL = 2
# Of the noise's standard deviation: white noise exceeds it in one of 370 cosines.
THRESHOLD = 3.0


class CosineShrinkage(nn.Module):
    """A plane, denoised for several strengths of noise at once: (B, 1, H, W) -> (B, 4 S, H / 2, W / 2).

    H and W multiples of 4, 8 at least. The answers are 2 x 2 cells, as ``pixel_unshuffle`` makes them. Nothing is
    learned and nothing passes gradients.
    Cost: (1 + S) * 256 multiply-adds a pixel.

    Args:
        strengths: standard deviations of the noise, in units of the plane's values.
    """

    apart: Tensor
    together: Tensor
    ones: Tensor

    def __init__(self, strengths: tuple[float, ...]) -> None:
        super().__init__()
        self.limits = tuple(THRESHOLD * strength for strength in strengths)
        # Worked on in cells of STEP x STEP pixels, where overlapping blocks are an ordinary convolution: many times
        # quicker than a strided one on a single plane. Not saved: they follow from the numbers above.
        apart = nn.functional.pixel_unshuffle(cosines(BLOCK).reshape(BLOCK**2, 1, BLOCK, BLOCK), STEP)
        self.register_buffer("apart", apart, persistent=False)
        together = apart.flip(2, 3).transpose(0, 1)[_cell_by_cell()].contiguous()
        self.register_buffer("together", together, persistent=False)
        side = BLOCK // STEP
        self.register_buffer("ones", torch.ones(1, 1, side, side), persistent=False)

    @torch.no_grad()
    def forward(self, plane: Tensor) -> Tensor:
        """Shapes: as the class says."""
        edge = BLOCK - STEP
        cells = nn.functional.pixel_unshuffle(nn.functional.pad(plane, (edge, edge, edge, edge), mode="reflect"), STEP)
        mean, waves = nn.functional.conv2d(cells, self.apart[:1]), nn.functional.conv2d(cells, self.apart[1:])
        return torch.cat([self._kept(mean, waves, limit) for limit in self.limits], dim=1)

    def _kept(self, mean: Tensor, waves: Tensor, limit: float) -> Tensor:
        # A product with zeros and ones: ONNX Runtime selects element by element (Where) several times as slowly.
        is_kept = (waves.abs() > limit).to(waves.dtype)
        # The mean of a block is always kept.
        weight = 1 / (1 + is_kept.sum(dim=1, keepdim=True))
        total = nn.functional.conv2d(waves * is_kept * weight, self.together[:, 1:])
        total = total + nn.functional.conv2d(mean * weight, self.together[:, :1])
        return nn.functional.pixel_shuffle(total / nn.functional.conv2d(weight, self.ones), STEP // CELL)


def _cell_by_cell() -> Tensor:
    """Return the pixels of a STEP x STEP cell in such an order that ``pixel_shuffle`` makes CELL x CELL cells of it."""
    places = torch.arange(STEP**2).view(STEP // CELL, CELL, STEP // CELL, CELL)
    return places.permute(1, 3, 0, 2).flatten()


def cosines(length: int) -> Tensor:
    """Return the orthonormal two-dimensional cosine basis (DCT-II): (length, length, length, length), waves first."""
    places = torch.arange(length, dtype=torch.float64)
    waves = torch.cos(math.pi * (2 * places + 1) * places[:, None] / (2 * length)) * math.sqrt(2 / length)
    waves[0] /= math.sqrt(2)
    return torch.einsum("ai,bj->abij", waves, waves).float()
