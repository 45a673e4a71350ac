"""JPEG 2000 boxes: the metadata blocks that the decoder passes over.

Sources: ISO 15444-1 annex I (boxes); the UUIDs are those of ISO 16684-3 (XMP), and of ExifTool and Photoshop, which
write EXIF and IPTC this way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

BLOCK_OF_UUID = {
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "iptc",
}
SIGNATURE = b"\x00\x00\x00\x0cjP  "
MAX_BOXES = 1000
LARGEST_BLOCK = 64_000_000


def blocks_of(source: PhotoSource) -> dict[str, bytes]:
    """Return the EXIF, XMP and IPTC blocks of a file; none for a bare codestream."""
    found: dict[str, bytes] = {}
    for kind, at, size in _boxes(source):
        name = BLOCK_OF_UUID.get(source.read_at(at, 16)) if kind == b"uuid" else None
        if name and 16 < size <= LARGEST_BLOCK:
            found.setdefault(name, source.read_at(at + 16, size - 16))
    return found


def _boxes(source: PhotoSource) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, offset of the contents, their size) of the boxes at the top level."""
    at = 0
    if source.read_at(0, len(SIGNATURE)) != SIGNATURE:
        return
    for _ in range(MAX_BOXES):
        head = source.read_at(at, 16)
        if len(head) < 8:
            return
        size, begins = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, begins = int.from_bytes(head[8:], "big"), 16
        end = at + size if size else source.size  # 0: up to the end of the file
        if end < at + begins:
            return
        yield head[4:8], at + begins, min(end, source.size) - at - begins
        at = end
