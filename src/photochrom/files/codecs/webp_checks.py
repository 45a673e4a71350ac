"""Lossless WebP whose data goes on behind its last pixel: what wrong bits make of it, and its decoder passes over.

The format has no checksum, and the decoder stops as soon as the picture is full. Wrong codes mean other numbers of
pixels than the right ones, so that data is missing, which is an error, or left over. That is found by turning all bits
of some bytes at the end of the data: of a whole file, the last pixels become others. (To take them away is no such
test: what is missing is read as zeros, which are short codes, and may do for the last pixels.)

Source: RFC 9649, sections 2.3 to 2.7 (chunks) and 3 (the lossless bitstream).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.libvips import libvips

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

LOSSLESS, LOSSY, ANIMATED, HEADER_BYTES = b"VP8L", b"VP8 ", b"ANMF", 5
LAST_PIXELS = 4
"""As many as a copy has at least."""
TURNED = ((0.0005, 2), (0.02, 3), (1.0, 8))
"""In what share of all places the like of the last pixels may stand, and how many bytes are turned then."""
MAX_CHUNKS = 1000
LEFT_OVER = "data is left over after its last pixel: bits before were lost or changed"


def is_followed_by_more(source: PhotoSource) -> bool:
    """Return whether a still, lossless picture is the same whatever stands at the end of its data.

    Zeros there are passed over, for they may be padding.
    Cost: decoding it twice more. Memory: the picture, twice. False for lossy pictures and animations, which are not
    looked at.
    """
    data = _lossless_data(source).rstrip(b"\x00")
    whole = _pixels(data)
    if whole is None:
        return False
    share = _share_of_last(whole)
    count = next(count for most, count in TURNED if share <= most)
    turned = _pixels(data[:-count] + bytes(byte ^ 0xFF for byte in data[-count:]))
    return turned is not None and np.array_equal(turned, whole)


def _share_of_last(pixels: npt.NDArray[np.uint8]) -> float:
    """Return in what share of all other places pixels stand that are like the last ones."""
    codes = pixels.reshape(-1, pixels.shape[-1])
    places = len(codes) - LAST_PIXELS
    if places < LAST_PIXELS:
        return 1.0
    alike = np.ones(places, np.bool_)
    for k in range(LAST_PIXELS):
        alike &= (codes[k : k + places] == codes[k - LAST_PIXELS]).all(axis=1)
    return float(alike.mean())


def _pixels(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Return the pixels (H, W, channels) that a chunk's data holds; None where it cannot be decoded."""
    if len(data) <= HEADER_BYTES + TURNED[-1][1]:
        return None
    chunk = LOSSLESS + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    alone = b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
    try:
        return np.asarray(libvips().Image.webpload_buffer(alone, access="sequential").numpy())
    except libvips().Error:
        return None


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
