"""The generators of DeOldify, parameter for parameter: published weights load strictly and give the same answers.

Three networks are enough for the four kinds of file:

* ``artistic()``: ResNet-34 encoder, deep decoder (two convolutions per block), 63.6 M parameters;
* ``stable()``: ResNet-101 encoder, wide decoder, 218.2 M parameters; the video weights have the same shape;
* ``unet_2018()``: the first release of November 2018, ResNet-34 encoder, 80.7 M parameters.

The first two take and return ImageNet-normalised RGB, the third RGB normalised with mean 0.5 and deviation 0.5.
They were trained on grey pictures repeated to three channels.

Sources: Ronneberger et al. 2015 (U-Net); Miyato et al. 2018, "Spectral Normalization for GANs", algorithm 1; Zhang et
al. 2018, "Self-Attention GANs", section 3; Aitken et al. 2017 (pixel shuffle), Sugawara et al. 2018 (its blur).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.nets.resnet import encoder, resnet34, resnet101

# Attention is worked out for this many entries of its (positions x positions) matrix at a time: 64 MB of float32.
ATTENTION_ENTRIES = 16_000_000


class SpectralConv(nn.Module):
    """A convolution whose kernel, as a matrix, is divided by its largest singular value.

    Shapes: (B, inputs, H, W) -> (B, outputs, H, W); with ``flat`` the kernel is 1 and pictures are (B, C, N).
    The singular value is u^T W v with stored u and v; training improves them by one power iteration per call,
    evaluation uses them as they are.
    """

    bias: Tensor | None
    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, *, bias: bool = False, flat: bool = False) -> None:
        super().__init__()
        self.padding = kernel // 2
        self.flat = flat
        shape = (outputs, inputs, 1) if flat else (outputs, inputs, kernel, kernel)
        self.register_parameter("bias", nn.Parameter(torch.zeros(outputs)) if bias else None)
        self.weight_orig = nn.Parameter(nn.init.kaiming_normal_(torch.empty(shape)))
        self.register_buffer("weight_u", functional.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("weight_v", functional.normalize(torch.randn(self.weight_orig[0].numel()), dim=0))

    def kernel(self) -> Tensor:
        """Return the normalised kernel."""
        matrix = self.weight_orig.flatten(1)
        if self.training:
            with torch.no_grad():
                self.weight_v.copy_(functional.normalize(matrix.t() @ self.weight_u, dim=0))
                self.weight_u.copy_(functional.normalize(matrix @ self.weight_v, dim=0))
        u, v = (self.weight_u.clone(), self.weight_v.clone()) if self.training else (self.weight_u, self.weight_v)
        return self.weight_orig / torch.dot(u, matrix @ v)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve with the normalised kernel."""
        if self.flat:
            return functional.conv1d(x, self.kernel(), self.bias)
        return functional.conv2d(x, self.kernel(), self.bias, padding=self.padding)


class WeightNormConv(nn.Module):
    """A 1x1 convolution with kernel g V/||V||, per output channel (Salimans, Kingma 2016, equation 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        kernel = nn.init.kaiming_normal_(torch.empty(outputs, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.weight_g = nn.Parameter(kernel.flatten(1).norm(dim=1).view(-1, 1, 1, 1))
        self.weight_v = nn.Parameter(kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, inputs, H, W) -> (B, outputs, H, W)."""
        length = self.weight_v.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return functional.conv2d(x, self.weight_v * (self.weight_g / length), self.bias)


