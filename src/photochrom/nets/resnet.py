"""ResNet-34 and ResNet-101, with the parameter names of torchvision, as encoders and as backbones.

A state dict saved by torchvision loads as it is (``load_pretrained``); its classifier ``fc`` is not needed here.
``encoder(resnet34())`` is the same network as a plain sequence, whose parameters are then named by position
(``0`` = conv1, ``1`` = bn1, ``4`` to ``7`` = layer1 to layer4).

Source: He, Zhang, Ren, Sun 2015, "Deep Residual Learning for Image Recognition", table 1. The stride of a bottleneck
sits on its 3x3 convolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """Return the projection that a residual needs where shapes change, or None where they do not."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(_conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut. Shapes: (B, inputs, H, W) -> (B, width, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(shortcut(x) + residual(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        residual = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return torch.relu(residual + shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut. Shapes: (B, inputs, H, W) -> (B, 4 width, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _conv(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(shortcut(x) + residual(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        return torch.relu(self.bn3(self.conv3(residual)) + shortcut)


class Block(Protocol):
    """A residual block class: how much wider its output is than its ``width``, and how it is made."""

    expansion: int

    def __call__(self, inputs: int, width: int, stride: int = 1) -> nn.Module:
        """Return one block."""
        ...


class ResNet(nn.Module):
    """The convolutional part of a ResNet.

    Shapes: (B, 3, H, W) -> features at 1/2, 1/4, 1/8, 1/16, 1/32 (sizes rounded up), shallowest first.
    Range: input normalised with ImageNet's mean and deviation where ImageNet weights are loaded.
    """

    def __init__(self, block: Block, depths: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        widths = (64, 128, 256, 512)
        inputs = (64, *(width * block.expansion for width in widths[:3]))
        self.channels = (64, *(width * block.expansion for width in widths))
        self.layer1 = self._stage(block, depths[0], inputs[0], widths[0], 1)
        self.layer2 = self._stage(block, depths[1], inputs[1], widths[1], 2)
        self.layer3 = self._stage(block, depths[2], inputs[2], widths[2], 2)
        self.layer4 = self._stage(block, depths[3], inputs[3], widths[3], 2)

    @staticmethod
    def _stage(block: Block, depth: int, inputs: int, width: int, stride: int) -> nn.Sequential:
        rest = [block(width * block.expansion, width) for _ in range(depth - 1)]
        return nn.Sequential(block(inputs, width, stride), *rest)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the five feature maps, shallowest first."""
        features = [self.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(features[0])
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            features.append(x)
        return features

    def load_pretrained(self, state: Mapping[str, Tensor]) -> None:
        """Load a torchvision state dict; its ``fc.*`` are left out, anything else must fit exactly."""
        self.load_state_dict({key: value for key, value in state.items() if not key.startswith("fc.")})


def resnet34() -> ResNet:
    """Return a ResNet-34 with fresh weights: 21,284,672 parameters, features of 64, 64, 128, 256, 512 channels."""
    return ResNet(BasicBlock, (3, 4, 6, 3))


def resnet101() -> ResNet:
    """Return a ResNet-101 with fresh weights: 42,500,160 parameters, features of 64, 256, 512, 1024, 2048 channels."""
    return ResNet(Bottleneck, (3, 4, 23, 3))


def encoder(resnet: ResNet) -> nn.Sequential:
    """Return the eight parts of a ResNet as one sequence, sharing its weights; parameters are named by position."""
    stages = (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
    return nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool, *stages)
