"""A film divided among several computers: stretches of whole shots, found by decoding it once, without the net.

A run ends a segment with a shot where it can (``pipeline.SHOT_FRAMES``), and a shot takes nothing from the one before
but two small copies of frames, by which its cut is told. So what several computers make of the stretches is, joined,
what one alone makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from photochrom.film.containers import Reading
from photochrom.film.job import Job
from photochrom.film.motion import one_thread_each
from photochrom.film.passages import Passage, passage_length, passages, sights_of
from photochrom.film.pipeline import ends_segment
from photochrom.film.remainder import from_start
from photochrom.film.segments import luma_hash
from photochrom.film.states import Record, Stretch


def find_stretches(job: Job, *, restored: bool) -> list[Stretch]:
    """Return a film's stretches in order; none where it has no frame.

    Args:
        job: the film.
        restored: whether it will be, which makes passages shorter.

    Cost: decoding, and the motion between frames, on two cores.
    """
    info, layout = job.info, job.info.layout
    with one_thread_each():
        sights = sights_of(from_start(job.source, job.span, Reading()), layout.codes, info.time_base)
        longest = passage_length(info.width, info.height, layout.codes.bits, restored=restored)
        found = passages(sights, longest, job.cuts)
        return list(divided(found))


def divided(found: Iterable[Passage]) -> Iterable[Stretch]:
    """Yield the stretches that a film's passages make: each ends where a segment ends with a shot."""
    here, before, frames = Stretch(), Stretch(), 0
    for passage in found:
        if passage.cut and (not frames or ends_segment(frames, passage)):
            yield replace(here, end=before.first)
            here, frames = before, 0
        frames += len(passage.sights)
        frames = 0 if ends_segment(frames) else frames
        before = _after(passage, before)
    if before.first:
        yield replace(here, end=before.first)


def _after(passage: Passage, before: Stretch) -> Stretch:
    """Return the stretch that begins after a passage."""
    last = passage.sights[-1]
    greys = (*before.greys, *(sight.grey for sight in passage.sights))[-2:]
    return Stretch(last.number + 1, None, last.pts, luma_hash(last.luma), last.counts, greys)


def joined_records(stretches: Iterable[Sequence[Record]]) -> list[Record]:
    """Return the records that one run over a film would have made, given those of its stretches in order."""
    joined, before = list[Record](), tuple[float, ...]()
    for stretch in stretches:
        for record in stretch:
            restored = tuple(map(sum, zip(before or (0,) * len(record.restored), record.restored, strict=True)))
            joined.append(replace(record, restored=restored))
        before = joined[-1].restored if joined else before
    return joined
