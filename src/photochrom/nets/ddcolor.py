"""The published DDColor networks, parameter for parameter: ConvNeXt encoder, pixel decoder, 100 colour queries.

``ddcolor_large()`` is the network of ddcolor_modelscope, ddcolor_artistic and ddcolor_paper; ``ddcolor_tiny()`` that of
ddcolor_paper_tiny.

Sources: Kang et al. 2023, "DDColor: Towards Photo-Realistic Image Colorization via Dual Decoders"; Liu et al. 2022, "A
ConvNet for the 2020s" (encoder); Carion et al. 2020, "End-to-End Object Detection with Transformers" (positions).
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from photochrom.nets.deoldify import SpectralConv, WideBlock

QUERIES, WIDTH, HEADS, FEEDFORWARD, ROUNDS, SCALES = 100, 256, 8, 2048, 9, 3
CONVNEXT_EPSILON = 1e-6
# Some published files carry the classifier that the encoder was trained under; nothing uses it.
UNUSED_HEAD = "encoder.arch.head_cls."
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ChannelNorm(nn.Module):
    """Layer norm over the channels of a picture. Shapes: (B, C, H, W), kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised picture."""
        last = x.permute(0, 2, 3, 1)
        normed = functional.layer_norm(last, (last.shape[-1],), self.weight, self.bias, CONVNEXT_EPSILON)
        return normed.permute(0, 3, 1, 2)


class ConvNextBlock(nn.Module):
    """Depthwise 7x7, layer norm, and two dense layers around a GELU, added to the input. Shapes: (B, C, H, W), kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=CONVNEXT_EPSILON)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus the scaled residual."""
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(y)))
        return x + cast("Tensor", y.permute(0, 3, 1, 2))


class ConvNext(nn.Module):
    """Shapes: (B, 3, H, W) -> four feature maps at 1/4, 1/8, 1/16, 1/32, each through a norm of its own."""

    def __init__(self, depths: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        downs = [nn.Sequential(nn.Conv2d(3, widths[0], 4, 4), ChannelNorm(widths[0]))]
        downs += [
            nn.Sequential(ChannelNorm(a), nn.Conv2d(a, b, 2, 2)) for a, b in zip(widths, widths[1:], strict=False)
        ]
        self.downsample_layers = nn.ModuleList(downs)
        stages = [nn.Sequential(*(ConvNextBlock(w) for _ in range(n))) for n, w in zip(depths, widths, strict=True)]
        self.stages = nn.ModuleList(stages)
        for index, width in enumerate(widths):
            self.add_module(f"norm{index}", ChannelNorm(width))
        self.norm = nn.LayerNorm(widths[-1], eps=CONVNEXT_EPSILON)  # of the classifier; unused, but in the files

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the four feature maps, shallowest first."""
        features = []
        for index, (down, stage) in enumerate(zip(self.downsample_layers, self.stages, strict=True)):
            x = stage(down(x))
            features.append(getattr(self, f"norm{index}")(x))
        return features


