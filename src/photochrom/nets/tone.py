"""The network that sees what fading did to a photograph's tones and says how to undo it: curves and two coarse fields.

It never paints: what it answers are a few hundred numbers, and the picture is corrected with them at any size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from photochrom.errors import OptionError
from photochrom.nets.backbones import EfficientNetLite, build_lite_backbone
from photochrom.nets.blocks import extended_by_zeros

KNOTS = 33
FIELD = 16
# What the network looks at: the picture averaged down to this side.
SEEN_PX = 128
# Share of the picture that may lie below its black and above its white, and the least distance between the two.
BEYOND, LEAST_RANGE = 0.005, 0.08
# The same of the picture as it comes, before anything is averaged: true black and true white are small things.
FINE_BEYOND = (0.0002, 0.001, 0.005)
# The share of a step of the curve that a stretch leaves to tones outside the range.
LEFT_OVER = 1e-3
# Of a backbone the maps down to 1/16, and the channels its knowledge of the scene goes through.
LEVELS, SCENE = 4, 96
# The layers that more ranges make larger.
TOLD = ("whole.0.weight", "stretch.weight", "stretch.bias")
# Largest change a field can make: a factor 2 ** GAIN either way, and a shift.
GAIN, OFFSET = 1.0, 0.4


@dataclass(frozen=True)
class ToneSize:
    """Channels at 1/2, 1/4 and 1/8 of what is seen, of the tones' histogram, and residual blocks at 1/8."""

    widths: tuple[int, int, int]
    hidden: int
    blocks: int


TONE_SIZES = {
    "test": ToneSize(widths=(8, 8, 8), hidden=16, blocks=1),
    # 0.3 M parameters, 40 M multiplications a photograph.
    "tone": ToneSize(widths=(24, 40, 64), hidden=192, blocks=3),
}


