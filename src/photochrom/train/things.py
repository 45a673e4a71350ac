"""One thing of a photograph, found by its colours, and given a colour that it never had.

A network that is told an unlikely colour is to give it to the whole of that thing, and to nothing else: so the thing
alone changes in what it learns from, and everything around it keeps its colours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import lab_from_srgb, srgb_from_lab

Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
# Lightness tells less of what is one thing than colour does: folds and shade run through all of them.
LIGHTNESS_SHARE = 0.5
# Lab units within which a thing is of one colour.
NARROWEST, WIDEST = 8.0, 26.0
# Shares of the picture.
SMALLEST, LARGEST = 0.02, 0.5
TRIES = 4


def planes_of(lab: Planes) -> Planes:
    """Return the a*, b* (2, h, w) of a photograph (h, w, 3), Lab."""
    return np.ascontiguousarray(np.moveaxis(lab[..., 1:], -1, 0))


def choose_thing(lab: Planes, rng: np.random.Generator) -> Mask | None:
    """Return the pixels (h, w) of a connected thing of like colour in a photograph (h, w, 3), Lab; None: none found.

    Cost: 1 ms at 32 x 32.
    """
    height, width = lab.shape[:2]
    weighed = lab * np.array([LIGHTNESS_SHARE, 1, 1], dtype=np.float32)
    for _ in range(TRIES):
        row, column = int(rng.integers(height)), int(rng.integers(width))
        like = np.linalg.norm(weighed - weighed[row, column], axis=-1) < rng.uniform(NARROWEST, WIDEST)
        thing = connected(like, row, column)
        if SMALLEST < thing.mean() < LARGEST:
            return thing
    return None


def connected(like: Mask, row: int, column: int) -> Mask:
    """Return the part of a mask that hangs together with one of its pixels, by sides."""
    height, width = like.shape
    left, found = like.copy(), np.zeros_like(like)
    left[row, column], found[row, column] = False, True
    ahead = [(row, column)]
    while ahead:
        y, x = ahead.pop()
        for j, i in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= j < height and 0 <= i < width and left[j, i]:
                left[j, i], found[j, i] = False, True
                ahead.append((j, i))
    return found


def repaint(lab: Planes, thing: Mask, rng: np.random.Generator) -> Planes:
    """Return the a*, b* (2, h, w) of a photograph (h, w, 3), Lab, whose one thing has been given another colour.

    The thing keeps its lightness and some of its own shades of colour, and no colour leaves sRGB.
    """
    angle, chroma = rng.uniform(0, 2 * np.pi), rng.uniform(12, 60)
    mean = lab[thing].mean(axis=0)
    painted = lab[thing].copy()
    painted[:, 1:] = (painted[:, 1:] - mean[1:]) * rng.uniform(0.3, 1)
    painted[:, 1:] += (chroma * np.cos(angle), chroma * np.sin(angle))
    colours = planes_of(lab)
    colours[:, thing] = lab_from_srgb(np.clip(srgb_from_lab(painted), 0, 1))[:, 1:].T
    return colours


def enlarge(thing: Mask, width: int, height: int) -> Mask:
    """Return a thing's pixels in a larger picture, their edges rounded."""
    sheet = Image.fromarray((thing * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(sheet) > 127
