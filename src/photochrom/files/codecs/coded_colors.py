"""Code points that stand in a coded picture itself: AV1's sequence header, and HEVC's parameters of a sequence.

Sources: AV1 Bitstream & Decoding Process Specification, sections 5.3 to 5.5; ITU-T H.265, sections 7.3.1, 7.3.2.2,
7.3.3, 7.3.4, 7.3.7 and E.2.1; ISO 14496-15, section 8.3.3 (``hvcC``).
"""

from __future__ import annotations

CodePoints = tuple[int, int]
"""ColourPrimaries and TransferCharacteristics of H.273."""
SEQUENCE_HEADER, SEQUENCE_PARAMETERS = 1, 33
MAX_SETS = 64
MAX_UNITS = 100


def points_of_av1(data: bytes) -> CodePoints | None:
    """Return what the first bytes of an AV1 stream say of its colours; None where they say nothing, or end early."""
    at = 0
    for _ in range(MAX_UNITS):
        if at >= len(data):
            return None
        bits = _Bits(data[at:])
        try:
            kind, extended, sized = bits.number(5), bits.number(1), bits.number(1)
            bits.skip(1 + 8 * extended)
            size = bits.leb128() if sized else len(data)
            if kind == SEQUENCE_HEADER:
                return _of_sequence_header(bits)
        except EOFError:
            return None
        at += bits.at // 8 + size
    return None


def points_of_hevc(configuration: bytes) -> CodePoints | None:
    """Return what the parameters in an ``hvcC`` box say of its colours; None where they say nothing, or end early."""
    at = 23
    for _ in range(configuration[22] if len(configuration) > 22 else 0):
        kind, count = configuration[at : at + 1], int.from_bytes(configuration[at + 1 : at + 3], "big")
        at += 3
        for _ in range(min(count, MAX_SETS)):
            end = at + 2 + int.from_bytes(configuration[at : at + 2], "big")
            if kind and kind[0] & 63 == SEQUENCE_PARAMETERS:
                try:
                    # Zeros that would look like a start code have a 3 behind them.
                    return _of_sequence_parameters(_Bits(configuration[at + 4 : end].replace(b"\0\0\3", b"\0\0")))
                except EOFError:
                    return None
            at = end
    return None


class _Bits:
    """Bits of bytes, from the highest on. Reading behind the last raises EOFError."""

    def __init__(self, data: bytes) -> None:
        self._value, self._count, self.at = int.from_bytes(data, "big"), 8 * len(data), 0

    def skip(self, count: int) -> None:
        self.at += count
        if self.at > self._count:
            raise EOFError

    def number(self, count: int) -> int:
        self.skip(count)
        return (self._value >> (self._count - self.at)) & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.number(1))

    def golomb(self) -> int:
        """Return a number of Exp-Golomb code: ``ue(v)`` of H.265, ``uvlc`` of AV1."""
        zeros = 0
        while not self.flag():
            zeros += 1
        return (1 << zeros) - 1 + self.number(zeros)

    def skip_golombs(self, count: int) -> None:
        for _ in range(count):
            self.golomb()

    def leb128(self) -> int:
        value = 0
        for place in range(0, 56, 7):
            more, part = self.flag(), self.number(7)
            value |= part << place
            if not more:
                break
        return value


def _of_sequence_header(bits: _Bits) -> CodePoints | None:
    profile, _, reduced = bits.number(3), bits.flag(), bits.flag()
    if reduced:
        bits.skip(5)
    else:
        _skip_operating_points(bits)
    sizes = bits.number(4), bits.number(4)
    bits.skip(sum(sizes) + 2)
    if not reduced and bits.flag():
        bits.skip(7)
    bits.skip(3)
    if not reduced:
        _skip_tools(bits)
    bits.skip(3)
    if bits.flag() and profile == 2:
        bits.skip(1)
    if profile != 1:
        bits.skip(1)
    return (bits.number(8), bits.number(8)) if bits.flag() else None


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.flag():
        bits.skip(64)
        if bits.flag():
            bits.golomb()
        if bits.flag():
            delay = bits.number(5) + 1
            bits.skip(42)
    delayed = bits.flag()
    for _ in range(bits.number(5) + 1):
        bits.skip(12)
        if bits.number(5) > 7:
            bits.skip(1)
        if delay and bits.flag():
            bits.skip(2 * delay + 1)
        if delayed and bits.flag():
            bits.skip(4)


def _skip_tools(bits: _Bits) -> None:
    bits.skip(4)
    ordered = bits.flag()
    bits.skip(2 * ordered)
    forced = bits.flag() or bits.flag()
    if forced and not bits.flag():
        bits.skip(1)
    bits.skip(3 * ordered)


def _of_sequence_parameters(bits: _Bits) -> CodePoints | None:
    bits.skip(4)
    layers = bits.number(3)
    bits.skip(1 + 96)
    _skip_layers(bits, layers)
    bits.golomb()
    if bits.golomb() == 3:
        bits.skip(1)
    bits.skip_golombs(2)
    if bits.flag():
        bits.skip_golombs(4)
    bits.skip_golombs(2)
    counter = bits.golomb() + 4
    bits.skip_golombs(3 * (layers + 1 if bits.flag() else 1) + 6)
    if bits.flag() and bits.flag():
        _skip_scaling_lists(bits)
    bits.skip(2)
    if bits.flag():
        bits.skip(8)
        bits.skip_golombs(2)
        bits.skip(1)
    _skip_references(bits)
    if bits.flag():
        bits.skip(bits.golomb() * (counter + 1))
    bits.skip(2)
    return _of_usability(bits) if bits.flag() else None


def _skip_layers(bits: _Bits, layers: int) -> None:
    if not layers:
        return
    present = [(bits.flag(), bits.flag()) for _ in range(8)]
    for profiled, levelled in present[:layers]:
        bits.skip(88 * profiled + 8 * levelled)


def _skip_scaling_lists(bits: _Bits) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            explicit = bits.flag()
            bits.skip_golombs(min(64, 16 << (2 * size)) + (size > 1) if explicit else 1)


def _skip_references(bits: _Bits) -> None:
    before = 0
    for number in range(min(bits.golomb(), MAX_SETS)):
        if number and bits.flag():
            bits.skip(1)
            bits.golomb()
            before = sum(bits.flag() or bits.flag() for _ in range(before + 1))
            continue
        before = bits.golomb() + bits.golomb()
        for _ in range(before):
            bits.golomb()
            bits.skip(1)


def _of_usability(bits: _Bits) -> CodePoints | None:
    if bits.flag() and bits.number(8) == 255:
        bits.skip(32)
    if bits.flag():
        bits.skip(1)
    if not bits.flag():
        return None
    bits.skip(4)
    return (bits.number(8), bits.number(8)) if bits.flag() else None
