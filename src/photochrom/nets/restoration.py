"""Networks that restore: noise away, holes filled. One plain U-Net in two sizes; what finds damage is in ``damage``.

Pictures enter as 2x2 cells (pixel unshuffle), so that no convolution works at full size: that is what a two-core
computer needs for a whole scan. There is no normalisation: a scan's tiles must not depend on what else is in them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from photochrom.color import BLUE_PER_CB, GREEN_PER_CB, GREEN_PER_CR, RED_PER_CR
from photochrom.errors import OptionError
from photochrom.holes import IS_HOLE
from photochrom.nets.blocks import extended_by_zeros, softmax_over_channels
from photochrom.nets.shrinkage import CELL, CosineShrinkage

# Of the code range 0..1; between two of them a mixture serves.
NOISE_STRENGTHS = (2.5 / 255, 5 / 255, 9 / 255, 15 / 255, 25 / 255)
RGB_FROM_YCBCR = ((1, 0, RED_PER_CR), (1, GREEN_PER_CB, GREEN_PER_CR), (1, BLUE_PER_CB, 0))
CHANGE_SCALE = 8.0
# Logit that what was found to be damaged is kept after all, to begin with.
KEPT_AT_FIRST = -3.0


@dataclass(frozen=True)
class RestorationSize:
    """Channels at 1/2, 1/4, 1/8 ... of the picture's size; residual blocks on the way down, at the bottom, and up."""

    widths: tuple[int, ...]
    down: tuple[int, ...]
    middle: int
    up: tuple[int, ...]


RESTORATION_SIZES = {
    "test": RestorationSize(widths=(8, 8, 8, 8, 8), down=(1, 1, 1, 1), middle=1, up=(1, 1, 1, 1)),
    # 1.5 M parameters, 58 k multiplications a pixel; sides multiples of 8.
    "noise": RestorationSize(widths=(32, 64, 96), down=(2, 2), middle=6, up=(2, 2)),
    # 1.3 M parameters, 21 k multiplications a pixel; sides multiples of 16.
    "inpaint": RestorationSize(widths=(24, 48, 96, 144), down=(1, 1, 1), middle=2, up=(1, 1, 1)),
}


class PlainBlock(nn.Module):
    """Two 3x3 convolutions added to their input, which they leave alone at first: (B, C, H, W) -> the same.

    Source: Lim et al. 2017, "Enhanced Deep Residual Networks for Single Image Super-Resolution", figure 2c.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.normal_(self.second.weight, std=0.1 * (2 / (9 * channels)) ** 0.5)
        for conv in (self.first, self.second):
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: as the class says."""
        y: Tensor = self.second(nn.functional.relu(self.first(x), inplace=True))
        return x + y


