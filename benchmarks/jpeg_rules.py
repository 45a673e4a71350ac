"""Whether a JPEG's data keep every rule of the format to the last bit, so that its picture alone could give harm away.

A plain reading of ISO 10918-1 that stops at the first thing no encoder may write: a code that no table has, a
coefficient beyond the 64th, bits left over or missing where a scan or a restart interval ends, a restart marker out of
turn. It reads the data without making a picture, a bit at a time: for the small files of a benchmark.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE, DHT, EOI, SOS, DRI = 0xC0, 0xC1, 0xC2, 0xC4, 0xD9, 0xDA, 0xDD
RESTARTS = range(0xD0, 0xD8)
LARGEST_DC, BLOCK = 11, 64
Table = Mapping[tuple[int, int], int]


class BrokenRuleError(ValueError):
    """The data say what no encoder may write."""


@dataclass
class Component:
    """One component of a picture: its sampling, its size in blocks, and which coefficients are known not to be zero.

    ``wide`` and ``high`` are its size in blocks where those that fill whole units are counted.
    """

    across: int
    down: int
    columns: int = 0
    rows: int = 0
    wide: int = 0
    high: int = 0
    nonzero: list[bytearray] = field(default_factory=list)


@dataclass(frozen=True)
class Scan:
    """What a scan's header says; annex B.2.3. ``tables`` of each component: for its DC and its other coefficients."""

    tables: dict[int, tuple[int, int]]
    first: int
    last: int
    known: int


class Bits:
    """Bits of one restart interval, stuffing taken out."""

    def __init__(self, data: bytes) -> None:
        self.text, self.at = "".join(f"{byte:08b}" for byte in data), 0

    def take(self, count: int) -> str:
        """Return the next bits."""
        self.at += count
        if self.at > len(self.text):
            raise BrokenRuleError("ends early")
        return self.text[self.at - count : self.at]

    def symbol(self, table: Table) -> int:
        """Return what the next code means; annex F.2.2.3."""
        code = 0
        for length in range(1, 17):
            code = 2 * code + int(self.take(1))
            if (length, code) in table:
                return table[length, code]
        raise BrokenRuleError("a code that no table has")

    def end(self) -> None:
        """Refuse whole bytes left over, and padding that is not of ones; annex F.1.2.3."""
        rest = self.text[self.at :]
        if len(rest) > 7 or "0" in rest:
            raise BrokenRuleError("bits left over")


def keeps_rules(data: bytes) -> bool:
    """Return whether every scan of a JPEG holds exactly what its headers say, bit by bit."""
    try:
        _read(data)
    except (BrokenRuleError, KeyError, IndexError, struct.error):
        return False
    return True


def _read(data: bytes) -> None:
    tables: dict[int, Table] = {}
    components: dict[int, Component] = {}
    interval, at = 0, 2
    while data[at + 1] != EOI:
        kind, size = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        payload, at = data[at + 4 : at + 2 + size], at + 2 + size
        if data[at] != 0xFF and kind != SOS:
            raise BrokenRuleError("no marker where one should be")
        if kind == DHT:
            tables |= _tables(payload)
        elif kind in (SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE):
            components, progressive = _components(payload), kind == SOF_PROGRESSIVE
        elif kind == DRI:
            interval = struct.unpack(">H", payload)[0]
        elif kind == SOS:
            parts, at = _parts(data, at)
            _read_scan(_scan(payload), components, tables, parts, interval, progressive=progressive)


def _tables(payload: bytes) -> dict[int, Table]:
    """Return code tables by class and number; annex C.2."""
    found: dict[int, Table] = {}
    while payload:
        counts, values, code, table = payload[1:17], iter(payload[17:]), 0, {}
        for length, count in enumerate(counts, 1):
            for _ in range(count):
                table[length, code] = next(values)
                code += 1
            code *= 2
        found[payload[0]] = table
        payload = payload[17 + sum(counts) :]
    return found


def _components(payload: bytes) -> dict[int, Component]:
    height, width, count = struct.unpack(">HHB", payload[1:6])
    found = {
        number: Component(sampling >> 4, sampling & 15)
        for number, sampling, _ in struct.iter_unpack("BBB", payload[6 : 6 + 3 * count])
    }
    across, down = (max(getattr(one, way) for one in found.values()) for way in ("across", "down"))
    for one in found.values():
        one.columns = _parted(_parted(width * one.across, across), 8)
        one.rows = _parted(_parted(height * one.down, down), 8)
        one.wide, one.high = _parted(width, 8 * across) * one.across, _parted(height, 8 * down) * one.down
        one.nonzero = [bytearray(BLOCK) for _ in range(one.wide * one.high)]
    return found


def _parted(count: int, size: int) -> int:
    """Return how many parts of a size hold so many."""
    return (count + size - 1) // size


def _scan(payload: bytes) -> Scan:
    count = payload[0]
    tables = {
        number: (which >> 4, which & 15) for number, which in struct.iter_unpack("BB", payload[1 : 1 + 2 * count])
    }
    first, last, bits = payload[1 + 2 * count :]
    return Scan(tables, first, last, bits >> 4)


