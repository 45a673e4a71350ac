"""Pictures made here, with something in them to recognise."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

RNG = np.random.default_rng(3)


def photograph(height: int, width: int, low: float = 0.0, high: float = 255.0) -> np.ndarray:
    """(height, width) uint8 with something to recognise: a sky, hills, and things with edges."""
    rows, columns = np.mgrid[:height, :width] / min(height, width)
    hills = 0.55 + 0.1 * np.sin(9 * columns) + 0.05 * np.cos(23 * columns)
    tones = np.where(rows < hills, 0.85 - 0.3 * rows, 0.35 + 0.15 * np.sin(40 * rows * columns))
    disc = np.hypot(rows - 0.3, columns - 0.5) < 0.15
    tones = np.where(disc, 0.6 + rows / 3, tones) + RNG.normal(0, 0.02, (height, width))
    return np.clip(low + (high - low) * tones, 0, 255).astype(np.uint8)


def as_png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
