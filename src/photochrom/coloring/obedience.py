"""Hints obeyed on the main path: the net's answer is held to them, so that the colour asked for is the colour shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.color import chroma_from_ab, ciede2000, lab_from_srgb, merge_luma_chroma
from photochrom.engines.base import FloatArray
from photochrom.hints.correction import correct_alike
from photochrom.hints.drawing import Drawn, draw
from photochrom.hints.hint import Hint
from photochrom.hints.spreading import obey
from photochrom.hints.wishes import keep_to_things
from photochrom.luma import Codes, LumaCopies, strips
from photochrom.resample import GuidedUpsampler, Plane, render_size

# Short side of the grid on which hints are obeyed: fine enough for a hand in a group, and done in a tenth of a second.
OBEYED_PX = 256
# CIEDE2000 between a colour asked for and what this luma can show of it, from which on it is told.
TOLD_DIFFERENCE = 5.0
NUMBERS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Wishes:
    """How much of a wish hints are, by number, and the net's colours told and not: (2, h, w) Lab a*, b*, graded."""

    wishful: Mapping[int, float]
    told: FloatArray
    without: FloatArray


def follow_hints(
    hints: Sequence[Hint],
    copies: LumaCopies,
    ab: FloatArray,
    cell_luma: Plane,
    threads: int,
    wishes: Wishes | None = None,
) -> tuple[FloatArray, Plane, tuple[str, ...]]:
    """Return colours that obey hints on a finer grid, the luma of that grid, and notes; without hints, what came in.

    Shapes: pixels (H, W, 1 or 3), (2, h, w), (h, w) -> (2, h', w'), (h', w').
    Cost: 0.04 s; and 0.01 s per megapixel for copies that are not there yet.
    """
    if not hints:
        return ab, cell_luma, ()
    fine = fine_size(copies.pixels, cell_luma.shape)
    luma, guide = copies.small(*fine, 1).net, copies.toned(*fine, 1)[0]
    drawn = draw(hints, luma)
    if wishes:
        ab = without_strays(ab, wishes, cell_luma, luma, drawn, threads)
    else:
        ab = refined(ab, cell_luma, luma, threads)
    by_persons = np.array([hint.by == "person" for hint in hints])
    told = (drawn.number >= 0) & by_persons[drawn.number]
    obeyed = obey(correct_alike(ab, guide, drawn, told), guide, drawn)
    return obeyed, luma, told_notes(hints, drawn, luma)


def without_strays(
    ab: FloatArray, wishes: Wishes, cell_luma: Plane, luma: Plane, drawn: Drawn, threads: int
) -> FloatArray:
    """Return colours on the finer grid less what wishes change where they are not meant: (2, h, w) -> (2, h', w')."""
    finer = refined(ab, cell_luma, luma, threads)
    told = finer if wishes.told is ab else refined(wishes.told, cell_luma, luma, threads)
    without = refined(wishes.without, cell_luma, luma, threads)
    kept = keep_to_things(told, without, luma, drawn, wishes.wishful)
    return np.asarray(finer + (kept - 1) * (told - without), dtype=np.float32)


def fine_size(pixels: Codes, least: tuple[int, ...]) -> tuple[int, int]:
    """Return width and height of the grid on which hints are obeyed; no coarser than ``least`` (rows, columns)."""
    height, width = pixels.shape[:2]
    columns, rows = render_size(width, height, OBEYED_PX, multiple=1, stride=1)
    return (least[1], least[0]) if rows < least[0] or columns < least[1] else (columns, rows)


def refined(ab: FloatArray, cell_luma: Plane, luma: Plane, threads: int) -> FloatArray:
    """Return colours on a finer grid, upsampled along its luma: (2, h, w), (h, w), (h', w') -> (2, h', w')."""
    if luma.shape == cell_luma.shape:
        return ab
    upsampler = GuidedUpsampler.fit(
        chroma_from_ab(cell_luma, np.moveaxis(ab, 0, -1)), cell_luma, luma.shape[1], luma.shape[0]
    )
    finer = np.empty((2, *luma.shape), dtype=np.float32)

    def refine(strip: tuple[int, int]) -> None:
        here = luma[slice(*strip)]
        rgb = merge_luma_chroma(here, upsampler.rows(strip[0], here))
        finer[:, slice(*strip)] = np.moveaxis(lab_from_srgb(rgb)[..., 1:], -1, 0)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(refine, strips(luma.shape[1], luma.shape[0], sharers=threads)):
            pass
    return finer


def told_notes(hints: Sequence[Hint], drawn: Drawn, luma: Plane) -> tuple[str, ...]:
    """Return how many hints were followed, that their lightness was not, and which a picture's tones cannot show."""
    some = len(hints) > 1
    notes = [f"{len(hints)} hint{'s' if some else ''} followed"]
    if any(isinstance(hint.color, str) or hint.painted for hint in hints):
        notes.append("lightness of hints ignored: the photograph keeps its own")
    known = drawn.number >= 0
    number_of, asked, tones = drawn.number[known], drawn.ab[:, known].T, luma[known]
    covered = np.unique(number_of)
    if hidden := [number + 1 for number in range(len(hints)) if number not in covered]:
        notes.append(f"hint {_few(hidden)} lies under later ones")
    beyond = _beyond(asked.astype(np.float64), tones.astype(np.float64))
    if unlike := [int(number) + 1 for number in covered if np.median(beyond[number_of == number]) > TOLD_DIFFERENCE]:
        notes.append(f"hint {_few(unlike)}: too strong for this tone, shown weaker")
    return tuple(notes)


def _beyond(asked: npt.NDArray[np.float64], tones: npt.NDArray[np.float64]) -> npt.NDArray[np.floating]:
    """Return how far (CIEDE2000) what can be shown of colours is from what was asked: (n, 2), (n) -> (n)."""
    shown = lab_from_srgb(merge_luma_chroma(tones, chroma_from_ab(tones, asked)))
    return ciede2000(shown, np.concatenate([shown[:, :1], asked], axis=1))


def _few(numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:NUMBERS_NAMED]))
    return f"{named} and {len(numbers) - NUMBERS_NAMED} more" if len(numbers) > NUMBERS_NAMED else named
