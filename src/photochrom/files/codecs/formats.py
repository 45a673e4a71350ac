"""The file formats: their names and suffixes, and what each can hold."""

from __future__ import annotations

from photochrom.files.codecs.signatures import RAW_SUFFIXES

SUFFIX_FORMATS = {
    ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".jfif": "jpeg", ".png": "png", ".tif": "tiff", ".tiff": "tiff",
    ".webp": "webp", ".avif": "avif", ".bmp": "bmp", ".dib": "bmp",
}  # fmt: skip
WRITABLE_FORMATS = ("jpeg", "png", "tiff", "webp", "avif", "bmp")
DEEP_FORMATS = ("png", "tiff")
"""Formats that keep 16 bits per channel."""
ALPHA_FORMATS = ("png", "tiff", "webp", "avif")
"""Formats that keep an alpha channel."""
LARGEST_SIDE = {"jpeg": 65500, "webp": 16383, "avif": 65535, "bmp": 2**31 - 1, "png": 2**31 - 1, "tiff": 2**31 - 1}
READABLE_SUFFIXES = (
    frozenset(SUFFIX_FORMATS)
    | RAW_SUFFIXES
    | frozenset([".gif", ".heic", ".heif", ".hif", ".avifs", ".jp2", ".j2k", ".jpf", ".jpx", ".jpc"])
)
WRITTEN_AS = {"gif": "png", "heic": "jpeg", "jpeg2000": "png", "raw": "tiff"}
"""Formats that are read and not written, and the one that loses least of them."""
USUAL_SUFFIX = {"jpeg": ".jpg", "tiff": ".tif", "png": ".png", "webp": ".webp", "avif": ".avif", "bmp": ".bmp"}
