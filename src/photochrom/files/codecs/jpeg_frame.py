"""JPEG's frame: what the header says of the samples, and whether the data after it is all there.

libjpeg conceals damage: it warns, fills in what it lacks, and says nothing of data that is left over, which is what a
flipped bit mostly makes of a picture; see :mod:`.jpeg_means` for what is left over.

Source: ISO 10918-1 annexes B (markers, frame and scan headers) and F.2 (decoding), ISO 14495-1 (JPEG-LS).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.lost_rows import rows_until_error

SOI_BYTES = 2
HEAD_BYTES = 4
"""A segment's marker and length, before its payload."""
SOS, DRI, EOI = 0xDA, 0xDD, b"\xff\xd9"
NOT_FRAMES = {0xC4, 0xC8, 0xCC}
PROGRESSIVE, LOSSLESS, JPEG_LS = {0xC2, 0xCA}, {0xC3, 0xCB}, 0xF7
LARGEST_HEIGHT = 65500  # libjpeg's own limit
BLOCK = 8
JFIF, JFIF_MAJOR_AT, ADOBE, ADOBE_TRANSFORM_AT = b"JFIF\x00", 9, b"Adobe", 15
DESCRIBING = frozenset([0xFE, *range(0xE1, 0xEE), 0xEF])
"""Markers of comments and application segments that say nothing of the samples."""
WHOLE_SCAN = bytes([0, 63, 0])
LEAST_PADDING = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame and the first scan's header say.

    Attributes:
        kind: the marker's second byte.
        precision: bits per sample.
        width: in pixels.
        height: in pixels.
        sampling: (horizontal, vertical) factors of each component.
        height_at: where the height stands in the file.
        scan_at: where the first scan's data begins.
        scan_components: of the first scan.
        restarts: whether coding begins anew after every few units.
    """

    kind: int
    precision: int
    width: int
    height: int
    sampling: tuple[tuple[int, int], ...]
    height_at: int
    scan_at: int
    scan_components: int
    restarts: bool = False

    @property
    def is_lossless(self) -> bool:
        """Whether it is one of the two kinds of lossless JPEG, which libjpeg does not know."""
        return self.kind in LOSSLESS or self.kind == JPEG_LS

    @property
    def in_one_scan(self) -> bool:
        """Whether all components come in one pass from top to bottom."""
        return self.kind not in PROGRESSIVE and self.scan_components == len(self.sampling)

    @property
    def blocks(self) -> tuple[int, int]:
        """Blocks across and down in the smallest unit of coding."""
        if len(self.sampling) == 1:
            return 1, 1
        return max(across for across, _ in self.sampling), max(down for _, down in self.sampling)


def frame_of(data: bytes | bytearray) -> Frame | None:
    """Return the frame of the first picture in a file, or None where its headers cannot be followed."""
    frame, restarts = None, False
    for kind, at, end in segments(data):
        payload = data[at:end]
        if kind == SOS:
            if frame is None or not payload:
                return None
            return Frame(*frame, scan_at=end, scan_components=payload[0], restarts=restarts)
        if is_frame(kind):
            frame = _frame_header(kind, payload, at)
        if kind == DRI:
            restarts = any(payload)
    return None


def is_frame(kind: int) -> bool:
    """Return whether a marker, by its second byte, begins a frame's header."""
    return (0xC0 <= kind <= 0xCF and kind not in NOT_FRAMES) or kind == JPEG_LS


def segments(data: bytes | bytearray) -> Iterator[tuple[int, int, int]]:
    """Yield (marker's second byte, where its payload begins, where it ends) of each segment, the first scan's last."""
    at, kind = SOI_BYTES, 0
    while at + HEAD_BYTES <= len(data) and kind != SOS:
        if data[at] != 0xFF:
            at += 1  # libjpeg passes over what lies between segments, too
            continue
        kind = data[at + 1]
        if kind in (0x00, 0x01, 0xFF) or 0xD0 <= kind <= 0xD8:
            at += 1 if kind == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield kind, at + HEAD_BYTES, end
        at = end


def _frame_header(
    kind: int, payload: bytes | bytearray, at: int
) -> tuple[int, int, int, int, tuple[tuple[int, int], ...], int] | None:
    if len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
        return None
    precision, height, width, count = struct.unpack_from(">BHHB", payload)
    factors = tuple((payload[7 + 3 * i] >> 4, payload[7 + 3 * i] & 15) for i in range(count))
    return kind, precision, width, height, factors, at + 1


