"""JPEG segments: the ones that describe the picture, put in and read out.

Sources: ISO 10918-1 annex B, ISO 10918-5 (JFIF), CIPA DC-008 section 4.5 (EXIF), ISO 16684-3 (XMP), ICC.1:2010
annex B.4 (profiles in several segments).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

EXIF_HEADER = b"Exif\x00\x00"
XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENDED_XMP_HEADER = b"http://ns.adobe.com/xmp/extension/\x00"
GUID_BYTES = 32
ICC_HEADER = b"ICC_PROFILE\x00"
LARGEST_PAYLOAD = 0xFFFF - 2
LARGEST_EXIF = LARGEST_PAYLOAD - len(EXIF_HEADER)
LARGEST_XMP = LARGEST_PAYLOAD - len(XMP_HEADER)
LARGEST_ICC_PART = LARGEST_PAYLOAD - len(ICC_HEADER) - 2
LARGEST_ICC = 255 * LARGEST_ICC_PART
APP0, APP1, APP2, COMMENT = 0xE0, 0xE1, 0xE2, 0xFE
COMMENT_KEYWORD = "Comment"
"""What PNG calls a text without a subject."""
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


def comment_segments(texts: Sequence[tuple[str, str]]) -> list[bytes]:
    """Return a comment for each keyword and text, in as many segments as it takes; of comments, only the text."""
    whole = [text if keyword == COMMENT_KEYWORD else f"{keyword}: {text}" for keyword, text in texts]
    encoded = [text.encode() for text in whole]
    return [
        segment(COMMENT, text[at : at + LARGEST_PAYLOAD])
        for text in encoded
        for at in range(0, len(text), LARGEST_PAYLOAD)
    ]


def icc_segments(profile: bytes) -> list[bytes]:
    """Return the profile in as many segments as it takes."""
    parts = [profile[at : at + LARGEST_ICC_PART] for at in range(0, len(profile), LARGEST_ICC_PART)]
    return [segment(APP2, ICC_HEADER + bytes([i, len(parts)]) + part) for i, part in enumerate(parts, 1)]


def extended_xmp_segments(extension: bytes, guid: bytes) -> list[bytes]:
    """Return the second part of a long XMP packet in as many segments as it takes (ISO 16684-3, section 1.1.3.1)."""
    room = LARGEST_PAYLOAD - len(EXTENDED_XMP_HEADER) - GUID_BYTES - 8
    return [
        segment(APP1, EXTENDED_XMP_HEADER + guid + struct.pack(">LL", len(extension), at) + extension[at : at + room])
        for at in range(0, len(extension), room)
    ]


def dpi_of_jfif(payload: bytes) -> tuple[float, float] | None:
    """Return the resolution in a JFIF segment; None where it states only an aspect ratio."""
    if len(payload) < 12 or payload[:5] != b"JFIF\x00" or payload[7] not in (1, 2):
        return None
    per_unit = 1.0 if payload[7] == 1 else 2.54
    x, y = struct.unpack_from(">HH", payload, 8)
    return (x * per_unit, y * per_unit) if x and y else None
