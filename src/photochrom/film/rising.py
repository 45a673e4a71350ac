"""Time stamps that rise: a frame whose own is missing, or is a slip, is moved, and not the frames around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from photochrom.errors import UnsupportedFilmError

if TYPE_CHECKING:
    from av import VideoFrame

# Frames that are looked at before one is believed. Each is held decoded.
AHEAD = 4


class Counting(Protocol):
    """What counts the frames that are moved."""

    moved: int


def rising(
    frames: Iterator[VideoFrame], step: int, reading: Counting, where: str, *, restarts: bool
) -> Iterator[VideoFrame]:
    """Yield frames in the order they come, each with a time stamp later than the one before.

    Args:
        frames: as they are decoded.
        step: the usual time between two, for those that have no time stamp.
        reading: its ``moved`` counts the frames whose time stamp is another now.
        where: the film, for errors.
        restarts: whether this kind of file may begin its time anew; others are refused where they do for good.

    Raises:
        UnsupportedFilmError: time begins anew, so that sound and pictures could not be kept in step.
    """
    held: deque[VideoFrame] = deque()
    last: int | None = None
    while True:
        while len(held) <= AHEAD and (frame := next(frames, None)) is not None:
            held.append(frame)
        if not held:
            return
        frame = held.popleft()
        coming = [later.pts for later in held if later.pts is not None]
        if not restarts and last is not None and len(coming) == AHEAD and max(frame.pts or 0, *coming) <= last:
            raise UnsupportedFilmError(
                "its time begins anew within the file", where=where, next_step="Cut it there, and colour the parts"
            )
        at = _believed(frame.pts, last, coming, step)
        reading.moved += at != frame.pts
        frame.pts = last = at
        yield frame


def _believed(own: int | None, last: int | None, coming: list[int], step: int) -> int:
    """Return a frame's time stamp: its own, where that is later than the last, and earlier than most to come."""
    after = [at for at in coming if last is None or at > last]
    if own is not None and (last is None or own > last) and 2 * sum(at <= own for at in after) <= len(coming):
        return own
    if last is None:
        return min(after) - step if own is not None else 0
    # Half way to the next at most, so that this one need not be moved.
    room = (min(after) - last) // 2 if after else step
    return last + max(1, min(step, room))
