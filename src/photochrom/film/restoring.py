"""Restoring film by what its neighbours in time show: exposure, dust, lines, grain. Nothing is invented.

What lives one frame is told from the picture by the frames before and after it, brought into place along the motion,
and is filled from them. Lines that stay at their place run over the whole height: their offset is taken off, and what
is under them stays. Grain is averaged over five frames where they agree. Exposure that breathes is evened out to its
own running mean. Each stage measures whether it is needed, and says so. Last come the photographs' networks, which say
one thing for a whole shot; see ``treatment``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from itertools import chain, islice

import numpy as np

from photochrom.film.exposure import even_exposures, exposure_changes
from photochrom.film.grain import GRAINY, averaged, measure_noise
from photochrom.film.marks import find_lines, find_marks
from photochrom.film.matrices import Codes
from photochrom.film.motion import Grey, Motion, Plane, compare
from photochrom.film.neighbours import RADIUS, Neighbour, Neighbourhood
from photochrom.film.options import FilmOptions
from photochrom.film.passages import Outlook, Passage
from photochrom.film.planes import Pixels
from photochrom.film.treatment import Stages, Treatment

# Changes of exposure that are remembered of a shot.
REMEMBERED = 24


@dataclass(slots=True)
class Findings:
    """What was done, summed over frames, for the notes at a film's end.

    Attributes:
        frames: looked at.
        breathing: frames whose exposure was changed.
        marked: frames with marks that live one frame.
        lined: frames with vertical lines.
        grainy: frames whose grain was averaged.
        noise: sum of the noise found, of 1.
        toned: frames whose tones were corrected.
        denoised: frames that the noise network has seen.
    """

    frames: int = 0
    breathing: int = 0
    marked: int = 0
    lined: int = 0
    grainy: int = 0
    noise: float = 0.0
    toned: int = 0
    denoised: int = 0

    @property
    def totals(self) -> tuple[float, ...]:
        """All of them in order, to be written down."""
        return astuple(self)

    @classmethod
    def of(cls, totals: Sequence[float]) -> Findings:
        """Return what `totals` gave."""
        made = cls(*totals)  # type: ignore[arg-type]
        counted = {field.name: int(getattr(made, field.name)) for field in fields(cls) if field.name != "noise"}
        return replace(made, **counted)

    @property
    def notes(self) -> list[str]:
        """One line for each stage."""
        if not self.frames:
            return []
        of = f"of {self.frames} frames"
        noise = self.noise / self.frames * 255
        return [
            f"exposure evened out in {self.breathing} {of}",
            f"dust and marks of one frame filled in {self.marked} {of}",
            f"vertical lines taken off in {self.lined} {of}",
            f"grain averaged in {self.grainy} {of} ({noise:.1f} codes of 255 found)",
            *([f"tones corrected in {self.toned} {of}"] if self.toned else []),
            *([f"noise network run on {self.denoised} {of}"] if self.denoised else []),
        ]


@dataclass(slots=True)
class Reel:
    """Frames of one shot in a row, and the motion between them.

    Attributes:
        lumas: (H, W) codes, taken one by one, no earlier than they are looked at.
        motions: between frame k and k + 1, one fewer.
        first: the first frame that is to be restored; those before it are there to look at, and so are those from
            ``last`` on.
        last: one after the last that is to be restored.
    """

    lumas: Iterable[Pixels]
    motions: Sequence[Motion]
    first: int
    last: int
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True, slots=True)
class Past:
    """What restoring remembers of a shot: its last frames as they were decoded, and how exposure has changed lately.

    ``treatment`` is what the networks said of the shot; None: not asked yet.
    """

    greys: tuple[Grey, ...] = ()
    lumas: tuple[Pixels, ...] = ()
    changes: tuple[float, ...] = ()
    treatment: Treatment | None = None


def restore_passage(
    outlook: Outlook, past: Past, codes: Codes, options: FilmOptions, findings: Findings, stages: Stages | None = None
) -> Past:
    """Put restored luma codes in the place of a passage's frames, and return what the next passage has to know.

    Frames before and after it in the same shot are looked at, so that the result does not depend on where passages end.

    Memory: what was decoded is let go of frame by frame, and some ten float planes of one frame's size are worked on.
    """
    passage, coming = outlook.passage, outlook.coming
    if passage.link is None:
        past = Past()
    sights = [*passage.sights, *(coming.sights if coming else [])]
    between = list(_motions(outlook, past))
    changes = _changes([*past.greys[-1:], *(sight.grey for sight in sights)], between, codes)[len(past.greys[-1:]) :]
    first, count, last = len(past.lumas), len(passage.sights), passage.sights[-RADIUS:]
    ends = Past(
        (*past.greys, *(sight.grey for sight in last))[-RADIUS:],
        (*past.lumas, *(sight.luma for sight in last))[-RADIUS:],
        (*past.changes, *changes[:count])[-REMEMBERED:],
    )
    looks = stages.looks([sight.luma for sight in sights]) if stages and not past.treatment else None
    between = [compare(*past.greys), *between] if first == RADIUS else between
    seen = sights[: count + RADIUS]
    lumas = chain(past.lumas, (sight.luma for sight in seen))
    reel = Reel(lumas, between[: first + len(seen) - 1], first, first + count, findings)
    exposures = _exposures([*past.changes, *changes], options)[len(past.changes) - first :]
    _put(passage, restore_reel(reel, codes, options, exposures))
    if not stages:
        return ends
    treatment = past.treatment or (stages.decide(looks, passage.sights[count // 2].luma) if looks else None)
    if treatment:
        findings.toned += count if treatment.correction else 0
        findings.denoised += count if treatment.denoise else 0
        _put(passage, stages.treated((sight.luma for sight in passage.sights), treatment))
    return replace(ends, treatment=treatment)


def _motions(outlook: Outlook, past: Past) -> Iterator[Motion]:
    """Yield the motions from the last frame that is remembered through a passage and the one after it."""
    passage, coming = outlook.passage, outlook.coming
    if past.greys and passage.link:
        yield passage.link
    yield from passage.motions
    if coming and coming.link:
        yield from (coming.link, *coming.motions)


def _changes(greys: Sequence[Grey], motions: Sequence[Motion], codes: Codes) -> list[float]:
    return exposure_changes([Codes(8, codes.full).luma(grey) for grey in greys], motions)


def _exposures(changes: Sequence[float], options: FilmOptions) -> list[float]:
    """Return by how much to change each frame's exposure, as logarithms."""
    if options.exposure == "never":
        return [0.0] * len(changes)
    return even_exposures(changes, always=options.exposure == "always")


