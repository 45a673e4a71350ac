"""A photograph's luma: exact integer codes, the small copies that the net and the guide need, and tone repair.

Luma is BT.601 Y' of the scan's gamma-encoded sRGB, whatever the scan's tint: a sepia print, a grey negative and a
blueish photocopy all give the neutral picture that the net was trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from photochrom.border import inside_plane
from photochrom.computer.room import let_go
from photochrom.resample import Plane, block_mean, resize
from photochrom.screen import smooth_screen

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Value = TypeVar("Value")

# 8 bit: Pillow's own 16.16 fixed point, so that convert("L") agrees to the last tie. 16 bit: exact thousandths, as
# the rounded weights of 16.16 are up to 0.4 of a 16-bit code value away from BT.601. Both fit 32 bits.
FIXED_POINT = {255: ((19595, 38470, 7471), 65536), 65535: ((299, 587, 114), 1000)}

STRIP_PIXELS = 1 << 18  # 1 MiB of float32 per plane: temporaries stay in the processor's cache

KEPT_SIZES = 4
"""Of one photograph: the net's copy and the grid of the hints, and both as they were asked for before."""

# Percentiles that count as the scan's black and white, and what is called faded or dark.
BLACK_PERCENTILE, WHITE_PERCENTILE = 0.5, 99.5
FADED_RANGE = 0.60
DARK_MEDIAN = 0.15
FLAT_RANGE = 0.04  # a blank page: stretching it would show the net nothing but noise
STRETCHED_BLACK, STRETCHED_WHITE = 0.03, 0.97
LIFTED_MEDIAN = 0.30


