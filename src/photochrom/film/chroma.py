"""Chroma laid under a full-size luma plane: from the small grid to the codes of the Cb and Cr planes.

As for photographs (``resample.GuidedUpsampler``), chroma between the grid's places is a locally linear function of the
luma, so that colours end where the luma's edges are. Then it shrinks until the player's RGB stays in its range: for
every luma that a chroma sample covers, in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.film.matrices import Codes, Matrix, Plane
from photochrom.film.planes import STEPS, Layout, Pixels

# As for photographs: luma steps well below 8 codes of 255 are texture, windows are 3 x 3 places.
GUIDE_EPS = 0.03**2
GUIDE_WINDOW = (3, 3)


@dataclass(frozen=True, slots=True)
class GuidedChroma:
    """Chroma as slope times luma plus offset, on the small grid. ``coefficients``: (h, w, 4) float32."""

    coefficients: Plane

    @classmethod
    def fit(cls, chroma: Plane, grid_luma: Plane) -> GuidedChroma:
        """Return it for chroma (h, w, 2) that belongs to luma (h, w), 0..1, on the same grid.

        Cost: about 2 ms on the usual grid.
        """
        import cv2

        mean = cv2.blur(np.dstack([grid_luma, grid_luma**2, chroma]), GUIDE_WINDOW, borderType=cv2.BORDER_REFLECT)
        product = cv2.blur(chroma * grid_luma[..., None], GUIDE_WINDOW, borderType=cv2.BORDER_REFLECT)
        variance = np.maximum(mean[..., 1] - mean[..., 0] ** 2, 0)
        slope = (product.reshape(chroma.shape) - mean[..., :1] * mean[..., 2:]) / (variance + np.float32(GUIDE_EPS))[
            ..., None
        ]
        slope = cv2.blur(slope, GUIDE_WINDOW, borderType=cv2.BORDER_REFLECT).reshape(chroma.shape)
        return cls(np.concatenate([slope, chroma - slope * grid_luma[..., None]], axis=-1).astype(np.float32))

    def at(self, luma: Plane) -> Plane:
        """Return the chroma under a luma plane of any size. Shapes: (H, W) -> (H, W, 2)."""
        import cv2

        height, width = luma.shape
        full = cv2.resize(self.coefficients, (width, height), interpolation=cv2.INTER_LINEAR)
        full = full.reshape(height, width, 4)
        return np.asarray(full[..., :2] * luma[..., None] + full[..., 2:])


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
    mean, darkest, brightest = covered_luma(luma, *STEPS[target.sampling])
    chroma = guided.at(source.luma(mean))
    keep = matrix.headroom(chroma, source.luma(darkest), source.luma(brightest))[..., None]
    offsets = chroma * keep * np.float32(target.codes.chroma_span)
    # Rounded to the nearest code; what had to shrink is rounded towards grey, or it would leave the gamut again.
    offsets = np.where(keep < 1, np.trunc(offsets), np.rint(offsets))
    codes = offsets + np.float32(target.codes.neutral)
    return np.asarray(np.clip(codes, 0, (1 << target.codes.bits) - 1).astype(target.codes.dtype))


def covered_luma(luma: Pixels, across: int, down: int) -> tuple[Plane | Pixels, Pixels, Pixels]:
    """Return the mean, the least and the largest luma code under each chroma sample. Shapes: (H, W) -> three (h, w)."""
    if (across, down) == (1, 1):
        return luma, luma, luma
    height, width = luma.shape
    if height % down or width % across:
        luma = cast("Pixels", np.pad(luma, ((0, -height % down), (0, -width % across)), mode="edge"))
    parts = [luma[row::down, column::across] for row in range(down) for column in range(across)]
    darkest, brightest, total = parts[0], parts[0], parts[0].astype(np.uint32)
    for part in parts[1:]:
        darkest, brightest = np.minimum(darkest, part), np.maximum(brightest, part)
        total += part
    return total.astype(np.float32) / np.float32(len(parts)), darkest, brightest
