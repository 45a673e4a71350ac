"""VGG16, with and without batch norm, up to its last feature map: what perceptual losses compare pictures in.

Parameter names are torchvision's (``features.N``), so its published files load as they are.
Source: Simonyan, Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition", table 1, D.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from photochrom.nets.published import IMAGENET_MEAN, IMAGENET_STD, load_strictly, read_published
from photochrom.nets.winograd import FastConv2d

# Channels of each convolution; None halves the size.
VGG16 = (64, 64, None, 128, 128, None, 256, 256, 256, None, 512, 512, 512, None, 512, 512, 512, None)


class Vgg16(nn.Module):
    """The convolutional part of VGG16.

    Shapes: (B, 3, H, W) -> one map per index of ``taps``. Range: sRGB 0..1, normalised inside.
    """

    def __init__(self, taps: Sequence[int], *, has_norms: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        c_in = 3
        for channels in VGG16:
            if channels is None:
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(FastConv2d(c_in, channels, 3, padding=1))
            if has_norms:
                layers.append(nn.BatchNorm2d(channels))
            # Not in place: a tapped map must stay what it was.
            layers.append(nn.ReLU())
            c_in = channels
        self.features = nn.Sequential(*layers)
        self.taps = tuple(taps)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Shapes: as the class says."""
        mean, std = (rgb.new_tensor(numbers).view(3, 1, 1) for numbers in (IMAGENET_MEAN, IMAGENET_STD))
        x, maps = (rgb - mean) / std, []
        for index in range(max(self.taps) + 1):
            x = self.features[index](x)
            if index in self.taps:
                maps.append(x)
        return maps


def relu_taps(*, has_norms: bool) -> tuple[int, ...]:
    """Return the indices of the last ReLU before each of the five poolings: 5, 12, 22, 32 and 42 with norms."""
    index, taps = 0, []
    for channels in VGG16:
        if channels is None:
            taps.append(index - 1)
        index += 1 if channels is None else (3 if has_norms else 2)
    return tuple(taps)


def load_vgg16(name: str, weights: Path | None, taps: Sequence[int]) -> Vgg16:
    """Return ``vgg16`` or ``vgg16_bn`` with published weights; raise OptionError or ModelFileError otherwise."""
    net = Vgg16(taps, has_norms=name == "vgg16_bn")
    state = {k: v for k, v in read_published(name, weights).items() if k.startswith("features.")}
    load_strictly(net, state, str(weights))
    return net
