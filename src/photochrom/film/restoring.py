"""Restoring film by what its neighbours in time show: exposure, dust, lines, grain. Nothing is invented.

What lives one frame is told from the picture by the frames before and after it, brought into place along the motion,
and is filled from them. Lines that stay at their place run over the whole height: their offset is taken off, and what
is under them stays. Grain is averaged over five frames where they agree. Exposure that breathes is evened out to its
own running mean. Each stage measures whether it is needed, and says so. Last come the photographs' networks, which say
one thing for a whole shot; see ``treatment``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from typing import cast

import numpy as np

from photochrom.film.exposure import even_exposures, exposure_changes
from photochrom.film.marks import Neighbour, find_lines, find_marks
from photochrom.film.matrices import Codes
from photochrom.film.motion import Grey, Motion, Plane, carry, closing, compare, enlarged
from photochrom.film.options import FilmOptions
from photochrom.film.passages import Outlook
from photochrom.film.planes import Pixels
from photochrom.film.treatment import Stages, Treatment

# Frames on either side that grain is averaged over.
RADIUS = 2
# Changes of exposure that are remembered of a shot.
REMEMBERED = 24
# Noise, of 1, from which on grain is averaged: one and a half codes of 255.
GRAINY = 1.5 / 255
# Noise is measured between places this far apart, and frames are compared over windows of this size, with some slack:
# together 0.2 to 5.6 dB more than neighbours, 5 x 5 and none, on the degradation engine's grain of 0.8 to 2.6 px.
APART_PX, AROUND_PX, SLACK = 4, (7, 7), 1.3


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
        lumas: (H, W) codes.
        motions: between frame k and k + 1.
        first: the first frame that is to be restored; those before it are there to look at, and so are those from
            ``last`` on.
        last: one after the last that is to be restored.
    """

    lumas: Sequence[Pixels]
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
) -> tuple[list[Pixels], Past]:
    """Return the restored luma codes of a passage's frames, and what the next passage has to know.

    Frames before and after it in the same shot are looked at, so that the result does not depend on where passages end.
    """
    passage, coming = outlook.passage, outlook.coming
    if passage.link is None:
        past = Past()
    later = coming.sights if coming else []
    sights = [*passage.sights, *later]
    link_later = [coming.link, *coming.motions] if coming else []
    motions = [*passage.motions, *link_later]
    greys = [*past.greys[-1:], *(sight.grey for sight in sights)]
    small = [Codes(8, codes.full).luma(grey) for grey in greys]
    between = [m for m in ([passage.link] if past.greys else []) + motions if m is not None]
    changes = exposure_changes(small, between)[1 if past.greys else 0 :]
    known = [*past.changes, *changes]
    even = options.exposure != "never"
    every = even_exposures(known, always=options.exposure == "always") if even else [0.0] * len(known)
    first, count = len(past.lumas), len(passage.sights)
    if len(past.lumas) == 2:
        between = [compare(*past.greys), *between]
    lumas = [*past.lumas, *(sight.luma for sight in sights[: count + RADIUS])]
    here = every[len(past.changes) - first : len(past.changes) - first + len(lumas)]
    reel = Reel(lumas, between[: len(lumas) - 1], first, first + count, findings)
    restored = restore_reel(reel, codes, options, here)
    treatment = past.treatment
    if stages:
        treatment = treatment or stages.decide([sight.luma for sight in sights], restored[len(restored) // 2])
        restored = _treated(restored, stages, treatment, findings)
    last = passage.sights[-RADIUS:]
    ends = Past(
        (*past.greys, *(sight.grey for sight in last))[-RADIUS:],
        (*past.lumas, *(sight.luma for sight in last))[-RADIUS:],
        (*past.changes, *changes[:count])[-REMEMBERED:],
        treatment,
    )
    return restored, ends


def _treated(lumas: list[Pixels], stages: Stages, treatment: Treatment | None, findings: Findings) -> list[Pixels]:
    if treatment is None:
        return lumas
    findings.toned += len(lumas) if treatment.correction else 0
    findings.denoised += len(lumas) if treatment.denoise else 0
    return stages.treated(lumas, treatment)


def restore_reel(reel: Reel, codes: Codes, options: FilmOptions, exposures: Sequence[float]) -> list[Pixels]:
    """Return the restored luma codes of ``reel.lumas[first:last]``.

    Args:
        reel: the frames.
        codes: their depth and range.
        options: which stages run.
        exposures: corrections of each frame of the reel, as logarithms; see ``even_exposures``.

    Cost: about 330 ms of processor time a frame at 1080p.
    """
    planes: dict[int, Plane] = {}
    restored: list[Pixels] = []
    for k in range(reel.first, reel.last):
        near = range(max(0, k - RADIUS), min(len(reel.lumas), k + RADIUS + 1))
        planes = {n: planes[n] if n in planes else _exposed(codes.luma(reel.lumas[n]), exposures[n]) for n in near}
        reel.findings.frames += 1
        reel.findings.breathing += abs(exposures[k]) > 0.002
        plane = _restored(planes, reel, k, options)
        out = np.rint(plane * codes.span + codes.black)
        restored.append(cast("Pixels", np.clip(out, 0, (1 << codes.bits) - 1).astype(codes.dtype)))
    return restored


def _exposed(plane: Plane, change: float) -> Plane:
    return plane * np.float32(np.exp(change)) if change else plane


def _restored(planes: dict[int, Plane], reel: Reel, k: int, options: FilmOptions) -> Plane:
    """Return one frame, marks filled, lines taken off, grain averaged."""
    plane, findings = planes[k], reel.findings
    around = _neighbours(planes, reel.motions, k)
    noise = measure_noise(plane, around)
    findings.noise += noise
    # At a shot's ends the two frames on one side are as good as one on either.
    pair = next((pair for pair in ((-1, 1), (1, 2), (-1, -2)) if pair[0] in around and pair[1] in around), None)
    if options.dust != "never" and pair:
        first, second = (around[distance] for distance in pair)
        mask = find_marks(plane, first, second, noise)
        if mask.any():
            findings.marked += 1
            plane = np.where(mask, (first.plane + second.plane) / 2, plane).astype(np.float32)
    if options.lines != "never":
        offset = find_lines(plane)
        if offset is not None:
            findings.lined += 1
            plane = plane - offset
    if around and (options.grain == "always" or (options.grain == "auto" and noise > GRAINY)):
        findings.grainy += 1
        plane = averaged(plane, list(around.values()), noise, options.grain_strength)
    return plane


def _neighbours(planes: dict[int, Plane], motions: Sequence[Motion], k: int) -> dict[int, Neighbour]:
    """Return the frames up to ``RADIUS`` away, by their distance, as seen from frame k."""
    found: dict[int, Neighbour] = {}
    height, width = planes[k].shape
    for step in (-1, 1):
        positions: Plane | None = None
        trust: Plane | None = None
        for distance in range(1, RADIUS + 1):
            other = k + step * distance
            if other not in planes:
                break
            motion = motions[other] if step < 0 else motions[other - 1]
            out, home = (motion.backward, motion.forward) if step < 0 else (motion.forward, motion.backward)
            closes = closing(out, home)
            trust = closes if trust is None or positions is None else trust * carry(closes, positions)
            positions = out if positions is None else carry(out, positions)
            full = enlarged(positions, width, height)
            found[step * distance] = Neighbour(carry(planes[other], full), _resized(trust, width, height))
    return found


def _resized(plane: Plane, width: int, height: int) -> Plane:
    import cv2

    full = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.float32).reshape(height, width)


def measure_noise(plane: Plane, around: dict[int, Neighbour]) -> float:
    """Return the standard deviation of grain, of 1: from what differs between a frame and the one before or after it.

    Differences over some pixels are taken, so that what flow misses smoothly does not count, and far enough apart for
    coarse grain not to be the same in both; half of the median, which edges do not reach.
    """
    other = around.get(-1) or around.get(1)
    if other is None or plane.shape[0] < 4 or plane.shape[1] < 2 * APART_PX:
        return 0.0
    difference = plane - other.plane
    fine = difference[::2, APART_PX:] - difference[::2, :-APART_PX]
    return float(np.median(np.abs(fine)) / 0.6745 / 2)


def averaged(plane: Plane, around: Sequence[Neighbour], noise: float, strength: float) -> Plane:
    """Return a frame with its grain averaged over its neighbours, each weighed where it shows the same."""
    import cv2

    variance = np.float32(max(noise, 1e-4) ** 2)
    total, weights = plane.copy(), np.ones_like(plane)
    for other in around:
        squared = cv2.blur((other.plane - plane) ** 2, AROUND_PX)
        # Grain alone makes differences of twice its variance; coarse grain of somewhat more, here and there.
        excess = np.maximum(squared - np.float32(2 * SLACK) * variance, 0) / (2 * variance)
        weight = np.exp(-excess) * other.trust
        total += weight * other.plane
        weights += weight
    return np.asarray(plane + np.float32(strength) * (total / weights - plane), np.float32)
