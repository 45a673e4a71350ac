"""What a colour network is told beside the picture: colours that somebody knows, and how much they count.

One mechanism for a person's brush, a reference photograph, a key frame and the frame before. Hints are given at the
picture's size and reach the decoder at each of its sizes, so that one pixel of them is seen by the coarse map, which
looks everywhere, and by the fine one, which knows where it lies.
Source of the idea: Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors", section 3.1.

Convolutions carry a hint a few cells far. ``HintSpread`` carries it to whatever looks alike, wherever that lies.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, normalize

from photochrom.nets.places import centres, distances

CHANNELS = 3
# Lab units that the network sees as one: about the chroma of a vivid thing.
UNIT_AB = 40.0
# Ways of looking alike, and the numbers that each compares.
HEADS, WIDTH = 4, 32
SPREAD_CHANNELS = CHANNELS * HEADS
# A step of the optimizer moves a number by about its rate, which is meant for kernels of 0.05 or so; those that say
# how sharp, how near and how doubtful a head is are a hundred times as large.
SCALARS, SCALARS_RATE = ("sharpness", "nearness", "doubt"), 50.0
# Scores beyond this would leave float32 once they are exponents.
MOST_SCORE = 30.0


def pool_hints(hints: Tensor, strides: tuple[int, ...]) -> list[Tensor]:
    """Return the hints at several sizes, finest first: (B, 3, H, W) -> (B, 3, H / stride, W / stride) each.

    Range: Lab a*, b* and weight 0..1 in; each cell's mean colour (by weight, in units of UNIT_AB) times its largest
    weight, and that weight, out. A lone pixel so counts as much in its cell as if it filled it.

    ``strides`` are powers of two, rising.
    """
    weight = hints[:, 2:].clamp(0, 1)
    weighted, most = torch.cat([hints[:, :2] / UNIT_AB * weight, weight], dim=1), weight
    levels, reached = [], 1
    for stride in strides:
        step, reached = stride // reached, stride
        weighted, most = avg_pool2d(weighted, step), max_pool2d(most, step)
        mean_ab = weighted[:, :2] / weighted[:, 2:].clamp(min=1e-7)
        levels.append(torch.cat([mean_ab * most, most], dim=1))
    return levels


class HintSpread(nn.Module):
    """Hints carried to the places that look like those they were given for, and, as each head likes it, lie near.

    What looks alike is read from the picture alone, never from hints: a place that was told its colour must not look
    unlike its neighbours for that. Each head weighs all hints by exp(sharpness * cosine of the features - nearness *
    distance - doubt), against one that says nothing and weighs 1.
    Source of the idea: iColoriT's "local hints, global attention" (Yun et al. 2023, "iColoriT: Towards Propagating
    Local Hints to the Right Region in Interactive Colorization by Leveraging Vision Transformer", section 3.2).

    Shapes: the picture's maps, coarse to fine, each twice as large as the one before, and hints (B, 3, h, w) as
    ``pool_hints`` makes them for the finest -> (B, 12, h, w): of each head a*, b* times how far it is believed (in
    units of UNIT_AB), and that share, 0..1. All zero where there are no hints.
    Cost: HEADS (WIDTH + 8) h w multiply-adds for each cell that is told anything.

    Args:
        channels: those of the maps.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.looks = nn.ModuleList(nn.Conv2d(count, HEADS * WIDTH, 1, bias=False) for count in channels)
        self.sharpness = nn.Parameter(torch.full((HEADS, 1, 1), 8.0))
        self.nearness = nn.Parameter(torch.tensor([1.0, 3.0, 8.0, 20.0])[:, None, None])
        self.doubt = nn.Parameter(torch.full((HEADS, 1, 1), 5.0))

    def forward(self, maps: Sequence[Tensor], hints: Tensor) -> Tensor:
        """Shapes: as the class says."""
        return self.carry(self.look(maps), hints)

    def look(self, maps: Sequence[Tensor]) -> Tensor:
        """Return what places look like: maps, coarse to fine -> (B, HEADS WIDTH, h, w); of length 1 for each head."""
        first, *finer = zip(self.looks, maps, strict=True)
        look = first[0](first[1])
        for reader, here in finer:
            look = interpolate(look, scale_factor=2.0, mode="nearest") + reader(here)
        looks: Tensor = normalize(look.unflatten(1, (HEADS, WIDTH)), dim=2)
        return looks.flatten(1, 2)

    def carry(self, look: Tensor, hints: Tensor) -> Tensor:
        """Return the hints where ``look`` says that places look alike; shapes as the class says."""
        if not self.training or torch.compiler.is_compiling():
            return self._spread(look, hints)
        # At least one picture, so that all weights have gradients: processes that share theirs wait for them.
        is_told = hints[:, 2].flatten(1).any(dim=1)
        is_told[0] = True
        told = is_told.nonzero()[:, 0]
        spread = self._spread(look[told], hints[told])
        return spread.new_zeros(len(hints), *spread.shape[1:]).index_copy(0, told, spread)

    def _spread(self, look: Tensor, hints: Tensor) -> Tensor:
        height, width = look.shape[2:]
        look = look.reshape(-1, HEADS, WIDTH, height * width)
        # Only places that were told something say anything; the first one always, for there must be one.
        says = hints[:, 2].flatten(1).amax(dim=0) > 0
        told = torch.cat([torch.ones_like(says[:1]), says[1:]]).nonzero()[:, 0]
        # Doubt as one more number to compare, and sharpness before comparing: each pass over all pairs costs more.
        everywhere = torch.ones_like(look[:, :, :1])
        asked = torch.cat([self.sharpness * look, -self.doubt * everywhere], dim=2)
        likeness = asked.transpose(2, 3) @ torch.cat([look, everywhere], dim=2).index_select(3, told)
        sides = (height, width)
        rows, columns = centres(sides, sides, look.device)
        apart = distances((rows, columns), (rows[told], columns[told]), sides).to(look)
        weight = (likeness - self.nearness * apart).clamp(max=MOST_SCORE).exp()
        gathered = weight @ hints.flatten(2).index_select(2, told).transpose(1, 2)[:, None]
        shares = gathered / (gathered[..., 2:] + 1)
        spread: Tensor = shares.transpose(2, 3).reshape(-1, SPREAD_CHANNELS, height, width)
        return spread
