"""Writing on a picture, told from damage: light or dark strokes as tall as one another, in a row.

One look at a mark does not tell a "1" from a scratch; its neighbours do. So each mark that is to be filled is taken
as it stands out from its surroundings, and what stands out likewise beside it is followed from letter to letter. A
row of three and more that are letters by their shape is writing. Runs of dust have no strokes, scratches have no row,
and a net of cracks hangs together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.border import Box
from photochrom.color import luma
from photochrom.computer.room import let_go
from photochrom.engines.base import FloatArray
from photochrom.luma import Codes, strips
from photochrom.restoration.letters import Letter, Letters, letters_of, regions
from photochrom.restoration.masks import Mask, any_in_blocks, grown
from photochrom.restoration.planes import reduced

# Writing is looked for on a copy of so many pixels along the longer side.
SEARCHED_PX = 1400
# Marks looked at, from the largest: a dusty scan has thousands of specks, and writing is larger than most.
MOST_MARKS = 60
SMALLEST_MARK_PX, LARGEST_LETTER = 4, 0.15
# What is looked at around a mark, in its own sizes, and in pixels at first; as wide as words are.
AROUND, LEAST_AROUND_PX, LARGEST_AROUND_PX = 5, 40, 400
# How far a mark has to stand out from what is around it.
LEAST_CONTRAST = 0.05
# A row: letters in it, those among them that are more than an upright bar, and how far the next one may be.
LEAST_LETTERS, LEAST_SHAPED, GAP = 3, 2, 1.1
# Small ones are told from specks less surely: so many more of them make a row.
SMALL_PX, MORE_OF_SMALL = 14, 1
# Neighbours' heights and widths of stroke differ by no more than these factors, their feet or tops by this share.
HEIGHTS, STROKES, OFF_LINE = 2.0, 2.2, 0.35
# Beyond letters that something runs through, only those follow that are as tall and on the line, and of one pen.
FAR_GAP, TWINS_OFF_LINE, TWINS_STROKES = 3.2, 0.08, 1.45
# Marks that reach no further beyond a line than this, in its height, are not filled within it: they are its letters
# too.
BEYOND = 1.5
# A mark belongs to the writing if so much of it lies on letters, and is left as a whole.
MOSTLY = 0.6


@dataclass(frozen=True, slots=True)
class Mark(Box):
    """One region of a mask on the small copy: its box, and where it is."""

    number: int

    @property
    def size(self) -> int:
        """Its longer side."""
        return max(self.height, self.width)


def take_out_writing(pixels: Codes, mask: Mask) -> float:
    """Clear what lies on writing from a mask, and return the share of the picture that was marked there.

    Args:
        pixels: (H, W, 1 or 3).
        mask: (H, W), true where the picture is to be filled; changed in place.

    Cost: some tenths of a second a picture with many marks. Memory: a copy of at most 1400 pixels a side.
    """
    factor = max(1, -(-max(mask.shape) // SEARCHED_PX))
    writing = find_writing(_tones(reduced(pixels, factor)), any_in_blocks(mask, factor))
    if not writing.any():
        return 0.0
    height, width = mask.shape
    taken = 0
    for top, bottom in strips(width, height, step=factor):
        rows = np.repeat(writing[top // factor : -(-bottom // factor)], factor, axis=0)
        here = np.repeat(rows, factor, axis=1)[: bottom - top, :width] & mask[top:bottom]
        taken += int(np.count_nonzero(here))
        mask[top:bottom] &= ~here
        let_go(mask)
    return float(taken / (width * height))


def _tones(small: Codes) -> FloatArray:
    values = small.astype(np.float32) / np.float32(np.iinfo(small.dtype).max)
    return np.asarray(values[..., 0] if values.shape[2] == 1 else luma(values), np.float32)


def find_writing(tones: FloatArray, mask: Mask) -> Mask:
    """Return which part of a mask lies on writing: (H, W) 0..1 and (H, W) -> (H, W)."""
    numbers = regions(mask)
    marks = _marks(numbers, LARGEST_LETTER * min(mask.shape))
    found: Mask = np.zeros_like(mask)
    for mark in marks:
        if found[mark.window].any():
            continue  # of a row that has been found from another of its letters
        drawn, window = _row_through(mark, numbers, tones)
        if drawn is not None:
            found[window] |= drawn
            _take_neighbours(found, drawn, window, marks, numbers)
    return _whole_marks(found, mask, numbers)


def _take_neighbours(
    found: Mask, drawn: Mask, window: tuple[slice, slice], marks: list[Mark], numbers: npt.NDArray[np.int32]
) -> None:
    """Add the parts within a line's box of marks that hardly reach beyond it: letters that something runs through."""
    rows, columns = np.nonzero(drawn)
    top, bottom = window[0].start + int(rows.min()), window[0].start + int(rows.max()) + 1
    left, right = window[1].start + int(columns.min()), window[1].start + int(columns.max()) + 1
    reach = BEYOND * min(bottom - top, right - left)
    for mark in marks:
        beyond = max(top - mark.top, mark.bottom - bottom, left - mark.left, mark.right - right)
        if beyond <= reach:
            down = slice(max(top, mark.top), min(bottom, mark.bottom))
            across = slice(max(left, mark.left), min(right, mark.right))
            found[down, across] |= numbers[down, across] == mark.number


def _marks(numbers: npt.NDArray[np.int32], largest: float) -> list[Mark]:
    """Return the regions that may be letters or parts of them, the largest first."""
    if not numbers.any():
        return []
    tops, bottoms, lefts, rights = _boxes(numbers)
    sizes = np.maximum(bottoms - tops, rights - lefts)
    fitting = np.flatnonzero((sizes >= SMALLEST_MARK_PX) & (sizes <= largest))
    order = fitting[np.argsort(-sizes[fitting], kind="stable")][:MOST_MARKS]
    return [Mark(int(tops[k]), int(bottoms[k]), int(lefts[k]), int(rights[k]), int(k)) for k in order if k]


