"""Ageing a photograph as the colour network must learn to see it: as the luma of an old one.

Each function takes and returns a luma picture (H, W), float32, gamma-encoded, 0..1, and draws its strength from the
generator it is given, so a seed fixes everything. ``age`` puts them together in the order a real picture lives
through them: the film's colour sensitivity, its tone, the lens and grain, fading of the print, a printer's screen, the
scan's JPEG.

The ranges follow what archives hold rather than one film: orthochromatic plates (blind to red) were common until
the 1920s, fading lifts the blacks and dulls the whites, toned prints put a curve on each channel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from pydantic import BaseModel, ConfigDict, Field

from photochrom.color import LUMA_WEIGHTS, linear_from_srgb, srgb_from_linear
from photochrom.degradation.fields import Plane, codes, corner_distance, luma_of, slope
from photochrom.degradation.texture import halftone, reopened

Codes = npt.NDArray[np.uint8]


class AgeOptions(BaseModel):
    """How often each kind of ageing happens to a training picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    untouched: float = Field(default=0.3, ge=0, le=1, description="Share of pictures left as plain BT.601 grey.")
    film: float = Field(default=0.6, ge=0, le=1, description="Chance of a random colour sensitivity instead of BT.601.")
    tone: float = Field(default=0.6, ge=0, le=1, description="Chance of a gamma and contrast curve.")
    fading: float = Field(default=0.35, ge=0, le=1, description="Chance of lifted blacks and dulled whites.")
    toning: float = Field(default=0.2, ge=0, le=1, description="Chance of a sepia or other toning, seen as grey again.")
    vignette: float = Field(default=0.15, ge=0, le=1, description="Chance of darker or paler borders.")
    blur: float = Field(default=0.25, ge=0, le=1, description="Chance of a soft lens.")
    grain: float = Field(default=0.45, ge=0, le=1, description="Chance of film grain.")
    screen: float = Field(default=0.0, ge=0, le=1, description="Chance of a printer's halftone screen.")
    jpeg: float = Field(default=0.3, ge=0, le=1, description="Chance of JPEG blocks.")


def age(rgb: Codes, rng: np.random.Generator, options: AgeOptions) -> Plane:
    """Return what an old camera, print and scan would have left of a colour photograph.

    Shapes: (H, W, 3) sRGB codes 0..255 -> (H, W) luma 0..1.
    """
    if rng.random() < options.untouched:
        return rgb @ LUMA_WEIGHTS / np.float32(255)
    steps = (
        (options.tone, bend_tone),
        (options.vignette, add_vignette),
        (options.blur, soften),
        (options.grain, add_grain),
        (options.fading, fade),
        (options.toning, tone_and_regrey),
        (options.screen, print_screen),
        (options.jpeg, compress_jpeg),
    )
    grey = expose_film(rgb, rng) if rng.random() < options.film else rgb @ LUMA_WEIGHTS / np.float32(255)
    for chance, step in steps:
        if chance and rng.random() < chance:  # what never happens draws nothing, or each new kind would change all runs
            grey = step(grey, rng)
    return np.clip(grey, 0, 1).astype(np.float32)


def relight(rgb: Codes, rng: np.random.Generator, brightness: float, contrast: float) -> npt.NDArray[np.float32]:
    """Return a colour picture in other light: contrast around its mean, then brightness, both drawn evenly.

    Shapes: (H, W, 3) sRGB codes 0..255 -> (H, W, 3) 0..1. ``brightness`` is the largest shift; contrast is multiplied
    by 1 + c or divided by it, c up to ``contrast``. At 0.5 and 0.5 this is what DeOldify's "defade" learned to undo.
    """
    shift, change = rng.uniform(-brightness, brightness), rng.uniform(-contrast, contrast)
    factor = 1 + change if change >= 0 else 1 / (1 - change)
    unit = rgb.astype(np.float32) / 255
    mean = unit.mean()
    return np.asarray(np.clip((unit - mean) * np.float32(factor) + mean + np.float32(shift), 0, 1), dtype=np.float32)


