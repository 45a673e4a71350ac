"""JPEG XL files: size, colour space and metadata, from the header alone.

Source: ISO 18181-1 (codestream), annexes B (bit reading) and D (headers); ISO 18181-2 (container), section 9.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
SIGNATURES = (CODESTREAM, CONTAINER)
EXIF, XMP, PACKED = b"Exif", b"xml ", b"brob"
PACKED_LEFT_OUT = "packed EXIF or XMP that is damaged or too large left out"
MAX_BOXES = 1000
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height, by the header's number for it less one."""


@dataclass(frozen=True, slots=True)
class JxlHeader:
    """What the codestream says of the picture.

    Attributes:
        width: in pixels, upright as stored.
        height: in pixels.
        is_srgb: whether its colours certainly are sRGB, or its greys have sRGB's curve.
        bits: of a sample, 1 to 31; 0 where samples are floating point.
    """

    width: int
    height: int
    is_srgb: bool
    bits: int = 8


def header_of(data: bytes) -> JxlHeader | None:
    """Return the header, or None where there is none."""
    stream = _codestream(data)
    if not stream.startswith(CODESTREAM):
        return None
    bits = _Bits(stream[2:200])
    height, width = _size(bits)
    if bits.take(1):  # everything is the default
        return JxlHeader(width, height, is_srgb=True)
    if bits.take(1):
        _pass_over_extra_fields(bits)
    depth = _depth(bits)
    return JxlHeader(width, height, _is_srgb(bits), depth)


def blocks_of(data: bytes, unpack: Callable[[bytes], bytes]) -> tuple[dict[str, bytes], list[str]]:
    """Return the EXIF block, from its TIFF header on, and the XMP packet, and notes on what was left out.

    Args:
        data: the file.
        unpack: returns what Brotli has packed, and raises anything where it cannot, or where that is too much.
    """
    found, notes = dict[str, bytes](), list[str]()
    for stored, contents in _boxes(data):
        kind, body = stored, contents
        if stored == PACKED:
            kind, body = contents[:4], contents[4:]
            if kind not in (EXIF, XMP):
                continue
            try:
                body = unpack(body)
            except Exception:  # noqa: BLE001 - whatever a library raises over hostile bytes, or for want of a part of it
                notes = [PACKED_LEFT_OUT]
                continue
        if kind == EXIF and len(body) > 4:
            found.setdefault("exif", body[4 + int.from_bytes(body[:4], "big") :])
        elif kind == XMP:
            found.setdefault("xmp", body)
    return {name: block for name, block in found.items() if block}, notes


def _codestream(data: bytes) -> bytes:
    if not data.startswith(CONTAINER):
        return data
    for kind, body in _boxes(data):
        if kind == b"jxlc":
            return body
        if kind == b"jxlp":
            return body[4:]
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(MAX_BOXES if data.startswith(CONTAINER) else 0):
        if at + 8 > len(data):
            return
        size, begins = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1 and at + 16 <= len(data):
            size, begins = struct.unpack_from(">Q", data, at + 8)[0], 16
        end = at + size if size else len(data)
        if end < at + begins:
            return
        yield data[at + 4 : at + 8], data[at + begins : end]
        at = end


class _Bits:
    """Reads numbers from the lowest bit of the first byte on; beyond the end are zeros."""

    def __init__(self, data: bytes) -> None:
        self.number, self.at = int.from_bytes(data, "little"), 0

    def take(self, count: int) -> int:
        value = (self.number >> self.at) & ((1 << count) - 1)
        self.at += count
        return value

    def choice(self, *ways: tuple[int, int]) -> int:
        """Return a number by one of four ways: (offset, bits)."""
        offset, count = ways[self.take(2)]
        return offset + self.take(count)


def _size(bits: _Bits) -> tuple[int, int]:
    """Return height and width."""
    small = bits.take(1)

    def side() -> int:
        if small:
            return 8 * (bits.take(5) + 1)
        return bits.choice((1, 9), (1, 13), (1, 18), (1, 30))

    height = side()
    ratio = bits.take(3)
    if not ratio:
        return height, side()
    across, down = RATIOS[ratio - 1]
    return height, height * across // down


def _pass_over_extra_fields(bits: _Bits) -> None:
    """Read past orientation, intrinsic size, preview and animation."""
    bits.take(3)
    if bits.take(1):
        _size(bits)
    if bits.take(1):
        _pass_over_preview(bits)
    if bits.take(1):
        bits.choice((100, 0), (1000, 0), (1, 10), (1, 30))
        bits.choice((1, 0), (1001, 0), (1, 8), (1, 10))
        bits.choice((0, 0), (0, 3), (0, 16), (0, 32))
        bits.take(1)


def _pass_over_preview(bits: _Bits) -> None:
    small = bits.take(1)
    ways = ((16, 0), (32, 0), (1, 5), (33, 9)) if small else ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.choice(*ways)
    if not bits.take(3):
        bits.choice(*ways)


def _depth(bits: _Bits) -> int:
    """Return the bits of a sample; 0 for floating point."""
    if not bits.take(1):
        return bits.choice((8, 0), (10, 0), (12, 0), (1, 6))
    bits.choice((32, 0), (16, 0), (24, 0), (1, 6))
    bits.take(4)
    return 0


def _is_srgb(bits: _Bits) -> bool:
    """Return whether the colour encoding is the default; unsure where odd further channels come before it."""
    bits.take(1)
    for _ in range(bits.choice((0, 0), (1, 0), (2, 4), (1, 12))):
        if not bits.take(1):  # alpha of 8 bits is the default of a further channel
            return False
    bits.take(1)
    return bool(bits.take(1)) or _is_srgb_in_full(bits)


def _is_srgb_in_full(bits: _Bits) -> bool:
    enum = ((0, 0), (1, 0), (2, 4), (18, 6))
    if bits.take(1):  # an ICC profile follows
        return False
    space = bits.choice(*enum)
    white = bits.choice(*enum)
    if space not in (0, 1) or white != 1:
        return False
    if space == 0 and bits.choice(*enum) != 1:
        return False
    return not bits.take(1) and bits.choice(*enum) == 13
