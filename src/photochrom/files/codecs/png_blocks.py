"""PNG chunks read: EXIF, XMP and texts, before the pixels and behind them, and ImageMagick's profiles told as text.

They are read here and hidden from the decoder, which would parse EXIF itself at a cost that an attacker sets.

Source: PNG specification, third edition (W3C), sections 5 and 11; "Raw profile type" is what ImageMagick writes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photochrom.files.codecs import iptc, jpeg
from photochrom.files.codecs.png import SIGNATURE, XMP_KEYWORD

if TYPE_CHECKING:
    from photochrom.files.codecs.source import Patch, PhotoSource

MAX_CHUNKS = 1_000_000
MAX_TEXTS = 1_000
MAX_TEXT_BYTES = 16_000_000
"""Of all texts of a file together, unpacked."""
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
UNKNOWN_CHUNK = b"hiDe"
"""Ancillary, private, safe to copy: every decoder passes over it."""
RAW_PROFILE = "Raw profile type "
OUTDATED = ("Thumb::", "date:")
"""Keywords of what describes the file itself and not the picture."""


@dataclass(slots=True)
class PngBlocks:
    """What the chunks say.

    Attributes:
        blocks: ``exif``, ``xmp``, ``iptc`` and ``icc``, those that there are.
        texts: keyword and text.
        notes: what was left out.
        hidden: what makes a decoder pass over the chunks read here.
        frames: of an animation (APNG); the first is the picture, which alone is decoded.
    """

    blocks: dict[str, bytes] = field(default_factory=dict)
    texts: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: list[Patch] = field(default_factory=list)
    frames: int = 1


def blocks_of(source: PhotoSource) -> PngBlocks:
    """Return what the chunks of a file say; texts beyond the budget are left out with a note."""
    found, profiles, room, count = PngBlocks(), dict[str, str](), MAX_TEXT_BYTES, 0
    for name, at, size in _chunks(source):
        if name == b"acTL":
            found.frames = int.from_bytes(source.read_at(at, min(size, 4)), "big")
        if name != b"eXIf" and name not in TEXT_CHUNKS:
            continue
        found.hidden += _hiding(source, at, size)
        if name == b"eXIf":
            found.blocks.setdefault("exif", source.read_at(at, size).removeprefix(jpeg.EXIF_HEADER))
            continue
        count += 1
        text = _text_of(name, source.read_at(at, size), room) if count <= MAX_TEXTS else None
        if text is None:
            found.notes = ["text chunks that are damaged or too large left out"]
            continue
        keyword, content = text
        room -= len(content)
        _take_text(keyword, content, found, profiles)
    for kind, told in profiles.items():
        _take_profile(kind, told, found.blocks)
    return found


def _chunks(source: PhotoSource) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset of the data, size) of all chunks."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        head = source.read_at(at, 8)
        size = int.from_bytes(head[:4], "big")
        if len(head) < 8 or head[4:] == b"IEND" or at + 12 + size > source.size:
            return
        yield head[4:], at + 8, size
        at += 12 + size
    raise ValueError(f"more than {MAX_CHUNKS:,} chunks")


def _hiding(source: PhotoSource, at: int, size: int) -> list[Patch]:
    checksum = zlib.crc32(source.read_at(at, size), zlib.crc32(UNKNOWN_CHUNK))
    return [(at - 4, UNKNOWN_CHUNK), (at + size, struct.pack(">I", checksum))]


def _text_of(name: bytes, data: bytes, room: int) -> tuple[bytes, bytes] | None:
    """Return keyword and UTF-8 text of a chunk; None where it is damaged or over the budget."""
    keyword, _, rest = data.partition(b"\x00")
    packed = name == b"zTXt" or (name == b"iTXt" and rest[:1] == b"\x01")
    if name == b"iTXt":
        rest = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
    elif name == b"zTXt":
        rest = rest[1:]
    if packed:
        try:
            unpacker = zlib.decompressobj()
            rest = unpacker.decompress(rest, room + 1)
        except zlib.error:
            return None
    if len(rest) > room:
        return None
    return keyword, rest if name == b"iTXt" else rest.decode("latin-1").encode()


def _take_text(keyword: bytes, content: bytes, found: PngBlocks, profiles: dict[str, str]) -> None:
    if keyword == XMP_KEYWORD:
        found.blocks.setdefault("xmp", content)
        return
    name, text = keyword.decode("latin-1"), content.decode("utf-8", errors="replace")
    if name.startswith(RAW_PROFILE):
        profiles.setdefault(name.removeprefix(RAW_PROFILE).lower(), text)
    elif not name.startswith(OUTDATED):
        found.texts.append((name, text))


def _take_profile(kind: str, content: str, blocks: dict[str, bytes]) -> None:
    """Take a profile told as a name, a length and hexadecimal digits, where there is not a better one."""
    lines = content.split("\n", 3)
    try:
        data = bytes.fromhex(lines[3]) if len(lines) == 4 else b""
    except ValueError:
        return
    if kind in ("exif", "app1") and data.startswith(jpeg.XMP_HEADER):
        blocks.setdefault("xmp", data.removeprefix(jpeg.XMP_HEADER))
    elif kind in ("exif", "app1"):
        blocks.setdefault("exif", data.removeprefix(jpeg.EXIF_HEADER))
    elif kind in ("iptc", "8bim"):
        records = data if data[:1] == bytes([iptc.MARKER]) else iptc.records_from_resources(data)
        if records:
            blocks.setdefault("iptc", records)
    elif kind in ("xmp", "icc", "icm"):
        blocks.setdefault("icc" if kind == "icm" else kind, data)
