"""Damage to the print itself: worn edges, tears, tape, missing corners, stains, the glare of a photographed print.

Each takes a picture (3, H, W), sRGB 0..1, a random generator, a strength 0..1 and ``px``, the size of a scan pixel, and
returns the damaged picture with the plane (H, W), 0..1, of how much of each pixel is hidden. What can still be seen
through (a stain's middle) is not hidden.
"""

from __future__ import annotations

import numpy as np

from photochrom.degradation.fields import (
    Picture,
    between,
    blurred,
    cloud,
    enlarge,
    lay,
    per_channel,
    smooth_step,
)
from photochrom.degradation.materials import Damaged, of_its_kind, paper
from photochrom.degradation.stencil import Points, Stencil, anywhere, chord, crack


def worn_edges(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Borders rubbed down to the paper, ragged, deeper in some places than in others."""
    shape = picture.shape[1:]
    x, y = (np.minimum(np.arange(n), np.arange(n)[::-1]).astype(np.float32) for n in (shape[1], shape[0]))
    distance = np.minimum(x[None, :], y[:, None])
    depth = np.float32(min(shape) * 0.06 * strength * rng.uniform(0.3, 1))
    ragged = cloud(shape, rng, min(shape) / 3) + np.float32(0.35) * cloud(shape, rng, 12 * px)
    ragged += np.float32(0.2) * cloud(shape, rng, 3 * px)
    hidden = smooth_step(depth * ragged**2 - distance, -0.5 * px, 0.8 * px)
    return lay(picture, hidden, paper(picture, rng)), hidden


def borders(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """The print's own edge in the scan: white paper, or the black of a carrier, on some or all sides; no damage."""
    shape, side = picture.shape[1:], min(picture.shape[1:])
    y, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)[None, :]
    inside = np.ones(shape, dtype=np.float32)
    on_all_sides, width = rng.random() < 0.6, side * np.float32(strength) * between(rng, 0.01, 0.1)
    # Scans are seldom quite straight: each edge leans by up to a hundredth.
    for distance in (x, shape[1] - 1 - x, y, shape[0] - 1 - y):
        lean = np.float32(rng.uniform(-0.01, 0.01)) * (y if distance.shape[0] == 1 else x)
        if on_all_sides or rng.random() < 0.4:
            inside *= smooth_step(distance + lean - np.float32(width * rng.uniform(0.7, 1.3)), -px, px)
    if rng.random() < 0.75:
        return lay(picture, 1 - inside, paper(picture, rng))
    return lay(picture, 1 - inside, np.full(3, rng.uniform(0, 0.15)))