def _boxes(numbers: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], ...]:
    """Return top, bottom, left and right of each region; those of number 0, the ground, mean nothing."""
    rows, columns = np.nonzero(numbers)
    which, count = numbers[rows, columns], int(numbers.max()) + 1
    tops, lefts = np.full(count, numbers.shape[0]), np.full(count, numbers.shape[1])
    bottoms, rights = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.minimum.at(tops, which, rows)
    np.maximum.at(bottoms, which, rows + 1)
    np.minimum.at(lefts, which, columns)
    np.maximum.at(rights, which, columns + 1)
    return tops, bottoms, lefts, rights


def _row_through(
    mark: Mark, numbers: npt.NDArray[np.int32], tones: FloatArray
) -> tuple[Mask | None, tuple[slice, slice]]:
    """Return the letters of the row that a mark is part of, within a window; None where there is no row."""
    around = max(LEAST_AROUND_PX, AROUND * mark.size)
    for _ in range(2):
        around = min(around, LARGEST_AROUND_PX)
        window = (
            slice(max(0, mark.top - around), mark.bottom + around),
            slice(max(0, mark.left - around), mark.right + around),
        )
        own, part = numbers[window] == mark.number, tones[window]
        shown = _standing_out(part, own, numbers[window] > 0)
        letters = letters_of(shown) if shown is not None else None
        own_letter = letters.through(own) if letters else None
        if letters is None or own_letter is None:
            break
        for turned, upright in ((False, letters), (True, letters.on_their_side())):
            start = upright.named(own_letter.number)
            row = _row_of(start, upright) if start else []
            if row and upright.stand_clear(row, turned=turned):
                return letters.drawn(row), window
        around = AROUND * max(own_letter.height, own_letter.width)  # the mark was a small part of its letter
        if around <= window[0].stop - mark.bottom:
            break
    return None, window


def _standing_out(part: FloatArray, own: Mask, marked: Mask) -> Mask | None:
    """Return what is on the mark's side of the tone halfway between it and its surroundings."""
    rim = grown(own, 3) & ~grown(own, 1) & ~marked
    if not rim.any():
        return None
    outside = float(np.median(part[rim]))
    inside = part[own]
    light = float(inside.mean()) > outside
    tone = float(np.percentile(inside, 80 if light else 20))  # masks are wider than strokes
    if abs(tone - outside) < LEAST_CONTRAST:
        return None
    middle = (tone + outside) / 2
    return np.asarray(part > middle if light else part < middle)


def _row_of(start: Letter, letters: Letters) -> list[Letter]:
    """Return the row of letters through one of them, or nothing where too few follow one another."""
    if not start.may_be_letter:
        return []
    row = [start]
    for to_the_right in (True, False):
        while (following := _next_to(row, letters, to_the_right=to_the_right)) is not None:
            row.append(following)
    shaped = sum(letter.is_shaped for letter in row)
    least = LEAST_LETTERS + (MORE_OF_SMALL if start.height < SMALL_PX else 0)
    return row if len(row) >= least and shaped >= max(LEAST_SHAPED, len(row) / 3) else []


def _next_to(row: list[Letter], letters: Letters, *, to_the_right: bool) -> Letter | None:
    """Return the nearest letter on one side that is like the last one and on its line.

    One that stands further off, beyond letters that something runs through, has to be just like one of the row.
    """
    last = max(row, key=lambda k: k.right) if to_the_right else min(row, key=lambda k: k.left)
    tall = max(last.height, row[0].height)
    best, nearest = None, FAR_GAP * tall
    for other in letters.all:
        gap = other.left - last.right if to_the_right else last.left - other.right
        is_beyond = other.middle > last.middle if to_the_right else other.middle < last.middle
        if gap >= nearest or gap < -0.3 * tall or not is_beyond or not other.may_be_letter:
            continue
        if (gap < GAP * tall and _are_alike(last, other, tall)) or any(_are_twins(other, one) for one in row):
            best, nearest = other, gap
    return best


def _are_twins(one: Letter, other: Letter) -> bool:
    """Return whether two are as tall as one another, on one line, and of one pen."""
    off_line = max(abs(one.bottom - other.bottom), abs(one.top - other.top))
    strokes = max(one.stroke, other.stroke) / min(one.stroke, other.stroke)
    return off_line <= max(1, TWINS_OFF_LINE * one.height) and strokes <= TWINS_STROKES


def _are_alike(one: Letter, other: Letter, tall: int) -> bool:
    heights = max(one.height, other.height) / min(one.height, other.height)
    strokes = max(one.stroke, other.stroke) / min(one.stroke, other.stroke)
    off_line = min(abs(one.bottom - other.bottom), abs(one.top - other.top))
    return heights <= HEIGHTS and strokes <= STROKES and off_line <= OFF_LINE * tall


def _whole_marks(writing: Mask, mask: Mask, numbers: npt.NDArray[np.int32]) -> Mask:
    """Return the marked part of writing, and all of the marks that mostly lie on it."""
    near = grown(writing, 2) & mask
    if not near.any():
        return near
    count = int(numbers.max()) + 1
    on_it, whole = np.bincount(numbers[near], minlength=count), np.bincount(numbers[mask], minlength=count)
    return np.asarray(near | (mask & (on_it >= MOSTLY * np.maximum(whole, 1))[numbers]))


def said(share: float) -> str:
    """Return the note on writing that was left; empty where none was."""
    return f"; writing left alone, {max(share, 1e-4):.2%} (--fill-writing fills it)" if share else ""
