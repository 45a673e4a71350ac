"""The parts generators and critics are made of: spectral norm, self-attention, ICNR pixel shuffle, U-Net blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from photochrom.nets.winograd import FastConv2d


def init_icnr(weight: Tensor, factor: int = 2) -> None:
    """Fill a pixel-shuffle convolution so that each group of ``factor``² output channels starts out equal.

    The shuffled picture then begins as a nearest-neighbour enlargement, without a checkerboard.
    Shapes: (C * factor², C', k, k), in place.
    Source: Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution", section 3.
    """
    sub_kernel = torch.empty(weight.shape[0] // factor**2, *weight.shape[1:])
    nn.init.kaiming_normal_(sub_kernel, nonlinearity="relu")
    with torch.no_grad():
        weight.copy_(sub_kernel.repeat_interleave(factor**2, dim=0))


def softmax_over_channels(logits: Tensor) -> Tensor:
    """Return distributions over dimension 1 from their logits: (B, K, H, W) -> (B, K, H, W).

    Written out: along any dimension but the last, ONNX Runtime's own takes five times as long (it transposes).
    """
    powers = (logits - logits.amax(dim=1, keepdim=True).detach()).exp()
    return powers / powers.sum(dim=1, keepdim=True)


def spectral_conv(
    c_in: int, c_out: int, kernel_px: int = 3, stride: int = 1, *, has_bias: bool = False, padding: int | None = None
) -> nn.Module:
    """Return a convolution whose largest singular value is kept at one; padded to keep the size unless told.

    Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", algorithm 1.
    """
    padding = kernel_px // 2 if padding is None else padding
    is_usual = (kernel_px, stride, padding) == (3, 1, 1)
    conv = (FastConv2d if is_usual else nn.Conv2d)(c_in, c_out, kernel_px, stride, padding, bias=has_bias)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return spectral_norm(conv)


class ConvNormAct(nn.Sequential):
    """Spectral-norm convolution, batch norm, ReLU: (B, C, H, W) -> (B, C', H, W)."""

    def __init__(self, c_in: int, c_out: int, kernel_px: int = 3) -> None:
        super().__init__(spectral_conv(c_in, c_out, kernel_px), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True))


class PixelShuffleUp(nn.Module):
    """Enlarge twofold by a 1x1 convolution and a pixel shuffle: (B, C, H, W) -> (B, C', 2H, 2W).

    With ``blurs``, each pixel becomes the mean of itself and its upper left neighbours, against the checkerboard.
    Sources: Shi et al. 2016, "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel CNN";
    Sugawara et al. 2018, "Super-Resolution Using Convolutional Neural Networks Without Any Checkerboard Artifacts".
    """

    def __init__(self, c_in: int, c_out: int, *, blurs: bool = False) -> None:
        super().__init__()
        self.blurs = blurs
        conv = nn.Conv2d(c_in, c_out * 4, 1, bias=False)
        init_icnr(conv.weight)
        self.conv = spectral_norm(conv)
        self.norm = nn.BatchNorm2d(c_out * 4)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C', 2H, 2W)."""
        shuffled: Tensor = self.shuffle(nn.functional.relu(self.norm(self.conv(x))))
        if self.blurs:
            shuffled = nn.functional.pad(shuffled, (1, 0, 1, 0), mode="replicate")
            shuffled = nn.functional.avg_pool2d(shuffled, 2, stride=1)
        return shuffled


class SelfAttention(nn.Module):
    """Every position looks at every other: (B, C, H, W) -> (B, C, H, W), added to the input by a learned share.

    The share ``gamma`` starts at zero, so that training begins with the local network.
    Cost: quadratic in H * W; meant for 1/16 of the picture's size or coarser.
    Source: Zhang et al. 2019, "Self-Attention Generative Adversarial Networks", section 3 (with query and key of
    C / 8 channels), scaled as in Vaswani et al. 2017, equation 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = spectral_conv(channels, channels // 8, 1)
        self.key = spectral_conv(channels, channels // 8, 1)
        self.value = spectral_conv(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C, H, W)."""
        query, key, value = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        # Scaled before the product: the scores are by far the largest tensor here.
        scores = torch.bmm((query * query.shape[1] ** -0.5).transpose(1, 2), key)
        looked_up = torch.bmm(value, scores.softmax(dim=2).transpose(1, 2))
        return x + self.gamma * looked_up.view_as(x)


class UpBlock(nn.Module):
    """One U-Net step: enlarge the decoder's map, join the backbone's of that size, mix them.

    Shapes: (B, C, H, W), (B, S, 2H, 2W) and, where ``c_told`` is not 0, (B, T, 2H, 2W) of what the net is told beside
    the picture -> (B, C', 2H, 2W).
    Source: Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation".
    """

    def __init__(
        self,
        c_in: int,
        c_skip: int,
        c_up: int,
        c_out: int,
        *,
        depth: int = 1,
        attends: bool = False,
        blurs: bool = False,
        c_told: int = 0,
    ) -> None:
        super().__init__()
        self.up = PixelShuffleUp(c_in, c_up, blurs=blurs)
        self.skip_norm = nn.BatchNorm2d(c_skip)
        widths = [c_up + c_skip + c_told] + [c_out] * depth
        self.mix = nn.Sequential(*(ConvNormAct(a, b) for a, b in zip(widths, widths[1:], strict=False)))
        self.attention = SelfAttention(c_out) if attends else nn.Identity()

    def forward(self, x: Tensor, skip: Tensor, *told: Tensor) -> Tensor:
        """Shapes: as the class says."""
        joined = torch.cat([self.up(x), nn.functional.relu(self.skip_norm(skip)), *told], dim=1)
        mixed: Tensor = self.attention(self.mix(joined))
        return mixed


class Residual(nn.Module):
    """Two spectral-norm 3x3 convolutions with ReLU, added to their input: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Sequential(spectral_conv(channels, channels, has_bias=True), nn.ReLU(inplace=True)) for _ in range(2))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C, H, W)."""
        refined: Tensor = self.layers(x)
        return x + refined


def extended_by_zeros(value: Tensor, like: Tensor) -> Tensor:
    """Return the tensor with zeros after it along every dimension in which ``like`` is longer."""
    missing = [max(0, wanted - has) for wanted, has in zip(like.shape, value.shape, strict=True)]
    return nn.functional.pad(value, [side for count in reversed(missing) for side in (0, count)])
