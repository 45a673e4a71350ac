"""A JPEG's compressed data in which zeros stand that no encoder writes: a stretch that a disk or a transfer lost.

A decoder takes them for the shortest code again and again. Where that means a coefficient, and not the end of a block,
whole blocks are filled with one value, which no picture gives.

Source: ISO 10918-1, annexes B.2.4.2 (tables of codes, shortest first), B.2.3 (which table a component uses) and
F.1.2.2 (a code's low four bits are how many bits of a coefficient follow it).
"""

from __future__ import annotations

from photochrom.files.codecs.jpeg_frame import EOI, Frame, segments

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
    table, found = data[frame.scan_at - 2 * frame.scan_components - 2] & 15, None
    for kind, at, end in segments(data):
        payload = data[at:end] if kind == DHT else b""
        while len(payload) > 1 + COUNTS:
            size = 1 + COUNTS + sum(payload[1 : 1 + COUNTS])
            if payload[0] == (OF_COEFFICIENTS << 4 | table):
                found = payload[1 + COUNTS]
            payload = payload[size:]
    return found
