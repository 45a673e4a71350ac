"""Time stamps that rise: a frame whose own is missing, or is a slip, is moved, and not the frames around it."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from photochrom.errors import UnsupportedFilmError

if TYPE_CHECKING:
    from av import VideoFrame

# Packets behind a frame's own that are asked before its time stamp is believed. They are held as the file has them.
AHEAD = 6
# Those that gave no frame are forgotten after so many.
REMEMBERED = 64
# Seconds by which time falls back at least where it begins anew.
LEAST_FALL = Fraction(1)


class Counting(Protocol):
    """What counts the frames that are moved."""

    moved: int


class Ahead:
    """Packets on their way to a decoder, read some ahead: their time stamps tell what will come."""

    def __init__(self, packets: Iterator[Any]) -> None:
        self._packets, self._held, self._stamps = packets, deque[Any](), deque[int]()

    def __iter__(self) -> Iterator[Any]:
        """Yield the packets; what reading raises comes when those before it are given."""
        failed: Exception | None = None
        ended = False
        while True:
            while not ended and len(self._held) <= AHEAD:
                try:
                    packet = next(self._packets)
                except StopIteration:
                    ended = True
                except Exception as error:  # noqa: BLE001 - raised below, in its place
                    failed, ended = error, True
                else:
                    self._held.append(packet)
                    if packet.pts is not None and packet.size:
                        self._stamps.append(packet.pts)
            if not self._held:
                break
            yield self._held.popleft()
        if failed is not None:
            raise failed

    def after(self, pts: int | None) -> list[int]:
        """Return the time stamps of packets behind that of a frame which has come out; none where it is not known."""
        if pts is None or pts not in self._stamps:
            return []
        place = self._stamps.index(pts)
        del self._stamps[place]
        coming = list(itertools.islice(self._stamps, place, place + AHEAD))
        while place > REMEMBERED:
            self._stamps.popleft()
            place -= 1
        return coming


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
            and len(coming) == AHEAD
            and max(frame.pts or 0, *coming) < last - LEAST_FALL / base
        ):
            raise UnsupportedFilmError(
                "its time begins anew within the file", where=where, next_step="Cut it there, and colour the parts"
            )
        at = believed(frame.pts, last, coming, step)
        reading.moved += at != frame.pts
        frame.pts = last = at
        yield frame


def believed(own: int | None, last: int | None, coming: Sequence[int], step: int) -> int:
    """Return a frame's or packet's time stamp: its own, where it is later than the last and earlier than most to come.

    ``step`` is the usual time between two.
    """
    after = [at for at in coming if last is None or at > last]
    if own is not None and (last is None or own > last) and 2 * sum(at <= own for at in after) <= len(coming):
        return own
    if last is None:
        return min(after) - step if own is not None else 0
    # Before the next that may keep its own, with room for those between.
    room = (min(after) - last) // (len(coming) - len(after) + 2) if after else step
    return last + max(1, min(step, room))