class CellUNet(nn.Module):
    """A U-Net over 2x2 cells of the picture, whose skips are added: (B, C, H, W) -> (B, ``c_out``, H, W).

    H and W divisible by 2 ** (number of widths). It starts by answering 0 everywhere.
    Source: Ronneberger et al. 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation".
    """

    def __init__(self, c_in: int, c_out: int, size: RestorationSize) -> None:
        super().__init__()
        widths = size.widths
        self.stem = nn.Conv2d(4 * c_in, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_blocks(width, count) for width, count in zip(widths[:-1], size.down, strict=True))
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.middle = _blocks(widths[-1], size.middle)
        self.grow = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in itertools.pairwise(widths))
        self.up = nn.ModuleList(_blocks(width, count) for width, count in zip(widths[:-1], size.up, strict=True))
        self.head = nn.Conv2d(widths[0], 4 * c_out, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: as the class says."""
        return nn.functional.pixel_shuffle(self.cells(nn.functional.pixel_unshuffle(x, CELL)), CELL)

    def cells(self, x: Tensor) -> Tensor:
        """Return the answer to a picture in cells as cells: (B, 4 C, h, w) -> (B, 4 ``c_out``, h, w)."""
        x = self.stem(x)
        skips = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            x = blocks(x)
            skips.append(x)
            x = shrink(x)
        x = self.middle(x)
        for blocks, grow in zip(reversed(self.up), reversed(self.grow), strict=True):
            x = blocks(nn.functional.pixel_shuffle(grow(x), 2) + skips.pop())
        answer: Tensor = self.head(x)
        return answer


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(PlainBlock(channels) for _ in range(count)))


class DenoiseNet(nn.Module):
    """The picture without grain, noise, screens and JPEG blocks: (B, 3, H, W), sRGB 0..1 -> the same, not clamped.

    Luma and chroma are each denoised in the classical way for several strengths of noise; the network says, for every
    pixel, which of them to believe, the picture as it came among them, and adds what they all miss.
    """

    to_planes: Tensor
    to_rgb: Tensor

    def __init__(self, size: RestorationSize) -> None:
        super().__init__()
        self.shrinkage = CosineShrinkage(NOISE_STRENGTHS)
        self.choices = 1 + len(NOISE_STRENGTHS)
        self.unet = CellUNet(3 * self.choices, 3 + 2 * self.choices, size)
        rgb = torch.tensor(RGB_FROM_YCBCR, dtype=torch.float64)
        self.register_buffer("to_planes", rgb.inverse().float()[..., None, None], persistent=False)
        # The other way in cells: each of their pixels by itself.
        of_cells = torch.kron(rgb, torch.eye(CELL**2, dtype=torch.float64))
        self.register_buffer("to_rgb", of_cells.float()[..., None, None], persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        planes = nn.functional.conv2d(rgb, self.to_planes)
        # From here on in cells, (B, plane, try, pixel of a cell, H / 2, W / 2): full size costs as much as layers do.
        tries = torch.stack([self._tries(planes[:, plane : plane + 1]) for plane in range(3)], dim=1)
        # What each try would change, as the network sees it: small numbers that show the noise itself.
        changes = (tries[:, :, 1:] - tries[:, :, :1]).flatten(1, 3)
        seen = nn.functional.pixel_unshuffle(rgb - 0.5, CELL)
        answer = self.unet.cells(torch.cat([seen, CHANGE_SCALE * changes], dim=1))
        correction, logits = answer[:, : 3 * CELL**2], answer[:, 3 * CELL**2 :]
        for_luma, for_chroma = _apart(logits, 2, self.choices, CELL**2).unbind(dim=1)
        luma = (softmax_over_channels(for_luma) * tries[:, 0]).sum(dim=1, keepdim=True)
        chroma = (softmax_over_channels(for_chroma)[:, None] * tries[:, 1:]).sum(dim=2)
        denoised = nn.functional.conv2d(torch.cat([luma, chroma], dim=1).flatten(1, 2), self.to_rgb)
        return nn.functional.pixel_shuffle(denoised + correction, CELL)

    def _tries(self, plane: Tensor) -> Tensor:
        """Return a plane as it came and denoised for each strength: (B, 1, H, W) -> (B, S + 1, 4, H / 2, W / 2)."""
        cells = torch.cat([nn.functional.pixel_unshuffle(plane, CELL), self.shrinkage(plane)], dim=1)
        return _apart(cells, self.choices, CELL**2)


def _apart(cells: Tensor, *sizes: int) -> Tensor:
    """Return channels taken apart: (B, product of sizes, h, w) -> (B, *sizes, h, w)."""
    return cells.reshape(cells.shape[0], *sizes, *cells.shape[2:])


class InpaintNet(nn.Module):
    """Holes filled from what surrounds them: (B, 3, H, W), sRGB 0..1, and mask (B, 1, H, W) -> (B, 3, H, W).

    The mask is 0 where the picture is known and 1 in a hole, whose content is taken out before anything else. Between
    them it is the probability that what was found there is damage: then the network sees what it is, and keeps of it
    what it does not believe to be damaged. Outside the mask the picture comes back as it was. H and W divisible by 16.
    A smooth filling (``fill_smoothly``) is the first guess and the network adds structure.
    """

    def __init__(self, size: RestorationSize) -> None:
        super().__init__()
        self.unet = CellUNet(8, 4, size)

    def forward(self, rgb: Tensor, mask: Tensor) -> Tensor:
        """Shapes: as the class says."""
        masked = (mask > 0).to(rgb.dtype)
        probability = mask * (mask < IS_HOLE).to(rgb.dtype)
        filled = fill_smoothly(rgb, masked)
        content = (rgb - filled) * (probability > 0).to(rgb.dtype)
        answer = self.unet(torch.cat([filled - 0.5, masked, content, probability], dim=1))
        kept = (answer[:, 3:] + KEPT_AT_FIRST).sigmoid() * content
        restored: Tensor = filled + (answer[:, :3] + kept) * masked
        return restored


def fill_smoothly(rgb: Tensor, hole: Tensor, levels: int = 4) -> Tensor:
    """Return the picture with its holes filled by ever coarser averages of what is known around them.

    Shapes: (B, 3, H, W) and (B, 1, H, W) of 0 and 1 -> (B, 3, H, W); H and W divisible by 2 ** levels.
    Source: Gortler et al. 1996, "The Lumigraph", section 3.4.1 (pull-push).
    """
    known = [1 - hole]
    sums = [rgb * known[0]]
    for _ in range(levels):
        sums.append(nn.functional.avg_pool2d(sums[-1], 2))
        known.append(nn.functional.avg_pool2d(known[-1], 2))
    whole = sums[-1].mean(dim=(2, 3), keepdim=True) / known[-1].mean(dim=(2, 3), keepdim=True).clamp(min=1e-4)
    # Half-known cells are mixed with the coarser filling: sharp borders between levels would show.
    filling = sums[-1] + whole * (1 - known[-1])
    for total, share in zip(reversed(sums[:-1]), reversed(known[:-1]), strict=True):
        coarse = nn.functional.interpolate(filling, scale_factor=2.0, mode="bilinear", align_corners=False)
        filling = total + coarse * (1 - share)
    return filling


# The layers that more inputs or outputs make larger.
ENDS = ("unet.stem.weight", "unet.head.weight", "unet.head.bias")
NETWORKS = {"noise": DenoiseNet, "inpaint": InpaintNet}


def build_restoration_net(kind: str, size: str) -> nn.Module:
    """Return the network of that kind (noise, inpaint) in a named size.

    Raises:
        OptionError: no size has that name.
    """
    if size not in RESTORATION_SIZES:
        raise OptionError(f"no restoration size {size!r}", next_step=f"Choose one of {', '.join(RESTORATION_SIZES)}")
    return NETWORKS[kind](RESTORATION_SIZES[size])


def with_fresh_blocks(net: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of a network with fewer residual blocks, inputs or outputs, with the further ones of ``net``.

    It answers as before: further blocks and inputs add nothing, further outputs are 0.
    """
    grown = dict(state)
    for name, value in net.state_dict().items():
        if name not in state and (".first." in name or ".second." in name):
            grown[name] = torch.zeros_like(value) if ".second." in name else value
        elif name in ENDS and name in state:
            grown[name] = extended_by_zeros(state[name], value)
    return grown
