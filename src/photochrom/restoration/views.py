"""A small picture shown to a network several ways, whose mean counts.

A network sees a faint crack one way that it misses another, and fills a hole each way a little differently. Four runs
are quickly done on a picture of a few hundred pixels; a large scan is looked at as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from photochrom.engines.base import FloatArray
from photochrom.luma import Codes

Views = tuple[Callable[[FloatArray], FloatArray], ...]
# As it is, mirrored, upside down, on its side. Each is its own inverse.
VIEWS: Views = (
    lambda planes: planes,
    lambda planes: planes[..., ::-1],
    lambda planes: planes[..., ::-1, :],
    lambda planes: planes.swapaxes(-1, -2),
)
# Longer side up to which a picture is shown in all of them.
SMALL_PX = 640


def views_of(pixels: Codes) -> Views:
    """Return the ways in which a picture (H, W, ...) is shown: all of them if it is small, or only the first."""
    return VIEWS if max(pixels.shape[:2]) <= SMALL_PX else VIEWS[:1]


def mean_over(views: Views, run: Callable[..., FloatArray], *planes: FloatArray) -> FloatArray:
    """Return the mean of what ``run`` answers to planes (..., h, w) shown in each of the views, turned back again."""
    answers = [view(run(*(np.ascontiguousarray(view(plane)) for plane in planes))) for view in views]
    return np.asarray(np.mean(answers, axis=0)) if len(answers) > 1 else answers[0]
