"""Putting predicted colour under a luma, as the product does, but in torch and differentiable.

What a critic or a perceptual loss sees of a colour network: the same arithmetic as ``photochrom.color``, which is the
reference (a test holds the two together).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.color import (
    BLUE_PER_CB,
    D65_WHITE,
    GREEN_PER_CB,
    GREEN_PER_CR,
    LAB_EPSILON,
    LAB_SLOPE,
    LINEAR_RGB_FROM_XYZ,
    LUMA_WEIGHTS,
    RED_PER_CR,
    XYZ_FROM_LINEAR_RGB,
)


def luma_of(rgb: Tensor) -> Tensor:
    """Return BT.601 luma: (B, 3, H, W) -> (B, 1, H, W), gamma-encoded, range of the input."""
    return (rgb * rgb.new_tensor(LUMA_WEIGHTS).view(3, 1, 1)).sum(dim=1, keepdim=True)


def lightness_of(luma: Tensor) -> Tensor:
    """Return L* (0..100) of the grey with that luma (0..1)."""
    return 116 * _root(_linear(luma)) - 16


def ab_of_srgb(rgb: Tensor) -> Tensor:
    """Return Lab a*, b* (D65): (B, 3, H, W), 0..1 -> (B, 2, H, W), Lab units."""
    matrix = torch.as_tensor(XYZ_FROM_LINEAR_RGB / D65_WHITE[:, None], dtype=rgb.dtype, device=rgb.device)
    x, y, z = _root(nn.functional.conv2d(_linear(rgb), matrix[:, :, None, None])).unbind(1)
    return torch.stack([500 * (x - y), 200 * (y - z)], dim=1)


def _linear(srgb: Tensor) -> Tensor:
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def _root(linear: Tensor) -> Tensor:
    """Return Lab's cube root, a straight line near zero."""
    cube_root = linear.clamp(min=LAB_EPSILON) ** (1 / 3)
    return torch.where(linear > LAB_EPSILON, cube_root, LAB_SLOPE * linear + 4 / 29)


def srgb_of_lab(lightness: Tensor, ab: Tensor) -> Tensor:
    """Return sRGB, not clipped, of Lab (D65): (B, 1, H, W) and (B, 2, H, W) -> (B, 3, H, W)."""
    fy = (lightness + 16) / 116
    f = torch.cat([fy + ab[:, :1] / 500, fy, fy - ab[:, 1:] / 200], dim=1)
    xyz = torch.where(f > 6 / 29, f**3, (f - 4 / 29) / LAB_SLOPE)
    matrix = torch.as_tensor(LINEAR_RGB_FROM_XYZ * D65_WHITE, dtype=ab.dtype, device=ab.device)
    linear = nn.functional.conv2d(xyz, matrix[:, :, None, None])
    gamma = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, gamma)


def paint(luma: Tensor, ab: Tensor) -> Tensor:
    """Return sRGB that has this luma and this colour, brought into the gamut by shrinking chroma.

    Shapes: (B, 1, H, W), (B, 2, h, w) -> (B, 3, H, W); ab is enlarged bilinearly. Range: luma 0..1, Lab units, 0..1.
    Gradients flow to ``ab`` through chroma; the corrections of lightness and gamut count as constants.
    """
    ab = ab.float()
    luma = luma.float()
    if ab.shape[-2:] != luma.shape[-2:]:
        ab = nn.functional.interpolate(ab, size=luma.shape[-2:], mode="bilinear")
    lightness = lightness_of(luma)
    with torch.no_grad():
        reached = lightness_of(luma_of(srgb_of_lab(lightness, ab)).clamp(0, 1))
        lightness = (2 * lightness - reached).clamp(0, 100)
    rgb = srgb_of_lab(lightness, ab)
    own_luma = luma_of(rgb)
    cb, cr = (rgb[:, 2:] - own_luma) / BLUE_PER_CB, (rgb[:, :1] - own_luma) / RED_PER_CR
    offsets = torch.cat([RED_PER_CR * cr, GREEN_PER_CB * cb + GREEN_PER_CR * cr, BLUE_PER_CB * cb], dim=1)
    with torch.no_grad():
        highest, lowest = offsets.amax(1, keepdim=True), offsets.amin(1, keepdim=True)
        keep = torch.minimum((1 - luma) / highest.clamp(min=1e-6), luma / (-lowest).clamp(min=1e-6)).clamp(max=1)
    return (luma + offsets * keep).clamp(0, 1)
