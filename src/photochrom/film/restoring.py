"""Restoring film by what its neighbours in time show: exposure, dust, lines, grain. Nothing is invented.

What lives one frame is told from the picture by the frames before and after it, brought into place along the motion,
and is filled from them. Lines that stay at their place run over the whole height: their offset is taken off, and what
is under them stays. Grain is averaged over five frames where they agree. Exposure that breathes is evened out to its
own running mean. Each stage measures whether it is needed, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from photochrom.film.matrices import Codes
from photochrom.film.motion import Grey, Motion, Plane, carry, closing, compare, enlarged
from photochrom.film.options import FilmOptions
from photochrom.film.passages import Outlook
from photochrom.film.planes import Pixels

# Frames on either side that grain is averaged over.
RADIUS = 2
# Exposure is evened out over this many frames (standard deviation of the window) where it breathes by more than this,
# as a logarithm: a percent and a half is just seen.
EXPOSURE_FRAMES, BREATHES = 6.0, 0.015
LARGEST_CORRECTION = 0.5
REMEMBERED = 24
# A mark differs from both neighbours by this many times the noise, and by this at least, of 1; and they agree.
MARK_NOISES, MARK_LEAST = 5.0, 0.05
# Flow is believed for marks where it closes this well, and where what surrounds a place fits, to this, of 1.
BELIEVED, SURROUNDINGS = 0.7, 0.02
# More than this share of a frame is no dust: something moved that flow has not followed.
MOST_MARKED = 0.12
# A line: this share of the height departs from the columns beside it to the same side, by this at least, of 1.
LINE_SHARE, LINE_LEAST, LINE_WIDTH_PX = 0.7, 0.02, 11
# Noise, of 1, from which on grain is averaged: one and a half codes of 255.
GRAINY = 1.5 / 255


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
    """

    frames: int = 0
    breathing: int = 0
    marked: int = 0
    lined: int = 0
    grainy: int = 0
    noise: float = 0.0

    @property
    def totals(self) -> tuple[float, ...]:
        """All of them in order, to be written down."""
        return self.frames, self.breathing, self.marked, self.lined, self.grainy, self.noise

    @classmethod
    def of(cls, totals: Sequence[float]) -> Findings:
        """Return what `totals` gave."""
        if not totals:
            return cls()
        frames, breathing, marked, lined, grainy = map(int, totals[:-1])
        return cls(frames, breathing, marked, lined, grainy, totals[-1])

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
    """What restoring remembers of a shot: its last frames as they were decoded, and how exposure has changed lately."""

    greys: tuple[Grey, ...] = ()
    lumas: tuple[Pixels, ...] = ()
    changes: tuple[float, ...] = ()


