"""Photographs for the benchmarks: an evenly spread choice of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SHORT_PX = 256
PHOTO_TYPES = {".webp", ".jpg", ".jpeg", ".png"}


def photographs(folder: Path, count: int, size: tuple[int, int] | None = None) -> list[npt.NDArray[np.uint8]]:
    """Return ``count`` photographs, or all where there are fewer, (H, W, 3) sRGB codes each.

    They are resized to (width, height) if a size is given.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_TYPES)
    if not paths:
        raise SystemExit(f"{folder}: no photographs there ({', '.join(sorted(PHOTO_TYPES))})")
    count = min(count, len(paths))
    chosen = [Image.open(paths[k * len(paths) // count]).convert("RGB") for k in range(count)]
    return [np.asarray(photo if size is None else photo.resize(size)) for photo in chosen]


def small(rgb: np.ndarray) -> np.ndarray:
    """Return the photograph with a short side of SHORT_PX, at most."""
    image = Image.fromarray(rgb)
    scale = min(1.0, SHORT_PX / min(image.size))
    return np.asarray(image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS))