def luma_codes(pixels: Codes) -> Codes:
    """Return the rounded luma of every pixel, in the code values of the input.

    Shapes: (H, W, 1) or (H, W, 3) -> (H, W), same dtype. Grey comes back as it is; for 8 bit the result equals
    ``PIL.Image.convert("L")``.
    """
    if pixels.shape[-1] == 1:
        return pixels[..., 0]
    (red, green, blue), one = FIXED_POINT[int(np.iinfo(pixels.dtype).max)]
    total = pixels[..., 0] * np.uint32(red)
    total += pixels[..., 1] * np.uint32(green)
    total += pixels[..., 2] * np.uint32(blue)
    total += np.uint32(one // 2)
    return cast("Codes", (total // np.uint32(one)).astype(pixels.dtype))


def luma_strip(pixels: Codes, top: int, bottom: int) -> Plane:
    """Return the luma of rows ``top`` to ``bottom`` as float32 in 0..1, each value a whole number of code values."""
    return luma_codes(pixels[top:bottom]).astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def strips(width: int, height: int, *, step: int = 1, sharers: int = 1) -> list[tuple[int, int]]:
    """Return (top, bottom) of row strips of about STRIP_PIXELS, each but the last a multiple of ``step`` high.

    With ``sharers``, threads that take them in turn, they are as many for each: of three strips two threads have two.
    """
    rows = max(step, STRIP_PIXELS // width // step * step)
    rounds = -(-height // (rows * sharers))
    rows = min(rows, -(-height // (rounds * sharers * step)) * step)
    return [(top, min(top + rows, height)) for top in range(0, height, rows)]


@dataclass(frozen=True, slots=True)
class SmallLuma:
    """The luma at the two small sizes that colouring needs."""

    net: Plane  # (H, W) of the net's copy, 0..1
    cell: Plane  # (h, w) mean over each cell of the chroma grid, 0..1


class LumaCopies:
    """The small copies of a photograph's luma that colouring asks for, each made once.

    Whoever colours a photograph again and again, with other hints, keeps them and hands them on. Safe to share between
    threads: at worst a copy is made twice.

    Args:
        pixels: (H, W, 1 or 3) integer codes that stay as they are.
    """

    def __init__(self, pixels: Codes) -> None:
        self.pixels = pixels
        self._small: dict[tuple[int, int, int], SmallLuma] = {}
        self._toned: dict[tuple[int, int, int], tuple[Plane, tuple[str, ...]]] = {}
        self._shown: dict[tuple[int, int, int], tuple[Plane, tuple[str, ...]]] = {}

    def small(self, width: int, height: int, stride: int) -> SmallLuma:
        """Return what ``shrink_luma`` makes."""
        return _kept(self._small, (width, height, stride), lambda: shrink_luma(self.pixels, width, height, stride))

    def toned(self, width: int, height: int, stride: int) -> tuple[Plane, tuple[str, ...]]:
        """Return what ``normalize_tone`` makes of the net's copy."""
        small = self.small(width, height, stride)
        return _kept(self._toned, (width, height, stride), lambda: normalize_tone(small.net))

    def shown(self, width: int, height: int, stride: int) -> tuple[Plane, tuple[str, ...]]:
        """Return what ``show_clearly`` makes of the net's copy."""
        toned, notes = self.toned(width, height, stride)
        return _kept(self._shown, (width, height, stride), lambda: _smoothed(toned, notes))


def _kept(known: dict[tuple[int, int, int], Value], key: tuple[int, int, int], make: Callable[[], Value]) -> Value:
    """Return what is known of a size, or make it; the oldest goes where there are too many."""
    value = known.get(key)
    if value is None:
        value = known[key] = make()
        for old in list(known)[:-KEPT_SIZES]:
            known.pop(old, None)
    return value


def shrink_luma(pixels: Codes, width: int, height: int, stride: int) -> SmallLuma:
    """Return the luma of a picture at the size of the net's copy, and its means on the chroma grid.

    Memory: the picture is first averaged over whole blocks, strip by strip, so no full-size float plane is made
    unless the picture is small.
    """
    full_height, full_width = pixels.shape[:2]
    side = _block_side(full_width, full_height, width, height)
    means = _block_means(pixels, side)
    extent = (full_width / side, full_height / side)  # the last blocks may reach beyond the picture
    net = np.clip(resize(means, width, height, extent=extent), 0, 1)
    return SmallLuma(net, block_mean(net, stride))


def _block_side(full_width: int, full_height: int, width: int, height: int) -> int:
    """Return the side of the blocks: at least three remain per pixel of the net's copy, for Lanczos to work on."""
    return max(1, min(full_width // (3 * width), full_height // (3 * height)))


def _block_means(pixels: Codes, side: int) -> Plane:
    """Return the mean luma of blocks of ``side`` squared; those at the right and lower border are smaller."""
    height, width = pixels.shape[:2]
    means = []
    for top, bottom in strips(width, height, step=side):
        means.append(block_mean(luma_strip(pixels, top, bottom), side))
        let_go(pixels)
    return np.concatenate(means)


def is_blank(plane: Plane) -> bool:
    """Return whether there is nothing to recognise: a blank page, a single pixel, a black or white frame."""
    black, white = np.percentile(plane, [BLACK_PERCENTILE, WHITE_PERCENTILE])
    return bool(white - black < FLAT_RANGE)


def show_clearly(plane: Plane) -> tuple[Plane, tuple[str, ...]]:
    """Return the net's copy as the net is to see it: in good tones, without a printer's dots; and notes of both."""
    return _smoothed(*normalize_tone(plane))


def _smoothed(toned: Plane, notes: tuple[str, ...]) -> tuple[Plane, tuple[str, ...]]:
    smooth, more = smooth_screen(toned)
    return smooth, notes + more


def normalize_tone(plane: Plane) -> tuple[Plane, tuple[str, ...]]:
    """Return the net's copy with its tones stretched if the scan is faded or dark, and notes that say so.

    Black and white points are percentiles of what no plain border surrounds; a dark picture's median is then lifted by
    a power curve. Only what the net sees changes. A picture of good tone, and a blank one, come back as they are.
    """
    black, median, white = np.percentile(inside_plane(plane), [BLACK_PERCENTILE, 50, WHITE_PERCENTILE])
    spread = float(white - black)
    if spread < FLAT_RANGE:
        return plane, ()
    notes: tuple[str, ...] = ()
    if spread < FADED_RANGE:
        gain = (STRETCHED_WHITE - STRETCHED_BLACK) / spread
        plane = np.clip((plane - black) * gain + STRETCHED_BLACK, 0, 1).astype(np.float32)
        median = (median - black) * gain + STRETCHED_BLACK
        notes = (f"faded scan ({spread:.0%} of the tone range): stretched for the net only",)
    if 0 < median < DARK_MEDIAN:
        exponent = np.float32(max(0.5, np.log(LIFTED_MEDIAN) / np.log(median)))
        plane = plane**exponent
        notes = (*notes, f"dark picture (median {median:.0%}): lifted for the net only")
    return plane, notes