class ToneNet(nn.Module):
    """From a photograph squashed to a square to what corrects it.

    Shapes: (B, 3, 256, 256), sRGB 0..1 (or any square whose side is a multiple of 128) -> curves (B, 3, 33), rising
    from at least 0 to at most 1; gain (B, 3, 16, 16), 0.5..2; offset (B, 3, 16, 16), -0.4..0.4.
    It starts by leaving photographs as they are. It sees each twice, as it is and stretched from black to white, and
    decides how much of that stretch its curves begin with, and of those from blacks and whites that it does not see but
    is told, because averaging down hides them: auto-contrast need not be learnt. With a backbone it also
    knows scenes: how bright snow, skin and night should be is a question about them.
    Source of the idea: Guo et al. 2020, "Zero-Reference Deep Curve Estimation" (curves instead of pictures), and Gharbi
    et al. 2017, "Deep Bilateral Learning" (low-resolution coefficients, local and global path).
    """

    def __init__(self, size: ToneSize, backbone: EfficientNetLite | None = None) -> None:
        super().__init__()
        first, second, third = size.widths
        self.backbone = backbone
        self.scene = None if backbone is None else _Scene(backbone.channels, third, size.hidden)
        self.local = nn.Sequential(
            nn.Conv2d(6, first, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(second, third, 3, 2, 1),
            nn.ReLU(),
            *(_Dilated(third, 1 + block) for block in range(size.blocks)),
        )
        self.whole = nn.Sequential(
            nn.Linear(6 * KNOTS + 6 + 2 * third + 6 * len(FINE_BEYOND), size.hidden),
            nn.ReLU(),
            nn.Linear(size.hidden, size.hidden),
            nn.ReLU(),
        )
        self.curves = nn.Linear(size.hidden, 3 * (KNOTS + 1))
        self.stretch = nn.Linear(size.hidden, 3 * (1 + len(FINE_BEYOND)))
        self.to_local = nn.Linear(size.hidden, third)
        self.fields = nn.Conv2d(third, 6, 1)
        for head in (self.curves, self.stretch, self.fields):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            # The parts of the curve below its first knot and above its last: almost nothing.
            self.curves.bias.view(3, KNOTS + 1)[:, [0, -1]] = -5.0

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Shapes: as the class says."""
        seen = nn.functional.avg_pool2d(rgb, rgb.shape[-1] // SEEN_PX)
        black, white = tone_range(seen)
        fine = fine_ranges(rgb)
        stretched = ((seen - black) / (white - black)).clamp(0, 1)
        local = self.local(torch.cat([seen, stretched], dim=1) - 0.5)
        of_scene = None
        if self.backbone is not None and self.scene is not None:
            near, of_scene = self.scene(self.backbone(stretched))
            local = local + near
        spread = (local - local.mean(dim=(2, 3), keepdim=True)).square().mean(dim=(2, 3))
        tones = [tone_shares(seen), tone_shares(stretched), black.flatten(2), white.flatten(2)]
        told = [*(part.flatten(1) for part in tones), local.mean(dim=(2, 3)), spread, *(end.flatten(1) for end in fine)]
        whole = self.whole(torch.cat(told, dim=1))
        if of_scene is not None:
            whole = nn.functional.relu(whole + of_scene)
        ranges = [(black, white), *zip(*(torch.split(end, 1, dim=3) for end in fine), strict=True)]
        shares = self.stretch(whole).view(-1, len(ranges), 3, 1).unbind(dim=1)
        begun = torch.stack([share * stretch_steps(*ends).log() for share, ends in zip(shares, ranges, strict=True)])
        begun = begun.sum(dim=0)
        steps = (self.curves(whole).view(-1, 3, KNOTS + 1) + begun).softmax(dim=2)
        curves = steps.cumsum(dim=2)[:, :, :KNOTS]
        mixed = nn.functional.relu(local + self.to_local(whole)[:, :, None, None])
        gain, offset = self.fields(mixed).tanh().chunk(2, dim=1)
        return curves, torch.exp2(GAIN * gain), OFFSET * offset


class _Scene(nn.Module):
    """What a backbone's maps say of the tones, cell by cell and of the whole; nothing to begin with.

    Shapes: maps at 1/2 to 1/16 of 128 px -> (B, ``c_local``, 16, 16) and (B, ``c_whole``).
    """

    def __init__(self, channels: tuple[int, ...], c_local: int, c_whole: int) -> None:
        super().__init__()
        eighth, sixteenth = channels[2:LEVELS]
        self.near = nn.Sequential(
            nn.Conv2d(eighth + sixteenth, SCENE, 1), nn.ReLU(), nn.Conv2d(SCENE, c_local, 3, padding=1)
        )
        self.whole = nn.Sequential(nn.Linear(2 * sixteenth, SCENE), nn.ReLU(), nn.Linear(SCENE, c_whole))
        for last in (self.near[-1], self.whole[-1]):
            nn.init.zeros_(last.weight)  # type: ignore[arg-type]
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        eighth, sixteenth = maps[2:LEVELS]
        coarse = nn.functional.interpolate(sixteenth, scale_factor=2.0, mode="bilinear", align_corners=False)
        near = self.near(torch.cat([eighth, coarse], dim=1))
        mean = sixteenth.mean(dim=(2, 3))
        largest = sixteenth.amax(dim=(2, 3))
        return near, self.whole(torch.cat([mean, largest], dim=1))


class _Dilated(nn.Module):
    """A residual block that looks ``dilation`` cells far: (B, C, H, W) -> the same."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.mix(nn.functional.relu(self.near(x)))
        return x + y


def tone_range(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Return the black and the white of each channel, (B, 3, 1, 1) each, of a picture (B, 3, H, W).

    Half a percent of the picture, at half its size, is darker or lighter than that.
    """
    pixels = nn.functional.avg_pool2d(rgb, 2).flatten(2)
    count = max(1, round(BEYOND * pixels.shape[2]))
    black, white = (pixels.topk(count, dim=2, largest=light).values[:, :, -1:, None] for light in (False, True))
    return black, torch.maximum(white, black + LEAST_RANGE)


def fine_ranges(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Return the blacks and the whites of each channel beyond which FINE_BEYOND lie: (B, 3, 1, 3) each."""
    pixels = rgb.flatten(2)
    last = [max(1, round(share * pixels.shape[2])) - 1 for share in FINE_BEYOND]
    black, white = (pixels.topk(last[-1] + 1, dim=2, largest=light).values[:, :, last] for light in (False, True))
    return black[:, :, None], torch.maximum(white, black + LEAST_RANGE)[:, :, None]


def stretch_steps(black: Tensor, white: Tensor) -> Tensor:
    """Return the steps of the curve that takes black to 0 and white to 1: (B, 3, 1, 1) twice -> (B, 3, 34), above 0."""
    knots = torch.linspace(0, 1, KNOTS, dtype=black.dtype, device=black.device).view(1, 1, KNOTS)
    curve = ((knots - black[..., 0]) / (white - black)[..., 0]).clamp(0, 1)
    return nn.functional.pad(curve.diff(dim=2), (1, 1)) + LEFT_OVER


def tone_shares(rgb: Tensor) -> Tensor:
    """Return the soft histogram of each channel: (B, 3, H, W) -> (B, 3, 33), the shares of 33 tones, times 8.

    Each pixel counts for its two nearest tones. Taken of the picture at half its size.
    """
    pixels = nn.functional.avg_pool2d(rgb, 2).flatten(2)
    knots = torch.arange(KNOTS, dtype=rgb.dtype, device=rgb.device).view(1, 1, KNOTS, 1)
    return 8 * (1 - (pixels[:, :, None] * (KNOTS - 1) - knots).abs()).clamp(min=0).mean(dim=3)


def correct(rgb: Tensor, curves: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """Return the corrected picture, as the contract ``tone/1`` defines it: curve(clip(x * gain + offset, 0, 1)).

    Shapes: (B, 3, H, W), (B, 3, 33), (B, 3, 16, 16) twice -> (B, 3, H, W); fields are enlarged bilinearly between the
    centres of their cells, curves are straight between knots.
    """
    size = rgb.shape[-2:]
    gain, offset = (nn.functional.interpolate(field, size=size, mode="bilinear") for field in (gain, offset))
    position = (rgb * gain + offset).clamp(0, 1) * (KNOTS - 1)
    left = position.detach().floor().clamp(max=KNOTS - 2)
    index = left.long().flatten(2)
    below, above = (curves.gather(2, index + step).view_as(rgb) for step in (0, 1))
    return below + (above - below) * (position - left)


def build_tone_net(size: str, backbone: str = "none", *, pretrained: bool = True) -> ToneNet:
    """Return the tone network in a named size; with a ``backbone`` (not none) it knows scenes.

    Raises:
        OptionError: no size has that name, or the backbone is of another family; and what ``build_backbone`` raises.
    """
    if size not in TONE_SIZES:
        raise OptionError(f"no tone size {size!r}", next_step=f"Choose one of {', '.join(TONE_SIZES)}")
    if backbone == "none":
        return ToneNet(TONE_SIZES[size])
    body = build_lite_backbone(
        backbone,
        LEVELS,
        refusal="tones are not corrected by",
        choices="lite0, lite1, lite2 or none",
        pretrained=pretrained,
    )
    return ToneNet(TONE_SIZES[size], body)


def with_fresh_parts(net: ToneNet, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state whose network had no backbone or no fine ranges, with those of ``net``; it answers as before."""
    own = net.state_dict()
    grown = {name: extended_by_zeros(value, own[name]) if name in TOLD else value for name, value in state.items()}
    if net.backbone is None or any(name.startswith("backbone.") for name in state):
        return grown
    return own | grown
