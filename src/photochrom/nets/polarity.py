"""The network that tells a positive from a negative: which of a picture and its inverse looks more like the world.

It gives both a mark and answers with the difference, so that the inverse of a picture gets exactly the opposite answer,
and what could be either gets nearly 0. Brightness and contrast are taken out first: a scanner's programme sets both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.nets.backbones import LITE_MEAN, EfficientNetLite, build_lite_backbone
from photochrom.nets.paint import luma_of

# Blocks of an EfficientNet-lite that are kept: all down to stride 8, and two at stride 16.
LEVELS, BLOCKS = 4, 7
EVIDENCE, OPINION = 128, 64
# Standard deviation of what the backbone sees, as in the photographs it was trained on, of 0..1.
SPREAD, LEAST_VARIANCE = 0.24, 1e-4


class PolarityNet(nn.Module):
    """(B, 3, H, W), sRGB 0..1, of which the luma counts -> logits (B, 1): above 0 a positive, below 0 a negative.

    H and W divisible by 16.
    """

    def __init__(self, backbone: EfficientNetLite) -> None:
        super().__init__()
        self.backbone = backbone
        self.evidence = nn.Conv2d(backbone.channels[-1], EVIDENCE, 1)
        self.opinion = nn.Sequential(nn.Linear(2 * EVIDENCE, OPINION), nn.ReLU(), nn.Linear(OPINION, 1))
        nn.init.normal_(self.opinion[2].weight, std=0.01)  # type: ignore[arg-type]

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        luma = luma_of(rgb)
        centred = luma - luma.mean(dim=(2, 3), keepdim=True)
        scaled = centred * (SPREAD * (centred.square().mean(dim=(2, 3), keepdim=True) + LEAST_VARIANCE).rsqrt())
        # Mirrored too, unless it learns: two looks tell 4 % of the negatives more.
        looks = [scaled] if self.training else [scaled, scaled.flip(3)]
        sides = torch.cat([side for look in looks for side in (look, -look)])
        marks = self._marks(sides).reshape(len(looks), 2, -1, 1)
        logits: Tensor = (marks[:, 0] - marks[:, 1]).mean(dim=0)
        return logits

    def _marks(self, luma: Tensor) -> Tensor:
        """Return how much each picture looks like the world: (B, 1, H, W), centred -> (B, 1)."""
        features = self.backbone((luma + LITE_MEAN).expand(-1, 3, -1, -1))[-1]
        evidence = nn.functional.relu(self.evidence(features))
        marks: Tensor = self.opinion(torch.cat([evidence.mean(dim=(2, 3)), evidence.amax(dim=(2, 3))], dim=1))
        return marks


def build_polarity_net(backbone: str, *, pretrained: bool = True) -> PolarityNet:
    """Return the network on the first blocks of an EfficientNet-lite; see ``build_lite_backbone`` for what it raises.

    Raises:
        OptionError: the backbone is of another family.
    """
    body = build_lite_backbone(backbone, LEVELS, refusal="polarity is not told on", pretrained=pretrained)
    body.keep_blocks(BLOCKS)
    # What is trained most gently ends at stride 4: from there on it costs little.
    body.early = ("stem.", *(f"blocks.{index}." for index in range(body.level_ends[1] + 1)))
    return PolarityNet(body)
