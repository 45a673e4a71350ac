"""Generators: a U-Net decoder on a pretrained backbone, and the head that says what it paints.

``ColorNet`` predicts, for each half-resolution pixel, a distribution over quantised Lab a*b*. A distribution can
hold "red or blue, not the mauve between": that gives vivid colour, a confidence and alternatives from one network.
Source of the idea: Zhang, Isola, Efros 2016, "Colorful Image Colorization", section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from photochrom.nets.backbones import build_backbone
from photochrom.nets.blocks import ConvNormAct, UpBlock
from photochrom.nets.palette import Palette


@dataclass(frozen=True)
class DecoderSize:
    """Channels of a decoder, coarse to fine: the middle at 1/32, then one entry for 1/16, 1/8, 1/4 and 1/2."""

    middle: int
    up: tuple[int, int, int, int]
    out: tuple[int, int, int, int]
    depth: tuple[int, int, int, int]


DECODER_SIZES = {
    "test": DecoderSize(middle=16, up=(8, 8, 8, 8), out=(16, 16, 8, 8), depth=(1, 1, 1, 1)),
    "small": DecoderSize(middle=256, up=(128, 96, 64, 32), out=(256, 128, 96, 48), depth=(1, 1, 1, 1)),
    "base": DecoderSize(middle=384, up=(192, 128, 64, 32), out=(320, 192, 96, 48), depth=(2, 1, 1, 1)),
    "large": DecoderSize(middle=512, up=(256, 192, 96, 48), out=(384, 256, 128, 64), depth=(2, 2, 1, 1)),
}


class UNet(nn.Module):
    """A decoder that climbs a backbone's pyramid back to half the picture's size, attending at 1/16.

    Shapes: (B, 3, H, W) -> (B, ``c_out``, H / 2, W / 2); H and W divisible by 32. Range: sRGB 0..1 in.
    """

    def __init__(self, backbone: nn.Module, size: DecoderSize) -> None:
        super().__init__()
        self.backbone = backbone
        finest_first = backbone.channels
        assert isinstance(finest_first, tuple)
        self.middle = ConvNormAct(finest_first[-1], size.middle)
        widths = (size.middle, *size.out)
        skips = tuple(reversed(finest_first[:-1]))
        self.blocks = nn.ModuleList(
            UpBlock(widths[i], skips[i], size.up[i], size.out[i], depth=size.depth[i], attends=i == 0) for i in range(4)
        )
        self.c_out = size.out[-1]

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        *skips, x = self.backbone(rgb)
        x = self.middle(x)
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = block(x, skip)
        return x


class ColorNet(nn.Module):
    """From luma to a distribution over colours.

    Shapes: (B, 1, H, W) -> logits (B, K, H / 2, W / 2); H and W divisible by 32.
    Range: BT.601 luma 0..1 in; logits over the palette's K colours out.
    """

    def __init__(self, unet: UNet, palette: Palette) -> None:
        super().__init__()
        self.unet = unet
        self.palette = palette
        # No spectral norm here: logits must be free to grow with certainty.
        self.head = nn.Conv2d(unet.c_out, palette.bins_ab.shape[0], 1)
        nn.init.normal_(self.head.weight, std=0.01)
        with torch.no_grad():
            # Start from the rebalanced frequencies rather than learn them: the first steps then teach pictures.
            self.head.bias.copy_((palette.shares * palette.weights).log())  # type: ignore[union-attr]

    def features(self, luma: Tensor) -> Tensor:
        """Return the map the head reads: (B, 1, H, W) -> (B, C, H / 2, W / 2)."""
        painted: Tensor = self.unet(luma.expand(-1, 3, -1, -1))
        return painted

    def forward(self, luma: Tensor) -> Tensor:
        """Shapes: as the class says."""
        logits: Tensor = self.head(self.features(luma))
        return logits


def build_color_net(backbone: str, decoder: str, palette: Palette, *, pretrained: bool = True) -> ColorNet:
    """Return a colour generator of the named sizes; see EFFICIENTNET_LITE_SIZES and DECODER_SIZES."""
    return ColorNet(UNet(build_backbone(backbone, pretrained=pretrained), DECODER_SIZES[decoder]), palette)
