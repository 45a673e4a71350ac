"""What a colour network is told beside the picture: colours that somebody knows, and how much they count.

One mechanism for a person's brush, a reference photograph, a key frame and the frame before. Hints are given at the
picture's size and reach the decoder at each of its sizes, so that one pixel of them is seen by the coarse map, which
looks everywhere, and by the fine one, which knows where it lies.
Source of the idea: Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors", section 3.1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

CHANNELS = 3
# Lab units that the network sees as one: about the chroma of a vivid thing.
UNIT_AB = 40.0


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
