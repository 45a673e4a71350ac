"""Generators: a U-Net decoder on a pretrained backbone, and the head that says what it paints.

``ColorNet`` predicts, for each pixel of a smaller copy, a distribution over quantised Lab a*b*. A distribution can
hold "red or blue, not the mauve between": that gives vivid colour, a confidence and alternatives from one network.
Source of the idea: Zhang, Isola, Efros 2016, "Colorful Image Colorization", section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from photochrom.errors import OptionError
from photochrom.nets.agreement import agree, agree_afar
from photochrom.nets.backbones import build_backbone
from photochrom.nets.blocks import ConvNormAct, UpBlock, extended_by_zeros
from photochrom.nets.hints import CHANNELS as HINT_CHANNELS
from photochrom.nets.hints import SPREAD_CHANNELS, HintSpread, pool_hints
from photochrom.nets.palette import Palette
from photochrom.nets.queries import ColorQueries
from photochrom.nets.recompute import call, recompute

# The block, at 1/8, from which on hints come carried to what looks alike, too.
SPREAD_FROM = 1


@dataclass(frozen=True)
class DecoderSize:
    """Channels of a decoder, coarse to fine: the middle at 1/32, then one entry for 1/16, 1/8, 1/4 and perhaps 1/2.

    ``hidden`` widens the middle between two convolutions (0: one convolution); ``attending`` is the block that looks
    everywhere; ``last`` is the width at full size, of networks that paint there.
    """

    middle: int
    up: tuple[int, ...]
    out: tuple[int, ...]
    depth: tuple[int, ...]
    hidden: int = 0
    attending: int = 0
    blurs: bool = False
    last: int = 16

    @property
    def stride(self) -> int:
        """Input pixels per output pixel."""
        return int(2 ** (5 - len(self.up)))


DECODER_SIZES = {
    "test": DecoderSize(middle=16, up=(8, 8, 8, 8), out=(16, 16, 8, 8), depth=(1, 1, 1, 1)),
    "small": DecoderSize(middle=256, up=(128, 96, 64, 32), out=(256, 128, 96, 48), depth=(1, 1, 1, 1)),
    "base": DecoderSize(middle=384, up=(192, 128, 64, 32), out=(320, 192, 96, 48), depth=(2, 1, 1, 1)),
    # `base` without its last step: edges come from the luma anyway (guided upsampling), and that step is a third of the
    # work. `test-quarter` is to it what `test` is to `base`.
    "quarter": DecoderSize(middle=384, up=(192, 128, 64), out=(320, 192, 96), depth=(2, 1, 1)),
    "test-quarter": DecoderSize(middle=16, up=(8, 8, 8), out=(16, 16, 8), depth=(1, 1, 1)),
    "large": DecoderSize(middle=512, up=(256, 192, 96, 48), out=(384, 256, 128, 64), depth=(2, 2, 1, 1)),
}


def deep_decoder(channels: tuple[int, ...], width: float = 1.5) -> DecoderSize:
    """Return the decoder with two convolutions a block, whose widths follow the backbone's.

    On ResNet-34 at width 1.5 a photo network has DeOldify "artistic"'s 63.6 M parameters:
    768, 768, 672 and 300 channels at 1/16, 1/8, 1/4 and 1/2.
    """
    c_in, ups, outs = channels[-1], [], []
    for step, skip in enumerate(reversed(channels[:-1])):
        joined = c_in // 2 + skip
        ups.append(c_in // 2)
        outs.append(int(width * (joined // 2 if step == 3 else joined)))
        c_in = outs[-1]
    return DecoderSize(
        middle=channels[-1],
        hidden=2 * channels[-1],
        up=(ups[0], ups[1], ups[2], ups[3]),
        out=(outs[0], outs[1], outs[2], outs[3]),
        depth=(2, 2, 2, 2),
        attending=1,
        blurs=True,
        last=outs[-1],
    )


def wide_decoder(channels: tuple[int, ...], width: float = 2.0) -> DecoderSize:
    """Return the decoder with one convolution a block, of the same width at each size.

    On ResNet-101 at width 2 a photo network has DeOldify "stable"'s 218.2 M parameters: 512, 512, 512 and 256.
    """
    full, half = int(256 * width), int(128 * width)
    return DecoderSize(
        middle=channels[-1],
        hidden=2 * channels[-1],
        up=(full, full, full, half),
        out=(full, full, full, half),
        depth=(1, 1, 1, 1),
        attending=1,
        blurs=True,
        last=half,
    )


def decoder_size(name: str, channels: tuple[int, ...], width: float | None = None) -> DecoderSize:
    """Return the decoder of that name for a backbone of these channels.

    Raises:
        OptionError: no decoder has that name, or a width was given to one whose width is fixed.
    """
    if name in ("deep", "wide"):
        follow = deep_decoder if name == "deep" else wide_decoder
        return follow(channels) if width is None else follow(channels, width)
    if name not in DECODER_SIZES:
        raise OptionError(
            f"no decoder {name!r}", next_step=f"Choose one of {', '.join((*DECODER_SIZES, 'deep', 'wide'))}"
        )
    if width is not None:
        raise OptionError(f"decoder {name!r} has a fixed width", next_step="Leave model.width out, or use deep or wide")
    return DECODER_SIZES[name]


class UNet(nn.Module):
    """A decoder that climbs a backbone's pyramid back to half the picture's size or less, attending once on the way.

    Shapes: (B, 3, H, W) -> (B, ``c_out``, H / ``stride``, W / ``stride``); H and W divisible by 32.
    Range: sRGB 0..1 in. With ``hears`` each step is told hints, too; with ``spreads`` besides, from 1/8 on, what
    ``HintSpread`` makes of them.
    """

    def __init__(self, backbone: nn.Module, size: DecoderSize, *, hears: bool = False, spreads: bool = False) -> None:
        super().__init__()
        self.backbone = backbone
        finest_first = backbone.channels
        assert isinstance(finest_first, tuple)
        self.middle = middle(finest_first[-1], size)
        widths = (size.middle, *size.out)
        skips = tuple(reversed(finest_first[:-1]))
        self.blocks = nn.ModuleList(
            UpBlock(
                widths[i],
                skips[i],
                size.up[i],
                size.out[i],
                depth=size.depth[i],
                attends=i == size.attending,
                blurs=size.blurs,
                c_told=HINT_CHANNELS * hears + SPREAD_CHANNELS * (spreads and i >= SPREAD_FROM),
            )
            for i in range(len(size.up))
        )
        # The middle, and the backbone's maps at 1/16 and 1/8.
        self.spread = HintSpread((size.middle, *skips[: SPREAD_FROM + 1])) if spreads else None
        self.c_out, self.c_scene, self.stride, self.hears = size.out[-1], size.out[0], size.stride, hears
        # Forget activations and compute them again in the backward pass: less memory, about a third more time.
        self.recomputes = False

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        return self.climb(rgb)[0][-1]

    def climb(self, rgb: Tensor, hints: Tensor | None = None) -> tuple[list[Tensor], Tensor | None]:
        """Return the decoder's maps at 1/16, 1/8, 1/4 and perhaps 1/2 of the picture's size, and what places look like.

        ``hints`` (B, 3, H, W): Lab a*, b* and weight 0..1; left out, none are given. What places look like is
        ``HintSpread``'s, at 1/8; None of a net that does not spread.
        """
        run = recompute if self.recomputes and self.training else call
        *skips, x = run(self.backbone, rgb)
        x = self.middle(x)
        look = self.spread.look([x, *reversed(skips)][: SPREAD_FROM + 2]) if self.spread else None
        told = self._tell(hints, look, rgb) if self.hears else [()] * len(self.blocks)
        maps: list[Tensor] = []
        # A decoder that stops early leaves the finest maps of the pyramid out.
        for block, skip, hint in zip(self.blocks, reversed(skips), told, strict=False):
            x = run(block, x, skip, *hint)
            maps.append(x)
        return maps, look

    def _tell(self, hints: Tensor | None, look: Tensor | None, rgb: Tensor) -> list[tuple[Tensor, ...]]:
        """Return what each block is told, coarse to fine."""
        strides = tuple(self.stride * 2**level for level in range(len(self.blocks)))
        levels = pool_hints(torch.zeros_like(rgb) if hints is None else hints, strides)[::-1]
        if self.spread is None or look is None:
            return [(level,) for level in levels]
        told: list[tuple[Tensor, ...]] = [(level,) for level in levels[:SPREAD_FROM]]
        spread = self.spread.carry(look, levels[SPREAD_FROM])
        for level in levels[SPREAD_FROM:]:
            told.append((torch.cat([level, spread], dim=1),))
            spread = nn.functional.interpolate(spread, scale_factor=2.0, mode="nearest")
        return told


def middle(c_in: int, size: DecoderSize) -> nn.Module:
    """Return what stands between backbone and decoder, at 1/32: one convolution, or two with a wider map between."""
    if not size.hidden:
        return ConvNormAct(c_in, size.middle)
    return nn.Sequential(
        nn.BatchNorm2d(c_in), nn.ReLU(), ConvNormAct(c_in, size.hidden), ConvNormAct(size.hidden, size.middle)
    )


class Features(NamedTuple):
    """What a colour network answers from: the map its head reads, (B, C, h, w), and what places look like, at 1/8."""

    read: Tensor
    look: Tensor | None = None


class ColorNet(nn.Module):
    """From luma to a distribution over colours.

    Shapes: (B, 1, H, W) -> logits (B, K, h, w), h = H / ``stride``; H and W divisible by 32. A net that ``hears`` also
    takes hints (B, 3, H, W).
    Range: BT.601 luma 0..1, hints in Lab a*, b* and weight 0..1 in; logits over the palette's K colours out.
    ``queries`` colour queries join the map that the head reads; 0: none. Of a net that ``agrees``, unsure places that
    look alike agree on their colours, and with ``afar`` wherever they lie; see ``nets/agreement.py``.
    """

    def __init__(
        self, unet: UNet, palette: Palette, queries: int = 0, *, agrees: bool = False, afar: bool = False
    ) -> None:
        super().__init__()
        self.unet = unet
        self.palette = palette
        self.agrees, self.afar = agrees, afar
        self.queries = ColorQueries(unet.c_scene, unet.c_out, queries) if queries else None
        # No spectral norm here: logits must be free to grow with certainty.
        self.head = nn.Conv2d(unet.c_out + queries, palette.bins_ab.shape[0], 1)
        nn.init.normal_(self.head.weight, std=0.01)
        with torch.no_grad():
            # Start from the rebalanced frequencies rather than learn them: the first steps then teach pictures.
            self.head.bias.copy_((palette.shares * palette.weights).log())  # type: ignore[union-attr]

    @property
    def stride(self) -> int:
        """Input pixels per output pixel."""
        return self.unet.stride

    @property
    def hears(self) -> bool:
        """Whether the net takes hints."""
        return self.unet.hears

    def features(self, luma: Tensor, hints: Tensor | None = None) -> Features:
        """Return what the net answers from: (B, 1, H, W) and perhaps (B, 3, H, W) -> a map (B, C + Q, h, w) to read."""
        (scene, *_, fine), look = self.unet.climb(luma.expand(-1, 3, -1, -1), hints)
        return Features(fine if self.queries is None else self.queries(scene, fine), look)

    def forward(self, luma: Tensor, hints: Tensor | None = None) -> Tensor:
        """Shapes: as the class says."""
        return self.answer(self.features(luma, hints), luma)

    def answer(self, features: Features, luma: Tensor) -> Tensor:
        """Return the logits that follow from what the net answers from, and luma (B, 1, H, W): (B, K, h, w)."""
        logits: Tensor = self.head(features.read)
        if self.agrees:
            logits = agree(logits, luma, self.stride)
        if self.afar:
            assert features.look is not None  # nets that do not spread have no looks, and cannot be asked for it
            logits = agree_afar(logits, features.look, self.stride)
        return logits


def grow_color_net(net: ColorNet, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of a net that lacks queries, hints or an early end of its decoder, with these from ``net``.

    What is grown for queries and hints does not speak at first, so the net answers as before. A decoder that ends
    earlier has another map under its head: that and what feeds the queries' answers start anew.
    """
    own = net.state_dict()
    past_the_end = f"unet.blocks.{len(net.unet.blocks)}."
    if any(key.startswith(past_the_end) for key in state):
        fresh = {
            key
            for key in own
            if key.startswith(("head.", "queries.means.")) or (key not in state and "queries." in key)
        }
        state = {key: value for key, value in state.items() if not key.startswith(past_the_end)}
        state = state | {key: own[key] for key in fresh}
    else:
        state = with_fresh_queries(net, state)
    heard = {key: _listening(key, value, own[key]) if key in own else value for key, value in state.items()}
    return {key: value for key, value in own.items() if key.startswith("unet.spread.")} | heard


