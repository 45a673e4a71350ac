"""Hints for training: what a person, a reference photograph or the frame before would say of a photograph's colours.

Most are small patches of true colour, few or many, since that is how people paint; some are strokes, and some whole
fields that have been moved, blurred, torn and weakened, as colours are that travel through a film. Now and then all
colours of a photograph are turned to others, hints and truth alike, so that what is told is believed even where it
is unlikely.
Source of the patches: Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors",
section 3.2 (number geometric, places Gaussian around the middle, patches of 1 to 9 pixels).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from photochrom.color import lab_from_srgb
from photochrom.degradation.stencil import Stencil, anywhere, wander
from photochrom.train.sections import HintsSection

Planes = npt.NDArray[np.float32]
# Chance that one patch more follows; the mean number is 1 / (1 - it).
ONE_MORE = 0.9
# A tenth of the pictures with patches have up to ``most`` of them, where the geometric number would almost never be.
MANY = 0.1


def colours_of(picture: Image.Image, stride: int = 1) -> npt.NDArray[np.float32]:
    """Return (2, S / stride, S / stride) Lab a*b* of a photograph, reduced first."""
    small = np.asarray(picture.reduce(stride) if stride > 1 else picture, dtype=np.float32) / 255
    return np.ascontiguousarray(np.moveaxis(lab_from_srgb(small)[..., 1:], -1, 0), dtype=np.float32)


def tell(picture: Image.Image, stride: int, options: HintsSection, rng: np.random.Generator) -> tuple[Planes, Planes]:
    """Return the colours to learn (2, S / stride, S / stride) and the hints (3, S, S) of a square photograph.

    Range: Lab a*, b*, and weights 0..1; hints are all zero for photographs that come without.
    Cost: 2 ms at 128 px.
    """
    truth = colours_of(picture, stride)
    nothing = np.zeros((3, picture.height, picture.width), dtype=np.float32)
    if rng.random() >= options.share:
        return truth, nothing
    full = colours_of(picture)
    if rng.random() < options.invented:
        turn = turned_colours(rng)
        truth, full = (np.tensordot(turn, planes, axes=1).astype(np.float32) for planes in (truth, full))
    kind = rng.random()
    if kind < options.strokes:
        return truth, strokes(full, rng)
    if kind < options.strokes + options.fields:
        return truth, field(full, rng)
    return truth, patches(full, options.most, rng)


def turned_colours(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the matrix (2, 2) that turns all hues by one angle, and makes them stronger or weaker."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.3)
    cosine, sine = strength * np.cos(angle), strength * np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def patches(ab: Planes, most: int, rng: np.random.Generator) -> Planes:
    """Return hints that are patches of 1 to 9 pixels, each of the mean colour of what it lies on."""
    height, width = ab.shape[1:]
    hints = np.zeros((3, height, width), dtype=np.float32)
    count = int(rng.integers(1, most + 1)) if rng.random() < MANY else min(most, int(rng.geometric(1 - ONE_MORE)))
    jitter = rng.choice([0.0, 0.0, 4.0])
    for _ in range(count):
        side = int(rng.integers(1, 10))
        if rng.random() < 0.5:
            x, y = rng.normal(width / 2, width / 4), rng.normal(height / 2, height / 4)
        else:
            x, y = rng.uniform(0, width), rng.uniform(0, height)
        left, top = int(np.clip(x, 0, width - side)), int(np.clip(y, 0, height - side))
        here = (slice(top, top + side), slice(left, left + side))
        colour = ab[:, *here].mean(axis=(1, 2)) + rng.normal(0, jitter, 2)
        hints[:2, *here] = colour[:, None, None]
        hints[2, *here] = rng.uniform(0.5, 0.9) if jitter else 1.0
    return hints


def strokes(ab: Planes, rng: np.random.Generator) -> Planes:
    """Return hints that are a few wandering lines, each of one colour: that of where it begins."""
    shape = ab.shape[1:]
    hints = np.zeros((3, *shape), dtype=np.float32)
    side = min(shape)
    for _ in range(int(rng.integers(1, 6))):
        line = wander(anywhere(shape, rng), rng.uniform(0, 2 * np.pi), side * rng.uniform(0.05, 0.3), rng, curl=0.6)
        sheet = Stencil(shape)
        sheet.line(line, side * rng.uniform(0.01, 0.05))
        covered = sheet.cover() > 0.5
        if not covered.any():
            continue
        colours = ab[:, covered]
        middle = np.median(colours, axis=1)
        # A person stays on one thing: where the line runs onto another colour, it ends.
        covered[covered] = np.hypot(*(colours - middle[:, None])) < 12
        hints[:2, covered] = middle[:, None]
        hints[2, covered] = 1.0
    return hints


def field(ab: Planes, rng: np.random.Generator) -> Planes:
    """Return hints everywhere: the truth moved a little, blurred, with holes and wrong patches, and weak."""
    height, width = ab.shape[1:]
    side = min(height, width)
    moved = np.roll(ab, tuple(rng.integers(-side // 40 - 1, side // 40 + 2, 2)), axis=(1, 2))
    blur_px = rng.uniform(0, side / 60)
    moved = np.stack([blurred(plane, blur_px) for plane in moved])
    trust = np.full((height, width), rng.uniform(0.15, 0.9), dtype=np.float32)
    for _ in range(int(rng.integers(0, 5))):
        h, w = rng.integers(side // 16, side // 2, 2)
        top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
        here = (slice(top, top + int(h)), slice(left, left + int(w)))
        if rng.random() < 0.6:
            trust[here] = 0
        else:
            moved[:, *here] += rng.normal(0, 15, (2, 1, 1)).astype(np.float32)
            trust[here] *= rng.uniform(0.2, 1)
    trust *= (rng.random(trust.shape) > rng.uniform(0, 0.3)).astype(np.float32)
    return np.concatenate([np.where(trust > 0, moved, 0), trust[None]]).astype(np.float32)


def blurred(plane: Planes, sigma_px: float) -> Planes:
    """Return a plane under a Gaussian blur, to a quarter of a Lab unit."""
    codes = np.clip(plane + 128, 0, 255)
    sheet = Image.fromarray(codes.astype(np.uint8))
    return np.asarray(sheet.filter(ImageFilter.GaussianBlur(sigma_px)), dtype=np.float32) - 128
