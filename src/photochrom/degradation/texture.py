"""Kinds that lie over the whole picture: grain, scanner noise, halftone screens, JPEG, blur.

Each takes a picture (3, H, W), sRGB 0..1, a random generator, a strength 0..1 and ``px``, the size of a scan pixel
(fine structures grow with it), and returns the changed picture.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.degradation.fields import Picture, Plane, between, blurred_picture, image_of, luma_of, noise, picture_of


def grain(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Film grain: strongest in the middle tones, correlated over 1 to 3 px, sigma up to 0.11; blotchy when coarse.

    The same in all channels, as silver is, but for one picture in five, whose dye clouds are coloured.
    Source: Selwyn 1935, "A theory of graininess" (fluctuation falls with the area seen), and density-dependent.
    """
    sigma = np.float32(0.008 + 0.1 * strength * rng.random())
    cell = px * rng.uniform(0.8, 2.6)
    size = picture.shape[1:]
    specks = noise(size, rng, cell)
    if rng.random() < 0.5:
        specks = (specks + np.float32(0.6) * noise(size, rng)) * np.float32(0.86)
    grey = np.clip(luma_of(picture), 0, 1)
    amount: Plane = sigma * (np.float32(0.3) + np.float32(2.8) * grey * (1 - grey))
    if rng.random() < 0.2:
        coloured = np.stack([noise(size, rng, cell) for _ in range(3)])
        specks = np.float32(0.6) * specks + np.float32(0.8) * coloured
    return np.asarray(picture + specks * amount, dtype=np.float32)


def scanner_noise(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """A sensor's noise: independent pixels and channels, more of it in the shadows; sigma up to 0.05."""
    sigma = np.float32(0.004 + 0.046 * strength * rng.random())
    if rng.random() < 0.4:
        specks = noise(picture.shape[1:], rng)
    else:
        specks = rng.standard_normal(picture.shape, dtype=np.float32)
    return picture + specks * (sigma * (np.float32(1.25) - picture * np.float32(0.6)))


def speckle(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Single pixels gone black or white, up to one in a hundred: dead sensor pixels and dust below a pixel's size."""
    draw = rng.random(picture.shape[1:], dtype=np.float32)
    share = np.float32(0.01 * strength)
    spoilt = picture.copy()
    spoilt[:, draw < share / 2] = 0
    spoilt[:, draw > 1 - share / 2] = 1
    return spoilt


def halftone(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """A printed screen of 85 to 150 lines an inch scanned at 300 to 600 dots: dots of 2 to 7 px, grey or in colours.

    The dots are hard in print and softened by the scan. Screens lie at 45 degrees (grey) or 15, 75 and 0 (colours).
    Source: the classic amplitude-modulated screen; Ulichney 1987, "Digital Halftoning", chapter 5.
    """
    period = px * between(rng, 2.2, 7.0)
    hardness = np.float32(rng.uniform(1.2, 4))
    share = np.float32(0.25 + 0.75 * strength * rng.uniform(0.4, 1))
    turn = rng.uniform(-5, 5)
    if rng.random() < 0.75:
        grey = luma_of(picture)
        # The grey becomes dots, and the picture's own colour, if it has any, is kept.
        dots = print_dots(grey, period, 45 + turn, hardness)
        printed = picture + (dots - grey) * share
    else:
        channels = [
            print_dots(picture[channel], period, angle + turn, hardness) for channel, angle in enumerate((15, 75, 0))
        ]
        printed = picture + (np.stack(channels) - picture) * share
    return blurred_picture(printed, period * rng.uniform(0.08, 0.2))


def print_dots(grey: Plane, period_px: float, angle_deg: float, hardness: np.float32) -> Plane:
    """Return a plane printed as dots of one screen."""
    turn, wave = np.deg2rad(angle_deg), 2 * np.pi / period_px
    y, x = np.arange(grey.shape[0]) * wave, np.arange(grey.shape[1]) * wave
    # cos(ax + by) as products of one-dimensional waves: no cosine a pixel.
    first = _wave(y * np.sin(turn), x * np.cos(turn))
    second = _wave(y * np.cos(turn), -x * np.sin(turn))
    threshold = np.float32(0.5) + np.float32(0.235) * (first + second)
    return np.asarray(np.clip(np.float32(0.5) + (grey - threshold) * hardness, 0, 1), dtype=np.float32)


def _wave(rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64]) -> Plane:
    crests = np.outer(np.cos(rows), np.cos(columns)) - np.outer(np.sin(rows), np.sin(columns))
    return np.asarray(crests, dtype=np.float32)


def jpeg(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """JPEG compression, quality 92 down to 22; every third time twice, the second grid shifted against the first."""
    quality = int(92 - 70 * strength * rng.random())
    if rng.random() < 1 / 3:
        down, right = (int(shift) for shift in rng.integers(0, 8, 2))
        shifted = through_jpeg(np.roll(picture, (down, right), (1, 2)), quality)
        picture = np.roll(shifted, (-down, -right), (1, 2))
        quality = int(rng.integers(50, 93))
    return through_jpeg(picture, quality)


def through_jpeg(picture: Picture, quality: int) -> Picture:
    """Return a picture as JPEG keeps it."""
    return picture_of(reopened(image_of(picture), quality))


def reopened(image: Image.Image, quality: int) -> Image.Image:
    """Return an image after saving it as JPEG and opening it again."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def blur(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """A soft lens, a missed focus or a poor enlargement: a Gaussian of up to 1.6 px, or down and up again in size."""
    if rng.random() < 0.7:
        return blurred_picture(picture, px * (0.3 + 1.3 * strength * rng.random()))
    factor = px * (1.15 + 1.1 * strength * rng.random())
    height, width = picture.shape[1:]
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    back = Image.Resampling.BICUBIC if rng.random() < 0.6 else Image.Resampling.BILINEAR
    return picture_of(image_of(picture).resize(small, Image.Resampling.BILINEAR).resize((width, height), back))


def scanner_blur(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """A scanner out of focus, or a photographed print: marks as soft as the picture under them."""
    return blurred_picture(picture, px * rng.uniform(0.3, 0.4 + 0.9 * strength))
