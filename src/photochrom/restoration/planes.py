"""Integer pixels to the planes that nets take, and back; and copies of a picture at a fraction of its size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from photochrom.computer.room import let_go
from photochrom.engines.base import FloatArray
from photochrom.luma import Codes, strips
from photochrom.resample import block_mean
from photochrom.restoration.tiling import Tile


def rgb_planes(codes: Codes) -> FloatArray:
    """Return (h, w, 1 or 3) code values as (3, h, w) float32 in 0..1; grey becomes three equal planes."""
    values = np.moveaxis(codes, -1, 0).astype(np.float32) / np.float32(np.iinfo(codes.dtype).max)
    return np.broadcast_to(values, (3, *values.shape[1:])) if len(values) == 1 else values


def codes_from_planes(planes: FloatArray, like: Codes) -> Codes:
    """Return (3, h, w) in 0..1 as code values with the dtype and channels of ``like``; grey is the planes' mean."""
    if like.shape[-1] == 1:
        planes = planes.mean(axis=0, keepdims=True)
    scaled = np.rint(np.clip(planes, 0, 1) * np.float32(np.iinfo(like.dtype).max))
    codes: Codes = np.moveaxis(scaled, 0, -1).astype(like.dtype)
    return codes


def padded(planes: FloatArray, multiple: int) -> FloatArray:
    """Return (c, h, w) as a batch of one, continued by its mirror image until both sides are multiples."""
    _, height, width = planes.shape
    border = ((0, 0), (0, -height % multiple), (0, -width % multiple))
    return np.ascontiguousarray(np.pad(planes, border, mode="reflect")[None], dtype=np.float32)


def tile_planes(pixels: Codes, tile: Tile, multiple: int) -> FloatArray:
    """Return a tile of a picture as a net takes it: (1, 3, h', w'), sides multiples of ``multiple``."""
    return padded(rgb_planes(pixels[tile.window]), multiple)


def reduced(pixels: Codes, factor: int) -> Codes:
    """Return the means over blocks of ``factor`` squared; those at the right and lower border may be smaller.

    Shapes: (H, W, C) -> (ceil(H / factor), ceil(W / factor), C), dtype kept. Memory: a strip at a time.
    """
    if factor == 1:
        return pixels
    height, width = pixels.shape[:2]
    parts = []
    for top, bottom in strips(width, height, step=factor):
        planes = np.moveaxis(pixels[top:bottom], -1, 0).astype(np.float32)
        means = np.stack([block_mean(plane, factor) for plane in planes], axis=-1)
        parts.append(np.rint(means).astype(pixels.dtype))
        let_go(pixels)
    return np.concatenate(parts)


def enlarged_rows(small: Codes, factor: int, top: int, bottom: int, width: int) -> FloatArray:
    """Return rows ``top`` to ``bottom`` of a picture enlarged by a whole factor, bilinearly, as planes of code values.

    Shapes: (h, w, C) -> (C, bottom - top, width); ``width`` may be less than ``w * factor``. Rows come out the same
    however a picture is cut into strips.
    """
    first, last = max(0, top // factor - 1), min(len(small), -(-bottom // factor) + 1)
    box = (0.0, top / factor - first, width / factor, bottom / factor - first)
    size = (width, bottom - top)
    planes = np.moveaxis(small[first:last], -1, 0).astype(np.float32)
    rows = [Image.fromarray(np.ascontiguousarray(p)).resize(size, Image.Resampling.BILINEAR, box=box) for p in planes]
    return np.stack([np.asarray(row, np.float32) for row in rows])
