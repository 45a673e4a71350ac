"""From samples to the bytes of a file. Metadata blocks are put in by :mod:`photochrom.codecs.embedding`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from photochrom.codecs.libvips import image_from, with_block

if TYPE_CHECKING:
    from photochrom.metadata import Metadata

SUFFIX_FORMATS = {
    ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".jfif": "jpeg", ".png": "png", ".tif": "tiff", ".tiff": "tiff",
    ".webp": "webp", ".avif": "avif", ".bmp": "bmp", ".dib": "bmp",
}  # fmt: skip
WRITABLE_FORMATS = ("jpeg", "png", "tiff", "webp", "avif", "bmp")
DEEP_FORMATS = ("png", "tiff")
"""Formats that keep 16 bits per channel."""
ALPHA_FORMATS = ("png", "tiff", "webp", "avif")
"""Formats that keep an alpha channel."""
LARGEST_SIDE = {"jpeg": 65535, "webp": 16383, "avif": 65535, "bmp": 2**31 - 1, "png": 2**31 - 1, "tiff": 2**32 - 1}

Samples = npt.NDArray[Any]


def encode_samples(samples: Samples, format: str, quality: int, metadata: Metadata) -> bytes:  # noqa: A002
    """Return a file.

    Args:
        samples: (H, W, 1 to 4) uint8, or uint16 for :data:`DEEP_FORMATS`; the last of 2 or 4 channels is alpha.
        format: one of :data:`WRITABLE_FORMATS`.
        quality: 1 to 100, for the lossy formats.
        metadata: all its blocks are embedded as they are, where the format has a place.
    """
    if format in ("png", "tiff"):
        return _encode_with_vips(samples, format, metadata)
    return _encode_with_pillow(samples, format, quality, metadata)


def _encode_with_vips(samples: Samples, format: str, metadata: Metadata) -> bytes:  # noqa: A002
    image = image_from(samples)
    dpi = metadata.dpi or (25.4, 25.4)
    image = image.copy(xres=dpi[0] / 25.4, yres=dpi[1] / 25.4)
    blocks = {"icc-profile-data": metadata.icc, "xmp-data": metadata.xmp, "iptc-data": metadata.iptc}
    if format == "png":
        blocks |= {"exif-data": b"Exif\x00\x00" + metadata.exif if metadata.exif else None, "iptc-data": None}
    for name, block in blocks.items():
        if block:
            image = with_block(image, name, block)
    if format == "png":
        return bytes(image.pngsave_buffer(compression=6))
    return bytes(image.tiffsave_buffer(compression="deflate", predictor="horizontal", resunit="inch"))


def _encode_with_pillow(samples: Samples, format: str, quality: int, metadata: Metadata) -> bytes:  # noqa: A002
    from PIL import Image

    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
    picture = Image.fromarray(samples[..., 0] if mode == "L" else samples, mode)
    options: dict[str, Any] = {"quality": quality, "exif": b"Exif\x00\x00" + metadata.exif if metadata.exif else b""}
    options |= {"icc_profile": metadata.icc, "xmp": metadata.xmp or b""}
    if format == "jpeg":
        options |= {"subsampling": 0, "optimize": True, "dpi": metadata.dpi}
    elif format == "webp":
        options |= {"method": 4}
    elif format == "bmp":
        options = {"dpi": metadata.dpi}
    buffer = io.BytesIO()
    picture.save(buffer, format.upper(), **{key: value for key, value in options.items() if value is not None})
    return buffer.getvalue()
