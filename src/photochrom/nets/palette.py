"""The colours a generator chooses from: Lab a*b* quantised to a square grid, soft to encode, annealed to decode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from photochrom.nets.blocks import softmax_over_channels

GRID_STEP = 10.0
GRID_LIMIT = 110.0
# A colour seen in fewer than this share of pixels does not get a bin of its own.
RAREST_SHARE = 1e-5


class Palette(nn.Module):
    """K grid points in the a*b* plane with their weights and frequencies, as buffers that travel with a network.

    A colour is encoded as the bilinear weights of the four grid points around it, so that the weighted mean of the
    bins *is* the colour (a nearest-bin code would lose up to half a step). Corners that photographs never show are
    left out, and their weight goes to the others.

    Args:
        bins_ab: (K, 2) grid points, Lab units, multiples of GRID_STEP.
        shares: (K,) how often each is met, sums to one.
        rebalancing: lambda in 0..1; rare colours weigh more the smaller it is (1 leaves frequencies as they are).

    Source: Zhang, Isola, Efros 2016, "Colorful Image Colorization", equations 2 to 4 (soft encoding here is
    bilinear rather than Gaussian over five neighbours).
    """

    bins_ab: Tensor
    shares: Tensor
    weights: Tensor
    index_of_cell: Tensor

    def __init__(self, bins_ab: Tensor, shares: Tensor, rebalancing: float = 0.5) -> None:
        super().__init__()
        self.register_buffer("bins_ab", bins_ab.float())
        self.register_buffer("shares", shares.float())
        mixed = 1 / ((1 - rebalancing) * shares + rebalancing / len(shares))
        self.register_buffer("weights", (mixed / (shares * mixed).sum()).float(), persistent=False)
        side = int(2 * GRID_LIMIT / GRID_STEP) + 1
        index = torch.full((side * side,), -1, dtype=torch.long)
        cells = ((bins_ab + GRID_LIMIT) / GRID_STEP).round().long()
        index[cells[:, 0] * side + cells[:, 1]] = torch.arange(len(bins_ab))
        self.register_buffer("index_of_cell", index, persistent=False)

    @property
    def side(self) -> int:
        """Number of grid points along one axis."""
        return int(2 * GRID_LIMIT / GRID_STEP) + 1

    def encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Return each colour's four bins and their weights.

        Shapes: (N, 2) -> (N, 4) bin indices and (N, 4) weights that sum to one (zero at absent bins).
        """
        index, weight = encode_on_grid(ab, self.side)
        bins = self.index_of_cell[index]
        weight = weight * (bins >= 0)
        total = weight.sum(dim=1, keepdim=True)
        # A colour with no bin at all is rarer than RAREST_SHARE: it teaches nothing and weighs nothing.
        return bins.clamp(min=0), weight / total.clamp(min=1e-6)

    def decode(self, logits: Tensor, temperature: float | Tensor = 1.0) -> Tensor:
        """Return the annealed mean colour: (B, K, H, W) logits -> (B, 2, H, W) Lab a*b*.

        Temperatures below one sharpen the distribution before averaging: 0 is the mode, 1 the mean.
        """
        share = softmax_over_channels(logits / temperature)
        return nn.functional.conv2d(share, self.bins_ab.t()[:, :, None, None])


def encode_on_grid(ab: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return the bilinear code on the full grid: (N, 2) -> (N, 4) flat cell indices, (N, 4) weights."""
    position = (ab.clamp(-GRID_LIMIT + 1e-3, GRID_LIMIT - 1e-3) + GRID_LIMIT) / GRID_STEP
    corner = position.floor()
    a_high, b_high = (position - corner).unbind(1)
    row, column = corner.long().unbind(1)
    base = row * side + column
    index = torch.stack([base, base + 1, base + side, base + side + 1], dim=1)
    weight = torch.stack(
        [(1 - a_high) * (1 - b_high), (1 - a_high) * b_high, a_high * (1 - b_high), a_high * b_high], dim=1
    )
    return index, weight


def fit_palette(ab_samples: npt.NDArray[np.floating], rebalancing: float = 0.5) -> Palette:
    """Return the palette of the colours met in a sample of training pixels.

    Shapes: (N, 2) Lab a*b*. The shares are smoothed over neighbouring bins, so that a bin's weight
    does not hang on a handful of pixels.
    """
    side = int(2 * GRID_LIMIT / GRID_STEP) + 1
    index, weight = encode_on_grid(torch.from_numpy(np.ascontiguousarray(ab_samples, dtype=np.float32)), side)
    counts = torch.zeros(side * side, dtype=torch.float64).index_add_(0, index.flatten(), weight.flatten().double())
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]], dtype=torch.float64) / 16
    grid = counts.view(1, 1, side, side)
    smooth = nn.functional.conv2d(grid, kernel[None, None], padding=1).flatten() / counts.sum()
    kept = (counts / counts.sum() > RAREST_SHARE).nonzero().flatten()
    bins = torch.stack([kept // side, kept % side], dim=1).float() * GRID_STEP - GRID_LIMIT
    return Palette(bins, (smooth[kept] / smooth[kept].sum()).float(), rebalancing)
