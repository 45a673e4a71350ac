"""A small set of real colour photographs, cut from scikit-image's samples, and a model that needs no file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from photochrom import color, metrics


def samples() -> dict[str, np.ndarray]:
    """Return five small photographs with different colours."""
    astronaut, coffee, cat = skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()
    return {
        "astronaut.png": astronaut[40:120, 180:276],
        "suit.png": astronaut[200:280, 100:180],
        "coffee.png": coffee[100:190, 200:280],
        "spoon.png": coffee[250:330, 300:390],
        "sub/cat.png": cat[80:160, 120:220],
    }


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    """Return a folder with five colour photographs, one of them in a subfolder."""
    return write_pictures(tmp_path / "photos", samples())


def write_pictures(folder: Path, pictures: dict[str, np.ndarray]) -> Path:
    """Write pictures under their names and return the folder."""
    for name, rgb in pictures.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(path)
    return folder


@pytest.fixture
def brownish() -> Callable[[np.ndarray], np.ndarray]:
    """Return a colouriser that makes everything the same brown, keeping luma."""
    return tint


def tint(grey: np.ndarray) -> np.ndarray:
    """Return the grey with one brown over it."""
    luma = metrics.luma_codes(grey) / 255
    rgb = color.merge_luma_chroma(luma, np.broadcast_to([-0.06, 0.05], (*luma.shape, 2)))
    return color.quantize_keeping_luma(rgb, luma, 255).astype(np.uint8)


class MeanColors:
    """A classifier that needs no network: features are the means of nine tiles, the class is the redness."""

    @property
    def facts(self) -> dict[str, str]:
        """Return what the report says of it."""
        return {"backbone": "mean colours of nine tiles"}

    def __call__(self, pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, 27) features and (N,) classes 0 or 1."""
        tiles = [np.asarray(Image.fromarray(p).resize((3, 3), Image.Resampling.BOX), np.float32) for p in pictures]
        features = np.stack([tile.ravel() for tile in tiles]) / 255
        reddish = np.array([int(tile[..., 0].mean() > 1.05 * tile[..., 2].mean()) for tile in tiles])
        return features, reddish
