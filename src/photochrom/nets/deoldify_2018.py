"""The first DeOldify generator (November 2018), for files such as ``colorize_gen_192.h5``.

It differs from the later ones in nearly every detail: 3x3 convolutions before the pixel shuffle, no blur, no
convolution after a skip is joined, attention at a quarter of the size, tanh at the end, and an output that is rounded
up to a multiple of 32 because skips are padded instead of cropped.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.nets.deoldify import SelfAttention, SpectralConv
from photochrom.nets.resnet import encoder, resnet34


class _Sequence(nn.Module):
    """A chain stored under the attribute ``seq`` or ``sequence``, as the files of that year name it."""

    def __init__(self, name: str, *layers: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        return cast("Tensor", getattr(self, self.name)(x))


def _upsampler(inputs: int, outputs: int) -> _Sequence:
    """Return convolution, norm, pixel shuffle, norm. Shapes: (B, inputs, H, W) -> (B, outputs, 2H, 2W)."""
    conv = _Sequence("seq", SpectralConv(inputs, 4 * outputs, 3, bias=True), nn.BatchNorm2d(4 * outputs))
    return _Sequence("sequence", nn.Sequential(conv), nn.PixelShuffle(2), nn.BatchNorm2d(outputs))


class UpBlock(nn.Module):
    """Joins an upsampled picture with a skip, half the channels each, then ReLU, norm and perhaps attention.

    Shapes: (B, inputs, h, w) and (B, skip, H, W) -> (B, outputs, 2h, 2w); a smaller skip is padded with zeros to the
    right and below before its convolution.
    """

    def __init__(self, inputs: int, skip: int, outputs: int, *, attention: bool = False) -> None:
        super().__init__()
        self.x_conv = _Sequence("seq", SpectralConv(skip, outputs // 2, bias=True))
        self.tr_conv = _upsampler(inputs, outputs // 2)
        extra = [SelfAttention(outputs, bias=True, gamma_shape=())] if attention else []
        self.out = nn.Sequential(nn.BatchNorm2d(outputs), *extra)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return the decoded features at twice the size of ``x``."""
        up = self.tr_conv(x)
        side = self.x_conv(functional.pad(skip, (0, up.shape[-1] - skip.shape[-1], 0, up.shape[-2] - skip.shape[-2])))
        return cast("Tensor", self.out(torch.relu(torch.cat([up, side], dim=1))))


class Unet2018(nn.Module):
    """The generator of the 2018 release, with nf_factor 2: 80,681,860 parameters.

    Shapes: (B, 3, H, W) -> (B, 3, H', W'), H' and W' rounded up to multiples of 32.
    Range: sRGB scaled to -1..1, in and out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rn = encoder(resnet34())
        self.up1 = UpBlock(512, 256, 1024)
        self.up2 = UpBlock(1024, 128, 1024)
        self.up3 = UpBlock(1024, 64, 1024, attention=True)
        self.up4 = UpBlock(1024, 64, 512)
        self.up5 = _upsampler(512, 64)
        self.out = nn.Sequential(_Sequence("seq", SpectralConv(64, 3, 3, bias=True)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the coloured picture."""
        skips = []
        for index, stage in enumerate(self.rn):
            x = stage(x)
            if index in (2, 4, 5, 6):
                skips.append(x)
        for block, skip in zip((self.up1, self.up2, self.up3, self.up4), reversed(skips), strict=True):
            x = block(x, skip)
        return torch.tanh(self.out(self.up5(x)))


def unet_2018() -> Unet2018:
    """Return the network of the 2018 release: 80,681,860 parameters."""
    return Unet2018()
