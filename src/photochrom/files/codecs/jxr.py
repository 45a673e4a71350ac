"""JPEG XR files: what the channels of their pixel formats mean.

Source: ITU-T T.832 (ISO 29199-2), annex A.7.18 and table A.6: the PIXEL_FORMAT tag, a GUID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs.channels import Channels

if TYPE_CHECKING:
    from photochrom.files.codecs.tiff import Page

WIDTH, HEIGHT, PIXEL_FORMAT = 0xBC80, 0xBC81, 0xBC01
_USUAL = bytes.fromhex("24c3dd6f034efe4bb1853d77768dc9")
"""What nearly all of the GUIDs begin with; a last byte tells them apart."""


def _usual(*lasts: int) -> frozenset[bytes]:
    return frozenset(_USUAL + bytes([last]) for last in lasts)


BLACK_OR_WHITE = _usual(0x05)
GRAY = _usual(0x08, 0x0B, 0x11, 0x13, 0x3E, 0x3F)
RGB = _usual(0x0C, 0x0D, 0x0E, 0x12, 0x15, 0x18, 0x1B, 0x3B, 0x40, 0x41, 0x42) | {
    bytes.fromhex("8fd7fee3dbe8cf4a84c1e97f6136b327")
}
RGB_ALPHA = _usual(0x0F, 0x16, 0x19, 0x1D, 0x1E, 0x3A) | {bytes.fromhex("2dadc7f58d6add43a7a8a29935261ae9")}
RGB_PREMULTIPLIED = _usual(0x10, 0x17, 0x1A) | {bytes.fromhex("50a6c43c27a5374da9163142c7ebedba")}
CMYK = _usual(0x1C, 0x1F)
CMYK_ALPHA = _usual(0x2C, 0x2D)
MEANINGS = {
    Channels(1): BLACK_OR_WHITE | GRAY,
    Channels(3): RGB,
    Channels(3, alpha=3): RGB_ALPHA | RGB_PREMULTIPLIED,
    Channels(4): CMYK,
    Channels(4, alpha=4): CMYK_ALPHA,
}


def pixel_format(page: Page) -> bytes:
    """Return the GUID of a file's pixel format, as stored; nothing where it states none."""
    found = page.tags.get(PIXEL_FORMAT)
    return found.data if found else b""


def meaning_of(format: bytes, name: str) -> Channels:
    """Return what the channels of a pixel format mean.

    Raises:
        UnsupportedPhotoError: they have no agreed meaning, or come in a packing that decoders do not spread.
    """
    for channels, formats in MEANINGS.items():
        if format in formats:
            return channels
    raise UnsupportedPhotoError(
        "a JPEG XR of another kind than grey, RGB and CMYK", where=name, next_step="Save it as a TIFF in a photo editor"
    )
