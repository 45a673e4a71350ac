"""Hints for training: what a person, a reference photograph or the frame before would say of a photograph's colours.

Most are small patches of true colour, few or many, since that is how people paint; some are strokes, and some whole
fields that have been moved, blurred, torn and weakened, as colours are that travel through a film. Now and then one
thing of a photograph is given another colour, in hints and truth alike (``train/things.py``), so that what is told is
believed even where it is unlikely, and goes no further than that thing.
Source of the patches: Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors",
section 3.2 (number geometric, places Gaussian around the middle, patches of 1 to 9 pixels).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import lab_from_srgb
from photochrom.degradation.stencil import Stencil, anywhere, wander
from photochrom.resample import blur
from photochrom.train.sections import HintsSection
from photochrom.train.things import Mask, Planes, choose_thing, enlarge, planes_of, repaint

# Chance that one patch more follows; the mean number is 1 / (1 - it).
ONE_MORE = 0.9
# A tenth of the pictures with patches have up to ``most`` of them, where the geometric number would almost never be.
MANY = 0.1


def lab_of(picture: Image.Image, stride: int = 1) -> Planes:
    """Return (S / stride, S / stride, 3) Lab of a photograph, reduced first."""
    small = np.asarray(picture.reduce(stride) if stride > 1 else picture, dtype=np.float32) / 255
    return lab_from_srgb(small).astype(np.float32)


def colours_of(picture: Image.Image, stride: int = 1) -> Planes:
    """Return (2, S / stride, S / stride) Lab a*b* of a photograph, reduced first."""
    return planes_of(lab_of(picture, stride))


def tell(picture: Image.Image, stride: int, options: HintsSection, rng: np.random.Generator) -> tuple[Planes, Planes]:
    """Return the colours to learn (2, S / stride, S / stride) and the hints (3, S, S) of a square photograph.

    Range: Lab a*, b*, and weights 0..1; hints are all zero for photographs that come without.
    Cost: 2 ms at 128 px; 4 where a thing is invented.
    """
    lab = lab_of(picture, stride)
    truth = planes_of(lab)
    if rng.random() >= options.share:
        return truth, np.zeros((3, picture.height, picture.width), dtype=np.float32)
    full, kind = colours_of(picture), rng.random()
    if kind < options.fields:
        return truth, field(full, rng)
    thing = choose_thing(lab, rng) if rng.random() < options.invented else None
    if thing is not None:
        truth = repaint(lab, thing, rng)
        thing = enlarge(thing, picture.width, picture.height)
        # Colours of the whole size would change again in the same way; its hints are told from the reduced one.
        larger = [np.kron(plane, np.ones((stride, stride), dtype=np.float32)) for plane in truth]
        full = np.where(thing, np.stack(larger), full)
    if kind < options.fields + options.strokes:
        return truth, strokes(full, rng, thing)
    return truth, patches(full, options.most, rng, thing)


def patches(ab: Planes, most: int, rng: np.random.Generator, thing: Mask | None = None) -> Planes:
    """Return hints that are patches of 1 to 9 pixels, each of the mean colour of what it lies on.

    One of them lies on ``thing``, and in half of those pictures it is the only one: nothing but the thing's own edges
    then tells how far it reaches.
    """
    height, width = ab.shape[1:]
    hints = np.zeros((3, height, width), dtype=np.float32)
    count = int(rng.integers(1, most + 1)) if rng.random() < MANY else min(most, int(rng.geometric(1 - ONE_MORE)))
    count = 1 if thing is not None and rng.random() < 0.5 else count
    jitter = rng.choice([0.0, 0.0, 4.0])
    for number in range(count):
        side = int(rng.integers(1, 10))
        if thing is not None and number == count - 1:
            x, y = somewhere_on(thing, rng) - side // 2
        elif rng.random() < 0.5:
            x, y = rng.normal(width / 2, width / 4), rng.normal(height / 2, height / 4)
        else:
            x, y = rng.uniform(0, width), rng.uniform(0, height)
        left, top = int(np.clip(x, 0, width - side)), int(np.clip(y, 0, height - side))
        here = (slice(top, top + side), slice(left, left + side))
        within = np.ones((side, side), dtype=bool) if thing is None or number < count - 1 else thing[here]
        colour = ab[:, *here][:, within].mean(axis=1) + rng.normal(0, jitter, 2)
        hints[:2, *here] = colour[:, None, None]
        hints[2, *here] = rng.uniform(0.5, 0.9) if jitter else 1.0
    return hints


def somewhere_on(thing: Mask, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return a point (x, y) of a thing."""
    rows, columns = np.nonzero(thing)
    chosen = int(rng.integers(rows.size))
    return np.array([columns[chosen], rows[chosen]])


def strokes(ab: Planes, rng: np.random.Generator, thing: Mask | None = None) -> Planes:
    """Return hints that are a few wandering lines, each of one colour; the last begins on ``thing``."""
    shape = ab.shape[1:]
    hints = np.zeros((3, *shape), dtype=np.float32)
    side = min(shape)
    count = int(rng.integers(1, 6))
    for number in range(count):
        begins = somewhere_on(thing, rng) if thing is not None and number == count - 1 else anywhere(shape, rng)
        line = wander(begins, rng.uniform(0, 2 * np.pi), side * rng.uniform(0.05, 0.3), rng, curl=0.6)
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
    moved = np.stack([blur(plane, blur_px) for plane in moved])
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
