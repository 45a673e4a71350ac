"""Films made old: marks that live one frame, lines that drift, exposure that breathes, grain. To measure with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from photochrom.film.matrices import Plane


@dataclass(frozen=True, slots=True)
class Wear:
    """How worn a film is.

    Attributes:
        marks: dust and scratches a frame, on average.
        lines: vertical lines.
        breathing: standard deviation of the logarithm of exposure.
        grain: standard deviation, of 1.
    """

    marks: float = 6.0
    lines: int = 1
    breathing: float = 0.06
    grain: float = 0.03


def age_film(lumas: Sequence[Plane], wear: Wear, seed: int = 0) -> list[Plane]:
    """Return a worn copy of a film's frames. Shapes: (H, W) 0..1, all of one size -> the same."""
    random = np.random.default_rng(seed)
    height, width = lumas[0].shape
    places = random.uniform(0.1, 0.9, wear.lines) * width
    tones = random.choice([-0.25, 0.3], wear.lines)
    worn = []
    for luma in lumas:
        frame = luma.astype(np.float32) * np.float32(np.exp(random.normal(0, wear.breathing)))
        frame = frame + random.normal(0, 1, luma.shape).astype(np.float32) * np.float32(wear.grain)
        places = places + random.normal(0, 0.4, wear.lines)
        for place, tone in zip(places, tones, strict=True):
            _draw_line(frame, place, tone * random.uniform(0.7, 1.0))
        for _ in range(random.poisson(wear.marks)):
            _draw_mark(frame, random)
        worn.append(np.clip(frame, 0, 1))
    assert height
    return worn


def _draw_line(frame: Plane, place: float, tone: float) -> None:
    distance = np.abs(np.arange(frame.shape[1]) - place)
    frame += (np.clip(1.5 - distance, 0, 1) * tone).astype(np.float32)


def _draw_mark(frame: Plane, random: np.random.Generator) -> None:
    """Draw a speck or a short hair, dark or light."""
    height, width = frame.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre = random.uniform(0, 1, 2) * (height, width)
    angle = random.uniform(0, np.pi)
    along = (y - centre[0]) * np.sin(angle) + (x - centre[1]) * np.cos(angle)
    across = (y - centre[0]) * np.cos(angle) - (x - centre[1]) * np.sin(angle)
    length, breadth = (random.uniform(2, 12), random.uniform(0.8, 3))
    cover = np.clip(1.5 - np.hypot(along / length, across / breadth), 0, 1)
    tone = random.choice([0.03, 0.97])
    frame += (cover * (tone - frame)).astype(np.float32)