class SelfAttention(nn.Module):
    """Each position gathers values from all positions, weighted by how well its key meets their queries.

    Shapes: (B, C, H, W) -> (B, C, H, W), with N = H W positions.
    out_j = gamma * sum_i value_i softmax_i(query_i . key_j) + x_j. Cost: N^2 (C + C/8) multiply-adds; memory is
    bounded in evaluation, where the matrix is made a block of j at a time.
    """

    def __init__(self, channels: int, *, bias: bool = False, gamma_shape: tuple[int, ...] = (1,)) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(gamma_shape))
        self.query = SpectralConv(channels, channels // 8, bias=bias, flat=True)
        self.key = SpectralConv(channels, channels // 8, bias=bias, flat=True)
        self.value = SpectralConv(channels, channels, bias=bias, flat=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus gamma times the gathered values."""
        flat = x.flatten(2)
        query, key, value = self.query(flat).transpose(1, 2), self.key(flat), self.value(flat)
        block = flat.shape[2] if self.training else max(1, ATTENTION_ENTRIES // flat.shape[2])
        gathered = [torch.bmm(value, torch.softmax(query @ keys, dim=1)) for keys in key.split(block, dim=2)]
        return (self.gamma * torch.cat(gathered, dim=2) + flat).view_as(x)


def _conv_relu_norm(inputs: int, outputs: int) -> list[nn.Module]:
    """Return convolution, ReLU, batch norm: the order of the whole decoder."""
    return [SpectralConv(inputs, outputs, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(outputs)]


def _skip_norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    nn.init.constant_(norm.bias, 1e-3)
    return norm


class ShuffleUpsampler(nn.Module):
    """Doubles the size: 1x1 convolution, ReLU, pixel shuffle, 2x2 mean against the chequerboard.

    Shapes: (B, inputs, H, W) -> (B, outputs, 2H, 2W).
    """

    def __init__(self, inputs: int, outputs: int, *, weight_norm: bool = False) -> None:
        super().__init__()
        if weight_norm:
            layers: list[nn.Module] = [WeightNormConv(inputs, 4 * outputs)]
        else:
            layers = [SpectralConv(inputs, 4 * outputs), nn.BatchNorm2d(4 * outputs)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the picture at twice its size; the mean repeats the first row and column."""
        x = functional.pixel_shuffle(torch.relu(self.conv(x)), 2)
        return functional.avg_pool2d(functional.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)


class _UpBlock(nn.Module):
    """What both decoders do before their convolutions: upsample, crop to the skip's size, join, ReLU."""

    def __init__(self, inputs: int, upsampled: int, skip: int) -> None:
        super().__init__()
        self.shuf = ShuffleUpsampler(inputs, upsampled)
        self.bn = _skip_norm(skip)

    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return relu([upsampled x, norm(skip)]); an odd skip is one smaller than the upsampled picture.

        Nearest-neighbour resizing from n + 1 to n takes elements 0 to n - 1, so it is a crop.
        """
        up = self.shuf(x)[..., : skip.shape[-2], : skip.shape[-1]]
        return torch.relu(torch.cat([up, self.bn(skip)], dim=1))


class DeepBlock(_UpBlock):
    """Decoder block with two 3x3 convolutions. Shapes: (B, inputs, h, w) and (B, skip, H, W) -> (B, width, H, W)."""

    def __init__(self, inputs: int, skip: int, width: int, *, attention: bool = False) -> None:
        super().__init__(inputs, inputs // 2, skip)
        self.conv1 = nn.Sequential(*_conv_relu_norm(inputs // 2 + skip, width))
        self.conv2 = nn.Sequential(*_conv_relu_norm(width, width), *([SelfAttention(width)] if attention else []))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return the decoded features at the skip's size."""
        return cast("Tensor", self.conv2(self.conv1(self.join(x, skip))))


class WideBlock(_UpBlock):
    """Decoder block with one 3x3 convolution. Shapes: (B, inputs, h, w) and (B, skip, H, W) -> (B, width, H, W)."""

    def __init__(self, inputs: int, skip: int, width: int, *, attention: bool = False) -> None:
        super().__init__(inputs, width, skip)
        layers = _conv_relu_norm(width + skip, width)
        self.conv = nn.Sequential(*layers, *([SelfAttention(width)] if attention else []))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return the decoded features at the skip's size."""
        return cast("Tensor", self.conv(self.join(x, skip)))


class Residual(nn.Module):
    """Two 3x3 convolutions with ReLU, added to their input. Shapes: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        convs = [SpectralConv(channels, channels, 3, bias=True) for _ in range(2)]
        self.layers = nn.Sequential(*(nn.Sequential(conv, nn.ReLU(inplace=True)) for conv in convs))

    def forward(self, x: Tensor) -> Tensor:
        """Return x + layers(x), with no activation after the sum."""
        return x + cast("Tensor", self.layers(x))


class Generator(nn.Module):
    """The generator of the published artistic, stable and video files.

    Shapes: (B, 3, H, W) -> (B, 3, H, W), H and W even.
    Range: ImageNet-normalised sRGB in; ImageNet-normalised sRGB out, strictly inside -3..3 (clamp after denormalising).
    """

    def __init__(self, backbone: nn.Sequential, bottleneck: int, blocks: list[nn.Module], last: int) -> None:
        super().__init__()
        middle = [(bottleneck, 2 * bottleneck), (2 * bottleneck, bottleneck)]
        self.layers = nn.ModuleList(
            [
                backbone,
                _skip_norm(bottleneck),
                nn.ReLU(),
                nn.Sequential(*(nn.Sequential(*_conv_relu_norm(*channels)) for channels in middle)),
                *blocks,
                ShuffleUpsampler(last, last, weight_norm=True),
                nn.Identity(),  # the place of the concatenation with the input, so that numbers stay as published
                Residual(last + 3),
                nn.Sequential(SpectralConv(last + 3, 3, bias=True)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the coloured picture; raises ValueError on odd sizes."""
        if x.shape[-1] % 2 or x.shape[-2] % 2:
            raise ValueError(f"height and width must be even, not {x.shape[-2]} x {x.shape[-1]}")
        skips = []
        y = x
        for index, stage in enumerate(cast("nn.Sequential", self.layers[0])):
            y = stage(y)
            if index in (2, 4, 5, 6):
                skips.append(y)
        for layer in self.layers[1:4]:
            y = layer(y)
        for block, skip in zip(self.layers[4:8], reversed(skips), strict=True):
            y = block(y, skip)
        y = self.layers[11](self.layers[10](torch.cat([self.layers[8](y), x], dim=1)))
        return 6 * torch.sigmoid(y) - 3


def artistic() -> Generator:
    """Return the network of ColorizeArtistic_gen: 63,646,881 parameters."""
    blocks: list[nn.Module] = [
        DeepBlock(512, 256, 768),
        DeepBlock(768, 128, 768, attention=True),
        DeepBlock(768, 64, 672),
        DeepBlock(672, 64, 300),
    ]
    return Generator(encoder(resnet34()), 512, blocks, 300)


def stable() -> Generator:
    """Return the network of ColorizeStable_gen and ColorizeVideo_gen: 218,222,197 parameters."""
    blocks: list[nn.Module] = [
        WideBlock(2048, 1024, 512),
        WideBlock(512, 512, 512, attention=True),
        WideBlock(512, 256, 512),
        WideBlock(512, 64, 256),
    ]
    return Generator(encoder(resnet101()), 2048, blocks, 256)
