"""A caption: a line of text in the picture itself, for those who want it to be seen that colours were added."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photochrom.computer.room import strip_by_strip
from photochrom.files.codecs.samples import Pixels

# Of the picture's shorter side; small enough not to spoil it, large enough to be read.
TEXT_HEIGHT = 0.022
SMALLEST_TEXT_PX = 7
PLATE_OPACITY = 0.45


def with_caption(pixels: Pixels, text: str) -> Pixels:
    """Return the picture with a text in its lower left corner, white on a darkened plate.

    Shapes: (H, W, 1 or 3) -> the same, dtype kept. Only the plate changes; there the luma is not kept.
    A text too long for the picture is set smaller, and cut where that is not enough.
    """
    height, width = pixels.shape[:2]
    letters = _letters(text, min(height, width) * TEXT_HEIGHT, width)[:height, :width]
    rows, columns = letters.shape
    white = np.float32(np.iinfo(pixels.dtype).max)
    opacity = letters.astype(np.float32)[..., None] / 255
    below = pixels[height - rows :, :columns].astype(np.float32) * (1 - PLATE_OPACITY)
    marked = strip_by_strip(np.copy, pixels)
    marked[height - rows :, :columns] = np.rint(below * (1 - opacity) + white * opacity).astype(pixels.dtype)
    return marked


def _letters(text: str, wanted_px: float, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return the text's opacity (h, w), 0..255, with room around it."""
    size = max(SMALLEST_TEXT_PX, round(wanted_px))
    while True:
        font = ImageFont.load_default(size)
        left, top, right, bottom = font.getbbox(text)
        room = max(2, size // 2)
        if right - left + 2 * room <= width or size <= SMALLEST_TEXT_PX:
            break
        size -= 1
    plate = Image.new("L", (round(right - left) + 2 * room, round(bottom - top) + 2 * room))
    ImageDraw.Draw(plate).text((room - left, room - top), text, fill=255, font=font)
    return np.asarray(plate)
