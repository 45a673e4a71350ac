"""GIF: comments, the XMP packet and the colour profile, which the decoder passes over.

Sources: GIF89a (CompuServe, 1990), sections 17 to 24; ISO 16684-3, section 1.1.2: an application extension whose packet
is followed by 258 bytes that lead readers who take it for data blocks to its end; ICC.1:2022, annex B.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photochrom.files.codecs.comments import comment_text

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

XMP_EXTENSION = b"\x21\xff\x0bXMP DataXMP"
ICC_EXTENSION = b"\x21\xff\x0bICCRGBG1012"
TRAILER = b"\x01\xff\xfe\xfd"
EXTENSION, COMMENT, IMAGE = 0x21, 0xFE, 0x2C
HEADER_BYTES, IMAGE_BYTES, FLAGS_AT, TABLE_FLAG = 13, 10, 10, 0x80
MAX_BLOCKS = 2_000_000
"""Data blocks that are passed over or read: of a photograph's 255 bytes each, half a gigabyte."""
MAX_COMMENT_BYTES = 16_000_000
LEFT_OUT = "comments too far behind, or too long, left out"


def xmp_of(source: PhotoSource) -> bytes | None:
    """Return the XMP packet, if there is one."""
    data = source.read_all()
    start = data.find(XMP_EXTENSION)
    end = data.find(TRAILER, start)
    return data[start + len(XMP_EXTENSION) : end] if 0 <= start < end else None


def profile_of(source: PhotoSource) -> bytes | None:
    """Return the colour profile, if there is one; of a cut file what there is of it."""
    data, parts = source.read_all(), list[bytes]()
    at = data.find(ICC_EXTENSION) + len(ICC_EXTENSION)
    if at < len(ICC_EXTENSION):
        return None
    while size := (data[at] if at < len(data) else 0):
        parts.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return b"".join(parts)


def comments_of(source: PhotoSource) -> tuple[list[str], list[str]]:
    """Return the comments, and notes on what was left out."""
    data, found, room, steps = source.read_all(), list[str](), MAX_COMMENT_BYTES, MAX_BLOCKS
    at = HEADER_BYTES + _table_bytes(data[FLAGS_AT : FLAGS_AT + 1])
    while data[at : at + 1] and data[at] in (EXTENSION, IMAGE):
        is_comment = data[at] == EXTENSION and data[at + 1 : at + 2] == bytes([COMMENT])
        is_image = data[at] == IMAGE
        # Behind an image's description its table of colours, and the size of its first codes.
        at += IMAGE_BYTES + _table_bytes(data[at + 9 : at + 10]) + 1 if is_image else 2
        parts = list[bytes]()
        while size := (data[at] if at < len(data) else 0):
            steps -= 1
            if is_comment:
                parts.append(data[at + 1 : at + 1 + size])
                room -= size
            if steps < 0 or room < 0:
                return found, [LEFT_OUT]
            at += 1 + size
        at += 1
        if (text := comment_text(b"".join(parts))).strip():
            found.append(text)
    return found, []


def _table_bytes(flags: bytes) -> int:
    """Return the size of a table of colours by the flags of what it belongs to."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & TABLE_FLAG else 0
