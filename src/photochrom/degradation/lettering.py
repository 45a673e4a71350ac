"""Letters as strokes of a pen: a small alphabet, the hands that write it, and words that nobody has written.

Points are (N, 2) x, y; one unit is a capital's height, y grows downwards and is 0 on the baseline.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from photochrom.degradation.fields import between
from photochrom.degradation.stencil import Points

Stroke = Points
STEPS = 7  # points of a curve between two of the alphabet's


@dataclass(frozen=True, slots=True)
class Hand:
    """How somebody writes.

    Attributes:
        slant: how far a capital's top leans to the right of its foot, in its height.
        width: of letters, of the alphabet's own.
        spacing: between letters, in a capital's height.
        unrest: how far points stray, in a capital's height.
        drift: how far the line rises from letter to letter.
        joined: whether letters of a word are written in one go.
        nib: angle of a broad nib, radians; its strokes are thick across it and thin along it. None: a round one.
        capitals: whether small letters are written as capitals.
    """

    slant: float
    width: float
    spacing: float
    unrest: float
    drift: float
    joined: bool
    nib: float | None
    capitals: bool


def draw_hand(rng: np.random.Generator) -> Hand:
    """Return somebody's hand."""
    return Hand(
        slant=rng.normal(0.16, 0.2),
        width=between(rng, 0.6, 1.35),
        spacing=rng.uniform(0.08, 0.4),
        unrest=between(rng, 0.004, 0.05),
        drift=rng.normal(0, 0.012),
        joined=rng.random() < 0.35,
        nib=rng.uniform(0.3, 1.2) if rng.random() < 0.4 else None,
        capitals=rng.random() < 0.25,
    )


@functools.cache
def alphabet() -> dict[str, tuple[Points, ...]]:
    """Return the strokes of each letter, in a capital's height, y 0 on the baseline."""
    text = Path(__file__).with_name("alphabet.toml").read_text(encoding="utf-8")
    return {letter: tuple(_points(stroke) for stroke in strokes) for letter, strokes in tomllib.loads(text).items()}


def _points(stroke: str) -> Points:
    pairs = [[float(number) for number in pair.split(",")] for pair in stroke.split()]
    return np.array(pairs) / 100 - (0, 1)


def write(text: str, hand: Hand, rng: np.random.Generator) -> list[Stroke]:
    """Return the strokes of a line of text, the first letter's foot at (0, 0)."""
    strokes: list[Stroke] = []
    x, y, end = 0.0, 0.0, None
    for letter in text.upper() if hand.capitals else text:
        if letter not in alphabet():
            x, end = x + 0.45 * hand.width + hand.spacing, None
            continue
        drawn = [_written(points, hand, rng) + np.array([x, y]) for points in alphabet()[letter]]
        if hand.joined and end is not None and letter.islower():
            strokes.append(curve(np.stack([end, (end + drawn[0][0]) / 2 + (0, 0.06), drawn[0][0]])))
        strokes += drawn
        end = drawn[-1][-1] if letter.islower() else None
        breadth = max(float(points[:, 0].max()) for points in alphabet()[letter])
        x += breadth * hand.width + hand.spacing * rng.uniform(0.8, 1.2)
        y += hand.drift + rng.normal(0, hand.unrest / 2)
    return strokes


def _written(points: Points, hand: Hand, rng: np.random.Generator) -> Stroke:
    placed = points * (hand.width, 1)
    placed[:, 0] -= hand.slant * placed[:, 1]
    return curve(placed + rng.normal(0, hand.unrest, placed.shape))


def sign(rng: np.random.Generator) -> list[Stroke]:
    """Return a signature: a large first letter, a wave of loops that runs out, often a flourish below."""
    loops = int(rng.integers(5, 14))
    phase = np.linspace(0, 2 * np.pi * loops, 8 * loops)
    runs_out = np.linspace(1, rng.uniform(0.2, 0.9), len(phase))
    tall = np.repeat(np.where(rng.random(loops) < 0.25, rng.uniform(0.9, 1.3), rng.uniform(0.25, 0.6)), 8)
    lean = rng.normal(0.2, 0.2)
    y = -tall * runs_out * (0.5 - 0.5 * np.cos(phase))
    x = phase * rng.uniform(0.05, 0.11) + rng.uniform(0, 0.16) * np.sin(phase) - lean * y
    strokes = [curve(np.stack([x, y], axis=1) + rng.normal(0, 0.02, (len(x), 2)))]
    first = str(rng.choice(list("ABCDEFGHJKLMNPRSTVW")))
    strokes += [stroke * 1.3 - (0.95, 0) for stroke in write(first, draw_hand(rng), rng)]
    if rng.random() < 0.5:
        sweep = np.array([[x[-1], 0.1], [x[-1] * 0.4, 0.4], [0, 0.35], [x[-1] * 0.7, 0.25 + 0.2 * rng.random()]])
        strokes.append(curve(sweep))
    return strokes


def curve(points: Points) -> Stroke:
    """Return a smooth line through the points.

    Source: Catmull, Rom 1974, "A class of local interpolating splines" (uniform, tension one half).
    """
    if len(points) < 3:
        return points
    ends = np.concatenate([points[:1], points, points[-1:]])
    before, start, stop, after = ends[:-3], ends[1:-2], ends[2:-1], ends[3:]
    t = (np.arange(STEPS) / STEPS)[:, None, None]
    lines = 0.5 * (
        2 * start
        + (stop - before) * t
        + (2 * before - 5 * start + 4 * stop - after) * t**2
        + (3 * start - before - 3 * stop + after) * t**3
    )
    return np.concatenate([np.moveaxis(lines, 0, 1).reshape(-1, 2), points[-1:]])


CONSONANTS, VOWELS = "bcdfghklmnprstvwz", "aeiou"


def draw_text(rng: np.random.Generator) -> str:
    """Return something as people write it on plates and prints: numbers, dates, names, places."""
    year = f"{rng.integers(1848, 1979)}"
    number = f"{rng.integers(1, 10 ** int(rng.integers(1, 6)))}"
    forms = (
        lambda: f"No {number}",
        lambda: f"N° {number}.",
        lambda: f"Nr. {number}",
        lambda: number,
        lambda: f"{rng.choice(list('ABCDEFGHKMPRSTVX'))}{rng.choice(['', '-', ' '])}{number}",
        lambda: f"{number}-{rng.integers(1, 99)}",
        lambda: year,
        lambda: f"{rng.integers(1, 31)}/{rng.integers(1, 13)} {year}",
        lambda: f"{_name(rng)} {year}",
        lambda: f"{_name(rng)} {_name(rng)}",
        lambda: f"{number}. {_name(rng)}, {_name(rng)}",
        lambda: f"{_name(rng)} & {_name(rng)}",
        lambda: f"{number} {_name(rng)} ({_name(rng)}) {year}.",
    )
    return str(forms[int(rng.integers(len(forms)))]())


def _name(rng: np.random.Generator) -> str:
    syllables = (
        str(rng.choice(list(CONSONANTS)))
        + str(rng.choice(list(VOWELS)))
        + (str(rng.choice(list(CONSONANTS))) if rng.random() < 0.3 else "")
        for _ in range(int(rng.integers(1, 5)))
    )
    return "".join(syllables).capitalize()