def _put(passage: Passage, lumas: Iterable[Pixels]) -> None:
    for sight, luma in zip(passage.sights, lumas, strict=True):
        sight.luma = luma


def restore_reel(reel: Reel, codes: Codes, options: FilmOptions, exposures: Sequence[float]) -> Iterator[Pixels]:
    """Yield the restored luma codes of ``reel.lumas[first:last]``.

    Args:
        reel: the frames.
        codes: their depth and range.
        options: which stages run.
        exposures: corrections of each frame of the reel, as logarithms; see ``even_exposures``.

    Cost: about 330 ms of processor time a frame at 1080p.
    """
    coming, window, seen = enumerate(reel.lumas), dict[int, Pixels](), 0

    def plane_of(number: int) -> Plane:
        plane, change = codes.luma(window[number]), exposures[number]
        return plane * np.float32(np.exp(change)) if change else plane

    for k in range(reel.first, reel.last):
        window |= islice(coming, k + RADIUS + 1 - seen)
        seen, window = k + RADIUS + 1, {n: luma for n, luma in window.items() if n >= k - RADIUS}
        reel.findings.frames += 1
        reel.findings.breathing += abs(exposures[k]) > 0.002
        plane = plane_of(k)
        around = Neighbourhood(plane_of, reel.motions, k, plane.shape[::-1], len(reel.motions) + 1)
        yield codes.luma_codes(_restored(plane, around, reel.findings, options))


def _restored(plane: Plane, around: Neighbourhood, findings: Findings, options: FilmOptions) -> Plane:
    """Return one frame, marks filled, lines taken off, grain averaged."""
    noise = measure_noise(plane, around)
    findings.noise += noise
    # At a shot's ends the two frames on one side are as good as one on either.
    pair = next((pair for pair in ((-1, 1), (1, 2), (-1, -2)) if pair[0] in around and pair[1] in around), None)
    if options.dust != "never" and pair:
        findings.marked += _fill_marks(plane, around[pair[0]], around[pair[1]], noise)
    if options.lines != "never":
        offset = find_lines(plane)
        if offset is not None:
            findings.lined += 1
            plane -= offset
    if around and (options.grain == "always" or (options.grain == "auto" and noise > GRAINY)):
        findings.grainy += 1
        plane = averaged(plane, around.each(), noise, options.grain_strength)
    return plane


def _fill_marks(plane: Plane, first: Neighbour, second: Neighbour, noise: float) -> bool:
    """Fill what lives one frame with the mean of two neighbours, and return whether there was any."""
    mask = find_marks(plane, first, second, noise)
    plane[mask] = (first.plane[mask] + second.plane[mask]) / 2
    return bool(mask.any())
