"""Files of every readable format, made here by libraries other than the ones that read them wherever there is one."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photochrom.files.codecs.libvips import libvips

pyvips = libvips()  # kept quiet, as everywhere
DATA = Path(__file__).parent / "data"


def textured(height: int = 48, width: int = 64, channels: int = 3, dtype: type = np.uint8) -> np.ndarray:
    """A smooth picture with an unmistakable top, left and channel order."""
    rows, columns = np.mgrid[:height, :width]
    planes = [columns / width, rows / height, (rows + columns) / (height + width)]
    gray = 0.6 * planes[0] + 0.4 * planes[1]
    picture = np.stack(planes[:channels] if channels >= 3 else [gray], -1)
    return np.rint(picture * np.iinfo(dtype).max).astype(dtype)


def pillow_bytes(pixels: np.ndarray, format: str, **options: Any) -> bytes:
    """A file written by Pillow."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def tiff_bytes(pixels: np.ndarray, **options: Any) -> bytes:
    """A TIFF of any layout, written by libvips."""
    image = pyvips.Image.new_from_array(pixels)
    if pixels.shape[2] == 4 and options.pop("cmyk", False):
        image = image.copy(interpretation="cmyk")
    return bytes(image.tiffsave_buffer(**options))


def pillow_tiff_pages(pages: list[np.ndarray]) -> bytes:
    """A multi-page TIFF, written by Pillow."""
    buffer = io.BytesIO()
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(buffer, "TIFF", save_all=True, append_images=rest, compression="tiff_lzw")
    return buffer.getvalue()


def dng_bytes(width: int = 96, height: int = 64) -> bytes:
    """The smallest camera raw file: 16-bit RGGB, brighter towards the right (DNG 1.4)."""
    samples = (np.mgrid[:height, :width][1] * 600).astype("<u2").tobytes()
    matrix = [(10000, 10000), (0, 1), (0, 1), (0, 1), (10000, 10000), (0, 1), (0, 1), (0, 1), (10000, 10000)]
    tags: list[tuple[int, int, Any]] = [
        (254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1]), (262, 3, [32803]),
        (271, 2, b"photochrom\0"), (272, 2, b"test\0"), (273, 4, None), (274, 3, [1]), (277, 3, [1]),
        (278, 4, [height]), (279, 4, [len(samples)]), (33421, 3, [2, 2]), (33422, 1, [0, 1, 1, 2]),
        (50706, 1, [1, 4, 0, 0]), (50708, 2, b"photochrom test\0"), (50717, 4, [65535]), (50721, 10, matrix),
        (50728, 5, [(1, 1)] * 3), (50778, 3, [21]),
    ]  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    packed = []
    for tag, kind, values in tags:
        if kind == 2:
            data, count = values, len(values)
        elif kind in (5, 10):
            data, count = b"".join(struct.pack("<ll", *pair) for pair in values), len(values)
        else:
            numbers = values or [0]
            data, count = struct.pack(f"<{len(numbers)}{ {1: 'B', 3: 'H', 4: 'L'}[kind] }", *numbers), len(numbers)
        packed.append((tag, kind, count, data))
    end = start + sum(len(data) + len(data) % 2 for *_, data in packed if len(data) > 4)
    entries, stored = b"", b""
    for tag, kind, count, written in packed:
        data = struct.pack("<L", end) if tag == 273 else written
        head = struct.pack("<HHL", tag, kind, count)
        if len(data) <= 4:
            entries += head + data.ljust(4, b"\0")
        else:
            entries += head + struct.pack("<L", start + len(stored))
            stored += data + bytes(len(data) % 2)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + stored + samples


def one_of_each() -> dict[str, bytes]:
    """A small valid file of each format and of its common variants, by name."""
    rgb, gray = textured(), textured(channels=1)
    deep = textured(dtype=np.uint16)
    rgba = np.dstack([rgb, rgb[..., 0]])
    return {
        "jpeg": pillow_bytes(rgb, "JPEG", quality=95, subsampling=0),
        "progressive.jpeg": pillow_bytes(rgb, "JPEG", progressive=True),
        "gray.jpeg": pillow_bytes(gray, "JPEG"),
        "png": pillow_bytes(rgb, "PNG"),
        "alpha.png": pillow_bytes(rgba, "PNG"),
        "deep.png": bytes(pyvips.Image.new_from_array(deep).pngsave_buffer(bitdepth=16)),
        "tiff": tiff_bytes(rgb),
        "lzw.tiff": tiff_bytes(rgb, compression="lzw"),
        "deep.tiff": tiff_bytes(deep, compression="deflate", predictor="horizontal"),
        "tiled.tiff": tiff_bytes(rgb, tile=True, tile_width=16, tile_height=16),
        "pages.tiff": pillow_tiff_pages([rgb, rgb[::-1].copy()]),
        "webp": pillow_bytes(rgb, "WEBP", lossless=True),
        "avif": pillow_bytes(rgb, "AVIF", quality=95),
        "gif": pillow_bytes(gray, "GIF"),
        "bmp": pillow_bytes(rgb, "BMP"),
        "jp2": pillow_bytes(rgb, "JPEG2000"),
        "heic": (DATA / "turned.heic").read_bytes(),
    }
