"""THE MAIN PATH of film: frames -> shots -> passages -> key frames -> colours travel -> chroma -> segments -> one film.

The promise about luma. The luma plane is never converted: its codes go from the decoder to the encoder. With a lossless
codec every luma sample of the result is the film's (`--codec ffv1`, `--crf 0`); others change it a little, and the
result says by how much. Colours that a player's RGB could not show at their luma lose chroma, never lightness.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from photochrom.coloring.reference import Places
from photochrom.computer.cores import usable_cores
from photochrom.computer.room import trim_memory
from photochrom.film.containers import Reading
from photochrom.film.given import FrameFiles, coloured_by_hand
from photochrom.film.keyframes import Viewer, color_source
from photochrom.film.options import FilmOptions, Span
from photochrom.film.painting import Painter, in_order
from photochrom.film.passages import Outlook, Passage, passage_length, passages, sights_of, small_grey, with_outlook
from photochrom.film.pools import AheadPool
from photochrom.film.remainder import remaining
from photochrom.film.restoring import Findings, Past, restore_passage
from photochrom.film.segments import SEGMENT_FRAMES, WorkFolder, disk_error, luma_hash
from photochrom.film.shots import CutsFile
from photochrom.film.sources import Source
from photochrom.film.states import Record, State
from photochrom.film.steadiness import Colours, color_passage, replaced
from photochrom.film.told import MOST_REMEMBERED, Told, remember
from photochrom.film.treatment import Stages
from photochrom.film.writers import Work, Writer, luma_fidelity

Progress = Callable[[int], None]
# A shot that ends after so many frames ends its segment, which is nobody else's then: other computers can do the next.
SHOT_FRAMES = 120
# Frames that are painted at once, at most: each takes room, and the encoder has no more threads.
MOST_PAINTED = 4
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


@dataclass(slots=True)
class Run:
    """A film on its way: what travels on, and the segment that is open. Nothing else outlives a passage or a segment.

    Attributes:
        film: what is coloured.
        progress: told how many frames are done.
        state: what the next passage needs to know of those before it.
        segment: the one being written; None between two.
        fidelity: how well each finished one's first frames kept their luma.
    """

    film: Film
    progress: Progress
    state: State
    segment: Segment | None = None
    fidelity: list[float] = field(default_factory=list)

    def color(self, outlook: Outlook) -> None:
        """Colour a passage into the open segment, or into a new one where that ends here."""
        film, passage = self.film, outlook.passage
        first, last = passage.sights[0], passage.sights[-1]
        if self.segment and ends_segment(self.segment.frames, passage):
            self.finish()
        # As they were decoded: restoring puts other frames in their place.
        greys = (*self.state.greys, *(sight.grey for sight in passage.sights[-2:]))[-2:]
        last_luma = luma_hash(last.luma)
        past = _restored(film, outlook, self.state)
        segment = self.segment = self.segment or _begun(film, passage, first.pts)
        layers, remembered = _color_passage(film, passage, self.state, segment, self.progress)
        segment.last_pts, segment.last_luma, segment.counts = last.pts, last_luma, last.counts
        self.state = State(greys, layers, past.lumas, past.changes, remembered, past.treatment)
        if ends_segment(segment.frames):
            self.finish()

    def finish(self) -> None:
        """Make the open segment count, if there is one."""
        segment, self.segment = self.segment, None
        if segment is not None:
            self.fidelity.append(_finish(self.film, segment, self.state))

    def abandon(self) -> None:
        """Let go of the open segment."""
        if self.segment is not None:
            self.segment.writer.abandon()


def color_segments(film: Film, reading: Reading, progress: Progress) -> list[float]:
    """Colour a film from where its finished segments end; return how well each new one's first frames kept their luma.

    Raises:
        FilmError: a frame cannot be handled.
        OutputError: a segment cannot be written; those before it stay.

    Memory: two passages, three where film is restored, and one encoder; see ``passages.passage_length``.
    """
    info, work = film.source.info, film.work
    shown = remaining(film.source, film.span, work.last, reading, work.path)
    sights = sights_of(shown, film.painter.source, info.time_base, work.done)
    # The cut that ends a stretch is told by the frame after it.
    sights = itertools.takewhile(lambda sight: work.stretch.reaches(sight.number - 1), sights)
    run = Run(film, progress, work.state)
    restored = film.options.restore
    longest = passage_length(info.width, info.height, info.layout.codes.bits, restored=restored)
    found = passages(sights, longest, film.cuts, run.state.greys)
    try:
        for outlook in ahead(with_outlook(found, looking=restored)):
            if not work.stretch.reaches(outlook.passage.sights[0].number):
                break
            run.color(outlook)
            trim_memory()
        run.finish()
    except OSError as error:
        raise disk_error(error, work.path) from error
    finally:
        found.close()  # an error's traceback would keep it, and its thread, for as long as somebody looks at that
        run.abandon()
    return run.fidelity


def ends_segment(frames: int, coming: Passage | None = None) -> bool:
    """Return whether a segment of so many frames ends, before a passage or whatever comes."""
    return frames >= (SHOT_FRAMES if coming and coming.cut else SEGMENT_FRAMES)


def _begun(film: Film, passage: Passage, first_pts: int) -> Segment:
    lumas = [film.painter.sent_luma(sight) for sight in passage.sights[:LOOKED_AT]]
    return Segment(film.new_writer(), first_pts, lumas)


def _restored(film: Film, outlook: Outlook, state: State) -> Past:
    """Restore a passage where that is asked for, in its place, and return what restoring has to remember."""
    codes = film.painter.source
    if not film.options.restore:
        return Past()
    past = Past(state.greys[-len(state.lumas) :] if state.lumas else (), state.lumas, state.changes, state.treatment)
    past = restore_passage(outlook, past, codes, film.options, film.findings, film.stages)
    trim_memory()
    for sight in outlook.passage.sights:
        sight.grey = small_grey(sight.luma, codes)
    return past


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
    painting = in_order(segment.writer.paint, work, min(MOST_PAINTED, usable_cores()))
    for item, painted in zip(work, painting, strict=True):
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


def ahead(items: Generator[Outlook]) -> Iterator[Outlook]:
    """Yield the items, the next one being made on a thread meanwhile."""
    with AheadPool(1) as pool:
        coming = pool.submit(next, items, None)
        try:
            while (item := coming.result()) is not None:
                coming = pool.submit(next, items, None)
                yield item
        finally:
            with contextlib.suppress(Exception):
                coming.result()
            items.close()