def tears(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Tears from an edge inwards: a jagged gap that narrows, its rim of white paper fibres, a shadow beside it."""
    shape = picture.shape[1:]
    fibres, gap = Stencil(shape), Stencil(shape)
    for _ in range(1 + rng.poisson(0.6 * strength)):
        start, end = chord(shape, rng)
        end = start + (end - start) * rng.uniform(0.15, 0.65)
        path = crack(start, end, rng, px * rng.uniform(2, 7))
        width = px * between(rng, 2, 12)
        fibres.polygon(_wedge(path, width, rng, px))
        gap.polygon(_wedge(path, 0.45 * width, rng, 0.3 * px))
    hidden, open_gap = fibres.cover(), gap.cover()
    shadow = blurred(hidden, 2.5 * px) * np.float32(0.45)
    torn = picture * (1 - shadow)
    torn = lay(np.asarray(torn, dtype=np.float32), hidden, paper(picture, rng))
    background = np.full(3, rng.choice([0.02, 0.1, 0.9, 1.0]), dtype=np.float32)
    return lay(torn, open_gap, background), np.maximum(hidden, open_gap)


def _wedge(path: Points, width_px: float, rng: np.random.Generator, roughness_px: float) -> Points:
    """Return the outline of a gap along a path, widest at its start."""
    along = path[-1] - path[0]
    normal = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1.0)
    half = np.linspace(width_px / 2, 0, len(path))[:, None]
    rough = rng.normal(0, 0.35 * roughness_px, (2, len(path), 1))
    return np.concatenate([path + normal * (half + rough[0]), (path - normal * (half + rough[1]))[::-1]])


def tape(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Strips of adhesive tape: yellow, more or less see-through, with darker cut ends and a hard edge."""
    shape, side = picture.shape[1:], min(picture.shape[1:])
    strip, edge = Stencil(shape), Stencil(shape)
    for _ in range(1 + int(rng.random() < 0.3 * strength)):
        centre, turn = anywhere(shape, rng), rng.uniform(0, np.pi)
        length, width = side * rng.uniform(0.25, 0.8), side * rng.uniform(0.05, 0.14)
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        corners = [
            centre + along * length * a / 2 + across * width * b / 2 for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        outline = np.concatenate(
            [crack(a, b, rng, 0.5 * px) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
        )
        strip.polygon(outline)
        edge.line(outline, px * rng.uniform(0.8, 1.6), rng.uniform(0.3, 0.8))
    area, rim = strip.cover(), edge.cover()
    opacity = np.float32(rng.uniform(0.15, 0.95) if rng.random() < 0.7 else 0.95) * (
        np.float32(0.8) + np.float32(0.2) * cloud(shape, rng, side / 5)
    )
    yellow = np.array([0.86, 0.76, 0.5]) * rng.uniform(0.75, 1.1) + rng.uniform(-0.05, 0.05, 3)
    glue = of_its_kind(picture, np.clip(yellow, 0, 1))
    seen_through = lay(picture, area, picture * per_channel(0.4 + 0.6 * glue))
    taped = lay(seen_through, area * opacity, glue)
    return lay(taped, rim, glue * np.float32(0.6)), np.maximum(area * opacity, rim)


def missing_corners(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """One or two corners broken or torn off: the background shows, along a rough edge of paper."""
    shape, side = picture.shape[1:], min(picture.shape[1:])
    height, width = shape
    fibres, lost = Stencil(shape), Stencil(shape)
    for corner in rng.permutation(4)[: 1 + int(rng.random() < 0.4 * strength)]:
        x, y = (0, width)[corner % 2], (0, height)[corner // 2]
        inward = np.array([1 if x == 0 else -1, 1 if y == 0 else -1])
        first, second = side * rng.uniform(0.06, 0.34, 2)
        a, b = np.array([x + inward[0] * first, y]), np.array([x, y + inward[1] * second])
        line = crack(a, b, rng, side * rng.uniform(0.005, 0.03))
        outside = np.array([x, y]) - inward * 4.0
        fibres.polygon(np.concatenate([line + inward * px * rng.uniform(1, 4), outside[None]]))
        lost.polygon(np.concatenate([line, outside[None]]))
    rim, hole = fibres.cover(), lost.cover()
    background = np.full(3, rng.choice([0.0, 0.08, 0.5, 0.93, 1.0]), dtype=np.float32)
    return lay(lay(picture, rim, paper(picture, rng)), hole, background), np.maximum(rim, hole)


def stains(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Dried liquid: a smooth tinted blot that the picture shows through, its rim darker and irregular."""
    shape, side = picture.shape[1:], min(picture.shape[1:])
    height, width = shape
    wetness = np.zeros((height, width), dtype=np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(1 + rng.poisson(0.9 * strength)):
        (cx, cy), radius = anywhere(shape, rng), side * between(rng, 0.04, 0.4)
        stretch = between(rng, 0.6, 1.6)
        distance = np.hypot((x - np.float32(cx)) * np.float32(stretch), y - np.float32(cy)) * np.float32(1 / radius)
        np.maximum(wetness, 1.5 - distance, out=wetness)
    # The front is irregular: large bays, small fringes. A wet value of 0.5 is where it stopped.
    wetness = wetness + np.float32(0.5) * (cloud(shape, rng, side / 5) - np.float32(0.5))
    wetness += np.float32(0.12) * (cloud(shape, rng, side / 25) - np.float32(0.5))
    inside = smooth_step(wetness, 0.47, 0.53)
    rim_width = rng.uniform(0.03, 0.09)
    rim = np.exp(-np.square((wetness - np.float32(0.5 + rim_width)) * np.float32(1 / rim_width))) * inside
    tint = of_its_kind(picture, np.array([0.72, 0.58, 0.36]) + rng.uniform(-0.15, 0.15, 3))
    soak = (
        inside
        * np.float32(strength * rng.uniform(0.2, 0.7))
        * (np.float32(0.6) + np.float32(0.4) * cloud(shape, rng, side / 6))
    )
    if rng.random() < 0.2:  # bleached instead
        tint = np.asarray(np.clip(tint + 0.5, 0, 1.15), dtype=np.float32)
        stained = lay(picture, soak * np.float32(0.7), tint)
    else:
        stained = picture * (1 + per_channel(tint - 1) * soak)
    line = rim * np.float32(rng.uniform(0.25, 0.8))
    stained = lay(np.asarray(stained, dtype=np.float32), line, tint * np.float32(0.55))
    return stained, np.asarray(line, dtype=np.float32)


def glare(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """A print photographed under a lamp: a soft highlight over part of it, and a veil from that side.

    Only what is burnt out counts as hidden.
    """
    shape = picture.shape[1:]
    height, width = shape
    (cx, cy), turn = anywhere(shape, rng), rng.uniform(0, np.pi)
    small = (max(2, height // 8), max(2, width // 8))
    y, x = np.mgrid[0 : height : small[0] * 1j, 0 : width : small[1] * 1j] - np.array([cy, cx]).reshape(2, 1, 1)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    reach = max(height, width) * between(rng, 0.08, 0.35)
    lamp = np.exp(-((along / (reach * rng.uniform(1, 3))) ** 2) - (across / reach) ** 2).astype(np.float32)
    light = enlarge(lamp, shape) * np.float32(0.25 + 0.75 * strength * rng.random())
    dazzled = picture + (1 - picture) * light
    return np.asarray(dazzled, dtype=np.float32), smooth_step(light, 0.75, 0.95)
