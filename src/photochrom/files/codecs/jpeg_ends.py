"""Whether each stretch of a JPEG's codes is used up by the blocks that it stands for: what libjpeg does not tell.

A decoder that has all blocks of a restart interval, or of a scan, throws away what is left of the bits that it holds.
But it tells where bits are missing, and so each stretch is given to it without its last byte: a whole one must then
be too short, and one of which bits are left over, because some before were lost or changed, is not.

Source: ISO 10918-1, annexes B.1.1.5 (entropy-coded segments end with a byte that has bits of theirs, then ones), B.2.3
(scan headers), B.2.4.4 (restart intervals) and G.1.1 (the scans of a progressive picture).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL.JpegImagePlugin import JpegImageFile

from photochrom.files.codecs.jpeg_frame import (
    BLOCK,
    DRI,
    EOI,
    HEAD_BYTES,
    LARGEST_HEIGHT,
    PROGRESSIVE,
    SOI_BYTES,
    SOS,
    Frame,
    frame_of,
    segments,
    with_usual_header,
)
from photochrom.files.codecs.jpeg_means import AS_CODED
from photochrom.files.codecs.libvips import libvips

HUFFMAN = {0xC0, 0xC1, 0xC2}
RESTARTS = range(0xD0, 0xD8)
LONGEST_INTERVAL = 0xFFFF
FLAT = (127, 128)
"""Grey, and what Pillow makes of it in four channels, which it takes for ink."""
MOST_SCANS, MOST_WORK = 100, 3e9
"""Of real files none has so many; pixels times scans, which takes some three seconds of processor time."""


def leaves_codes_unused(data: bytes, frame: Frame) -> bool:
    """Return whether any restart interval or progressive scan has a byte of codes more than its blocks use.

    Not told of arithmetic coding, of restart intervals in progressive scans but the last, or where their number is
    wrong, which libjpeg tells by itself; nor of progressive pictures that would take too long, from 100 megapixels on.
    Cost: half of decoding; of progressive files once to twice decoding.
    """
    if frame.kind not in HUFFMAN:
        return False
    if frame.kind in PROGRESSIVE:
        return _scan_has_more(data, frame)
    return frame.in_one_scan and frame.restarts and _interval_has_more(data, frame)


def _interval_has_more(data: bytes, frame: Frame) -> bool:
    """Return what is asked of a picture in one scan, by decoding intervals that claim a unit more than they have.

    An interval whose bytes end within its last unit leaves the one beyond at nought, which is grey.
    """
    usual = with_usual_header(data, frame)
    bare = frame_of(usual)
    if bare is None:
        return False
    parts, _ = _parts(usual, bare.scan_at)
    across, down = frame.blocks
    units = -(-frame.width // (BLOCK * across)) * -(-frame.height // (BLOCK * down))
    interval = _interval(usual)
    if not 0 < interval < LONGEST_INTERVAL or len(parts) != -(-units // interval):
        return False
    total = len(parts) * (interval + 1)
    columns = min(total, LARGEST_HEIGHT // (BLOCK * across))
    rows = -(-total // columns)
    if rows > LARGEST_HEIGHT // (BLOCK * down):
        return False
    head = _head_of(usual, bare, rows * BLOCK * down, columns * BLOCK * across, interval + 1)
    coded = b"".join(
        _without_last_byte(part) + bytes([0xFF, RESTARTS[number % len(RESTARTS)]]) for number, part in enumerate(parts)
    )
    try:
        luma = _means(head + coded[:-2] + EOI).reshape(rows, down, columns, across)
    except (OSError, SyntaxError, ValueError):  # the real decoding says better what is wrong
        return False
    flat = np.isin(luma, FLAT).all(axis=(1, 3)).reshape(-1)[:total].reshape(len(parts), interval + 1)
    last = units - (len(parts) - 1) * interval
    return not (flat[:-1, -1].all() and flat[-1, last:].all())


def _means(data: bytes) -> npt.NDArray[np.uint8]:
    """Return the means of the first channel's blocks, by Pillow, for libvips gives up after so many warnings."""
    picture = JpegImageFile(io.BytesIO(data))
    picture.draft(None, (picture.width // BLOCK, picture.height // BLOCK))
    return np.asarray(picture.getchannel(0))


def _head_of(data: bytes, frame: Frame, height: int, width: int, interval: int) -> bytes:
    """Return the headers of a picture of another shape, whose channels come out as they are coded."""
    head = bytearray(data[: frame.scan_at])
    struct.pack_into(">HH", head, frame.height_at, height, width)
    if len(frame.sampling) == 1:
        head[frame.height_at + 6] = 0x11
    for kind, at, _ in segments(bytes(head)):
        if kind == DRI:
            struct.pack_into(">H", head, at, interval)
    return bytes(head[:2]) + AS_CODED + bytes(head[2:])


def _interval(data: bytes) -> int:
    """Return how many units lie between two restart markers, by the headers before the first scan."""
    stated = [int.from_bytes(data[at : at + 2], "big") for kind, at, _ in segments(data) if kind == DRI]
    return stated[-1] if stated else 0


def _parts(data: bytes, at: int) -> tuple[list[bytes], int]:
    """Return what lies between a scan's restart markers, and where the marker behind it stands."""
    codes = np.frombuffer(data, np.uint8)[at:]
    marks = np.flatnonzero((codes[:-1] == 0xFF) & (codes[1:] != 0) & (codes[1:] != 0xFF))
    parts, begin = list[bytes](), 0
    for mark in marks.tolist():
        parts.append(data[at + begin : at + mark])
        begin = mark + 2
        if data[at + mark + 1] not in RESTARTS:
            return parts, at + mark
    return [*parts, data[at + begin :]], len(data)


def _without_last_byte(part: bytes) -> bytes:
    """Return a stretch without its last byte of codes; a byte of ones has a zero behind it, and bare ones fill up."""
    codes = part.rstrip(b"\xff")
    return codes[:-2] if codes.endswith(b"\xff\x00") else codes[:-1]


@dataclass(frozen=True)
class _Scan:
    """A progressive scan: where its tables, its header and its codes are, and which coefficients it tells.

    ``known`` is how many bits of them scans before it have told: none by the first of a band.
    """

    tables_at: int
    header_at: int
    codes_at: int
    end: int
    components: frozenset[int]
    first: int
    last: int
    known: int

    def needs(self, other: _Scan) -> bool:
        """Whether one before it has to be read first: the means of blocks, and what it makes finer."""
        if other.first == 0 and not other.known:
            return True
        overlaps = self.first <= other.last and other.first <= self.last
        return bool(self.known and overlaps and self.components & other.components)


def _scan_has_more(data: bytes, frame: Frame) -> bool:
    """Return what is asked of a progressive picture, by decoding it up to each scan, and that one cut by a byte."""
    usual = with_usual_header(data, frame)
    scans = list(_scans(usual))
    if not scans or len(scans) > MOST_SCANS:
        return False
    reads = sum(1 + sum(map(scan.needs, scans[:number])) for number, scan in enumerate(scans))
    if reads * frame.width * frame.height > MOST_WORK:
        return False
    shrink = BLOCK if min(frame.width, frame.height) >= BLOCK else 1
    for number, scan in enumerate(scans):
        shorter = usual[: scans[0].tables_at]
        for other in scans[:number]:
            shorter += usual[other.tables_at : other.end if scan.needs(other) else other.header_at]
        parts, _ = _parts(usual, scan.codes_at)
        cut = len(parts[-1]) - len(_without_last_byte(parts[-1]))
        if not _is_warned_of(shorter + usual[scan.tables_at : scan.end - cut] + EOI, shrink):
            return True
    return False


def _scans(data: bytes) -> Iterator[_Scan]:
    """Yield the scans of a progressive picture, up to the first whose header cannot be followed."""
    begin = at = SOI_BYTES
    while at + HEAD_BYTES < len(data) and data[at] == 0xFF and data[at : at + 2] != EOI:
        end = at + 2 + int.from_bytes(data[at + 2 : at + HEAD_BYTES], "big")
        payload = data[at + HEAD_BYTES : end]
        if data[at + 1] == SOS:
            if not payload or len(payload) != 4 + 2 * payload[0]:
                return
            _, behind = _parts(data, end)
            first, last, bits = payload[-3:]
            yield _Scan(begin, at, end, behind, frozenset(payload[1:-3:2]), first, last, bits >> 4)
            begin = end = behind
        at = end


def _is_warned_of(data: bytes, shrink: int) -> bool:
    """Return whether libjpeg has to invent something."""
    image = libvips().Image.jpegload_source(
        libvips().Source.new_from_memory(data), access="sequential", fail_on="warning", shrink=shrink
    )
    try:
        image.avg()
    except libvips().Error:
        return True
    return False
