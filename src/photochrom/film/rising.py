"""Time stamps that rise: a frame whose own is missing, or is a slip, is moved, and not the frames around it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from photochrom.errors import UnsupportedFilmError

if TYPE_CHECKING:
    from av import VideoFrame

# Packets behind a frame's own that are asked before its time stamp is believed: at most, and those of large packets,
# which are held as the file has them.
FAR_AHEAD, AHEAD = 50, 6
LARGEST_HELD_BYTES = 16_000_000
# Those of frames that have not come out are forgotten after so many.
REMEMBERED = 64
# Seconds by which time falls back at least where it begins anew.
LEAST_FALL = Fraction(1)
CUT_IT = "Cut it there, and colour the parts"
Told = tuple[Any, list[int]]
"""A packet, and the time stamps of those behind it, in the file's order."""


class Counting(Protocol):
    """What counts the frames that are moved."""

    moved: int


class Held:
    """Packets of one stream, held until it is known what comes behind them."""

    def __init__(self, stamp: str) -> None:
        """Begin with none; ``stamp`` names the time that is told, ``pts`` or ``dts``."""
        self._stamp, self._packets, self._bytes = stamp, deque[Any](), 0

    def after(self, packet: Any) -> Iterator[Told]:
        """Take a packet, and yield those that need be held no more."""
        self._packets.append(packet)
        self._bytes += packet.size
        while len(self._packets) > (AHEAD if self._bytes > LARGEST_HELD_BYTES else FAR_AHEAD):
            yield self._first()

    def rest(self) -> Iterator[Told]:
        """Yield those that are left, as no more come."""
        while self._packets:
            yield self._first()

    def _first(self) -> Told:
        first = self._packets.popleft()
        self._bytes -= first.size
        stamps = (getattr(packet, self._stamp) for packet in self._packets if packet.size)
        return first, [at for at in stamps if at is not None]


class Ahead:
    """Packets on their way to a decoder, read some ahead: their time stamps tell what will come."""

    def __init__(self, packets: Iterator[Any]) -> None:
        self._packets, self._told = packets, deque[Told](maxlen=REMEMBERED)
        self._shown = deque[int](maxlen=REMEMBERED)

    def __iter__(self) -> Iterator[Any]:
        """Yield the packets; what reading raises comes when those before it are given."""
        for packet, coming in self._with_coming():
            if packet.pts is not None and packet.size:
                self._told.append((packet.pts, coming))
            yield packet

    def _with_coming(self) -> Iterator[Told]:
        held = Held("pts")
        try:
            for packet in self._packets:
                yield from held.after(packet)
        except Exception:
            yield from held.rest()
            raise
        yield from held.rest()

    def after(self, pts: int | None) -> list[int]:
        """Return the time stamps of packets behind that of a frame which has come out; none where it is not known.

        Those of frames that were decoded after it and shown before it are left out.
        """
        for place, (own, coming) in enumerate(self._told):
            if own == pts:
                del self._told[place]
                unseen = [at for at in coming if at not in self._shown]
                self._shown.append(own)
                return unseen
        return []


def rising(
    frames: Iterator[VideoFrame], ahead: Ahead, base: Fraction, step: int, reading: Counting, where: str = ""
) -> Iterator[VideoFrame]:
    """Yield frames in the order they come, each with a time stamp later than the one before.

    Args:
        frames: as they are decoded.
        ahead: the packets they are decoded from.
        base: seconds per unit of time stamps.
        step: the usual time between two, for those that have no time stamp.
        reading: its ``moved`` counts the frames whose time stamp is another now.
        where: the film, for errors, of a kind that may not begin its time anew; left out for others.

    Raises:
        UnsupportedFilmError: time begins anew, so that sound and pictures could not be kept in step.
    """
    last: int | None = None
    for frame in frames:
        coming = ahead.after(frame.pts)
        if (
            where
            and last is not None
            and len(coming) >= AHEAD
            and max(frame.pts or 0, *coming[:AHEAD]) < last - LEAST_FALL / base
        ):
            raise UnsupportedFilmError("its time begins anew within the file", where=where, next_step=CUT_IT)
        at = believed(frame.pts, last, coming, step)
        reading.moved += at != frame.pts
        frame.pts = last = at
        yield frame


def believed(own: int | None, last: int | None, coming: Sequence[int], step: int) -> int:
    """Return a frame's or packet's time stamp: its own, where it is later than the last and no slip.

    It is a slip where more of those to come are earlier than it is, than are as late as it is before they come: fewer
    are moved then. ``step`` is the usual time between two.
    """
    floor = -math.inf if last is None else last
    after = [at for at in coming if at > floor]
    if own is not None and own > floor and not _has_slipped(own, after, len(coming)):
        return own
    if not after:
        return 0 if last is None else last + max(1, step)
    # Before the next that may keep its own, with room for those between: those that have slipped as well.
    late = own if own is not None and own > floor else math.inf
    between = sum(at <= floor or at > late for at in coming[: coming.index(min(after))])
    if last is None:
        return min(after) - step * (between + 1)
    return last + max(1, min(step, (min(after) - last) // (between + 2)))


def _has_slipped(own: int, after: Sequence[int], known: int) -> bool:
    earlier = [place for place, at in enumerate(after) if at <= own]
    as_late = earlier[-1] + 2 - len(earlier) if earlier else 1  # own among them
    return len(earlier) > max(as_late, min(known, AHEAD) / 2)