def _listening(key: str, value: Tensor, own: Tensor) -> Tensor:
    """Return a kernel that also reads hints, with weight zero; other tensors as they are."""
    grows = ".mix.0.0." in key and value.ndim == own.ndim and value.shape != own.shape
    return extended_by_zeros(value, own) if grows else value


def with_fresh_queries(net: ColorNet, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state whose network had no colour queries, with those of ``net``; it answers as it did before.

    The head does not listen to them yet, and learns to. A state that has queries comes back unchanged.
    """
    if net.queries is None or any(name.startswith("queries.") for name in state):
        return dict(state)
    fresh = {f"queries.{name}": value for name, value in net.queries.state_dict().items()}
    old = state["head.weight"]
    missing = net.head.in_channels - old.shape[1]
    return {**state, **fresh, "head.weight": torch.cat([old, old.new_zeros(len(old), missing, 1, 1)], dim=1)}


def build_unet(
    backbone: str,
    decoder: str,
    *,
    width: float | None = None,
    hears: bool = False,
    spreads: bool = False,
    pretrained: bool = True,
    weights: Path | None = None,
) -> UNet:
    """Return a U-Net of the named sizes; ``weights`` is the backbone's file, for those that come without."""
    body = build_backbone(backbone, pretrained=pretrained, weights=weights)
    return UNet(body, decoder_size(decoder, body.channels, width), hears=hears, spreads=spreads)


def build_color_net(
    backbone: str,
    decoder: str,
    palette: Palette,
    *,
    width: float | None = None,
    queries: int = 0,
    hears: bool = False,
    spreads: bool = False,
    agrees: bool = False,
    afar: bool = False,
    pretrained: bool = True,
    weights: Path | None = None,
) -> ColorNet:
    """Return a colour generator of the named sizes; see ``build_backbone``, ``decoder_size`` and ``ColorNet``."""
    unet = build_unet(
        backbone, decoder, width=width, hears=hears, spreads=spreads, pretrained=pretrained, weights=weights
    )
    return ColorNet(unet, palette, queries, agrees=agrees, afar=afar)