def _parts(data: bytes, at: int) -> tuple[list[bytes], int]:
    """Return a scan's restart intervals without stuffing, and where the marker after it stands; annex B.1.1.5."""
    parts, current = [], bytearray()
    while True:
        byte, following = data[at], data[at + 1]
        if byte != 0xFF:
            current.append(byte)
            at += 1
        elif following == 0:
            current.append(0xFF)
            at += 2
        elif following in RESTARTS:
            if following != RESTARTS[len(parts) % 8]:
                raise BrokenRuleError("a restart marker out of turn")
            parts.append(bytes(current))
            current, at = bytearray(), at + 2
        else:
            return [*parts, bytes(current)], at


def _units(scan: Scan, components: Mapping[int, Component]) -> Iterator[list[tuple[int, int]]]:
    """Yield which blocks (component, index) are coded together, one after the other; annex A.2."""
    if len(scan.tables) == 1:
        (number,) = scan.tables
        one = components[number]
        for row in range(one.rows):
            for column in range(one.columns):
                yield [(number, row * one.wide + column)]
        return
    first = components[next(iter(scan.tables))]
    for row in range(first.high // first.down):
        for column in range(first.wide // first.across):
            yield [
                (number, (row * one.down + y) * one.wide + column * one.across + x)
                for number in scan.tables
                for one in (components[number],)
                for y in range(one.down)
                for x in range(one.across)
            ]


def _read_scan(
    scan: Scan,
    components: Mapping[int, Component],
    tables: Mapping[int, Table],
    parts: list[bytes],
    interval: int,
    *,
    progressive: bool,
) -> None:
    units = list(_units(scan, components))
    size = interval or len(units)
    if len(parts) != _parted(len(units), size):
        raise BrokenRuleError("too many or too few restart intervals")
    for number, part in enumerate(parts):
        bits, run = Bits(part), 0
        for unit in units[number * size : (number + 1) * size]:
            for which, index in unit:
                dc, ac = scan.tables[which]
                nonzero = components[which].nonzero[index]
                if not progressive:
                    _skip_value(bits, bits.symbol(tables[dc]), LARGEST_DC)
                    _read_first(bits, tables[16 | ac], nonzero, 1, 63, runs=False)
                elif scan.first == 0:
                    _ = bits.take(1) if scan.known else _skip_value(bits, bits.symbol(tables[dc]), LARGEST_DC)
                elif run:
                    run -= 1
                    if scan.known:
                        _refine_rest(bits, nonzero, scan.first, scan.last)
                else:
                    read = _read_refined if scan.known else _read_first
                    run = read(bits, tables[16 | ac], nonzero, scan.first, scan.last)
        if run:
            raise BrokenRuleError("blocks without coefficients beyond the last block")
        bits.end()


def _skip_value(bits: Bits, size: int, largest: int) -> str:
    if size > largest:
        raise BrokenRuleError("a value of too many bits")
    return bits.take(size)


def _read_first(bits: Bits, table: Table, nonzero: bytearray, first: int, last: int, *, runs: bool = True) -> int:
    """Read a block's coefficients, sequential or of a band's first scan; annexes F.2.2.2 and G.1.2.2.

    Return how many blocks after this one have none.
    """
    at = first
    while at <= last:
        symbol = bits.symbol(table)
        zeros, size = symbol >> 4, symbol & 15
        if not size and zeros < 15:
            if zeros and not runs:
                raise BrokenRuleError("a run of blocks in a sequential scan")
            return (1 << zeros) - 1 + (int(bits.take(zeros), 2) if zeros else 0)
        at += zeros
        if at > last:
            raise BrokenRuleError("a coefficient beyond the last")
        if size:
            _skip_value(bits, size, 10)
            nonzero[at] = 1
        at += 1
    return 0


def _read_refined(bits: Bits, table: Table, nonzero: bytearray, first: int, last: int) -> int:
    """Read a block of a later scan, which makes known coefficients finer and tells new ones; annex G.1.2.3."""
    at = first
    while at <= last:
        symbol = bits.symbol(table)
        zeros, size = symbol >> 4, symbol & 15
        if size > 1:
            raise BrokenRuleError("a new coefficient of more than one bit")
        if not size and zeros < 15:
            run = (1 << zeros) - 1 + (int(bits.take(zeros), 2) if zeros else 0)
            _refine_rest(bits, nonzero, at, last)
            return run
        _ = bits.take(size)
        while at <= last and (nonzero[at] or zeros):
            if nonzero[at]:
                bits.take(1)
            else:
                zeros -= 1
            at += 1
        if at > last:
            raise BrokenRuleError("a coefficient beyond the last")
        nonzero[at] |= size
        at += 1
    return 0


def _refine_rest(bits: Bits, nonzero: bytearray, first: int, last: int) -> None:
    for at in range(first, last + 1):
        if nonzero[at]:
            bits.take(1)
