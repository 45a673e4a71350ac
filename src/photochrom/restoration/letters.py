"""Regions of a picture in two tones, and which of them may be letters by their shape alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from photochrom.border import Box
from photochrom.files.codecs.libvips import libvips
from photochrom.restoration.masks import Mask

# A letter: at least so tall, in pixels; not much wider than tall; its stroke's width of its height.
LEAST_HEIGHT_PX, WIDEST, THINNEST_STROKE, THICKEST_STROKE = 6, 2.2, 0.03, 0.34
# More than one straight line: its strokes together are so many times as long as its box from corner to corner.
SHAPED = 1.3
# Room above and below a line, in letters' heights, and how much of its ink may lie there: descenders, a line drawn
# below.
ROOM, CLEAR = 0.35, 0.6


@dataclass(frozen=True, slots=True)
class Letter(Box):
    """A region: its box, its pixels, the width of its strokes, and whether it touches the border of what was seen."""

    number: int
    area: int
    stroke: float
    is_cut: bool

    @property
    def middle(self) -> float:
        """Where it stands in its row."""
        return (self.left + self.right) / 2

    @property
    def may_be_letter(self) -> bool:
        """Whether it has a letter's proportions: strokes, not a blot, and no line across the picture."""
        return (
            not self.is_cut
            and self.height >= LEAST_HEIGHT_PX
            and self.width <= WIDEST * self.height
            and THINNEST_STROKE * self.height <= self.stroke <= THICKEST_STROKE * self.height
        )

    @property
    def is_shaped(self) -> bool:
        """Whether it is more than one line, straight or bowed, which scratches are too."""
        return self.area / self.stroke >= SHAPED * float(np.hypot(self.height, self.width))


@dataclass(frozen=True, slots=True)
class Letters:
    """The regions of a window that are large enough to be letters, and where each is."""

    all: Sequence[Letter]
    numbers: npt.NDArray[np.int32]

    def through(self, mark: Mask) -> Letter | None:
        """Return the region that most of a mark lies on."""
        on = self.numbers[mark]
        on = on[on > 0]
        if not on.size:
            return None
        return self.named(int(np.bincount(on).argmax()))

    def named(self, number: int) -> Letter | None:
        """Return the region of a number, if it is large enough to be one."""
        return next((letter for letter in self.all if letter.number == number), None)

    def on_their_side(self) -> Letters:
        """Return the same regions with rows and columns changed, for writing that runs upwards or downwards."""
        turned = [replace(k, top=k.left, bottom=k.right, left=k.top, right=k.bottom) for k in self.all]
        return Letters(turned, self.numbers)

    def stand_clear(self, chosen: Sequence[Letter], *, turned: bool) -> bool:
        """Return whether a row has room above and below it, as a line of text has and a texture has not."""
        ink = (self.numbers > 0).T if turned else self.numbers > 0
        left, right = min(k.left for k in chosen), max(k.right for k in chosen)
        tops, bottoms = (sorted(getattr(k, side) for k in chosen) for side in ("top", "bottom"))
        top, bottom = tops[len(chosen) // 4], bottoms[-1 - len(chosen) // 4]
        room = max(2, round(ROOM * (bottom - top)))
        inside = float(ink[top:bottom, left:right].mean())
        above, below = (
            ink[max(0, top - room - 1) : max(0, top - 1), left:right],
            ink[bottom + 1 : bottom + 1 + room, left:right],
        )
        return all(not part.size or float(part.mean()) <= CLEAR * inside for part in (above, below))

    def drawn(self, chosen: Sequence[Letter]) -> Mask:
        """Return where some of them are."""
        return np.isin(self.numbers, [letter.number for letter in chosen])


def regions(mask: Mask) -> npt.NDArray[np.int32]:
    """Return the number of the region that each pixel belongs to, 0 where nothing is marked; corners touch."""
    # libvips joins along sides alone, so the mask is drawn twice as large and every pixel half a pixel lower too.
    double = np.repeat(np.repeat(mask, 2, axis=0), 2, axis=1)
    double[1:] |= double[:-1].copy()
    named = libvips().Image.new_from_array(double.astype(np.uint8)).labelregions().numpy().reshape(double.shape)
    return np.asarray(np.where(mask, named[::2, ::2] + 1, 0), np.int32)


def letters_of(shown: Mask) -> Letters:
    """Return the regions of what stands out in a window."""
    numbers = regions(shown)
    kept, small = np.unique(numbers, return_inverse=True)
    numbers = small.reshape(numbers.shape).astype(np.int32) + (0 if kept[0] == 0 else 1)
    rows, columns = np.nonzero(numbers)
    which, count = numbers[rows, columns], int(numbers.max()) + 1
    area, rim = np.bincount(which, minlength=count), np.bincount(numbers[_rim(shown)], minlength=count)
    height, width = shown.shape
    tops, lefts = np.full(count, height), np.full(count, width)
    bottoms, rights = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for extreme, values, at in ((np.minimum, tops, rows), (np.maximum, bottoms, rows + 1),
                                (np.minimum, lefts, columns), (np.maximum, rights, columns + 1)):  # fmt: skip
        extreme.at(values, which, at)
    # A stroke of width w and length l has w l pixels and a rim of about 2 l.
    strokes = 2 * area / np.maximum(rim, 1)
    cut = (tops == 0) | (lefts == 0) | (bottoms == height) | (rights == width)
    boxes = zip(tops, bottoms, lefts, rights, area, strokes, cut, strict=True)
    large = np.maximum(bottoms - tops, rights - lefts) >= LEAST_HEIGHT_PX
    found = [
        Letter(int(t), int(b), int(le), int(r), k, int(n), float(s), bool(c))
        for k, (t, b, le, r, n, s, c) in enumerate(boxes)
        if k and large[k]
    ]
    return Letters(found, numbers)


def _rim(shown: Mask) -> Mask:
    """Return the marked pixels that have an unmarked one beside them."""
    padded = np.pad(shown, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(shown & ~inner)