def completed(data: bytes, frame: Frame) -> bytes:
    """Return the file with its end marker, where only that is missing, and with no padding of zeros before it.

    Zeros may be codes too, of a flat picture whose codes were made for it: then it is not all there without them.
    """
    end = data.find(EOI, frame.scan_at)
    if end < 0:
        return data + EOI if is_all_there(data + EOI, frame) else data
    scan = data[:end].rstrip(b"\x00")
    if end - len(scan) < LEAST_PADDING:  # a few zeros may be codes, or stuffed
        return data
    bare = scan + (b"\x00" if scan[-1] == 0xFF else b"") + data[end:]
    return bare if is_all_there(bare, frame) else data


def is_all_there(data: bytes, frame: Frame) -> bool:
    """Return whether nothing but the end marker was missing: libjpeg warns of the rest, but not in its last strip."""
    if not frame.in_one_scan:
        return _has_all_scans(data, frame)
    longer = with_a_row_more(data, frame)
    if longer is None:
        return False
    image = libvips().Image.jpegload_source(
        libvips().Source.new_from_memory(longer), access="sequential", fail_on="warning"
    )
    # A warning counts from the next strip on; chroma that is enlarged downwards is decoded a unit ahead of the rows.
    down = frame.blocks[1]
    least = int(image.height) - BLOCK * down + (1 if down == 1 else 0)
    return rows_until_error(image) >= least


def _has_all_scans(data: bytes, frame: Frame) -> bool:
    """Return whether the scans of a file that has several bring every coefficient to its last bit."""
    missing = {component: dict.fromkeys(range(64), True) for component in range(len(frame.sampling))}
    identities = [data[frame.height_at + 5 + 3 * i] for i in range(len(frame.sampling))]
    at = SOI_BYTES
    while (at := data.find(b"\xff\xda", at)) >= 0:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        header = data[at + 4 : at + 2 + length]
        at += 2
        if len(header) < 6 or len(header) != 4 + 2 * header[0] or at < frame.height_at:
            continue
        first, last, low = header[-3], header[-2], header[-1] & 15
        for i in range(header[0]):
            if header[1 + 2 * i] in identities and not low:
                component = missing[identities.index(header[1 + 2 * i])]
                component.update(dict.fromkeys(range(first, min(last, 63) + 1), False))
    return not any(any(bits.values()) for bits in missing.values())


def with_a_row_more(data: bytes, frame: Frame) -> bytes | None:
    """Return the file with a header that claims one more row of units than there is, or None where that cannot be."""
    across, down = frame.blocks
    rows = -(-frame.height // (BLOCK * down)) * BLOCK * down + BLOCK * down if down else 0
    if not frame.in_one_scan or not frame.height or not across or rows > LARGEST_HEIGHT:
        return None
    longer = bytearray(with_usual_header(data, frame))
    bare = frame_of(longer[: frame.scan_at])
    if bare is None:
        return None
    struct.pack_into(">H", longer, bare.height_at, rows)
    if len(frame.sampling) == 1:  # factors mean nothing then, but libjpeg would warn by so many rows of blocks
        longer[bare.height_at + 6] = 0x11
    return bytes(longer)


def with_usual_header(data: bytes, frame: Frame) -> bytes:
    """Return the file with a header that libjpeg has nothing to say about, so that what it warns of is damage.

    Gone are metadata, bytes between segments, unknown versions and transforms, and parameters that only progressive
    scans use.
    """
    head = bytearray(data[:SOI_BYTES])
    for kind, at, end in segments(data):
        segment = bytearray(data[at - HEAD_BYTES : end])
        if segment[4:9] == JFIF and len(segment) > JFIF_MAJOR_AT:
            segment[JFIF_MAJOR_AT] = 1
        if segment[4:9] == ADOBE and len(segment) > ADOBE_TRANSFORM_AT and segment[ADOBE_TRANSFORM_AT] > 2:
            segment[ADOBE_TRANSFORM_AT] = 1 if len(frame.sampling) == 3 else 2
        if kind == SOS and frame.kind not in PROGRESSIVE:
            segment[-3:] = WHOLE_SCAN
        head += b"" if kind in DESCRIBING else segment
    return bytes(head) + data[frame.scan_at :]
