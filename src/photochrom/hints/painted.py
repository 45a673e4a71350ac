"""A picture of hints: transparent, but where somebody painted the colour of what lies below.

It becomes one hint, small enough to be kept in a file of text beside the others: the net sees no more of it anyway.
"""

from __future__ import annotations

import base64
import binascii
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import lab_from_srgb
from photochrom.errors import OptionError
from photochrom.files.photo import Photo
from photochrom.hints.hint import LARGEST_PAINTED, Hint

KEPT_PX = 256
"""Long side of a painted hint as it is kept."""
OPAQUE = 0.5
LARGEST_ASPECT_ERROR = 0.02


def hint_from_picture(painted: Photo, width: int, height: int, where: str) -> Hint:
    """Return the hint that a picture makes for a photograph of this size.

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
    samples = painted.pixels.astype(np.float64) * (255 / painted.max_code)
    codes = np.broadcast_to(samples, (*samples.shape[:2], 3))
    scale = min(1.0, KEPT_PX / max(width, height))
    small = _reduced(codes, opaque, max(1, round(width * scale)), max(1, round(height * scale)))
    buffer = io.BytesIO()
    Image.fromarray(small, "RGBA").save(buffer, "PNG", optimize=True)
    return Hint.checked(painted=base64.b64encode(buffer.getvalue()).decode("ascii"))


def painted_ab(painted: str, width: int, height: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return the colours (2, height, width) of a painted hint on a grid, and which cells it covers.

    Raises:
        OptionError: it is no picture.
    """
    try:
        data = base64.b64decode(painted, validate=True)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if max(image.size) > 4 * KEPT_PX or len(painted) > LARGEST_PAINTED:
                raise ValueError("too large")
            rgba = np.asarray(image.convert("RGBA"))
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise OptionError("is no PNG in base64", where="hint, painted", next_step="Give the picture itself") from None
    small = _reduced(rgba[..., :3].astype(np.float64), rgba[..., 3] > 127, width, height)
    ab = lab_from_srgb(small[..., :3].astype(np.float32) / 255)[..., 1:]
    return np.moveaxis(ab, -1, 0).astype(np.float32), small[..., 3] > 0


def _reduced(
    codes: npt.NDArray[np.float64], opaque: npt.NDArray[np.bool_], width: int, height: int
) -> npt.NDArray[np.uint8]:
    """Return RGBA at another size: each cell the mean of what is opaque in it, and opaque if anything is.

    Shapes: (H, W, 3) 0..255, (H, W) -> (height, width, 4). Where a side grows, both are first repeated.
    """
    if height > codes.shape[0] or width > codes.shape[1]:
        rows, columns = (_cells(wanted, has) for has, wanted in zip(codes.shape[:2], (height, width), strict=True))
        return np.dstack([np.rint(codes[rows][:, columns]), opaque[rows][:, columns] * 255.0]).astype(np.uint8)
    rows, columns = np.nonzero(opaque)
    cells = _cells(codes.shape[0], height)[rows] * width + _cells(codes.shape[1], width)[columns]
    counts = np.bincount(cells, minlength=width * height)
    sums = [np.bincount(cells, codes[rows, columns, band], width * height) for band in range(3)]
    planes = [np.rint(total / np.maximum(counts, 1)) for total in sums]
    return np.stack([*planes, (counts > 0) * 255], axis=-1).reshape(height, width, 4).astype(np.uint8)


def _cells(has: int, wanted: int) -> npt.NDArray[np.intp]:
    """Return, for each of ``has`` places, which of ``wanted`` it falls into."""
    return np.arange(has) * wanted // has
