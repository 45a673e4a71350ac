"""Strips whose own headers say other things than those of all others: bits in them were changed.

In a TIFF each strip or tile of JPEG and JPEG 2000 is a stream with headers of its own, and one program wrote them all.
Tables of quantisers, which components there are and how they are coded are the same in all of them; where a few bytes
are not, a decoder makes nonsense of the strip without a word. A program that chooses anew for each strip changes more,
or leaves no two of them alike: of those nothing is said.

Source: ISO 10918-1, annexes B.2.2 to B.2.4 (JPEG); ISO 15444-1, annex A.4 to A.6 (JPEG 2000).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from photochrom.files.codecs import jpeg_frame
from photochrom.files.codecs.jpeg2000_checks import SOC_SIZ, main_segments

LEAST_ALIKE, MOST_CHANGED_BYTES = 3, 16
HEAD_BYTES = 4096
"""What is looked at of a strip."""
DQT, SIZ = 0xDB, 0xFF51
SIZES_IN_SOF, SIZES_IN_SIZ = slice(1, 5), slice(2, 34)
TELLING = frozenset([0xFF52, 0xFF53, 0xFF5C, 0xFF5D, 0xFF5E])
"""How blocks are coded, quantised, and regions shifted, for all components or one."""
CHANGED = "a strip or tile is coded in another way than all others: bits in its header were changed"


def strays(heads: Iterable[bytes]) -> frozenset[int]:
    """Return the numbers of strips or tiles whose headers were changed.

    Args:
        heads: the first :data:`HEAD_BYTES` of each, in order.
    """
    told = [telling(head) for head in heads]
    [(usual, count)] = Counter(told).most_common(1) or [(b"", 0)]
    if count < LEAST_ALIKE or 2 * count <= len(told) or not usual:
        return frozenset()
    return frozenset(k for k, head in enumerate(told) if 0 < _changed_bytes(head, usual) <= MOST_CHANGED_BYTES)


def telling(head: bytes) -> bytes:
    """Return the bytes of a stream's headers that say how its samples are coded, sizes and codes left out."""
    if head.startswith(b"\xff\xd8"):
        return b"".join(_of_jpeg(head))
    if head.startswith(SOC_SIZ):
        return b"".join(_of_jpeg2000(head))
    return b""


def _of_jpeg(head: bytes) -> Iterator[bytes]:
    for kind, begin, end in jpeg_frame.segments(head):
        payload = bytearray(head[begin:end])
        if jpeg_frame.is_frame(kind):
            payload[SIZES_IN_SOF] = bytes(4)
        elif kind not in (DQT, jpeg_frame.SOS):
            continue
        yield bytes([kind, *payload])


def _of_jpeg2000(head: bytes) -> Iterator[bytes]:
    for marker, begin, end in main_segments(head):
        payload = bytearray(head[begin:end])
        if marker == SIZ:
            payload[SIZES_IN_SIZ] = bytes(32)
        elif marker not in TELLING:
            continue
        yield marker.to_bytes(2, "big") + payload


def _changed_bytes(head: bytes, usual: bytes) -> int:
    """Return how many bytes differ; none where more than that is another."""
    return sum(a != b for a, b in zip(head, usual, strict=True)) if len(head) == len(usual) else 0
