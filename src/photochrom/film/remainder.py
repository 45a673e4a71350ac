"""Which frames of a film are left to do: those of the span that no finished segment has."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from photochrom.errors import UnreadableFilmError
from photochrom.film.containers import Reading
from photochrom.film.options import Span
from photochrom.film.segments import luma_hash
from photochrom.film.sources import Shown, Source
from photochrom.film.states import Record, Stretch


def remaining(
    source: Source, span: Span, last: Record | Stretch | None, reading: Reading, work: Path
) -> Iterator[Shown]:
    """Return the frames that are left.

    Args:
        source: gives the film's frames.
        span: the part that is wanted.
        last: tells the last frame that is done; None: none is. Decoding begins somewhat before it, and it must be met
            there with the very luma it had, or all is decoded from the start, as files whose index lies need it.
        reading: gets what is met on the way.
        work: the folder of what is done.

    Raises:
        UnreadableFilmError: while they are read: the last frame is not met.
    """
    if last is None:
        return from_start(source, span, reading)
    return within(span, _from_last(source, reading, last, work), source.info.time_base)


def from_start(source: Source, span: Span, reading: Reading) -> Iterator[Shown]:
    """Yield the frames of a span."""
    base = source.info.time_base
    first_pts = None if not span.start_s else round(span.start_s / base)
    return within(span, source.frames(reading, first_pts), base)


def within(span: Span, frames: Iterator[Shown], time_base: Fraction) -> Iterator[Shown]:
    """Yield those frames that lie in a span."""
    for shown in frames:
        seconds = float(shown.pts * time_base)
        if span.end_s is not None and seconds >= span.end_s:
            return
        if span.holds(seconds):
            yield shown


def _from_last(source: Source, reading: Reading, last: Record | Stretch, work: Path) -> Iterator[Shown]:
    for from_pts in (last.last_pts, None):
        reading.damaged, reading.missing, reading.moved = last.counts
        met = False
        for shown in source.frames(reading, from_pts):
            if met:
                yield shown
            elif shown.pts >= last.last_pts:
                met = shown.pts == last.last_pts and luma_hash(shown.luma) == last.last_luma
                reading.damaged, reading.missing, reading.moved = last.counts
                if not met:
                    break
        if met:
            return
    raise UnreadableFilmError(
        "does not decode to the same frames as before, so that work cannot go on",
        where=str(source.info.path),
        next_step=f"Remove {work} and run it again",
    )
