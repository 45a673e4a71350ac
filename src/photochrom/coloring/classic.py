"""DeOldify's own way of colouring a picture, step by step, for comparison with the original program.

    stretch to a square -> grey -> generator -> 8 bit, truncated -> stretch back -> Y of the photo with U, V of it

What our own pipeline does better is left out on purpose: aspect ratio, exact luma, 16 bit and transparency are lost.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.engines.base import Engine, FloatArray
from photochrom.engines.generator_spec import PX_PER_FACTOR
from photochrom.errors import OptionError

Bytes = npt.NDArray[np.uint8]
TRANSPARENCY_LOST = ("classic: transparency left out",)

# OpenCV's 8-bit RGB <-> YUV works in fixed point of 14 bits; these are its coefficients rounded to that.
SHIFT = 14
HALF = 1 << (SHIFT - 1)
OFFSET = 128
Y_FROM_RGB = (4899, 9617, 1868)
U_FROM_BLUE, V_FROM_RED = 8061, 14369
RED_FROM_V, GREEN_FROM_V, GREEN_FROM_U, BLUE_FROM_U = 18678, -9519, -6472, 33292


def colorize_classic(
    pixels: npt.NDArray[Any], engine: Engine, render_factor: int, *, post_process: bool = True
) -> tuple[Bytes, tuple[str, ...]]:
    """Return the picture as DeOldify would have coloured it, and notes on what was lost.

    Shapes: (H, W, 1 or 3) -> (H, W, 3). Range: 8 or 16 bit sRGB -> 8 bit sRGB.
    ``post_process`` takes the photograph's own luma; without it the generator's picture comes out as it is.

    Raises:
        OptionError: the model is not a generator of whole pictures.
    """
    paint = getattr(engine, "paint", None)
    if paint is None:
        raise OptionError(
            f"{engine.spec.name} is not one of DeOldify's models", where="classic", next_step="Leave --classic out."
        )
    notes = ("classic: cut to 8 bit",) if pixels.dtype != np.uint8 else ()
    rgb = eight_bit_rgb(pixels)
    painted = _painted(rgb, cast("Any", engine), PX_PER_FACTOR * render_factor)
    return (merge_yuv(rgb, painted) if post_process else painted), notes


def eight_bit_rgb(pixels: npt.NDArray[Any]) -> Bytes:
    """Return a picture as DeOldify sees it. Shapes: (H, W, 1 or 3), 8 or 16 bit -> (H, W, 3), 8 bit."""
    codes = pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257.0)
    return np.ascontiguousarray(np.broadcast_to(codes, (*codes.shape[:2], 3)), dtype=np.uint8)


def _painted(rgb: Bytes, engine: Any, side: int) -> Bytes:
    square = Image.fromarray(rgb).resize((side, side), Image.Resampling.BILINEAR)
    grey = _grey(square, engine.generator.grey_weights)
    painted: FloatArray = engine.paint(grey.astype(np.float32) / np.float32(255))
    codes = Image.fromarray((painted * np.float32(255)).astype(np.uint8))  # truncated, as the original does
    return np.asarray(codes.resize((rgb.shape[1], rgb.shape[0]), Image.Resampling.BILINEAR))


def _grey(square: Image.Image, weights: tuple[float, float, float]) -> Bytes:
    """Return three equal channels of luma; red and blue exchanged first if that is what the network learnt."""
    if weights[0] < weights[2]:
        red, green, blue = square.split()
        square = Image.merge("RGB", (blue, green, red))
    return np.repeat(np.asarray(square.convert("L"))[..., None], 3, axis=-1)


def merge_yuv(luma_from: Bytes, chroma_from: Bytes) -> Bytes:
    """Return Y of one picture and U, V of another, with the rounding of OpenCV's COLOR_RGB2YUV and COLOR_YUV2RGB.

    Shapes: (H, W, 3) twice -> (H, W, 3).
    """
    y = _luma(luma_from)
    other = chroma_from.astype(np.int32)
    of_other = _luma(chroma_from)
    u = _clipped(((other[..., 2] - of_other) * U_FROM_BLUE + (OFFSET << SHIFT) + HALF) >> SHIFT) - OFFSET
    v = _clipped(((other[..., 0] - of_other) * V_FROM_RED + (OFFSET << SHIFT) + HALF) >> SHIFT) - OFFSET
    red = y + ((v * RED_FROM_V + HALF) >> SHIFT)
    green = y + ((v * GREEN_FROM_V + u * GREEN_FROM_U + HALF) >> SHIFT)
    blue = y + ((u * BLUE_FROM_U + HALF) >> SHIFT)
    return _clipped(np.stack([red, green, blue], axis=-1)).astype(np.uint8)


def _luma(rgb: Bytes) -> npt.NDArray[np.int32]:
    red, green, blue = (rgb[..., channel].astype(np.int32) * weight for channel, weight in enumerate(Y_FROM_RGB))
    return np.asarray((red + green + blue + HALF) >> SHIFT)


def _clipped(values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return np.clip(values, 0, 255)
