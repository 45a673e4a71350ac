"""JPEG: pixels by libvips, and what its segments say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photochrom.files.codecs import exif, icc, jpeg, xmp
from photochrom.files.codecs.decoded import Decoded, Wanted
from photochrom.files.codecs.jpeg_blocks import blocks_of
from photochrom.files.codecs.resolution import plausible_dpi
from photochrom.files.codecs.vips_readers import add_blocks, load_with_vips

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource


def read_jpeg(source: PhotoSource, wanted: Wanted) -> Decoded:
    found = blocks_of(source)
    decoded = add_blocks(load_with_vips(source, "jpegload_source", wanted, hidden=found.hidden), found.blocks)
    decoded.dpi = plausible_dpi(found.dpi)
    decoded.texts = [(jpeg.COMMENT_KEYWORD, comment) for comment in found.comments if comment.strip()]
    if xmp.EXTENSION[1].encode() in decoded.blocks.get("xmp", b""):
        decoded.notes.append("the second part of a long XMP packet left out")
    # DCF's "optional colour space" is Adobe RGB without a profile; old cameras wrote it.
    if decoded.image.bands == 3 and exif.names_adobe_rgb(decoded.blocks.get("exif", b"")):
        decoded.implied_profile = icc.adobe_rgb_profile()
    return decoded
