"""Stress splits: what old photographs look like, done to the grey that a colouriser is given. The truth stays.

Each split is a function of the true picture, its luma and a random generator that returns the new luma; sepia also
returns a tint. The generator is seeded by split and photograph, so a split is the same on every run and machine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from photochrom import color, metrics
from photochrom.evaluation.photographs import Rgb, as_rgb, digest
from photochrom.resample import blur

Plane = npt.NDArray[np.float32]
Degrade = Callable[[npt.NDArray[np.float32], Plane, np.random.Generator], Plane]


def given_to_colorizer(split: str, rgb: Rgb, key: str) -> Rgb:
    """Return what a colouriser gets to see of a photograph in this split: (H, W, 3) uint8, grey but for sepia.

    Raises:
        KeyError: no split has that name.
    """
    seed = int.from_bytes(digest(f"{split}/{key}")[:8], "big")
    draw = np.random.default_rng(seed)
    unit = metrics.unit_range(rgb).astype(np.float32)
    luma = np.clip(SPLITS[split](unit, np.asarray(color.luma(unit), np.float32), draw), 0, 1)
    if split == "sepia":
        return _toned(luma, draw)
    return as_rgb(metrics.eight_bit(luma))


def darkened(_rgb: npt.NDArray[np.float32], luma: Plane, draw: np.random.Generator) -> Plane:
    """Underexposed by 1.5 to 2.5 stops of linear light."""
    return _exposed(luma, -draw.uniform(1.5, 2.5))


def brightened(_rgb: npt.NDArray[np.float32], luma: Plane, draw: np.random.Generator) -> Plane:
    """Overexposed by 0.7 to 1.3 stops of linear light; highlights clip."""
    return _exposed(luma, draw.uniform(0.7, 1.3))


def _exposed(luma: Plane, stops: float) -> Plane:
    linear = color.linear_from_srgb(luma) * 2.0**stops
    return np.asarray(color.srgb_from_linear(np.clip(linear, 0, 1)), np.float32)


def aged_print(_rgb: npt.NDArray[np.float32], luma: Plane, draw: np.random.Generator) -> Plane:
    """The tones of a sepia print: blacks a little lifted, whites a little down. The brown itself is put on after it."""
    low, high = draw.uniform(0.02, 0.08), draw.uniform(0.88, 0.97)
    return np.asarray(low + (high - low) * luma, np.float32)


def _toned(luma: Plane, draw: np.random.Generator) -> Rgb:
    """Return the luma under one brown hue, strongest in the middle tones as silver sulphide is."""
    strength = draw.uniform(0.6, 1.2) * 4 * luma * (1 - luma)
    cbcr = strength[..., None] * np.array([-0.080, 0.055], np.float32)
    toned = color.merge_luma_chroma(luma, cbcr)
    return color.quantize_keeping_luma(toned, np.rint(luma * 255) / 255, 255).astype(np.uint8)


def grainy(_rgb: npt.NDArray[np.float32], luma: Plane, draw: np.random.Generator) -> Plane:
    """Film grain: clumps of about 1 to 2 px, strongest in the middle tones (sd 4 to 7 % there)."""
    noise = blur(draw.normal(size=luma.shape).astype(np.float32), draw.uniform(0.5, 0.9))
    noise /= max(float(noise.std()), 1e-6)
    envelope = 0.25 + 0.75 * 4 * luma * (1 - luma)
    return np.asarray(luma + draw.uniform(0.04, 0.07) * envelope * noise, np.float32)


def halftoned(_rgb: npt.NDArray[np.float32], luma: Plane, draw: np.random.Generator) -> Plane:
    """A printed screen of round dots at about 45 degrees, 3 to 4 px apart, then the blur of a scanner's lens.

    The dots are ink where a cosine screen exceeds the luma; half of the screened picture is mixed with the photograph,
    as a scan at moderate resolution would.
    """
    period, angle = draw.uniform(3.0, 4.0), np.radians(45 + draw.uniform(-4, 4))
    y, x = np.mgrid[: luma.shape[0], : luma.shape[1]].astype(np.float32)
    along = 2 * np.pi / period * (x * np.cos(angle) + y * np.sin(angle))
    across = 2 * np.pi / period * (y * np.cos(angle) - x * np.sin(angle))
    screen = 0.5 + 0.25 * (np.cos(along) + np.cos(across))
    ink = 1 / (1 + np.exp(-(luma - screen) * 12))
    return 0.5 * luma + 0.5 * blur(np.asarray(ink, np.float32), 0.7)


def faded(_rgb: npt.NDArray[np.float32], luma: Plane, draw: np.random.Generator) -> Plane:
    """Lifted blacks, sunken whites, a bent curve, and more of it towards one side."""
    lift, drop, gamma = draw.uniform(0.15, 0.28), draw.uniform(0.12, 0.25), draw.uniform(0.8, 1.3)
    direction = draw.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: luma.shape[0], : luma.shape[1]].astype(np.float32)
    ramp = np.cos(direction) * x / luma.shape[1] + np.sin(direction) * y / luma.shape[0]
    ramp = (ramp - ramp.min()) / max(float(np.ptp(ramp)), 1e-6)
    amount = 0.75 + 0.5 * ramp
    return np.asarray(lift * amount + (1 - (lift + drop) * amount) * luma**gamma, np.float32)


def orthochromatic(rgb: npt.NDArray[np.float32], _luma: Plane, draw: np.random.Generator) -> Plane:
    """A plate that sees no red: linear light weighted about 2 % red, 48 % green, 50 % blue. Lips and skin go dark."""
    red, blue = draw.uniform(0.0, 0.04), draw.uniform(0.40, 0.60)
    weights = np.array([red, 1 - red - blue, blue])
    return np.asarray(color.srgb_from_linear(color.linear_from_srgb(rgb) @ weights), np.float32)


SPLITS: dict[str, Degrade] = {
    "dark": darkened,
    "bright": brightened,
    "sepia": aged_print,
    "grain": grainy,
    "halftone": halftoned,
    "faded": faded,
    "orthochromatic": orthochromatic,
}
