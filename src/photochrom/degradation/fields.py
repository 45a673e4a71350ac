"""Random planes that damage is made of: slopes, clouds, the distance to the centre; and how a plane meets a picture.

A picture here is (3, H, W) float32, sRGB-encoded 0..1; a plane is (H, W) float32. Channels come first because numpy
works through whole planes several times faster than through triples. Everything draws from the generator it is given,
so a seed fixes it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from photochrom.color import LUMA_WEIGHTS

Picture = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]
# Height and width: what `plane.shape` or `picture.shape[1:]` gives.
Size = tuple[int, ...]


def slope(shape: Size, rng: np.random.Generator) -> Plane:
    """Return a plane that rises from 0 to 1 across the picture in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    plane = x * np.cos(angle) + y * np.sin(angle)
    return np.asarray((plane - plane.min()) / max(float(np.ptp(plane)), 1e-6), dtype=np.float32)


def corner_distance(shape: Size) -> Plane:
    """Return the squared distance to the centre, 0 there and 1 in the corners."""
    y, x = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return np.asarray(np.clip((y**2 + x**2) / 2, 0, 1), dtype=np.float32)


def cloud(shape: Size, rng: np.random.Generator, cell_px: float) -> Plane:
    """Return smooth random hills between 0 and 1, about ``cell_px`` from one to the next (value noise).

    Source: Perlin 1985, "An Image Synthesizer" (noise from a lattice of random values, smoothly interpolated).
    """
    rows, columns = (max(2, min(side, round(side / cell_px) + 1)) for side in shape)
    return np.clip(enlarge(rng.random((rows, columns), dtype=np.float32), shape), 0, 1)


def enlarge(plane: Plane, shape: Size) -> Plane:
    """Return a coarse plane resampled bicubically to (H, W)."""
    resized = Image.fromarray(plane).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.float32)


def noise(shape: Size, rng: np.random.Generator, cell_px: float = 1.0) -> Plane:
    """Return normal noise of unit variance whose specks are about ``cell_px`` wide (1: every pixel its own)."""
    if cell_px <= 1.05:
        return rng.standard_normal(shape, dtype=np.float32)
    rows, columns = (max(1, round(side / cell_px)) for side in shape)
    coarse = enlarge(rng.standard_normal((rows, columns), dtype=np.float32), shape)
    return coarse / np.float32(max(float(coarse.std()), 1e-6))


def blurred(plane: Plane, sigma_px: float) -> Plane:
    """Return a plane of 0..1 after a Gaussian blur, in steps of 1/255."""
    return np.asarray(_soft(codes(plane), sigma_px), dtype=np.float32) * np.float32(1 / 255)


def blurred_picture(picture: Picture, sigma_px: float) -> Picture:
    """Return a picture after a Gaussian blur, in steps of 1/255."""
    soft = np.stack([np.asarray(_soft(plane, sigma_px)) for plane in codes(picture)])
    return soft * np.float32(1 / 255)


def _soft(plane: npt.NDArray[np.uint8], sigma_px: float) -> Image.Image:
    return Image.fromarray(plane).filter(ImageFilter.GaussianBlur(sigma_px))


def smooth_step(value: Plane, low: float, high: float) -> Plane:
    """Return 0 below ``low``, 1 above ``high``, and a smooth rise between."""
    t = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def lay(picture: Picture, cover: Plane, tint: npt.ArrayLike) -> Picture:
    """Return the picture with a colour (3,) or another picture laid over it, as opaque as ``cover`` says (0..1)."""
    layer = np.asarray(tint, dtype=np.float32)
    mixed = (layer.reshape(3, 1, 1) if layer.ndim == 1 else layer) - picture
    mixed *= cover
    mixed += picture
    return mixed


def codes(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return 0..1 as 8-bit codes, clipped and rounded."""
    return np.asarray(np.clip(picture * np.float32(255) + np.float32(0.5), 0, 255), dtype=np.uint8)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number drawn evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def image_of(picture: Picture) -> Image.Image:
    """Return a picture as 8-bit RGB for Pillow."""
    return Image.merge("RGB", [Image.fromarray(plane) for plane in codes(picture)])


def picture_of(image: Image.Image) -> Picture:
    """Return an RGB image of Pillow's as a picture."""
    return np.stack([np.asarray(plane) for plane in image.split()]) * np.float32(1 / 255)


def luma_of(picture: Picture) -> Plane:
    """Return BT.601 luma, (H, W), gamma-encoded."""
    return np.asarray(np.tensordot(LUMA_WEIGHTS, picture, 1), dtype=np.float32)


def per_channel(values: npt.ArrayLike) -> Picture:
    """Return three numbers as (3, 1, 1), to meet a picture channel by channel."""
    return np.asarray(values, dtype=np.float32).reshape(3, 1, 1)
