"""JPEG 2000 boxes: metadata and colour spaces, which the decoder passes over.

Sources: ISO 15444-1 annex I (boxes; I.5.3.3, ``colr``) and ISO 15444-2 annex M.11.7.3; the UUIDs are those of
ISO 16684-3 (XMP), and of ExifTool and Photoshop, which write EXIF and IPTC this way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from photochrom.files.codecs.code_points import StatedColors, unknown_colors
from photochrom.files.codecs.item_blocks import boxes

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

BLOCK_OF_UUID = {
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "iptc",
}
SIGNATURE = b"\x00\x00\x00\x0cjP  "
LARGEST_BLOCK = 64_000_000
PROFILE_METHODS = b"\2", b"\3"
DECODED = frozenset([12, 16, 17, 18])
"""Enumerated colour spaces: CMYK, sRGB, grey with sRGB's curve, and its luma and chroma."""


def blocks_of(source: PhotoSource) -> dict[str, bytes]:
    """Return the EXIF, XMP, IPTC and ICC blocks of a file; none for a bare codestream."""
    found: dict[str, bytes] = {}
    for kind, at, size in _boxes_of(source):
        name = BLOCK_OF_UUID.get(source.read_at(at, 16)) if kind == b"uuid" else None
        if name and 16 < size <= LARGEST_BLOCK:
            found.setdefault(name, source.read_at(at + 16, size - 16))
    at, size = _colour_box(source)
    if size > 3 and source.read_at(at, 1) in PROFILE_METHODS:
        found["icc"] = source.read_at(at + 3, min(size - 3, LARGEST_BLOCK))
    return found


def colors_of(source: PhotoSource) -> StatedColors:
    """Return what a file says of its colours by a number; nothing where it is one that decoders know."""
    at, size = _colour_box(source)
    number = int.from_bytes(source.read_at(at + 3, 4), "big")
    if size < 7 or source.read_at(at, 1) != b"\1" or number in DECODED:
        return StatedColors()
    return unknown_colors("JPEG 2000", f"EnumCS {number}")


def _colour_box(source: PhotoSource) -> tuple[int, int]:
    """Return where the contents of the first ``colr`` box are, which is the one that counts, and their size."""
    for kind, at, size in _boxes_of(source):
        if kind == b"jp2h":
            inner = ((begin, length) for name, begin, length in boxes(source, at, at + size) if name == b"colr")
            return next(inner, (0, 0))
    return 0, 0


def _boxes_of(source: PhotoSource) -> Iterator[tuple[bytes, int, int]]:
    is_file = source.read_at(0, len(SIGNATURE)) == SIGNATURE
    return boxes(source, 0, source.size if is_file else 0)
