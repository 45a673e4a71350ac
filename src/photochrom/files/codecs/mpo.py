"""Multi-picture JPEGs: how many pictures follow the first, previews not counted.

Source: CIPA DC-007 "Multi-Picture Format", sections 5.2.3 (MP entries) and table 4 (type codes).
"""

from __future__ import annotations

from photochrom.files.codecs.exif import DamagedExifError, ExifBlock

APP2, SOS = 0xE2, 0xDA
HEADER = b"MPF\x00"
ENTRIES, ENTRY_BYTES = 0xB002, 16
PREVIEWS = 0x01
MOST_SEGMENTS = 1000


def further_pictures(data: bytes) -> int:
    """Return the number of pictures beside the first: other views and exposures, not its previews."""
    block = _index_of(data)
    if block is None:
        return 0
    try:
        index = ExifBlock(block)
    except DamagedExifError:
        return 0
    entries = index.value(index.main, ENTRIES) or b""
    order = "little" if index.order == "<" else "big"
    count = 0
    for at in range(ENTRY_BYTES, len(entries) - ENTRY_BYTES + 1, ENTRY_BYTES):
        attributes = int.from_bytes(entries[at : at + 4], order)  # type: ignore[arg-type]
        count += (attributes >> 16) & 0xFF != PREVIEWS
    return count


def _index_of(data: bytes) -> bytes | None:
    at = 2
    for _ in range(MOST_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] == SOS:
            return None
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == APP2 and data[at + 4 : at + 4 + len(HEADER)] == HEADER:
            return data[at + 4 + len(HEADER) : at + 2 + length]
        at += 2 + length
    return None
