"""Chroma laid under a full-size luma plane: from the small grid to the codes of the Cb and Cr planes.

As for photographs (``resample.GuidedUpsampler``), chroma between the grid's places is a locally linear function of the
luma, so that colours end where the luma's edges are. Then it shrinks until the player's RGB stays in its range: for
every luma that a chroma sample covers, in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.film.matrices import Codes, Matrix, Plane
from photochrom.film.planes import STEPS, Layout, Pixels

# As for photographs: luma steps well below 8 codes of 255 are texture, windows are 3 x 3 places.
GUIDE_EPS = 0.03**2
GUIDE_WINDOW = (3, 3)
STRIP_SAMPLES = 32_768


@dataclass(frozen=True, slots=True)
class GuidedChroma:
    """Chroma as slope times luma plus offset, on the small grid.

    ``coefficients``: slope of Cb and of Cr, offset of Cb and of Cr, (4, h, w) float32: planes, as numpy is three times
    as fast on them as on pairs.
    """

    coefficients: Plane

    @classmethod
    def fit(cls, chroma: Plane, grid_luma: Plane) -> GuidedChroma:
        """Return it for chroma (h, w, 2) that belongs to luma (h, w), 0..1, on the same grid.

        Cost: about 2 ms on the usual grid.
        """
        luma = np.ascontiguousarray(grid_luma, np.float32)
        mean = _smoothed(luma)
        spread = np.maximum(_smoothed(luma * luma) - mean * mean, 0) + np.float32(GUIDE_EPS)
        planes = [np.ascontiguousarray(chroma[..., k], np.float32) for k in (0, 1)]
        slopes = [_smoothed((_smoothed(plane * luma) - mean * _smoothed(plane)) / spread) for plane in planes]
        offsets = [plane - slope * luma for plane, slope in zip(planes, slopes, strict=True)]
        return cls(np.stack([*slopes, *offsets]))

    def at(self, luma: Plane) -> Plane:
        """Return the chroma under a luma plane of any size. Shapes: (H, W) -> (H, W, 2), each in one piece."""
        return np.moveaxis(_linear(luma, self.enlarged(luma.shape[1], luma.shape[0])), 0, -1)

    def enlarged(self, width: int, height: int) -> list[Plane]:
        """Return the coefficients on a larger grid, four of (height, width)."""
        import cv2

        size = (width, height)
        full = (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in self.coefficients)
        return [np.asarray(plane, np.float32).reshape(height, width) for plane in full]


def _smoothed(plane: npt.NDArray[np.floating]) -> Plane:
    import cv2

    smooth = cv2.blur(plane, GUIDE_WINDOW, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth, np.float32).reshape(plane.shape)


def chroma_codes(luma: Pixels, guided: GuidedChroma, matrix: Matrix, source: Codes, target: Layout) -> npt.NDArray[Any]:
    """Return the chroma codes that belong to a luma plane, in the gamut.

    Args:
        luma: (H, W) codes as ``source`` says.
        guided: the colours.
        matrix: of the film.
        source: depth and range of ``luma``.
        target: sampling of chroma, and depth of its codes.

    Shapes: -> (h, w, 2), the chroma planes' size. Every luma that a sample covers stays in RGB's range with it; a
    player that interpolates chroma may go beyond by what neighbours differ.
    """
    across, down = STEPS[target.sampling]
    height, width = -(-luma.shape[0] // down), -(-luma.shape[1] // across)
    fields = guided.enlarged(width, height)
    codes = np.empty((2, height, width), target.codes.dtype)
    # A few rows at a time: what is worked out on the way stays in the processor's cache, and in memory once asked for.
    step = max(1, STRIP_SAMPLES // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        mean, darkest, brightest = covered_luma(luma[rows.start * down : rows.stop * down], across, down)
        chroma = np.moveaxis(_linear(source.luma(mean), [field[rows] for field in fields]), 0, -1)
        keep = matrix.headroom(chroma, source.luma(darkest), source.luma(brightest))
        codes[:, rows] = _rounded(np.moveaxis(chroma, -1, 0), keep, target.codes)
    return np.moveaxis(codes, 0, -1)


def _linear(luma: Plane, fields: Sequence[Plane]) -> Plane:
    """Return slope times luma plus offset, for Cb and Cr. Shapes: (h, w) and four of it -> (2, h, w)."""
    found = np.empty((2, *luma.shape), np.float32)
    for k in (0, 1):
        np.multiply(fields[k], luma, out=found[k])
        found[k] += fields[k + 2]
    return found


def _rounded(chroma: Plane, keep: Plane, codes: Codes) -> Plane:
    """Return chroma shrunk by ``keep`` as whole codes, floats still. Shapes: (2, h, w), (h, w) -> (2, h, w)."""
    offsets = chroma * (keep * np.float32(codes.chroma_span))
    # Rounded to the nearest code; what had to shrink is rounded towards grey, or it would leave the gamut again.
    offsets = np.where(keep < 1, np.trunc(offsets), np.rint(offsets)) + np.float32(codes.neutral)
    return np.clip(offsets, 0, (1 << codes.bits) - 1, out=offsets)


def covered_luma(luma: Pixels, across: int, down: int) -> tuple[Plane | Pixels, Pixels, Pixels]:
    """Return the mean, the least and the largest luma code under each chroma sample. Shapes: (H, W) -> three (h, w)."""
    if (across, down) == (1, 1):
        return luma, luma, luma
    height, width = luma.shape
    if height % down or width % across:
        luma = cast("Pixels", np.pad(luma, ((0, -height % down), (0, -width % across)), mode="edge"))
    # Whole rows first, which are in one piece.
    darkest: Any = luma[::down]
    brightest, total = darkest, darkest.astype(np.uint32)
    for row in range(1, down):
        part = luma[row::down]
        darkest, brightest = np.minimum(darkest, part), np.maximum(brightest, part)
        total += part
    columns = [slice(column, None, across) for column in range(across)]
    least, most, summed = (plane[:, columns[0]] for plane in (darkest, brightest, total))
    for column in columns[1:]:
        least, most = np.minimum(least, darkest[:, column]), np.maximum(most, brightest[:, column])
        summed = summed + total[:, column]
    return summed.astype(np.float32) / np.float32(across * down), least, most
