"""Perceptual (feature) loss: two pictures are alike when a network that knows photographs sees the same in both.

Sources: Johnson, Alahi, Fei-Fei 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
equation 2 (here with absolute differences, as DeOldify's, and several weighted layers).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from photochrom.errors import OptionError
from photochrom.nets.backbones import BACKBONES, build_backbone
from photochrom.nets.folding import fold_norms
from photochrom.nets.vgg import load_vgg16, relu_taps

LEVELS = 5


class PerceptualLoss(nn.Module):
    """Weighted mean absolute differences of feature maps, in a frozen pretrained network.

    Shapes: two pictures (B, 3, H, W) -> scalar. Range: sRGB 0..1. Gradients flow to the first only.
    Levels are numbered 0..4, fine to coarse: for VGG16 the last ReLU before each pooling, for backbones the pyramid
    at strides 2 to 32. DeOldify's final version is ``vgg16_bn`` with levels (2, 3, 4) weighing (20, 70, 10); its first
    release levels (0, 1, 2) weighing (20, 70, 10).

    Args:
        network: vgg16, vgg16_bn, or a backbone (lite0 to lite2 need no download).
        weights: the network's file, where it has no package.
        levels: which feature maps count.
        level_weights: what each counts.
    """

    def __init__(
        self, network: str, weights: Path | None, levels: tuple[int, ...], level_weights: tuple[float, ...]
    ) -> None:
        super().__init__()
        if len(levels) != len(level_weights) or not set(levels) <= set(range(LEVELS)) or list(levels) != sorted(levels):
            raise OptionError(
                f"levels {list(levels)} and weights {list(level_weights)} do not fit",
                where="loss.levels",
                next_step="Give rising levels out of 0..4, and one weight each",
            )
        self.levels, self.level_weights = levels, level_weights
        self._is_vgg = network.startswith("vgg16")
        self.network: nn.Module
        if network in ("vgg16", "vgg16_bn"):
            taps = relu_taps(has_norms=network == "vgg16_bn")
            self.network = load_vgg16(network, weights, [taps[level] for level in levels])
        elif network in BACKBONES:
            self.network = build_backbone(network, weights=weights)
        else:
            raise OptionError(
                f"no network {network!r}",
                where="loss.network",
                next_step=f"Choose one of vgg16, vgg16_bn, {', '.join(BACKBONES)}",
            )
        # One pass over memory less for each norm, each way.
        self.network = fold_norms(self.network)
        self.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> PerceptualLoss:  # noqa: ARG002 - torch's signature
        """Stay in evaluation mode, whatever the owner is set to."""
        return super().train(False)

    def maps(self, rgb: Tensor) -> list[Tensor]:
        """Return the feature maps that count."""
        maps: list[Tensor] = self.network(rgb)
        return maps if self._is_vgg else [maps[level] for level in self.levels]

    def forward(self, picture: Tensor, truth: Tensor) -> Tensor:
        """Shapes: as the class says."""
        differences = [
            weight * nn.functional.l1_loss(seen, true)
            for weight, seen, true in zip(
                self.level_weights, self.maps(picture), self.maps(truth.detach()), strict=True
            )
        ]
        total: Tensor = sum(differences[1:], start=differences[0])
        return total