def expose_film(rgb: Codes, rng: np.random.Generator) -> Plane:
    """Return the grey of an emulsion with its own sensitivity to red, green and blue light.

    One third orthochromatic (red weighs 0 to 0.08), one third panchromatic (near luminance), one third anything.
    """
    kind = rng.integers(3)
    if kind == 0:
        red = rng.uniform(0, 0.08)
        green = rng.uniform(0.35, 0.75)
        weights = np.array([red, green, 1 - red - green])
    elif kind == 1:
        weights = np.array([0.3, 0.55, 0.15]) + rng.uniform(-0.12, 0.12, 3)
        weights = np.maximum(weights, 0.02)
    else:
        weights = rng.dirichlet((1.5, 1.5, 1.5))
    weights = (weights / weights.sum()).astype(np.float32)
    unit = rgb.astype(np.float32) / 255
    # Films answer to light, scanners to codes; both happen, and they differ on saturated colours.
    if rng.random() < 0.5:
        return np.asarray(srgb_from_linear(linear_from_srgb(unit) @ weights), dtype=np.float32)
    return np.asarray(unit @ weights, dtype=np.float32)


def bend_tone(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture under a random gamma (0.6 to 1.6) and a soft or hard contrast around its mean."""
    gamma = np.float32(np.exp(rng.uniform(np.log(0.6), np.log(1.6))))
    contrast = np.float32(np.exp(rng.uniform(np.log(0.65), np.log(1.5))))
    bent = np.clip(grey, 0, 1) ** gamma
    centre = bent.mean()
    return np.asarray(np.clip(centre + (bent - centre) * contrast, 0, 1), dtype=np.float32)


def fade(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture with blacks lifted by up to 0.25 and whites dulled by up to 0.25, perhaps to one side."""
    black, white = rng.uniform(0, 0.25), 1 - rng.uniform(0, 0.25)
    faded = black + grey * (white - black)
    if rng.random() < 0.3:
        share = slope(grey.shape, rng)
        faded = grey * (1 - share) + faded * share
    return np.asarray(faded, dtype=np.float32)


def tone_and_regrey(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the luma of the picture after toning it sepia, gold or blue: another curve, as scans of prints show."""
    gammas = np.array([rng.uniform(0.6, 0.95), 1.0, rng.uniform(1.05, 1.8)], dtype=np.float32)
    if rng.random() < 0.2:
        gammas = gammas[::-1]
    return np.asarray((np.clip(grey, 0, 1)[..., None] ** gammas) @ LUMA_WEIGHTS, dtype=np.float32)


def add_vignette(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture with its corners darkened or bleached by up to 0.35."""
    distance = corner_distance(grey.shape) ** np.float32(rng.uniform(0.8, 2))
    strength = np.float32(rng.uniform(0.05, 0.35))
    target = np.float32(0 if rng.random() < 0.7 else 1)
    return np.asarray(grey + (target - grey) * distance * strength)


def soften(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture blurred by a Gaussian of 0.4 to 1.3 px."""
    picture = Image.fromarray(codes(grey)).filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3)))
    return np.asarray(picture, dtype=np.float32) / np.float32(255)


def add_grain(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture with grain: strongest in the mid-tones, its specks 1 to 2 px wide, sigma 0.01 to 0.09."""
    sigma = rng.uniform(0.01, 0.09)
    noise: Plane = rng.standard_normal(grey.shape, dtype=np.float32)
    if rng.random() < 0.5:
        # Neighbours share their noise: specks of about two pixels, brought back to unit variance.
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, (1, 1), (0, 1))) * np.float32(0.5)
    mid_tone = 0.35 + 0.65 * 4 * np.clip(grey, 0, 1) * (1 - np.clip(grey, 0, 1))
    return np.asarray(grey + np.float32(sigma) * noise * mid_tone)


def print_screen(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture printed in dots of 1 to 7 px and scanned: coarse screens and fine, faint ones and hard."""
    printed = halftone(np.repeat(grey[None], 3, axis=0), rng, strength=rng.random(), px=rng.uniform(0.5, 1))
    return luma_of(printed)


def compress_jpeg(grey: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture after one JPEG compression of quality 25 to 90."""
    compressed = reopened(Image.fromarray(codes(grey)), int(rng.integers(25, 91)))
    return np.asarray(compressed, dtype=np.float32) / np.float32(255)
