"""JPEG segments: the ones that describe the picture, put in and read out.

Sources: ISO 10918-1 annex B, ISO 10918-5 (JFIF), CIPA DC-008 section 4.5 (EXIF), ISO 16684-3 (XMP), ICC.1:2010
annex B.4 (profiles in several segments).
"""

from __future__ import annotations

import struct

EXIF_HEADER = b"Exif\x00\x00"
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\x00"
ICC_HEADER = b"ICC_PROFILE\x00"
LARGEST_PAYLOAD = 0xFFFF - 2
LARGEST_EXIF = LARGEST_PAYLOAD - len(EXIF_HEADER)
LARGEST_XMP = LARGEST_PAYLOAD - len(XMP_HEADER)
LARGEST_ICC_PART = LARGEST_PAYLOAD - len(ICC_HEADER) - 2
APP0, APP1, APP2 = 0xE0, 0xE1, 0xE2
HEAD_BYTES = 20
"""The marker that starts a JPEG, and the JFIF header the encoder writes."""


def segment(marker: int, payload: bytes) -> bytes:
    """Return one segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def jfif_segment(dpi: tuple[float, float] | None) -> bytes:
    """Return the JFIF header with a resolution in pixels per inch, or with square pixels of no stated size."""
    unit, x, y = (1, *(min(round(number), 0xFFFF) for number in dpi)) if dpi else (0, 1, 1)
    return segment(APP0, b"JFIF\x00\x01\x02" + struct.pack(">BHHBB", unit, x, y, 0, 0))


def with_segments(data: bytes, segments: list[bytes]) -> bytes:
    """Return the JPEG, or its beginning, with these segments in place of the JFIF header the encoder wrote."""
    start = 2
    if data[2:4] == bytes([0xFF, APP0]):
        start += 2 + int.from_bytes(data[4:6], "big")
    return data[:2] + b"".join(segments) + data[start:]


def icc_segments(profile: bytes) -> list[bytes]:
    """Return the profile in as many segments as it takes."""
    parts = [profile[at : at + LARGEST_ICC_PART] for at in range(0, len(profile), LARGEST_ICC_PART)]
    return [segment(APP2, ICC_HEADER + bytes([i, len(parts)]) + part) for i, part in enumerate(parts, 1)]


def dpi_of(head: bytes) -> tuple[float, float] | None:
    """Return the resolution in the JFIF header, which stands in the first 18 bytes where there is one."""
    if len(head) < 18 or head[6:11] != b"JFIF\x00" or head[13] not in (1, 2):
        return None
    per_unit = 1.0 if head[13] == 1 else 2.54
    x, y = struct.unpack_from(">HH", head, 14)
    return x * per_unit, y * per_unit
