"""THE MAIN PATH of film: frames -> shots -> passages -> key frames -> colours travel -> chroma -> segments -> one film.

The promise about luma. The luma plane is never converted: its codes go from the decoder to the encoder. With a lossless
codec every luma sample of the result is the film's (`--codec ffv1`, `--crf 0`); others change it a little, and the
result says by how much. Colours that a player's RGB could not show at their luma lose chroma, never lightness.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from photochrom.computer.cores import usable_cores
from photochrom.errors import UnreadableFilmError
from photochrom.film.containers import Reading
from photochrom.film.given import GivenFrames, colours_of
from photochrom.film.joining import Span
from photochrom.film.keyframes import NetColours, Viewer
from photochrom.film.options import FilmOptions
from photochrom.film.painting import Painter, in_order
from photochrom.film.passages import Passage, passage_length, passages, sights_of
from photochrom.film.segments import SEGMENT_FRAMES, Record, State, WorkFolder, disk_error, luma_hash
from photochrom.film.shots import CutsFile
from photochrom.film.sources import Shown, Source
from photochrom.film.steadiness import Colours, color_passage
from photochrom.film.writers import Work, Writer, luma_fidelity

Progress = Callable[[int], None]
# Frames at the beginning of each segment whose luma is compared with what came in.
LOOKED_AT = 4


@dataclass(frozen=True, slots=True)
class Film:
    """Everything that colouring one film needs.

    Attributes:
        source: gives the frames.
        span: which part of it.
        viewer: shows key frames to the net.
        painter: makes planes.
        options: as chosen.
        cuts: what somebody says of cuts.
        given: frames that somebody has coloured.
        new_writer: opens the next segment.
        work: the folder of finished segments.
    """

    source: Source
    span: Span
    viewer: Viewer
    painter: Painter
    options: FilmOptions
    cuts: CutsFile
    given: GivenFrames
    new_writer: Callable[[], Writer]
    work: WorkFolder


@dataclass(slots=True)
class Segment:
    """A segment being written, and what its record will say."""

    writer: Writer
    first_pts: int
    first_lumas: list[Any]
    last_pts: int = 0
    last_luma: str = ""
    frames: int = 0
    keys: int = 0
    cuts: list[int] = field(default_factory=list)
    counts: tuple[int, int, int] = (0, 0, 0)


def color_segments(film: Film, reading: Reading, progress: Progress) -> list[float]:
    """Colour a film from where its finished segments end; return how well each new one's first frames kept their luma.

    Raises:
        FilmError: a frame cannot be handled.
        OutputError: a segment cannot be written; those before it stay.

    Memory: about three passages of luma planes, 300 MB at most but for very large frames.
    """
    state, done = film.work.state, sum(record.frames for record in film.work.records)
    fidelity: list[float] = []
    open_segment: Segment | None = None
    sights = sights_of(_remaining(film, reading), film.painter.source, done)
    info = film.source.info
    longest = passage_length(info.width, info.height, info.layout.codes.bits)
    try:
        for passage in ahead(passages(sights, longest, film.cuts, state.greys)):
            if open_segment is None:
                lumas = [film.painter.sent_luma(sight) for sight in passage.sights[:LOOKED_AT]]
                open_segment = Segment(film.new_writer(), passage.sights[0].pts, lumas)
            state = _color_passage(film, passage, state, open_segment, progress)
            if open_segment.frames >= SEGMENT_FRAMES:
                fidelity.append(_finish(film, open_segment, state))
                open_segment = None
        if open_segment is not None:
            fidelity.append(_finish(film, open_segment, state))
            open_segment = None
    except OSError as error:
        raise disk_error(error, film.work.path) from error
    finally:
        if open_segment is not None:
            open_segment.writer.abandon()
    return fidelity


def _color_passage(film: Film, passage: Passage, state: State, segment: Segment, progress: Progress) -> State:
    """Colour one passage into the open segment, and return the state after it."""
    grids = [film.painter.grid_luma(sight) for sight in passage.sights]
    source = NetColours(film.viewer, [sight.luma for sight in passage.sights], grids.__getitem__)
    given = _given_colours(film, passage, grids)
    made = color_passage(passage.motions, passage.link, state.layers, source, film.options.key_spacing, given)
    work = [Work(sight, colours) for sight, colours in zip(passage.sights, made.frames, strict=True)]
    for item, painted in zip(work, in_order(segment.writer.paint, work, usable_cores()), strict=True):
        segment.writer.write(item, painted)
        segment.frames += 1
        progress(item.sight.number + 1)
    last = passage.sights[-1]
    segment.last_pts, segment.last_luma = last.pts, luma_hash(last.luma)
    segment.counts, segment.keys = last.counts, segment.keys + len(made.keys)
    segment.cuts += [passage.sights[0].number] if passage.cut else []
    greys = (*state.greys, *(sight.grey for sight in passage.sights))[-2:]
    return State(greys, made.layers)


def _given_colours(film: Film, passage: Passage, grids: list[Any]) -> dict[int, Colours]:
    base = film.source.info.time_base
    found = {}
    for k, sight in enumerate(passage.sights):
        path = film.given.at(sight.number, float(sight.pts * base), float(sight.duration * base))
        if path is not None:
            found[k] = colours_of(path, grids[k], film.viewer.matrix, film.viewer.quarter_turns)
    return found


def _finish(film: Film, segment: Segment, state: State) -> float:
    """Make a segment count, and return how well its first frames kept their luma."""
    segment.writer.close()
    record = Record(
        first_pts=segment.first_pts,
        last_pts=segment.last_pts,
        frames=segment.frames,
        last_luma=segment.last_luma,
        cuts=tuple(segment.cuts),
        keys=segment.keys,
        counts=segment.counts,
    )
    film.work.commit(record, state, *segment.writer.suffixes)
    if not segment.writer.suffixes:
        return float("inf")
    path = film.work.segment(len(film.work.records) - 1, segment.writer.suffixes[0])
    return luma_fidelity(path, segment.first_lumas)


def _remaining(film: Film, reading: Reading) -> Iterator[Shown]:
    """Yield the frames of the span that no finished segment has.

    Decoding begins somewhat before; the last finished frame must be met there with the very luma it had, or all is
    decoded from the start, as files whose index lies need it.
    """
    base = film.source.info.time_base
    frames = _from_last(film, reading) if film.work.records else film.source.frames(reading, _first_pts(film))
    for shown in frames:
        seconds = float(shown.pts * base)
        if film.span.end_s is not None and seconds >= film.span.end_s:
            return
        if film.span.holds(seconds):
            yield shown


def _first_pts(film: Film) -> int | None:
    start = film.span.start_s
    return None if not start else round(start / film.source.info.time_base)


def _from_last(film: Film, reading: Reading) -> Iterator[Shown]:
    last = film.work.records[-1]
    for from_pts in (last.last_pts, None):
        reading.damaged, reading.missing, reading.moved = last.counts
        met = False
        for shown in film.source.frames(reading, from_pts):
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
        where=str(film.source.info.path),
        next_step=f"Remove {film.work.path} and run it again",
    )


def ahead(items: Generator[Passage]) -> Iterator[Passage]:
    """Yield the items, the next one being made on a thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        try:
            while (item := coming.result()) is not None:
                coming = pool.submit(next, items, None)
                yield item
        finally:
            with contextlib.suppress(Exception):
                coming.result()
            items.close()
