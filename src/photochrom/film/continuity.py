"""Files whose time begins anywhere, or anew: recordings set one behind the other, as DVDs, camcorders and `cat` do.

Transport and program streams may do that. Players count from 0 and go on without a gap, and so do we: everything is
shifted, and from a place where time begins anew by what makes the pictures follow each other; sound takes the same
shift, so that it stays in step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

# FFmpeg's AVFMT_TS_DISCONT: the kind of file may begin its time anew.
MAY_RESTART = 0x0200
# Seconds by which time may jump forward within a recording, and fall back where streams are woven; as FFmpeg's.
LARGEST_GAP, LARGEST_OVERLAP = Fraction(10), Fraction(1, 10)
# A jump that ends this near to where an earlier shift would have it is a slip of single time stamps.
NEAR = Fraction(1, 2)


@dataclass(slots=True)
class Clock:
    """How the packets of one stream are shifted, in seconds.

    Attributes:
        shifts: those met so far, or, of a stream that follows the pictures, theirs.
        follows: whether only these may be taken.
    """

    shifts: list[Fraction]
    follows: bool = False
    _shift: Fraction = field(init=False)
    _next: Fraction | None = None

    def __post_init__(self) -> None:
        self._shift = self.shifts[0]

    @classmethod
    def of(cls, container: InputContainer) -> Clock:
        """Return the clock of a file's pictures."""
        return cls([Fraction(-(container.start_time or 0), 1_000_000)])

    def shift(self, at: Fraction, lasts: Fraction) -> Fraction:
        """Return what is added to a packet's time stamps, given its own decode time and duration."""
        coming = self._next
        if coming is not None and not coming - lasts - LARGEST_OVERLAP <= at + self._shift <= coming + LARGEST_GAP:
            self._shift = self._jumped(at, coming)
        self._next = at + self._shift + lasts
        return self._shift

    def _jumped(self, at: Fraction, coming: Fraction) -> Fraction:
        if self.follows:
            return min(self.shifts, key=lambda shift: abs(at + shift - coming))
        for shift in self.shifts:
            if shift != self._shift and abs(at + shift - coming) <= NEAR:
                return shift
        self.shifts.append(coming - at)
        return self.shifts[-1]


def may_restart(container: InputContainer) -> bool:
    """Return whether files of this kind may begin their time anew."""
    return bool(int(container.format.flags) & MAY_RESTART)


def on_one_clock(packets: Iterable[Any], clock: Clock, usual: Fraction) -> Iterator[Any]:
    """Yield packets of one stream with shifted time stamps; ``usual`` is how long one lasts that does not say."""
    for packet in packets:
        if packet.dts is not None and packet.time_base:
            base = Fraction(packet.time_base)
            move(packet, clock.shift(packet.dts * base, packet.duration * base if packet.duration else usual))
        yield packet


def move(packet: Any, shift_s: Fraction) -> None:
    """Shift a packet's time stamps."""
    if not shift_s:
        return
    by = round(shift_s / Fraction(packet.time_base))
    packet.pts = None if packet.pts is None else packet.pts + by
    packet.dts = None if packet.dts is None else packet.dts + by


def recordings(container: InputContainer, stream: Stream, usual: Fraction) -> tuple[tuple[Fraction, ...], Fraction]:
    """Return the shifts of a file's pictures, one for each recording, and how many seconds all of them last.

    Cost: reading the file once, where its kind may begin time anew.
    """
    if not may_restart(container):
        return (Fraction(0),), Fraction(0)
    import av

    clock, first, last = Clock.of(container), None, Fraction(0)
    try:
        for packet in on_one_clock(container.demux(stream), clock, usual):
            if packet.dts is not None:
                last = packet.dts * Fraction(packet.time_base)
                first = last if first is None else first
    except av.error.FFmpegError:
        pass  # a file that ends early has what there is
    return tuple(clock.shifts), last + usual - (first or 0)