class _Attention(nn.Module):
    """Attention between queries and a memory, added and normed. Shapes: (Q, B, C), (N, B, C) -> (Q, B, C)."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, nn.MultiheadAttention(WIDTH, HEADS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, queries: Tensor, places: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        attention = cast("nn.MultiheadAttention", getattr(self, self.name))
        gathered = attention(queries + places, keys, values, need_weights=False)[0]
        return cast("Tensor", self.norm(queries + gathered))


class _FeedForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(WIDTH, FEEDFORWARD)
        self.linear2 = nn.Linear(FEEDFORWARD, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return cast("Tensor", self.norm(x + self.linear2(torch.relu(self.linear1(x)))))


def position_encoding(height: int, width: int) -> Tensor:
    """Return sines of row and column, as shares of the picture. Shapes: -> (height * width, 256)."""
    half = WIDTH // 2
    frequency = 10_000.0 ** (-2 * (torch.arange(half) // 2) / half)
    phase = (torch.arange(half) % 2) * (math.pi / 2)
    rows, columns = (
        torch.sin((torch.arange(1, n + 1) * (2 * math.pi / (n + 1e-6)))[:, None] * frequency + phase)
        for n in (height, width)
    )
    grid = [rows[:, None].expand(-1, width, -1), columns[None].expand(height, -1, -1)]
    return torch.cat(grid, dim=-1).flatten(0, 1)


class ColorDecoder(nn.Module):
    """Colour queries that look at the pixel decoder's three scales in turn.

    Shapes: three maps (B, 512 | 512 | 256, h, w) -> (B, 100, 256): how each query weighs the pixel features.
    """

    def __init__(self) -> None:
        super().__init__()
        self.transformer_self_attention_layers = nn.ModuleList(_Attention("self_attn") for _ in range(ROUNDS))
        self.transformer_cross_attention_layers = nn.ModuleList(_Attention("multihead_attn") for _ in range(ROUNDS))
        self.transformer_ffn_layers = nn.ModuleList(_FeedForward() for _ in range(ROUNDS))
        self.decoder_norm = nn.LayerNorm(WIDTH)
        self.query_feat = nn.Embedding(QUERIES, WIDTH)
        self.query_embed = nn.Embedding(QUERIES, WIDTH)
        self.level_embed = nn.Embedding(SCALES, WIDTH)
        self.input_proj = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in (512, 512, 256))
        self.color_embed = nn.Module()
        self.color_embed.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Return the weights of the queries."""
        memories, places = [], []
        for level, (project, features) in enumerate(zip(self.input_proj, maps, strict=True)):
            memory = project(features).flatten(2) + self.level_embed.weight[level][None, :, None]
            memories.append(memory.permute(2, 0, 1))
            places.append(position_encoding(*features.shape[-2:])[:, None])
        batch = maps[0].shape[0]
        own = self.query_embed.weight[:, None].expand(-1, batch, -1)
        x = self.query_feat.weight[:, None].expand(-1, batch, -1)
        for turn in range(ROUNDS):
            memory, place = memories[turn % SCALES], places[turn % SCALES]
            x = self.transformer_cross_attention_layers[turn](x, own, memory + place, memory)
            x = self.transformer_self_attention_layers[turn](x, own, x + own, x)
            x = self.transformer_ffn_layers[turn](x)
        x = self.decoder_norm(x).transpose(0, 1)
        first, second, last = cast("nn.ModuleList", self.color_embed.layers)
        return cast("Tensor", last(torch.relu(second(torch.relu(first(x))))))


class _LastUpsampler(nn.Module):
    """1x1 convolution, ReLU, pixel shuffle by 4, 2x2 mean. Shapes: (B, 256, H, W) -> (B, 256, 4H, 4W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(SpectralConv(WIDTH, 16 * WIDTH, bias=True))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pixel_shuffle(torch.relu(self.conv(x)), 4)
        return functional.avg_pool2d(functional.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)


class DdColor(nn.Module):
    """A DDColor network.

    Shapes: (B, 3, H, W) -> (B, 2, H, W), H and W multiples of 32. Range: grey sRGB 0..1, thrice -> Lab a*, b*.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, depths: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.arch = ConvNext(depths, widths)
        self.decoder = nn.Module()
        blocks = [WideBlock(widths[3], widths[2], 512), WideBlock(512, widths[1], 512), WideBlock(512, widths[0], 256)]
        self.decoder.layers = nn.Sequential(*blocks)
        self.decoder.last_shuf = _LastUpsampler()
        self.decoder.color_decoder = ColorDecoder()
        self.refine_net = nn.Sequential(nn.Sequential(SpectralConv(QUERIES + 3, 2, bias=True)))
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_DEVIATION).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return a* and b*."""
        x = (x - self.mean) / self.std
        *skips, y = cast("ConvNext", self.encoder.arch)(x)
        maps = []
        for block, skip in zip(cast("nn.Sequential", self.decoder.layers), reversed(skips), strict=True):
            y = block(y, skip)
            maps.append(y)
        features = cast("_LastUpsampler", self.decoder.last_shuf)(y)
        weights = cast("ColorDecoder", self.decoder.color_decoder)(maps)
        coarse = torch.einsum("bqc,bchw->bqhw", weights, features)
        return cast("Tensor", self.refine_net(torch.cat([coarse, x], dim=1)))


def ddcolor_large() -> DdColor:
    """Return the large network (ConvNeXt-L)."""
    return DdColor((3, 3, 27, 3), (192, 384, 768, 1536))


def ddcolor_tiny() -> DdColor:
    """Return the tiny network (ConvNeXt-T)."""
    return DdColor((3, 3, 9, 3), (96, 192, 384, 768))
