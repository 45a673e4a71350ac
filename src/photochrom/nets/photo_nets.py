"""Generators that paint a photograph at full size: RGB as DeOldify's did, or clean luma for restoration."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from photochrom.nets.blocks import PixelShuffleUp, Residual, spectral_conv
from photochrom.nets.generators import UNet, build_unet, decoder_size
from photochrom.nets.recompute import call, recompute, recompute_in_parts

# The sigmoid's range, a little beyond 0..1 so that black and white need no infinite weights.
LOWEST, HIGHEST = -0.2, 1.2


class PhotoNet(nn.Module):
    """From photograph to photograph of the same size.

    Shapes: (B, C, H, W) with C 1 or 3 -> (B, ``c_out``, H, W); H and W divisible by 32.
    Range: sRGB or luma 0..1 in; out about 0..1 (LOWEST..HIGHEST, or the input plus a correction), not clamped.

    Args:
        unet: up to half the picture's size.
        c_last: channels at full size, before the input joins them.
        c_out: 3 for RGB, 1 for luma.
        corrects: add to the input (starting from nothing) rather than paint anew; for restoration.
    """

    def __init__(self, unet: UNet, c_last: int, c_out: int, *, blurs: bool = False, corrects: bool = False) -> None:
        super().__init__()
        self.unet, self.corrects, self.c_out = unet, corrects, c_out
        self.up = PixelShuffleUp(unet.c_out, c_last, blurs=blurs)
        self.refine = Residual(c_last + 3)
        self.head: nn.Module
        if corrects:
            # A spectral-norm kernel has length one and could not begin at nothing.
            head = nn.Conv2d(c_last + 3, c_out, 1)
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
            self.head = head
        else:
            self.head = spectral_conv(c_last + 3, c_out, 1, has_bias=True)

    def forward(self, photo: Tensor) -> Tensor:
        """Shapes: as the class says."""
        rgb = photo.expand(-1, 3, -1, -1)
        recomputes = self.unet.recomputes and self.training
        joined = torch.cat([(recompute if recomputes else call)(self.up, self.unet(rgb)), rgb], dim=1)
        # At full size one activation of this block outweighs the rest of the network's.
        refined = recompute_in_parts(self.refine, joined) if recomputes else self.refine(joined)
        painted: Tensor = self.head(refined)
        if self.corrects:
            return photo[:, : self.c_out] + painted
        return LOWEST + (HIGHEST - LOWEST) * painted.sigmoid()


def build_photo_net(
    backbone: str,
    decoder: str,
    c_out: int,
    *,
    width: float | None = None,
    corrects: bool = False,
    pretrained: bool = True,
    weights: Path | None = None,
) -> PhotoNet:
    """Return a photo-to-photo generator of the named sizes; see ``build_backbone`` and ``decoder_size``."""
    unet = build_unet(backbone, decoder, width=width, pretrained=pretrained, weights=weights)
    channels = unet.backbone.channels
    assert isinstance(channels, tuple)
    size = decoder_size(decoder, channels, width)
    return PhotoNet(unet, size.last, c_out, blurs=size.blurs, corrects=corrects)


def artistic_size(*, pretrained: bool = False, weights: Path | None = None) -> PhotoNet:
    """Return the size of DeOldify "artistic": ResNet-34, deep decoder at width 1.5, 63,646,881 parameters."""
    return build_photo_net("resnet34", "deep", 3, width=1.5, pretrained=pretrained, weights=weights)


def stable_size(*, pretrained: bool = False, weights: Path | None = None) -> PhotoNet:
    """Return the size of DeOldify "stable": ResNet-101, wide decoder at width 2, 218,222,197 parameters."""
    return build_photo_net("resnet101", "wide", 3, width=2.0, pretrained=pretrained, weights=weights)
