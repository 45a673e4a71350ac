"""Whole files set one behind the other, of kinds whose readers end after the first without a word.

Sources: Adobe Flash Video File Format Specification 10.1, annex E.2 to E.4; ISO 14496-12, section 4.2; Advanced Systems
Format Specification 1.20.03, sections 2.1 and 10.1.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

FLV, FLV_TAGS = b"FLV\x01", {8, 9, 18}
ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
MAX_PARTS = 10_000_000


def holds_further_film(path: Path) -> bool:
    """Return whether another whole FLV, MP4, MOV or ASF file lies behind the first, in one file.

    Cost: FLV reads 11 bytes of each packet, the others a few.
    """
    with path.open("rb", buffering=0) as handle:
        head = handle.read(len(ASF_HEADER))
        if head[:4] == FLV:
            return _is_further_flv(handle, int.from_bytes(head[5:9], "big") + 4)
        if head == ASF_HEADER:
            return _is_further_asf(handle)
        return head[4:8] == b"ftyp" and _is_further_mp4(handle)


def _is_further_flv(handle: BinaryIO, at: int) -> bool:
    for _ in range(MAX_PARTS):
        tag = _read(handle, at, 11)
        if len(tag) < 11 or tag[0] & 31 not in FLV_TAGS:
            break
        at += 11 + int.from_bytes(tag[1:4], "big") + 4
    return _read(handle, at, 4) == FLV


def _is_further_asf(handle: BinaryIO) -> bool:
    at = 0
    for _ in range(MAX_PARTS):
        head = _read(handle, at, 24)
        size = int.from_bytes(head[16:], "little")
        if len(head) < 24 or size < 24:
            return False
        if at and head.startswith(ASF_HEADER):
            return True
        at += size
    return False


def _is_further_mp4(handle: BinaryIO) -> bool:
    """Return whether there are a second ``ftyp`` and ``moov``; of fragments, readers take those behind them, too."""
    at, kinds = 0, list[bytes]()
    for _ in range(MAX_PARTS):
        head = _read(handle, at, 16)
        size = int.from_bytes(head[8:] if head[:4] == b"\0\0\0\1" else head[:4], "big")
        kind = head[4:8]
        if kind == b"moof":
            return False
        if kind in (b"ftyp", b"moov"):
            kinds.append(kind)
        if size < 8:
            break
        at += size
    return min(kinds.count(b"ftyp"), kinds.count(b"moov")) > 1


def _read(handle: BinaryIO, at: int, count: int) -> bytes:
    if at >= handle.seek(0, os.SEEK_END):  # a file may name places that no system can seek
        return b""
    handle.seek(at)
    return handle.read(count)
