"""Lossless WebP whose data goes on behind its last pixel: what wrong bits make of it, and its decoder passes over.

The format has no checksum, and the decoder stops as soon as the picture is full. Wrong codes mean other numbers of
pixels than the right ones, so that data is missing, which is an error, or left over. That is found by taking some bytes
from the end of the data: a whole file cannot be decoded without them.

Source: RFC 9649, sections 2.3 to 2.7 (chunks) and 3 (the lossless bitstream).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from photochrom.files.codecs.libvips import libvips

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

LOSSLESS, LOSSY, ANIMATED, HEADER_BYTES = b"VP8L", b"VP8 ", b"ANMF", 5
SPARED = 5
"""Bytes at the end that some pictures can do without: their last pixels may be what a decoder takes for missing."""
MAX_CHUNKS = 1000
LEFT_OVER = "data is left over after its last pixel: bits before were lost or changed"


def is_followed_by_more(source: PhotoSource) -> bool:
    """Return whether a still, lossless picture can be decoded without the end of its data.

    Cost: decoding it once more. Memory: the picture. False for lossy pictures and animations, which are not looked at.
    """
    data = _lossless_data(source).rstrip(b"\x00")[:-SPARED]
    if len(data) <= HEADER_BYTES:
        return False
    chunk = LOSSLESS + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    alone = b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
    try:
        libvips().Image.webpload_buffer(alone, access="sequential").avg()
    except libvips().Error:
        return False
    return True


def _lossless_data(source: PhotoSource) -> bytes:
    """Return the contents of the picture's chunk; none where it is not lossless."""
    at = 12
    for _ in range(MAX_CHUNKS):
        head = source.read_at(at, 8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] == LOSSLESS:
            return source.read_at(at + 8, size)
        if len(head) < 8 or head[:4] in (LOSSY, ANIMATED):
            break
        at += 8 + size + size % 2
    return b""
