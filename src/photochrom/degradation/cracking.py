"""Broken emulsion: creases, folds, cracks, crackle.

Each takes a picture (3, H, W), sRGB 0..1, a random generator, a strength 0..1 and ``px``, the size of a scan pixel, and
returns the damaged picture with the plane (H, W), 0..1, of how much of each pixel is hidden. The shade beside a fold,
through which the picture is seen, is not hidden.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.degradation.fields import Picture, Plane, Size, between, blurred, cloud, lay, smooth_step
from photochrom.degradation.materials import Damaged, paper
from photochrom.degradation.stencil import Points, Stencil, chord, crack


def creases(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Folds: a light core where the emulsion broke, here and there interrupted, with a bright and a dark flank."""
    shape, side = picture.shape[1:], min(picture.shape[1:])
    core, flanks = Stencil(shape), (Stencil(shape), Stencil(shape))
    for _ in range(1 + rng.poisson(0.8 * strength)):
        start, end = chord(shape, rng)
        if rng.random() < 0.5:
            end = start + (end - start) * rng.uniform(0.25, 0.8)
        fold = crack(start, end, rng, side * rng.uniform(0.004, 0.03))
        width = px * between(rng, 0.8, 3.5)
        core.line(fold, width, rng.uniform(0.55, 1))
        along = (end - start) / max(float(np.hypot(*(end - start))), 1.0)
        aside = np.array([-along[1], along[0]]) * px * rng.uniform(1.5, 4)
        for flank, offset in zip(flanks, (aside, -aside), strict=True):
            flank.line(fold + offset, px * rng.uniform(2, 6), rng.uniform(0.3, 0.8))
    shade = (blurred(flanks[0].cover(), 2 * px) - blurred(flanks[1].cover(), 2 * px)) * np.float32(
        rng.uniform(0.15, 0.5)
    )
    crumbled = np.clip(cloud(shape, rng, 7 * px) * np.float32(2.6) - np.float32(rng.uniform(0, 0.6)), 0, 1)
    hidden = core.cover() * crumbled
    folded = np.clip(picture + shade * (np.float32(0.3) + picture), 0, 1)
    return lay(np.asarray(folded, dtype=np.float32), hidden, paper(picture, rng)), hidden


