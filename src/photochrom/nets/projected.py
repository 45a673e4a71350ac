"""A critic that sees pictures as a network does that knows photographs, so that it judges things and not patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.nets.backbones import build_backbone
from photochrom.nets.critics import Critic, layer
from photochrom.nets.folding import fold_norms

FIRST_LEVEL = 1  # Level 0, at half the picture's size, sees edges rather than things.


class ProjectedCritic(Critic):
    """Small heads on the feature maps of a frozen network at strides 4 to 32, each level mixed with what is coarser.

    The mixing is drawn once and never learns: heads that could choose among the network's channels would settle on the
    few that betray a picture first. Level by level, from the coarsest, a map is mixed to ``width`` channels, and the
    enlarged mixture of the level before is added, so that a fine place knows what it is a part of.

    Shapes: (B, 3, H, W) -> (B, 4, H / 32, W / 32), a logit for each level; H and W divisible by 32. Range: sRGB 0..1.
    Cost: the network's own forward (and, for a generator, backward) pass; mixing and heads add 3 % to that of lite1 at
    224 px and width 64.
    Source: Sauer, Chitta, Mueller, Geiger 2021, "Projected GANs Converge Faster", section 3 (a discriminator per level;
    random projections: cross-channel and cross-scale mixing, here both of 1x1 kernels).

    Args:
        backbone: name of the frozen network; the one of the perceptual loss is as good as any.
        width: channels of the mixtures and heads.
    """

    def __init__(self, backbone: str, width: int) -> None:
        super().__init__()
        self.network = fold_norms(build_backbone(backbone))
        _hide_weights(self.network)
        channels = self.network.channels[FIRST_LEVEL:]
        self.mixtures = nn.ModuleList(_Mixture(count, width) for count in channels)
        self.blends = nn.ModuleList(_Mixture(width, width) for _ in channels[1:])
        self.heads = nn.ModuleList(_head(width, halvings) for halvings in reversed(range(len(channels))))

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        maps = self.network(rgb)[FIRST_LEVEL:]
        mixed = [mixture(seen) for mixture, seen in zip(self.mixtures, maps, strict=True)]
        for level in reversed(range(len(mixed) - 1)):
            coarser = nn.functional.interpolate(self.blends[level](mixed[level + 1]), scale_factor=2.0)
            mixed[level] = (mixed[level] + coarser) / 2**0.5
        return torch.cat([head(seen) for head, seen in zip(self.heads, mixed, strict=True)], dim=1)


class _Mixture(nn.Module):
    """A random 1x1 convolution that never learns, and is kept with the critic, whose heads know it alone."""

    kernel: Tensor

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.randn(c_out, c_in, 1, 1) / c_in**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C', H, W), each picture's map of variance 1."""
        mixed = nn.functional.conv2d(x, self.kernel.to(x.dtype))
        return nn.functional.group_norm(mixed, 1)


def _head(width: int, halvings: int) -> nn.Sequential:
    """Return the judge of one level: (B, ``width``, H, W) -> (B, 1, H / 2**halvings, W / 2**halvings)."""
    layers = [part for _ in range(halvings) for part in layer(width, width, 4, 2)]
    return nn.Sequential(*layers, *layer(width, width, 3), *layer(width, 1, 1, padding=0)[:1])


def _hide_weights(network: nn.Module) -> None:
    """Make a network's weights buffers that checkpoints leave out: they move with it, and no optimizer sees them."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach(), persistent=False)
