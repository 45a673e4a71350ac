"""PNG chunks: those that describe the picture, put in and read out.

Source: PNG specification, third edition (W3C), sections 5 and 11; the XMP keyword is ISO 16684-3's.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from photochrom.files.codecs.code_points import StatedColors, stated_colors, unknown_colors
from photochrom.files.codecs.icc import D65_XY, SRGB_PRIMARIES, gray_profile, rgb_profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from photochrom.files.codecs.source import PhotoSource

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"
INCHES_PER_METRE = 1 / 0.0254
HEADER_END = len(SIGNATURE) + 25  # the signature and the IHDR chunk
HEAD_BYTES = HEADER_END + 21
"""Up to the end of the resolution that the encoder writes."""
MAX_CHUNKS = 10_000
SRGB_GAMA = 0.45455
RGB_IN_FULL_RANGE = bytes([0, 1])
"""The only matrix that cICP allows, and codes that reach from black to white."""


def chunk(name: bytes, data: bytes) -> bytes:
    """Return one chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunks(data: bytes, chunks: list[bytes]) -> bytes:
    """Return the PNG, or its beginning, with these chunks behind its header.

    A resolution that the encoder made up is dropped.
    """
    body = data[HEADER_END:]
    if body[4:8] == b"pHYs":
        body = body[21:]
    return data[:HEADER_END] + b"".join(chunks) + body


def describing_chunks(
    icc: bytes | None, exif: bytes | None, xmp: bytes | None, dpi: tuple[float, float] | None
) -> list[bytes]:
    """Return the chunks for metadata blocks, in the order the specification asks for."""
    chunks = []
    if icc:
        chunks.append(chunk(b"iCCP", b"icc\x00\x00" + zlib.compress(icc, 9)))
    if dpi:
        x, y = (round(number * INCHES_PER_METRE) for number in dpi)
        chunks.append(chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    if exif:
        chunks.append(chunk(b"eXIf", exif))
    if xmp:
        chunks.append(chunk(b"iTXt", XMP_KEYWORD + bytes(5) + xmp))
    return chunks


def text_chunk(keyword: str, text: str) -> bytes:
    """Return a chunk with a text: Latin-1 where that has all its letters, else UTF-8."""
    key = keyword.encode("latin-1", errors="replace")[:79] or b"Comment"
    try:
        return chunk(b"tEXt", key + b"\x00" + text.replace("\x00", "").encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", key + bytes(5) + text.replace("\x00", "").encode())


def chunks_before_pixels(source: PhotoSource) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset of the data, size) up to the first IDAT chunk."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        head = source.read_at(at, 8)
        if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
            return
        size = int.from_bytes(head[:4], "big")
        yield head[4:], at + 8, size
        at += 12 + size


def dpi_of(source: PhotoSource) -> tuple[float, float] | None:
    """Return the resolution a PNG states; None where it states only an aspect ratio or nothing."""
    for name, at, size in chunks_before_pixels(source):
        if name == b"pHYs" and size == 9:
            x, y, unit = struct.unpack(">IIB", source.read_at(at, 9).ljust(9, b"\x00"))
            return (x / INCHES_PER_METRE, y / INCHES_PER_METRE) if unit == 1 else None
    return None


def colors_of(source: PhotoSource, *, gray: bool) -> StatedColors:
    """Return what a PNG without ICC profile says of its colours.

    A ``cICP`` chunk counts before ``sRGB``, that before ``gAMA`` and ``cHRM`` (section 4.3 of the specification).
    """
    stated = {name: source.read_at(at, size) for name, at, size in chunks_before_pixels(source) if size <= 32}
    if len(points := stated.get(b"cICP", b"")) == 4:
        if points[2:] != RGB_IN_FULL_RANGE:
            return unknown_colors("PNG", "a matrix or a range of video")
        return stated_colors(points[0], points[1], gray=gray, format="PNG")
    return StatedColors(_profile_of_gamma(stated, gray=gray))


def _profile_of_gamma(stated: Mapping[bytes, bytes], *, gray: bool) -> bytes | None:
    """Return a profile for ``gAMA`` and ``cHRM``; None where they mean sRGB or do not count."""
    if b"sRGB" in stated or len(stated.get(b"gAMA", b"")) != 4:
        return None
    gamma = int.from_bytes(stated[b"gAMA"], "big") / 100_000
    if not 0.1 <= gamma <= 2:
        return None
    primaries: tuple[tuple[float, float], ...] = SRGB_PRIMARIES
    white, usual = D65_XY, True
    if len(stated.get(b"cHRM", b"")) == 32:
        values = [number / 100_000 for number in struct.unpack(">8I", stated[b"cHRM"])]
        white, *chosen = zip(values[::2], values[1::2], strict=True)
        if any(y < 0.01 or x + y > 1.01 for x, y in [white, *chosen]):
            return None
        usual = all(
            abs(a - b) < 0.002
            for xy, uv in zip(chosen, SRGB_PRIMARIES, strict=True)
            for a, b in zip(xy, uv, strict=True)
        )
        primaries = tuple(chosen)
    if usual and abs(gamma - SRGB_GAMA) < 0.01:
        return None
    if gray:
        return gray_profile(f"grey, gamma {1 / gamma:.2f}", (1 / gamma,))
    return rgb_profile(f"PNG, gamma {1 / gamma:.2f}", primaries, white, (1 / gamma,))
