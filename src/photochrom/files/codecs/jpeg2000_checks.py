"""JPEG 2000 whose code blocks do not use up their data: what wrong bits make of them, and decoders pass over.

The format has no checksum, and its arithmetic decoder makes something of any bytes. But what it makes of wrong ones
takes more of them, or fewer, than the block has. OpenJPEG counts that where a file says that its blocks end
predictably; so a copy is decoded that says so of every file, and only its warnings are looked at. Each block ends, by
any encoder, within a few bytes of its data: of 125 public files, by Kakadu, Aware, JasPer, OpenJPEG and others, none
had more than 1 byte left; nine lacked 3 to 8, and one 14.

Source: ISO 15444-1, annexes A.6.1 and A.6.2 (COD and COC, their code-block style) and D.4.2 (predictable termination).
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import re
import threading
from collections.abc import Iterator
from typing import NamedTuple

SOC_SIZ, SIZ_AT, SOT, COD, COC = b"\xff\x4f\xff\x51", 2, 0xFF90, 0xFF52, 0xFF53
FIRST_COMPONENT, MANY_COMPONENTS = 42, 257
STYLE_IN_COD, STYLE_IN_COC = 8, 4
"""Bytes from Scod, and from Scoc, to the code-block style."""
BYPASSED, ENDS_PREDICTABLY, HIGH_THROUGHPUT = 0x01, 0x10, 0x40
LEFT_BYTES, LACKED_BYTES = 3, 16
WARNED = re.compile(r"PTERM check failure: (\d+) (remaining|synthesized)")
LIBRARY = "imagecodecs"
LEFT_OVER = "a block leaves {count} bytes of its data unused: bits in it were changed"
LACKING = "a block lacks {count} bytes of its data: bits in it were changed"


class Counts(NamedTuple):
    """Bytes of one block, the worst of a codestream's."""

    left: int
    lacking: int


def wrong_block(data: bytes) -> str | None:
    """Return what is wrong with a block of a codestream, in a file or alone; None where nothing is, or nobody can tell.

    Nobody can without imagecodecs, where blocks hold raw bits or are of the high-throughput kind, or where channels
    have fewer samples than the picture.
    Cost and memory: decoding it once more.
    """
    counts = counts_of_blocks(data)
    if counts is None:
        return None
    if counts.left >= LEFT_BYTES:
        return LEFT_OVER.format(count=counts.left)
    return LACKING.format(count=counts.lacking) if counts.lacking >= LACKED_BYTES else None


def counts_of_blocks(data: bytes) -> Counts | None:
    """Return the most bytes that any block leaves and lacks; None where nobody can tell, as :func:`wrong_block`."""
    changed = _ending_predictably(data)
    if changed is None or importlib.util.find_spec(LIBRARY) is None:
        return None
    found = [match for match in map(WARNED.search, _warnings_of_decoding(changed)) if match]
    left, lacking = ([int(one[1]) for one in found if one[2] == kind] for kind in ("remaining", "synthesized"))
    return Counts(max(left, default=0), max(lacking, default=0))


def _ending_predictably(data: bytes) -> bytes | None:
    """Return the same with the bit set that says so; None where that would mean something else."""
    changed = bytearray(data)
    places = list(_styles(data))
    if not places or _is_subsampled(data) or any(changed[at] & (BYPASSED | HIGH_THROUGHPUT) for at in places):
        return None
    for at in places:
        changed[at] |= ENDS_PREDICTABLY
    return bytes(changed)


def _is_subsampled(data: bytes) -> bool:
    """Return whether any component has fewer samples than the picture (annex A.5.1): XRsiz and YRsiz."""
    begin = data.find(SOC_SIZ) + FIRST_COMPONENT
    end = begin + 3 * _components(data)
    return set(data[begin + 1 : end : 3]) | set(data[begin + 2 : end : 3]) != {1}


def _components(data: bytes) -> int:
    begin = data.find(SOC_SIZ) + FIRST_COMPONENT
    return int.from_bytes(data[begin - 2 : begin], "big")


def _styles(data: bytes) -> Iterator[int]:
    """Yield where code-block styles stand in the main header."""
    for marker, begins, end in main_segments(data):
        style = begins + STYLE_IN_COD
        if marker == COC:
            style = begins + (1 if _components(data) < MANY_COMPONENTS else 2) + STYLE_IN_COC
        if marker in (COD, COC) and style < end:
            yield style


def main_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, where its payload begins, where it ends) of each segment of the main header."""
    start = data.find(SOC_SIZ)
    at = start + SIZ_AT
    while start >= 0 and at + 4 <= len(data):
        marker, length = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        begins, at = at + 4, at + 2 + length
        if marker == SOT or marker < 0xFF00 or length < 2 or at > len(data):
            return
        yield marker, begins, at


class _Listener(logging.Filter):
    """Takes what a library says in one thread off its log, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self.thread:
            return True
        self.heard.append(record.getMessage())
        return False


def _warnings_of_decoding(data: bytes) -> list[str]:
    """Return what OpenJPEG warns of; nothing of what it refuses, which the real decoding says better."""
    library = importlib.import_module(LIBRARY)
    log, listener = logging.getLogger(LIBRARY), _Listener()
    log.addFilter(listener)
    try:
        library.jpeg2k_decode(data, verbose=2)
    except (library.Jpeg2kError, ValueError):
        return []
    finally:
        log.removeFilter(listener)
    return listener.heard
