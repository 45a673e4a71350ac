"""THE MAIN PATH of film: frames -> shots -> passages -> key frames -> colours travel -> chroma -> segments -> one film.

The promise about luma. The luma plane is never converted: its codes go from the decoder to the encoder. With a lossless
codec every luma sample of the result is the film's (`--codec ffv1`, `--crf 0`); others change it a little, and the
result says by how much. Colours that a player's RGB could not show at their luma lose chroma, never lightness.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from photochrom.coloring.reference import Places
from photochrom.computer.cores import usable_cores
from photochrom.computer.room import trim_memory
from photochrom.errors import UnreadableFilmError
from photochrom.film.containers import Reading
from photochrom.film.given import FrameFiles, coloured_by_hand
from photochrom.film.keyframes import Viewer, color_source
from photochrom.film.options import FilmOptions, Span
from photochrom.film.painting import Painter, in_order
from photochrom.film.passages import Outlook, Passage, passage_length, passages, sights_of, small_grey, with_outlook
from photochrom.film.restoring import Findings, Past, restore_passage
from photochrom.film.segments import SEGMENT_FRAMES, WorkFolder, disk_error, luma_hash
from photochrom.film.shots import CutsFile
from photochrom.film.sources import Shown, Source
from photochrom.film.states import Record, State, Stretch
from photochrom.film.steadiness import Colours, color_passage, replaced
from photochrom.film.told import MOST_REMEMBERED, Told, remember
from photochrom.film.treatment import Stages
from photochrom.film.writers import Work, Writer, luma_fidelity

Progress = Callable[[int], None]
# A shot that ends after so many frames ends its segment, which is nobody else's then: other computers can do the next.
SHOT_FRAMES = 120
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
        told: hints for frames, and reference photographs.
        new_writer: opens the next segment.
        work: the folder of finished segments.
        findings: what restoring has found so far.
        stages: the photographs' networks, where film is restored with them.
    """

    source: Source
    span: Span
    viewer: Viewer
    painter: Painter
    options: FilmOptions
    cuts: CutsFile
    given: FrameFiles
    told: Told
    new_writer: Callable[[], Writer]
    work: WorkFolder
    findings: Findings
    stages: Stages | None = None


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

    Memory: three passages of luma planes, four where film is restored; 200 MB at most but for very large frames.
    """
    state, stretch = film.work.state, film.work.stretch
    fidelity: list[float] = []
    segment: Segment | None = None
    info = film.source.info
    sights = sights_of(_remaining(film, reading), film.painter.source, info.time_base, film.work.done)
    # The cut that ends a stretch is told by the frame after it.
    sights = itertools.takewhile(lambda sight: stretch.reaches(sight.number - 1), sights)
    longest = passage_length(info.width, info.height, info.layout.codes.bits)
    found = passages(sights, longest, film.cuts, state.greys)
    try:
        for outlook in ahead(with_outlook(found, looking=film.options.restore)):
            if not stretch.reaches(outlook.passage.sights[0].number):
                break
            if segment is not None and ends_segment(segment.frames, outlook.passage):
                finished, segment = segment, None
                fidelity.append(_finish(film, finished, state))
            passage, past = _restored(film, outlook, state)
            segment = segment or _begun(film, passage)
            layers, remembered = _color_passage(film, passage, state, segment, progress)
            raw = outlook.passage.sights
            segment.last_pts, segment.last_luma, segment.counts = raw[-1].pts, luma_hash(raw[-1].luma), raw[-1].counts
            greys = (*state.greys, *(sight.grey for sight in raw))[-2:]
            state = State(greys, layers, past.lumas, past.changes, remembered, past.treatment)
            trim_memory()
            if ends_segment(segment.frames):
                finished, segment = segment, None
                fidelity.append(_finish(film, finished, state))
        if segment is not None:
            finished, segment = segment, None
            fidelity.append(_finish(film, finished, state))
    except OSError as error:
        raise disk_error(error, film.work.path) from error
    finally:
        if segment is not None:
            segment.writer.abandon()
    return fidelity


def ends_segment(frames: int, coming: Passage | None = None) -> bool:
    """Return whether a segment of so many frames ends, before a passage or whatever comes."""
    return frames >= (SHOT_FRAMES if coming and coming.cut else SEGMENT_FRAMES)


def _begun(film: Film, passage: Passage) -> Segment:
    lumas = [film.painter.sent_luma(sight) for sight in passage.sights[:LOOKED_AT]]
    return Segment(film.new_writer(), passage.sights[0].pts, lumas)


def _restored(film: Film, outlook: Outlook, state: State) -> tuple[Passage, Past]:
    """Return a passage as it is coloured, restored where that is asked for, and what restoring has to remember."""
    passage, codes = outlook.passage, film.painter.source
    if not film.options.restore:
        return passage, Past()
    past = Past(state.greys[-len(state.lumas) :] if state.lumas else (), state.lumas, state.changes, state.treatment)
    lumas, past = restore_passage(outlook, past, codes, film.options, film.findings, film.stages)
    sights = [
        replace(sight, luma=luma, grey=small_grey(luma, codes))
        for sight, luma in zip(passage.sights, lumas, strict=True)
    ]
    return replace(passage, sights=sights), past


def _color_passage(
    film: Film, passage: Passage, state: State, segment: Segment, progress: Progress
) -> tuple[dict[str, Colours], tuple[Places, ...]]:
    """Colour one passage into the open segment, and return the colours that travel on, and frames to remember."""
    grids = [film.painter.grid_luma(sight) for sight in passage.sights]
    lumas = [sight.luma for sight in passage.sights]
    source = color_source(film.viewer, lumas, grids.__getitem__, told=film.options.tell_net)
    given, remembered = _given_colours(film, passage, grids, state.remembered if passage.link else ())
    made = color_passage(passage.motions, passage.link, state.layers, source, film.options.key_spacing, given)
    work = [Work(sight, colours) for sight, colours in zip(passage.sights, made.frames, strict=True)]
    for item, painted in zip(work, in_order(segment.writer.paint, work, usable_cores()), strict=True):
        segment.writer.write(item, painted)
        segment.frames += 1
        progress(item.sight.number + 1)
    segment.keys += len(made.keys)
    segment.cuts += [passage.sights[0].number] if passage.cut else []
    return made.layers, remembered


def _given_colours(
    film: Film, passage: Passage, grids: list[Any], remembered: tuple[Places, ...]
) -> tuple[dict[int, Colours], tuple[Places, ...]]:
    """Return what is known of the colours of some frames, and frames to remember in the shot's later passages.

    What hints, references and remembered frames say comes first, and over it what somebody has coloured.
    """
    found = dict[int, Colours]()
    for k, sight in enumerate(passage.sights):
        place = sight.number, sight.seconds, sight.lasts_s
        hints, painted = film.told.hints.at(*place), film.given.at(*place)
        said = film.told.colours(film.viewer, sight.luma, grids[k], hints, remembered if k == 0 else None)
        known = replaced(said, coloured_by_hand(painted, grids[k], film.viewer) if painted else None)
        if known is not None:
            found[k] = known
            if hints or painted:
                remembered = (*remembered, *remember(film.viewer, sight.luma, grids[k], known))[-MOST_REMEMBERED:]
    return found, remembered


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
        restored=film.findings.totals,
    )
    film.work.commit(record, state, *segment.writer.suffixes)
    if not segment.writer.suffixes:
        return float("inf")
    path = film.work.segment(len(film.work.records) - 1, segment.writer.suffixes[0])
    return luma_fidelity(path, segment.first_lumas)


def _remaining(film: Film, reading: Reading) -> Iterator[Shown]:
    """Return the frames of the span that no finished segment has.

    Decoding begins somewhat before; the last finished frame must be met there with the very luma it had, or all is
    decoded from the start, as files whose index lies need it.
    """
    last = film.work.last
    if last:
        return within(film.span, _from_last(film, reading, last), film.source.info.time_base)
    return from_start(film.source, film.span, reading)


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


def _from_last(film: Film, reading: Reading, last: Record | Stretch) -> Iterator[Shown]:
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


def ahead(items: Generator[Outlook]) -> Iterator[Outlook]:
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
