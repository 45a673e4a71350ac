"""Damage that is fine: scratches, film runs, dust, hairs, mould, scanner lines.

Each takes a picture (3, H, W), sRGB 0..1, a random generator, a strength 0..1 (how much of it) and ``px``, the size of
a scan pixel, and returns the damaged picture with the plane (H, W), 0..1, of how much of each pixel it hides.
"""

from __future__ import annotations

import numpy as np

from photochrom.degradation.fields import Picture, between, blurred, cloud, lay
from photochrom.degradation.materials import Damaged, of_its_kind
from photochrom.degradation.stencil import Points, Stencil, anywhere, wander

LIGHT, DARK = 1, 0


def scratches(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Thin curved scratches, light or dark, 0.7 to 3 px wide, some with double edges, some broken along their way."""
    shape, side = picture.shape[1:], min(picture.shape[1:])
    cuts, edges = Stencil(shape), Stencil(shape)
    core = LIGHT if rng.random() < 0.62 else DARK
    has_edges = rng.random() < 0.4
    for _ in range(1 + rng.poisson(1 + 5 * strength)):
        line = wander(
            anywhere(shape, rng),
            rng.uniform(0, 2 * np.pi),
            side * between(rng, 0.08, 1.1),
            rng,
            curl=between(rng, 0.05, 0.9),
        )
        width, opacity = px * between(rng, 0.7, 3.0), rng.uniform(0.35, 1)
        cuts.line(line, width, opacity)
        if has_edges:
            edges.line(line, width + px * rng.uniform(1.2, 2.4), 0.55 * opacity)
    rim, hidden = edges.cover(), cuts.cover()
    if rng.random() < 0.5:
        wear = np.clip(cloud(shape, rng, 14 * px) * np.float32(2.2) - np.float32(0.3), 0, 1)
        hidden, rim = hidden * wear, rim * wear
    scratched = lay(picture, rim, _tone(1 - core, rng)) if has_edges else picture
    return lay(scratched, hidden, _tone(core, rng)), np.maximum(hidden, rim)


def film_runs(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Vertical runs of a film dragged over dirt: nearly straight, long, several side by side, light or dark."""
    shape = picture.shape[1:]
    height, width = shape
    light, dark = Stencil(shape), Stencil(shape)
    for _ in range(1 + rng.poisson(1 + 2.5 * strength)):
        x, opacity = rng.uniform(0, width), rng.uniform(0.2, 0.9)
        top, bottom = sorted(rng.uniform(-0.5, 1.5, 2) * height)
        y = np.linspace(top, max(bottom, top + 0.3 * height), 9)
        wobble = np.cumsum(rng.normal(0, 0.25 * px, 9))
        sheet = light if rng.random() < 0.6 else dark
        for _ in range(int(rng.integers(1, 4))):
            sheet.line(np.stack([x + wobble, y], axis=1), px * between(rng, 0.6, 1.8), opacity)
            x += px * rng.uniform(2, 9)
    dark_cover, light_cover = dark.cover(), light.cover()
    # A run presses harder in some places than in others.
    pressure = np.float32(0.55) + np.float32(0.45) * cloud(shape, rng, height / 4)
    dark_cover, light_cover = dark_cover * pressure, light_cover * pressure
    run = lay(lay(picture, dark_cover, _tone(DARK, rng)), light_cover, _tone(LIGHT, rng))
    return run, np.maximum(dark_cover, light_cover)


def dust(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Specks of 0.7 to 5 px: white on prints from dusty negatives, dark on scanned prints; a few lint crumbs."""
    shape = picture.shape[1:]
    specks = Stencil(shape)
    share = shape[0] * shape[1] / 192**2 / px**2
    for _ in range(2 + rng.poisson(min(18 * strength * share, 6000))):
        x, y = anywhere(shape, rng)
        size = px * between(rng, 0.7, 5.0) ** 0.9
        opacity = rng.uniform(0.4, 1)
        if rng.random() < 0.75:
            specks.spot(x, y, size, size * rng.uniform(0.5, 1), opacity)
        else:
            crumb = np.array([x, y]) + rng.normal(0, 0.8 * size, (5, 2))
            specks.polygon(crumb, opacity)
    hidden = specks.cover()
    return lay(picture, hidden, _tone(LIGHT if rng.random() < 0.65 else DARK, rng)), hidden


def hairs(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Hairs and lint: thin lines that curl, 15 to 90 px long, dark or white."""
    shape = picture.shape[1:]
    strands = Stencil(shape)
    for _ in range(1 + rng.poisson(3 * strength)):
        length = px * between(rng, 15, 90)
        strand = wander(
            anywhere(shape, rng), rng.uniform(0, 2 * np.pi), length, rng, curl=rng.uniform(0.8, 3), steps=18
        )
        strands.line(strand, px * between(rng, 0.7, 1.6), rng.uniform(0.5, 1))
    hidden = strands.cover()
    return lay(picture, hidden, _tone(DARK if rng.random() < 0.5 else LIGHT, rng)), hidden


def mould(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Colonies of mould: clusters of small soft spots with threads, brown, grey-green or bleached."""
    shape = picture.shape[1:]
    spots = Stencil(shape)
    for _ in range(1 + rng.poisson(1.5 * strength)):
        centre, reach = anywhere(shape, rng), px * between(rng, 8, 40)
        for _ in range(int(rng.integers(8, 30))):
            x, y = centre + rng.normal(0, reach, 2)
            size = px * between(rng, 1, 7)
            spots.spot(x, y, size, size * rng.uniform(0.6, 1), rng.uniform(0.3, 1))
        for _ in range(int(rng.integers(0, 6))):
            thread = wander(centre, rng.uniform(0, 2 * np.pi), 1.8 * reach, rng, curl=1.5, steps=10)
            spots.line(thread, px * rng.uniform(0.5, 1.1), rng.uniform(0.2, 0.6))
    hidden = np.clip(blurred(spots.cover(), 0.7 * px) * np.float32(rng.uniform(0.7, 1.1)), 0, 1)
    if rng.random() < 0.6:
        tint = np.array([0.3, 0.27, 0.18]) + rng.uniform(-0.12, 0.12, 3)
    else:
        tint = np.array([0.85, 0.83, 0.75]) + rng.uniform(-0.1, 0.1, 3)
    return lay(picture, hidden, of_its_kind(picture, tint)), hidden


def scanner_lines(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Straight lines through the whole picture from dust on the scanner's glass: one pixel wide, often coloured."""
    shape = picture.shape[1:]
    height, width = shape
    is_upright = rng.random() < 0.6
    sheet = Stencil(shape)
    for _ in range(1 + rng.poisson(1.5 * strength)):
        at = rng.uniform(0, width if is_upright else height)
        ends: Points = np.array([[at, -1.0], [at, height + 1.0]] if is_upright else [[-1.0, at], [width + 1.0, at]])
        sheet.line(ends, px * rng.uniform(0.8, 1.6), rng.uniform(0.25, 0.9))
    hidden = sheet.cover()
    tint = rng.random(3) if rng.random() < 0.5 else np.full(3, rng.choice([0.05, 0.95]))
    return lay(picture, hidden, of_its_kind(picture, tint)), hidden


def _tone(level: int, rng: np.random.Generator) -> Picture:
    """Return nearly white (1) or nearly black (0), a little warm or cool."""
    tone = rng.uniform(0.82, 1.0) if level else rng.uniform(0.0, 0.18)
    return np.asarray(np.clip(tone + rng.normal(0, 0.015, 3), 0, 1), dtype=np.float32)
