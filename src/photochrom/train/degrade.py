"""What training does to a photograph: the pair of what the network sees and what it should give back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from photochrom.degradation import degrade
from photochrom.degradation.ageing import AgeOptions, age, relight
from photochrom.degradation.scans import scan
from photochrom.degradation.stencil import Stencil, anywhere, wander
from photochrom.train.sections import TaskSection

Codes = npt.NDArray[np.uint8]
Planes = npt.NDArray[np.float32]
UNTOUCHED = AgeOptions(untouched=1.0)
NO_MASK = np.zeros((1, 0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Pair:
    """``photo`` (1 or 3, H, W): what is seen; ``clean`` (3, H, W): what was; ``mask`` (1, H, W), empty if not asked."""

    photo: Planes
    clean: Planes
    mask: Planes


def make_pair(codes: Codes, task: TaskSection, options: AgeOptions, rng: np.random.Generator) -> Pair:
    """Return the pair that a task makes of a clean photograph (H, W, 3) in sRGB codes; all results are 0..1."""
    if task.input == "worn":
        return wear(codes, task, rng)
    clean = planes_of(codes.astype(np.float32) / np.float32(255))
    if task.input == "scanned":
        plane = scan(codes, rng)[None]
        return Pair(plane, np.repeat(plane, 3, axis=0), NO_MASK)
    if task.input == "relit":
        relit = relight(codes, rng, task.brightness, task.contrast)
        return Pair(planes_of(relit), clean, NO_MASK)
    return Pair(age(codes, rng, options if task.input == "aged" else UNTOUCHED)[None], clean, NO_MASK)


def wear(codes: Codes, task: TaskSection, rng: np.random.Generator) -> Pair:
    """Return the photograph after the presets ``before`` (both) and ``wear`` (what is seen), and where damage is."""
    clean = (
        degrade(codes, task.before, rng, px=1.0).picture if task.before else codes.astype(np.float32) / np.float32(255)
    )
    worn = degrade(clean, task.wear, rng, px=1.0)
    mask = worn.mask
    if task.target == "fill":
        mask = grow_holes(mask, rng) | draw_holes(mask.shape, rng)
    return Pair(planes_of(worn.picture), planes_of(clean), mask[None].astype(np.float32))


def planes_of(picture: npt.NDArray[np.float32]) -> Planes:
    """Return (H, W, 3) as (3, H, W), in memory too."""
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0))


def grow_holes(mask: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return the holes one or two pixels wider all round, as masks are before they are filled."""
    sheet = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(sheet.filter(ImageFilter.MaxFilter(int(rng.choice([3, 5]))))) > 0


def draw_holes(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return a few thick strokes and blots, as people draw masks; on every third picture none."""
    sheet = Stencil(shape)
    side = min(shape)
    for _ in range(int(rng.integers(0, 3))):
        if rng.random() < 0.6:
            stroke = wander(
                anywhere(shape, rng), rng.uniform(0, 2 * np.pi), side * rng.uniform(0.1, 0.7), rng, curl=1.0
            )
            sheet.line(stroke, side * rng.uniform(0.015, 0.07))
        else:
            x, y = anywhere(shape, rng)
            sheet.spot(x, y, *(side * rng.uniform(0.04, 0.2, 2)))
    return sheet.cover() > 0.5
