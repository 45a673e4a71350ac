"""JPEG segments read: EXIF, XMP, IPTC, comments and resolution, in whatever order and number they stand.

They are read here and hidden from the decoder: it would parse EXIF itself, at a cost that an attacker sets, and takes
only the first of several segments of a kind.

Sources: ISO 10918-1 annex B, ISO 10918-5 (JFIF), CIPA DC-008 section 4.5, ISO 16684-3, Adobe Photoshop file formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photochrom.files.codecs import iptc, jpeg
from photochrom.files.codecs.comments import comment_text
from photochrom.files.codecs.resolution import exif_dpi
from photochrom.files.codecs.xmp_extension import Extensions, joined

if TYPE_CHECKING:
    from photochrom.files.codecs.source import Patch, PhotoSource

MAX_SEGMENTS = 10_000
APP13, APP15 = 0xED, 0xEF
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_LENGTH = frozenset([0x01, 0xD8, *range(0xD0, 0xD8)])
SEARCHED_BYTES = 1 << 16


@dataclass(slots=True)
class JpegBlocks:
    """What the segments before the pixels say.

    Attributes:
        blocks: ``exif``, ``xmp`` and ``iptc``, those that there are.
        comments: texts of comment segments.
        dpi: as JFIF, EXIF or Photoshop's resources state it.
        hidden: what makes a decoder pass over the segments read here.
        notes: what of them is lost.
    """

    blocks: dict[str, bytes] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    dpi: tuple[float, float] | None = None
    hidden: list[Patch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def blocks_of(source: PhotoSource) -> JpegBlocks:
    """Return what the segments of a file say.

    Raises:
        ValueError: there are more segments than any picture has.
    """
    found, resources, extensions = JpegBlocks(), bytearray(), Extensions()
    for marker, at, size in segments_of(source):
        if marker == jpeg.APP0:
            found.dpi = found.dpi or jpeg.dpi_of_jfif(source.read_at(at, min(size, 14)))
        if marker not in (jpeg.APP1, APP13, jpeg.COMMENT):
            continue
        payload = source.read_at(at, size)
        found.hidden.append((at - 3, bytes([APP15])))
        if marker == jpeg.COMMENT:
            found.comments.append(comment_text(payload))
        elif marker == APP13:
            # Resources that do not fit into a segment go on in the next.
            resources += payload.removeprefix(iptc.JPEG_HEADER)
        elif payload.startswith(jpeg.EXTENDED_XMP_HEADER):
            extensions.take(payload)
        else:
            _take_block(payload, found.blocks)
    if "xmp" in found.blocks:
        found.blocks["xmp"], note = joined(found.blocks["xmp"], extensions)
        found.notes += [note] if note else []
    records = iptc.records_from_resources(bytes(resources))
    if records:
        found.blocks["iptc"] = records
    found.dpi = found.dpi or exif_dpi(found.blocks.get("exif", b"")) or iptc.dpi_from_resources(bytes(resources))
    return found


def segments_of(source: PhotoSource) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, offset of the payload, its size) up to the pixels; bytes between segments are passed over."""
    at = 0
    for _ in range(MAX_SEGMENTS):
        marker, at = _next_marker(source, at)
        if marker in (START_OF_SCAN, END_OF_IMAGE, None):
            return
        if marker in WITHOUT_LENGTH:
            continue
        size = int.from_bytes(source.read_at(at, 2), "big") - 2
        if size < 0:
            return
        yield marker, at + 2, size
        at += 2 + size
    raise ValueError(f"more than {MAX_SEGMENTS:,} segments")


def _next_marker(source: PhotoSource, at: int) -> tuple[int | None, int]:
    """Return the next marker's code and where it ends, as decoders look for it: behind any bytes that are none."""
    while head := source.read_at(at, 2):
        if len(head) == 2 and head[0] == 0xFF and head[1] not in (0x00, 0xFF):
            return head[1], at + 2
        ahead = source.read_at(at + 1, SEARCHED_BYTES)
        distance = ahead.find(b"\xff")
        at += 1 + (distance if distance >= 0 else len(ahead))
    return None, at


def _take_block(payload: bytes, blocks: dict[str, bytes]) -> None:
    for name, header in (("exif", jpeg.EXIF_HEADER), ("xmp", jpeg.XMP_HEADER)):
        if payload.startswith(header):
            blocks.setdefault(name, payload[len(header) :])