def cracks(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """Cracked emulsion: branching white veins of uneven width along folds, here and there a flake lost altogether."""
    shape, side = picture.shape[1:], min(picture.shape[1:])
    veins, shade = Stencil(shape), Stencil(shape)
    for _ in range(1 + rng.poisson(1.5 * strength)):
        start, end = chord(shape, rng)
        trunk = crack(start, start + (end - start) * rng.uniform(0.3, 1), rng, side * rng.uniform(0.015, 0.05))
        width = px * between(rng, 0.8, 3.0)
        _draw_vein(veins, trunk, width, rng)
        shade.line(trunk + px, 2.5 * width, 0.8)
        for root in rng.integers(0, len(trunk), 1 + rng.poisson(4 * strength)):
            turn, reach = rng.uniform(0, 2 * np.pi), side * between(rng, 0.04, 0.35)
            tip = trunk[root] + reach * np.array([np.cos(turn), np.sin(turn)])
            branch = crack(trunk[root], tip, rng, 0.09 * reach)
            _draw_vein(veins, branch[:: 1 if reach > 60 * px else 2], 0.6 * width, rng)
    hidden = veins.cover()
    dark = blurred(shade.cover(), 1.5 * px) * np.float32(rng.uniform(0, 0.35))
    return lay(picture * (1 - dark), hidden, paper(picture, rng)), hidden


def _draw_vein(sheet: Stencil, line: Points, width_px: float, rng: np.random.Generator) -> None:
    """Draw a line whose width changes from step to step, with a flake lost at a corner now and then."""
    widths = width_px * rng.lognormal(-0.2, 0.5, len(line))
    for step, width in enumerate(widths[1:]):
        sheet.line(line[step : step + 2], width, min(1.0, 0.45 + 0.4 * width))
    for corner in line[rng.random(len(line)) < 0.04]:
        sheet.polygon(corner + rng.normal(0, 1.6 * width_px, (6, 2)))


def folds(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """A print once folded in half or in quarters: straight lines along its sides, broken here and there."""
    shape = picture.shape[1:]
    core, flanks = Stencil(shape), (Stencil(shape), Stencil(shape))
    for _ in range(1 + rng.poisson(0.9 * strength)):
        is_upright = rng.random() < 0.5
        length, breadth = shape if is_upright else shape[::-1]
        start, end = (0.0, 1.0) if rng.random() < 0.6 else sorted(rng.uniform(-0.1, 1.1, 2))
        along = np.linspace(start, max(end, start + 0.15), max(8, round(length / (4 * px)))) * length
        lean, bend = rng.normal(0, 0.012), np.cumsum(rng.normal(0, 0.2 * px, len(along)))
        aside = rng.uniform(0.04, 0.96) * breadth + lean * along + bend + rng.normal(0, 0.3 * px, len(along))
        line: Points = np.stack([aside, along] if is_upright else [along, aside], axis=1)
        _draw_vein(core, line, px * between(rng, 0.7, 3.0), rng)
        step = (np.array([1.0, 0.0]) if is_upright else np.array([0.0, 1.0])) * px * rng.uniform(1.5, 5)
        for flank, offset in zip(flanks, (step, -step), strict=True):
            flank.line(line + offset, px * rng.uniform(2, 9), rng.uniform(0.3, 0.9))
    relief = np.float32(rng.uniform(-0.4, 0.4))
    shade = (blurred(flanks[0].cover(), 2.5 * px) - blurred(flanks[1].cover(), 2.5 * px)) * relief
    folded = np.clip(picture + shade * (np.float32(0.3) + picture), 0, 1)
    worn = np.clip(cloud(shape, rng, px * between(rng, 6, 40)) * np.float32(3) - np.float32(rng.uniform(0, 1.5)), 0, 1)
    hidden = core.cover() * worn * np.float32(rng.uniform(0.6, 1))
    return lay(np.asarray(folded, dtype=np.float32), hidden, paper(picture, rng)), hidden


def crackle(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Damaged:
    """A net of fine cracks in brittle emulsion, in relief, open to the paper in places and only there hiding anything.

    Source: Worley 1996, "A Cellular Texture Basis Function" (cells of scattered points).
    """
    shape = picture.shape[1:]
    off_border, border = cell_borders(shape, rng, min(shape) * between(rng, 0.06, 0.3), px)
    # Uneven along its way, like a tear in paper.
    width = np.float32(px * between(rng, 0.5, 1.8)) * (np.float32(0.4) + np.float32(1.4) * cloud(shape, rng, 3 * px))
    lines = smooth_step(np.asarray(width / 2 - off_border, dtype=np.float32), -0.5, 0.5)
    # Each crack of the net has a depth of its own, and the net is denser in some parts of the print.
    depth = np.clip(rng.uniform(0.3 - strength, 1.2, 256), 0, 1).astype(np.float32)[border]
    brittle = np.clip(cloud(shape, rng, min(shape) / 2.5) * np.float32(2) - np.float32(0.9 - 0.7 * strength), 0, 1)
    lines = lines * depth * brittle
    raised = blurred(lines, 0.8 * px)
    down, right = np.diff(raised, axis=0, append=raised[-1:]), np.diff(raised, axis=1, append=raised[:, -1:])
    turn = rng.uniform(0, 2 * np.pi)
    relief = np.float32(np.sin(turn)) * down + np.float32(np.cos(turn)) * right
    shade = relief * np.float32(rng.uniform(0.2, 1.2) * px)
    cracked = np.clip(picture + shade * (np.float32(0.3) + picture), 0, 1)
    is_open = np.clip(cloud(shape, rng, 9 * px) * np.float32(2.5) - np.float32(rng.uniform(0, 1)), 0, 1)
    hidden = np.asarray(lines * is_open * np.float32(rng.uniform(0.5, 1)), dtype=np.float32)
    return lay(np.asarray(cracked, dtype=np.float32), hidden, paper(picture, rng)), hidden


def cell_borders(
    shape: Size, rng: np.random.Generator, cell_px: float, px: float
) -> tuple[Plane, npt.NDArray[np.uint8]]:
    """Return how far each pixel is from the border of its cell, in pixels, and a number 0..255 that a border keeps.

    Cells belong to points scattered one to a square of ``cell_px``; their borders are bent by hills of all sizes down
    to a few ``px``.
    """
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    hill = 1.2 * cell_px
    while hill > 2 * px:
        y += (cloud(shape, rng, hill) - np.float32(0.5)) * np.float32(0.45 * hill)
        x += (cloud(shape, rng, hill) - np.float32(0.5)) * np.float32(0.45 * hill)
        hill /= 3
    # Two squares more on each side: hills push pixels over the picture's edge.
    rows, columns = int(height / cell_px) + 6, int(width / cell_px) + 6
    points = rng.random((2, rows, columns), dtype=np.float32)
    names = rng.integers(0, 128, (rows, columns), dtype=np.uint8)
    y, x = y / np.float32(cell_px) + 2, x / np.float32(cell_px) + 2
    row, column = np.clip(y.astype(np.intp), 1, rows - 2), np.clip(x.astype(np.intp), 1, columns - 2)
    near, next_near = (np.full((3, *shape), 9, dtype=np.float32) for _ in range(2))  # squared distance, and from where
    name, next_name = (np.zeros(shape, dtype=np.uint8) for _ in range(2))
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            at = (row + down, column + right)
            off_y, off_x = points[0][at] + at[0].astype(np.float32) - y, points[1][at] + at[1].astype(np.float32) - x
            here = np.stack([off_y**2 + off_x**2, off_y, off_x])
            is_near, is_next = here[0] < near[0], here[0] < next_near[0]
            next_near = np.where(is_near, near, np.where(is_next, here, next_near))
            next_name = np.where(is_near, name, np.where(is_next, names[at], next_name))
            near, name = np.where(is_near, here, near), np.where(is_near, names[at], name)
    # To the line half way between the two points.
    apart = np.hypot(next_near[1] - near[1], next_near[2] - near[2])
    distance = (next_near[0] - near[0]) / np.maximum(2 * apart, 1e-3)
    return np.asarray(distance * np.float32(cell_px), dtype=np.float32), name + next_name
