"""Kinds that change tones and colours: fading, yellowing, toning, dye loss, casts, vignettes, wrong exposure.

Each takes a picture (3, H, W), sRGB 0..1, a random generator, a strength 0..1 and the size of a scan pixel, and
returns the changed picture. The ranges are those that archives' scans show rather than one process's.
"""

from __future__ import annotations

import numpy as np

from photochrom.color import LUMA_WEIGHTS
from photochrom.degradation.fields import Picture, between, cloud, corner_distance, luma_of, per_channel, slope

# Brown to gold: paper and gelatine turn yellow because their blue goes first.
PAPER = np.array([0.97, 0.9, 0.72], dtype=np.float32)


def fading(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Blacks lifted and whites dulled by up to 0.3 each: silver and dyes lose density."""
    black, white = np.float32(0.3 * strength * rng.random()), np.float32(1 - 0.3 * strength * rng.random())
    return np.asarray(black + picture * (white - black), dtype=np.float32)


def uneven_fading(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Fading that is strong on one side or in large clouds, towards paler or darker: light and damp from one edge."""
    share = (
        slope(picture.shape[1:], rng)
        if rng.random() < 0.5
        else cloud(picture.shape[1:], rng, max(picture.shape[1:]) / 2.5)
    )
    level = np.float32(rng.uniform(0.45, 0.9) if rng.random() < 0.75 else rng.uniform(0.05, 0.3))
    share *= np.float32(0.55 * strength)
    return np.asarray(picture + (level - picture) * share, dtype=np.float32)


def yellowing(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Whites that turned yellow or brown: the picture seen through the colour of its old paper."""
    paper = PAPER + rng.uniform(-0.05, 0.05, 3).astype(np.float32)
    return np.asarray(picture * per_channel(1 + (paper - 1) * np.float32(1.2 * strength)), dtype=np.float32)


def sepia(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """A toned print: the picture's grey under another curve per channel, brown, gold, now and then blue; white stays.

    Sulphide, selenium and gold toning colour the silver itself, most in the middle tones.
    """
    grey = luma_of(picture)
    return toning(np.stack([grey, grey, grey]), rng, strength, px)


def toning(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """The curves of a toned print, red above and blue below, over whatever colours there are."""
    gammas = np.array([rng.uniform(0.6, 0.95), 1.0, rng.uniform(1.05, 1.8)], dtype=np.float32)
    gammas = 1 + (gammas - 1) * np.float32(strength)
    return _powers(picture, gammas[::-1] if rng.random() < 0.1 else gammas)


def dye_fading(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Colour film whose dyes went at different rates: each channel's contrast, gamma and black moved on its own."""
    amount = np.float32(strength)
    contrast = 1 - amount * rng.uniform(0, 0.45, 3).astype(np.float32)
    black = amount * rng.uniform(0, 0.22, 3).astype(np.float32)
    gammas = 1 + amount * rng.uniform(-0.25, 0.35, 3).astype(np.float32)
    return _powers(picture, gammas) * per_channel(contrast * (1 - black)) + per_channel(black)


def color_cast(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """A wrong white: each channel multiplied by up to a third more or less, brightness kept."""
    gains = np.exp(strength * rng.uniform(-0.3, 0.3, 3)).astype(np.float32)
    gains /= np.float32(gains @ LUMA_WEIGHTS)
    return picture * per_channel(gains)


def vignette(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Corners darkened by the lens, or bleached by the album, by up to half."""
    share = corner_distance(picture.shape[1:]) ** np.float32(rng.uniform(0.8, 2))
    share *= np.float32(strength * rng.uniform(0.25, 0.5))
    target = np.float32(0 if rng.random() < 0.7 else rng.uniform(0.7, 1))
    return np.asarray(picture + (target - picture) * share, dtype=np.float32)


def exposure(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Too dark, too bright, too soft or too hard: a gamma of 0.5 to 2 and a contrast of 0.6 to 1.4 about the mean."""
    gamma = between(rng, 0.5, 2.0) ** strength
    contrast = between(rng, 0.6, 1.4) ** strength
    bent = _powers(picture, np.full(3, gamma, dtype=np.float32))
    centre = bent.mean()
    return np.asarray(np.clip(centre + (bent - centre) * np.float32(contrast), 0, 1), dtype=np.float32)


def flicker(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """One film frame's light: brighter or darker than its neighbours by a factor, 12 % on average at full strength."""
    return np.asarray(picture * np.float32(np.exp(0.15 * strength * rng.normal())), dtype=np.float32)


def _powers(picture: Picture, gammas: Picture) -> Picture:
    """Return each channel to its power, by a table of 1024 tones."""
    tones = np.linspace(0, 1, 1024, dtype=np.float32) ** gammas[:, None]
    index = np.clip(picture * np.float32(1023) + np.float32(0.5), 0, 1023).astype(np.int16)
    return np.stack([table[plane] for table, plane in zip(tones, index, strict=True)])
