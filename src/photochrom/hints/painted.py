"""A picture of hints: transparent, but where somebody painted the colour of what lies below.

It becomes one hint, small enough to be kept in a file of text beside the others: the net sees no more of it anyway.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import lab_from_srgb
from photochrom.errors import OptionError
from photochrom.files.photo import Photo
from photochrom.luma import strips

KEPT_PX = 256
"""Long side of a painted hint as it is kept."""
LARGEST_PAINTED = 1_000_000
"""Letters of a painted hint: a PNG of the largest size that is kept, in base64."""
OPAQUE = 0.5
LARGEST_ASPECT_ERROR = 0.02


class NoPaintingError(ValueError):
    """A text is no painted hint; it says why, and what to do."""


def painted_from_picture(painted: Photo, width: int, height: int, where: str) -> str:
    """Return what a picture of hints paints on a photograph of this size, as a hint keeps it: a small PNG in base64.

    Raises:
        OptionError: it has no transparency, nothing painted on it, or another aspect than the photograph.
    """
    if abs(painted.width * height / (painted.height * width) - 1) > max(LARGEST_ASPECT_ERROR, 1 / min(width, height)):
        raise OptionError(
            f"the picture of hints is {painted.width} x {painted.height}, of another aspect than the photograph's "
            f"{width} x {height}",
            where=where,
            next_step="Paint on a copy of the whole photograph, upright",
        )
    if painted.alpha is None or painted.alpha.min() > painted.max_code * OPAQUE:
        raise OptionError(
            "nothing in the picture of hints is transparent",
            where=where,
            next_step="Paint on a transparent layer, and save that layer alone as PNG",
        )
    opaque = painted.alpha > painted.max_code * OPAQUE
    if not opaque.any():
        raise OptionError("the picture of hints is empty", where=where, next_step="Paint on it with opaque colour")
    codes = np.broadcast_to(painted.pixels, (*painted.pixels.shape[:2], 3))
    scale = min(1.0, KEPT_PX / max(width, height))
    small = _reduced(codes, opaque, max(1, round(width * scale)), max(1, round(height * scale)), painted.max_code)
    buffer = io.BytesIO()
    Image.fromarray(small, "RGBA").save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def painted_pixels(painted: str) -> npt.NDArray[np.uint8]:
    """Return the pixels of a painted hint: (H, W, 4) RGBA, something in them opaque.

    Raises:
        NoPaintingError: it is no picture, a large one, or an empty one.
    """
    try:
        data = base64.b64decode(painted, validate=True)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if max(image.size) > 4 * KEPT_PX:
                raise ValueError("too large")
            rgba = np.asarray(image.convert("RGBA"))
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise NoPaintingError("painted is no PNG in base64, or a large one. Give the picture itself") from None
    if not (rgba[..., 3] > OPAQUE * 255).any():
        raise NoPaintingError("the picture of hints is empty. Paint on it with opaque colour")
    return rgba


def painted_ab(painted: str, width: int, height: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return the colours (2, height, width) of a painted hint on a grid, and which cells it covers.

    Raises:
        NoPaintingError: as ``painted_pixels``; never of a checked hint.
    """
    rgba = painted_pixels(painted)
    small = _reduced(rgba[..., :3], rgba[..., 3] > OPAQUE * 255, width, height, 255)
    ab = lab_from_srgb(small[..., :3].astype(np.float32) / 255)[..., 1:]
    return np.moveaxis(ab, -1, 0).astype(np.float32), small[..., 3] > 0


def _reduced(
    codes: npt.NDArray[Any], opaque: npt.NDArray[np.bool_], width: int, height: int, max_code: int
) -> npt.NDArray[np.uint8]:
    """Return RGBA at another size: each cell the mean of what is opaque in it, and opaque if anything is.

    Shapes: (H, W, 3) 0..max_code, (H, W) -> (height, width, 4). Where a side grows, it is first repeated.
    Memory: strip by strip, so that a layer of a large scan costs no more than its pixels.
    """
    if height > codes.shape[0] or width > codes.shape[1]:
        sides = zip(codes.shape[:2], (height, width), strict=True)
        rows, columns = (_cells(max(wanted, has), has) for has, wanted in sides)
        codes, opaque = codes[rows][:, columns], opaque[rows][:, columns]
    row_of, column_of = _cells(codes.shape[0], height), _cells(codes.shape[1], width)
    counts, sums = np.zeros(width * height), np.zeros((3, width * height))
    for top, bottom in strips(codes.shape[1], codes.shape[0]):
        rows, columns = np.nonzero(opaque[top:bottom])
        cells = row_of[top + rows] * width + column_of[columns]
        counts += np.bincount(cells, minlength=width * height)
        here = codes[top + rows, columns]
        sums += [np.bincount(cells, here[:, band], width * height) for band in range(3)]
    planes = np.rint(sums / np.maximum(counts, 1) * (255 / max_code))
    return np.stack([*planes, (counts > 0) * 255], axis=-1).reshape(height, width, 4).astype(np.uint8)


def _cells(has: int, wanted: int) -> npt.NDArray[np.intp]:
    """Return, for each of ``has`` places, which of ``wanted`` it falls into."""
    return np.arange(has) * wanted // has
