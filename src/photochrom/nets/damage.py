"""The network that finds damage: a pretrained backbone for what belongs in a picture, and fine cells for thin marks.

A scratch is a line that the scene does not explain, and a fence is one that it does: telling them apart takes knowledge
of scenes, which the backbone brings from ImageNet. Its last and largest stage, at 1/32, is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.nets.backbones import EfficientNetLite, build_lite_backbone
from photochrom.nets.blocks import ConvNormAct, UpBlock

LEVELS = 4
# Channels after joining the backbone's maps at 1/8, 1/4 and 1/2, and of the fine cells at 1/2.
UP, OUT, FINE = (96, 64, 32), (96, 64, 40), 24


class DetailUNet(nn.Module):
    """A U-Net whose finest map has also seen every pixel, as 2 x 2 cells: (B, 3, H, W) -> (B, OUT[-1], H / 2, W / 2).

    H and W divisible by 16. Range: sRGB 0..1.
    Source: Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation".
    """

    def __init__(self, backbone: EfficientNetLite) -> None:
        super().__init__()
        self.backbone = backbone
        half, quarter, eighth, sixteenth = backbone.channels
        self.fine = nn.Sequential(ConvNormAct(12, FINE), ConvNormAct(FINE, FINE))
        skips, widths = (eighth, quarter, half + FINE), (sixteenth, *OUT)
        self.blocks = nn.ModuleList(UpBlock(widths[i], skips[i], UP[i], OUT[i]) for i in range(len(OUT)))

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        half, quarter, eighth, x = self.backbone(rgb)
        fine = self.fine(nn.functional.pixel_unshuffle(rgb - 0.5, 2))
        for block, skip in zip(self.blocks, (eighth, quarter, torch.cat([half, fine], dim=1)), strict=True):
            x = block(x, skip)
        found: Tensor = x
        return found


class DamageNet(nn.Module):
    """Where damage hides the picture: (B, 3, H, W), sRGB 0..1 -> logits (B, 1, H, W); H and W divisible by 16."""

    def __init__(self, backbone: EfficientNetLite) -> None:
        super().__init__()
        self.unet = DetailUNet(backbone)
        self.head = nn.Conv2d(OUT[-1], 4, 3, padding=1)
        nn.init.normal_(self.head.weight, std=0.01)
        # Damage is rare; starting from its share spares the first steps.
        nn.init.constant_(self.head.bias, -3.0)  # type: ignore[arg-type]

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        logits: Tensor = nn.functional.pixel_shuffle(self.head(self.unet(rgb)), 2)
        return logits


def build_damage_net(backbone: str, *, pretrained: bool = True) -> DamageNet:
    """Return the network on an EfficientNet-lite; see ``build_lite_backbone`` for what it raises.

    Raises:
        OptionError: the backbone is of another family.
    """
    return DamageNet(build_lite_backbone(backbone, LEVELS, refusal="damage is not found on", pretrained=pretrained))