def restore_passage(
    outlook: Outlook, past: Past, codes: Codes, options: FilmOptions, findings: Findings
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
    last = passage.sights[-RADIUS:]
    ends = Past(
        (*past.greys, *(sight.grey for sight in last))[-RADIUS:],
        (*past.lumas, *(sight.luma for sight in last))[-RADIUS:],
        (*past.changes, *changes[:count])[-REMEMBERED:],
    )
    return restored, ends


def restore_reel(reel: Reel, codes: Codes, options: FilmOptions, exposures: Sequence[float]) -> list[Pixels]:
    """Return the restored luma codes of ``reel.lumas[first:last]``.

    Args:
        reel: the frames.
        codes: their depth and range.
        options: which stages run.
        exposures: corrections of each frame of the reel, as logarithms; see ``even_exposures``.

    Cost: about 80 ms of processor time a frame at 720p.
    """
    planes = [_exposed(codes.luma(luma), change) for luma, change in zip(reel.lumas, exposures, strict=True)]
    restored: list[Pixels] = []
    for k in range(reel.first, reel.last):
        reel.findings.frames += 1
        reel.findings.breathing += abs(exposures[k]) > 0.002
        plane = _restored(planes, reel, k, options)
        out = np.rint(plane * codes.span + codes.black)
        restored.append(cast("Pixels", np.clip(out, 0, (1 << codes.bits) - 1).astype(codes.dtype)))
    return restored


def _exposed(plane: Plane, change: float) -> Plane:
    return plane * np.float32(np.exp(change)) if change else plane


def _restored(planes: list[Plane], reel: Reel, k: int, options: FilmOptions) -> Plane:
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


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another frame brought into place: its plane, and how far each place can be believed."""

    plane: Plane
    trust: Plane


def _neighbours(planes: list[Plane], motions: Sequence[Motion], k: int) -> dict[int, Neighbour]:
    """Return the frames up to ``RADIUS`` away, by their distance, as seen from frame k."""
    found: dict[int, Neighbour] = {}
    height, width = planes[k].shape
    for step in (-1, 1):
        positions: Plane | None = None
        trust: Plane | None = None
        for distance in range(1, RADIUS + 1):
            other = k + step * distance
            if not 0 <= other < len(planes):
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

    Differences over two pixels are taken, so that what flow misses smoothly does not count; half of the median, which
    edges do not reach.
    """
    other = around.get(-1) or around.get(1)
    if other is None or min(plane.shape) < 4:
        return 0.0
    difference = plane - other.plane
    fine = (difference[::2, 1::2] - difference[::2, : -1 if plane.shape[1] % 2 else None : 2])[:, :-1]
    return float(np.median(np.abs(fine)) / 0.6745 / 2)


def find_marks(plane: Plane, before: Neighbour, after: Neighbour, noise: float) -> npt.NDArray[np.bool_]:
    """Return where something lives this one frame alone: both neighbours differ from it to the same side, and agree."""
    import cv2

    limit = max(MARK_NOISES * noise, MARK_LEAST)
    first, second = plane - before.plane, plane - after.plane
    least = np.where(first * second > 0, np.minimum(np.abs(first), np.abs(second)), 0)
    apart = np.abs(before.plane - after.plane)
    believed = np.minimum(before.trust, after.trust) > BELIEVED
    for difference in (first, second):
        believed &= _surroundings(np.abs(difference)) < max(3 * noise, SURROUNDINGS)
    # Fine texture a fraction of a pixel out of place is no mark: it must leave all that lies beside it, too.
    kernel = np.ones((3, 3), np.uint8)
    highest = np.maximum(cv2.dilate(before.plane, kernel), cv2.dilate(after.plane, kernel))
    lowest = np.minimum(cv2.erode(before.plane, kernel), cv2.erode(after.plane, kernel))
    beyond = np.maximum(plane - highest, lowest - plane)
    sure = (least > limit) & (beyond > limit / 2) & (apart < 0.4 * least) & believed
    # From the sure places, what belongs to the mark is taken in, down to half the limit, and a pixel around it.
    likely = ((least > limit / 2) & (apart < 0.7 * least) & believed).astype(np.uint8)
    opened = cv2.morphologyEx(sure.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    grown = opened
    for _ in range(3):
        grown = cv2.dilate(grown, kernel) & np.maximum(likely, grown)
    mask = cv2.dilate(np.asarray(grown), kernel).astype(bool) if sure.any() else sure
    return mask if mask.mean() < MOST_MARKED else np.zeros_like(sure)


def _surroundings(difference: Plane) -> Plane:
    """Return the median of a difference around each place, which a mark does not reach: whether flow is right there."""
    import cv2

    height, width = difference.shape
    codes = np.clip(difference * 255, 0, 255).astype(np.uint8)
    half = cv2.resize(codes, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_NEAREST)
    median = cv2.medianBlur(half, 17)
    return np.asarray(cv2.resize(median, (width, height), interpolation=cv2.INTER_NEAREST), np.float32) / np.float32(
        255
    )


def find_lines(plane: Plane) -> Plane | None:
    """Return what vertical lines add to a frame, or None where it has none.

    A line departs from the columns beside it, to one side, over most of the height. Its offset is followed down the
    line by a running median, so that a line that fades or sways a little is met, and what is under it stays.
    """
    import cv2

    height, width = plane.shape
    if width < 3 * LINE_WIDTH_PX or height < 32:
        return None
    codes = np.clip(plane * 255, 0, 255).astype(np.uint8)
    beside = cv2.blur(codes, (1, 5)).astype(np.float32)
    beside = _row_median(beside)
    departs = plane * 255 - beside
    share = np.maximum((departs > 0).mean(axis=0), (departs < 0).mean(axis=0))
    strength = np.abs(np.median(departs, axis=0))
    columns = (share > LINE_SHARE) & (strength > LINE_LEAST * 255)
    columns[: LINE_WIDTH_PX // 2] = columns[-(LINE_WIDTH_PX // 2) :] = False
    if not columns.any() or columns.mean() > 0.05:
        return None
    columns = cv2.dilate(columns.astype(np.uint8)[None], np.ones((1, 3), np.uint8))[0].astype(bool)
    offset = np.zeros_like(plane)
    shifted = np.clip(departs[:, columns] + 128, 0, 255).astype(np.uint8)
    along = min(31, height // 2 * 2 - 1)
    stacked = np.stack([cv2.medianBlur(np.repeat(column[:, None], 3, 1), 5)[:, 1] for column in shifted.T], axis=1)
    offset[:, columns] = (cv2.blur(stacked.astype(np.float32), (1, along)).reshape(stacked.shape) - 128) / 255
    return offset


def _row_median(plane: Plane) -> Plane:
    """Return the running median along rows over ``LINE_WIDTH_PX`` columns."""
    half = LINE_WIDTH_PX // 2
    padded = np.pad(plane, ((0, 0), (half, half)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, LINE_WIDTH_PX, axis=1)
    return np.median(windows, axis=-1).astype(np.float32)


def averaged(plane: Plane, around: Sequence[Neighbour], noise: float, strength: float) -> Plane:
    """Return a frame with its grain averaged over its neighbours, each weighed where it shows the same."""
    import cv2

    variance = np.float32(max(noise, 1e-4) ** 2)
    total, weights = plane.copy(), np.ones_like(plane)
    for other in around:
        squared = cv2.blur((other.plane - plane) ** 2, (5, 5))
        # Grain alone makes differences of twice its variance.
        excess = np.maximum(squared - 2 * variance, 0) / (2 * variance)
        weight = np.exp(-excess) * other.trust
        total += weight * other.plane
        weights += weight
    return np.asarray(plane + np.float32(strength) * (total / weights - plane), np.float32)


def exposure_changes(greys: Sequence[Plane], motions: Sequence[Motion]) -> list[float]:
    """Return the logarithm of the exposure of each frame against the one before it; 0 for the first.

    Args:
        greys: luma of the small copies, 0..1.
        motions: between frame k and k + 1.
    """
    changes = [0.0]
    for earlier, later, motion in zip(greys, greys[1:], motions, strict=False):
        before = carry(earlier, motion.backward)
        # Places of middling tone: neither cut off nor drowned in noise.
        usable = (before > 0.1) & (before < 0.85) & (later > 0.05) & (later < 0.95) & (closing_of(motion) > 0.5)
        enough = usable.sum() > 0.02 * usable.size
        changes.append(float(np.median(np.log(later[usable] / before[usable]))) if enough else 0.0)
    return changes


def closing_of(motion: Motion) -> Plane:
    """Return where flow from the later frame to the earlier one closes."""
    return closing(motion.backward, motion.forward)


def even_exposures(changes: Sequence[float], *, always: bool = False) -> list[float]:
    """Return by how much to change each frame's exposure, as logarithms, so that it follows its own running mean.

    Args:
        changes: each frame's exposure against the one before it, as a logarithm.
        always: also where it breathes less than anybody sees.
    """
    course = np.cumsum(np.asarray(changes, np.float64))
    places = np.arange(len(course))
    weights = np.exp(-((places[:, None] - places[None]) ** 2) / (2 * EXPOSURE_FRAMES**2))
    # A line through the neighbourhood, not its mean: a slow fade is followed also at the ends.
    even = np.array([_line_at(course, weights[k], places - k) for k in places])
    wanted = np.clip(even - course, -LARGEST_CORRECTION, LARGEST_CORRECTION)
    if not always and float(np.std(wanted)) < BREATHES:
        return [0.0] * len(course)
    return [float(value) for value in wanted]


def _line_at(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], places: npt.NDArray[np.intp]) -> float:
    """Return the weighted straight line's value at place 0."""
    total = weights.sum()
    mean_place, mean = (weights * places).sum() / total, (weights * values).sum() / total
    spread = (weights * (places - mean_place) ** 2).sum()
    slope = (weights * (places - mean_place) * (values - mean)).sum() / spread if spread > 1e-9 else 0.0
    return float(mean - slope * mean_place)
