"""A film cut into passages: as many frames of one shot as memory holds, with the motion between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from photochrom.film.matrices import Codes
from photochrom.film.motion import Grey, Motion, compare, grid_size
from photochrom.film.options import Fields
from photochrom.film.planes import Pixels
from photochrom.film.pools import AheadPool
from photochrom.film.shots import CutsFile, is_cut
from photochrom.film.sources import Shown

# What two passages may take, decoder and encoder included, which hold about so many frames of their own. The passage
# that is coloured and the one that is made meanwhile are in memory; with `--restore` a third, so each is shorter.
PASSAGES_BYTES, CODED_FRAMES = 296_000_000, 30
# Of the small grid, for each place: the small copy, and the motion to the next frame.
PLACE_BYTES = 1 + 24
SHORTEST, LONGEST = 12, 240
# Lengths are multiples of it, half as much again as the usual distance of key frames, for a passage begins with one.
STEP = 12
# Frames whose motion is worked out ahead.
AHEAD = 8


@dataclass(slots=True)
class Sight:
    """One frame as it is worked on.

    Attributes:
        number: counted from the film's first frame that is coloured.
        luma: (H, W) codes.
        grey: (h, w) uint8, the small copy on which the film is followed.
        seconds: the film's time at which it appears; ``lasts_s``: for how long.
        fields: which of its fields comes first, where it holds two pictures of different times.
    """

    number: int
    pts: int
    duration: int
    luma: Pixels
    grey: Grey
    counts: tuple[int, int, int] = (0, 0, 0)
    seconds: float = 0.0
    lasts_s: float = 0.0
    fields: Fields = ""


@dataclass(slots=True)
class Passage:
    """Frames of one shot.

    Attributes:
        sights: the frames.
        motions: between one frame and the next, one fewer.
        link: from the frame before the passage, where the shot goes on; None where a shot begins.
        cut: whether a cut was found here (the film's beginning is none).
    """

    sights: list[Sight]
    motions: list[Motion] = field(default_factory=list)
    link: Motion | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """A passage, and the one after it where the shot goes on."""

    passage: Passage
    coming: Passage | None


def with_outlook(found: Generator[Passage], *, looking: bool) -> Generator[Outlook]:
    """Yield each passage with the one after it, where somebody looks there; that takes the room of one passage more."""
    held: Passage | None = None
    for passage in found:
        if not looking:
            yield Outlook(passage, None)
            continue
        if held is not None:
            yield Outlook(held, passage if passage.link is not None else None)
        held = passage
    if held is not None:
        yield Outlook(held, None)


def passage_length(width: int, height: int, bits: int, *, restored: bool = False) -> int:
    """Return how many frames of this size a passage may have: 24 at 1080p, 48 at 720p, 84 at 360p.

    Args:
        width: of a frame.
        height: of a frame.
        bits: of its luma.
        restored: whether film is restored, which looks at the passage that comes: 12, 24 and 48 then.
    """
    luma = width * height * (1 if bits == 8 else 2)
    columns, rows = grid_size(width, height)
    room = PASSAGES_BYTES // (3 if restored else 2) - CODED_FRAMES * luma
    fitting = room // (luma + columns * rows * PLACE_BYTES)
    return min(LONGEST, max(SHORTEST, fitting // STEP * STEP))


def sights_of(frames: Iterator[Shown], codes: Codes, time_base: Fraction, first: int = 0) -> Iterator[Sight]:
    """Yield frames with their small copies, numbered from ``first``; their time stamps count in ``time_base``."""
    for number, shown in enumerate(frames, first):
        times = float(shown.pts * time_base), float(shown.duration * time_base)
        small = small_grey(shown.luma, codes)
        yield Sight(number, shown.pts, shown.duration, shown.luma, small, shown.counts, *times, shown.fields)


def small_grey(luma: Pixels, codes: Codes) -> Grey:
    """Return the small copy of a frame, 8 bit in the film's own range. Shapes: (H, W) -> (h, w)."""
    import cv2

    height, width = luma.shape
    small: Any = cv2.resize(luma, grid_size(width, height), interpolation=cv2.INTER_AREA)
    small = small.reshape(grid_size(width, height)[::-1])
    return np.asarray(small if codes.bits == 8 else (small >> np.uint16(codes.bits - 8)).astype(np.uint8))


def passages(sights: Iterator[Sight], longest: int, cuts: CutsFile, before: Sequence[Grey] = ()) -> Generator[Passage]:
    """Yield the film in passages, each of one shot.

    Args:
        sights: the frames.
        longest: frames a passage may have.
        cuts: what somebody says about cuts.
        before: the small copies of the two frames before the first one, where work goes on.

    Cost: the motion, worked out on a thread of its own, some frames ahead.
    """
    held = Passage([])
    for sight, motion, cut in _compared(sights, cuts, before):
        if not held.sights:
            held = Passage([sight], link=None if cut else motion, cut=cut)
        elif cut:
            yield held
            held = Passage([sight], cut=True)
        elif len(held.sights) == longest:
            yield held
            held = Passage([sight], link=motion)
        else:
            held.sights.append(sight)
            assert motion is not None
            held.motions.append(motion)
    if held.sights:
        yield held


@dataclass(slots=True)
class _Waiting:
    """A frame that is not judged yet: with the two before it, and the motion from the last."""

    sight: Sight
    before: tuple[Grey, ...]
    motion: Future[Motion] | None


def _compared(
    sights: Iterator[Sight], cuts: CutsFile, before: Sequence[Grey]
) -> Iterator[tuple[Sight, Motion | None, bool]]:
    """Yield each frame with the motion from the one before, and whether a shot begins with it."""
    waiting: deque[_Waiting] = deque()
    greys = tuple(before)
    with AheadPool(1) as pool:
        for sight in sights:
            waiting.append(_Waiting(sight, greys, pool.submit(compare, greys[-1], sight.grey) if greys else None))
            greys = (*greys, sight.grey)[-2:]
            if len(waiting) > AHEAD:
                yield _judged(waiting, cuts)
        while waiting:
            yield _judged(waiting, cuts)


def _judged(waiting: deque[_Waiting], cuts: CutsFile) -> tuple[Sight, Motion | None, bool]:
    this = waiting.popleft()
    if this.motion is None:
        return this.sight, None, False
    motion = this.motion.result()
    said = cuts.at(this.sight.number, this.sight.seconds, this.sight.lasts_s)
    if said is not None:
        return this.sight, motion, said
    after = waiting[0].sight.grey if waiting else None
    return this.sight, motion, is_cut(this.before, this.sight.grey, motion, after)
