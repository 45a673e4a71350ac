"""A JPEG's compressed data in which zeros stand that no encoder writes: a stretch that a disk or a transfer lost.

A decoder takes them for the shortest code again and again. Where that means a coefficient, and not the end of a block,
whole blocks are filled with one value, which no picture gives.

Source: ISO 10918-1, annexes B.2.4.2 (tables of codes, shortest first), B.2.3 (which table a component uses) and
F.1.2.2 (a code's low four bits are how many bits of a coefficient follow it).
"""

from __future__ import annotations

from photochrom.files.codecs.jpeg_frame import EOI, SOI_BYTES, Frame

DHT, COUNTS, OF_COEFFICIENTS = 0xC4, 16, 1
LEAST_ZEROS = 64
"""Bytes: coefficients for two blocks and more, whatever the codes are."""


def has_lost_stretch(data: bytes, frame: Frame) -> bool:
    """Return whether the first scan has a stretch of zeros that cannot be codes; zeros at its end are padding."""
    if not frame.in_one_scan:
        return False
    end = data.find(EOI, frame.scan_at)
    scan = data[frame.scan_at : end if end >= 0 else None].rstrip(b"\x00")
    if bytes(LEAST_ZEROS) not in scan:
        return False
    symbol = _shortest(data, frame)
    return symbol is not None and symbol & 15 > 0


def _shortest(data: bytes, frame: Frame) -> int | None:
    """Return what the code of zeros means to the first component's coefficients; None where no table says it."""
    table, found, at = data[frame.scan_at - 2 * frame.scan_components - 2] & 15, None, SOI_BYTES
    while at + 4 <= frame.scan_at:
        if data[at] != 0xFF or data[at + 1] in (0x00, 0xFF):
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        payload = data[at + 4 : end] if data[at + 1] == DHT else b""
        while len(payload) > 1 + COUNTS:
            size = 1 + COUNTS + sum(payload[1 : 1 + COUNTS])
            if payload[0] == (OF_COEFFICIENTS << 4 | table):
                found = payload[1 + COUNTS]
            payload = payload[size:]
        at = end
    return found
