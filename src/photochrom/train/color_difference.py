"""The colour difference that the scoreboard measures, as a loss.

Differences of sRGB codes are made up by strong colours: twenty codes count as much in a red dress as in a wall. To the
eye, and to CIEDE2000, those in the wall are three times as many.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from photochrom.nets.paint import ab_of_srgb

TINY = 1e-4  # Lab units, squared: roots have an infinite slope at zero, and grey pictures exist


def color_difference_loss(picture: Tensor, truth: Tensor) -> Tensor:
    """Return the mean CIEDE2000 of two pictures of one lightness.

    Shapes: two of (B, 3, H, W) -> scalar. Range: sRGB 0..1; the result is CIEDE2000 units, some 10 for grey.
    What weighs chroma and hue, which depends on the colours, counts as constant: else a gaudier guess would make all
    errors cheaper. Cost: 3 % of a step of the colour model.
    Source: Sharma, Wu, Dalal 2005, "The CIEDE2000 Color-Difference Formula", equations 2 to 22; the difference of hue
    from those of a*, b* and chroma, as CIE 15:2004 has it.
    """
    (a_1, b_1), (a_2, b_2) = ab_of_srgb(picture).unbind(1), ab_of_srgb(truth).unbind(1)
    with torch.no_grad():
        # Near grey a* counts up to half as much again.
        stretch = 1.5 - 0.5 * _saturation((torch.hypot(a_1, b_1) + torch.hypot(a_2, b_2)) / 2)
    a_1, a_2 = stretch * a_1, stretch * a_2
    chroma_1, chroma_2 = (a_1**2 + b_1**2 + TINY).sqrt(), (a_2**2 + b_2**2 + TINY).sqrt()
    by_chroma = chroma_2 - chroma_1
    by_hue_squared = ((a_2 - a_1) ** 2 + (b_2 - b_1) ** 2 - by_chroma**2).clamp(min=0)
    with torch.no_grad():
        chroma_scale, hue_scale, rotation = _scales(a_1 / chroma_1 + a_2 / chroma_2, b_1 / chroma_1 + b_2 / chroma_2,
                                                    (chroma_1 + chroma_2) / 2)  # fmt: skip
        rotation = rotation * torch.sign(a_1 * b_2 - a_2 * b_1)
    term_c, term_h_squared = by_chroma / chroma_scale, by_hue_squared / hue_scale**2
    squared = term_c**2 + term_h_squared - rotation * term_c * (term_h_squared + TINY).sqrt()
    difference: Tensor = (squared.clamp(min=0) + TINY).sqrt() - math.sqrt(TINY)
    return difference.mean()


def _saturation(chroma: Tensor) -> Tensor:
    """Return CIEDE2000's sigmoid of chroma, 0 at grey and 1 where it is strong."""
    power = chroma**7
    return (power / (power + 25.0**7)).sqrt()


def _scales(a: Tensor, b: Tensor, chroma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what differences of chroma and of hue are divided by, and how much the two go together in blue.

    ``a`` and ``b`` point to the mean hue.
    """
    hue = torch.atan2(b, a)
    t = (
        1
        - 0.17 * torch.cos(hue - math.pi / 6)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + math.pi / 30)
        - 0.20 * torch.cos(4 * hue - math.radians(63))
    )
    from_blue = (torch.remainder(torch.rad2deg(hue), 360) - 275) / 25
    turned = torch.sin(math.radians(60) * torch.exp(-(from_blue**2)))
    return 1 + 0.045 * chroma, 1 + 0.015 * chroma * t, 2 * turned * _saturation(chroma)
