"""GIF: the XMP packet, which the decoder passes over.

Source: ISO 16684-3, section 1.1.2: an application extension whose packet is followed by 258 bytes that lead readers
who take it for data blocks to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

XMP_EXTENSION = b"\x21\xff\x0bXMP DataXMP"
TRAILER = b"\x01\xff\xfe\xfd"


def xmp_of(source: PhotoSource) -> bytes | None:
    """Return the XMP packet, if there is one."""
    data = source.read_all()
    start = data.find(XMP_EXTENSION)
    end = data.find(TRAILER, start)
    return data[start + len(XMP_EXTENSION) : end] if 0 <= start < end else None
