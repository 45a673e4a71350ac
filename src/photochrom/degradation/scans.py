"""A photograph as any scan of a print or a film holds it, to learn from what tells a positive from a negative.

What happens to scans happens to positives and negatives alike here: a curve, a border, dust and clipping then tell
nothing, and only what is shown does. Half of the pictures are treated as negatives, by inverting them before and after.
One in ``UNTELLABLE`` is a page, a drawing or clouds, either way round: of these nobody could say what they are.

All pictures are (H, W), float32, gamma-encoded, 0..1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import LUMA_WEIGHTS
from photochrom.degradation.ageing import AgeOptions, add_grain, add_vignette, age, compress_jpeg, soften
from photochrom.degradation.fields import Plane, between, blurred, cloud
from photochrom.degradation.stencil import Stencil, anywhere, wander

Codes = npt.NDArray[np.uint8]
Step = Callable[[Plane, np.random.Generator], Plane]

UNTELLABLE = 0.05
# Photographs lie on their sides or heads in one album page of ten; formats are up to so much longer than high.
TURNED, SQUEEZED, LONGEST = 0.1, 0.5, 1.7
# Negatives that are darkened as film is; the others are inverted as a programme does it.
FILM = 0.6
LIFE = AgeOptions(untouched=0.2, tone=0.7, fading=0.15, toning=0.05, grain=0.2, blur=0.15, jpeg=0.1)


def scan(rgb: Codes, rng: np.random.Generator) -> Plane:
    """Return what a scan of the photograph looks like, the right way round: (H, W, 3) sRGB codes -> (H, W), 0..1.

    Of pages, drawings and clouds there is no right way: half of them come inverted.
    """
    seen = squeezed(rgb, rng)
    if rng.random() < UNTELLABLE:
        made = (draw_page, draw_sketch, draw_clouds)[rng.integers(3)]
        plane = made(seen @ LUMA_WEIGHTS / np.float32(255), rng)
        return treated(1 - plane if rng.random() < 0.5 else plane, rng)
    plane = age(seen, rng, LIFE)
    if rng.random() < TURNED:
        plane = np.ascontiguousarray(np.rot90(plane, int(rng.integers(1, 4))))
    if rng.random() >= 0.5:
        return treated(plane, rng)
    negative = 1 - plane
    return 1 - treated(pass_light(negative, rng) if rng.random() < FILM else negative, rng)


def squeezed(rgb: Codes, rng: np.random.Generator) -> Codes:
    """Return a part of the picture at the whole's size, as an oblong photograph looks when it is made square."""
    if rng.random() >= SQUEEZED:
        return rgb
    height, width = rgb.shape[:2]
    share = 1 / between(rng, 1, LONGEST)
    w, h = (width, height * share) if rng.random() < 0.7 else (width * share, height)
    left, top = rng.uniform(0, width - w + 1e-6), rng.uniform(0, height - h + 1e-6)
    box = (left, top, min(left + w, width), min(top + h, height))
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC, box=box))


def treated(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture after what happens on a scanner and in its programme."""
    steps: tuple[tuple[float, Step], ...] = (
        (0.6, bend),
        (0.12, add_vignette),
        (0.1, add_grain),
        (0.4, lay_border),
        (0.2, lay_dust),
        (0.45, set_levels),
        (0.1, soften),
        (0.25, compress_jpeg),
    )
    for chance, step in steps:
        if rng.random() < chance:
            plane = np.clip(step(plane, rng), 0, 1)
    return np.asarray(plane, dtype=np.float32)


def bend(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture under a random rising curve: a gamma, a film's, or more or less contrast."""
    kind = rng.integers(3)
    if kind == 0:
        return np.asarray(plane ** np.float32(between(rng, 0.4, 2.5)), dtype=np.float32)
    if kind == 1:
        return pass_light(plane, rng)
    middle, steepness = np.float32(rng.uniform(0.25, 0.75)), np.float32(between(rng, 2, 9))
    curve = 1 / (1 + np.exp(steepness * (middle - plane)))
    black, white = (1 / (1 + np.exp(steepness * (middle - end))) for end in (0, 1))
    return np.asarray((curve - black) / (white - black), dtype=np.float32)


def pass_light(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return an inverted picture as light passes through film: its lights crowd in the dark, its shadows are spread.

    A film's density rises with the logarithm of light, so that what passes through it falls as a power.
    Source: Hurter, Driffield 1890 (the characteristic curve).
    """
    power, base = np.float32(-between(rng, 0.3, 1.2)), np.float32(between(rng, 0.02, 0.3))
    passing = (1 - plane + base) ** power
    darkest, lightest = (1 + base) ** power, base**power
    return np.asarray((passing - darkest) / (lightest - darkest), dtype=np.float32)


def set_levels(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture stretched until some is clipped at either end, or squeezed to as little as a fifth."""
    if rng.random() < 0.5:
        low, high = np.quantile(plane, (rng.uniform(0, 0.07), 1 - rng.uniform(0, 0.07)))
        return np.asarray((plane - low) / max(high - low, 0.05), dtype=np.float32)
    span = np.float32(rng.uniform(0.2, 1))
    return np.asarray(np.float32(rng.uniform(0, 1 - span)) + span * plane, dtype=np.float32)


def lay_border(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture with paper, rebate or holder round it, sometimes with perforations or an oval mat."""
    height, width = plane.shape
    level = np.float32(rng.choice((0, 1, rng.random()), p=(0.35, 0.35, 0.3)))
    if rng.random() < 0.12:
        return _laid(plane, 1 - _oval(plane.shape, rng), level)
    framed = plane.copy()
    widest = rng.choice((0.04, 0.09, 0.16))
    left, right, top, bottom = (
        int(rng.uniform(0, widest) * side) for side in (width, width, height, height)
    )  # fmt: skip
    framed[:, :left], framed[:, width - right :], framed[:top], framed[height - bottom :] = (level,) * 4
    if rng.random() < 0.15:
        _perforate(framed, max(top, bottom, height // 12), np.float32(rng.integers(2)), rng)
    return framed


def _perforate(plane: Plane, band: int, level: np.float32, rng: np.random.Generator) -> None:
    """Lay a film's two rows of holes into the upper and lower band."""
    period = max(4, int(plane.shape[1] / rng.uniform(6, 12)))
    columns = (np.arange(plane.shape[1]) + rng.integers(period)) % period < period * 0.45
    inner = slice(band // 4, max(band // 4 + 1, band * 3 // 4))
    plane[:band], plane[-band:] = 1 - level, 1 - level
    plane[inner, columns] = level
    plane[::-1][inner, columns] = level


def _oval(shape: tuple[int, ...], rng: np.random.Generator) -> Plane:
    sheet = Stencil(shape)
    x, y = shape[1] / 2, shape[0] / 2
    sheet.spot(x, y, shape[1] * rng.uniform(0.6, 1.05), shape[0] * rng.uniform(0.7, 1.05))
    return sheet.cover()


def lay_dust(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return the picture with specks and scratches, lighter or darker than all else."""
    sheet, side = Stencil(plane.shape), min(plane.shape)
    for _ in range(int(rng.integers(0, 5))):
        line = wander(anywhere(plane.shape, rng), rng.uniform(0, np.pi), side * rng.uniform(0.1, 0.9), rng, curl=0.4)
        sheet.line(line, between(rng, 0.2, 1.2))
    for _ in range(int(rng.integers(0, 25))):
        x, y = anywhere(plane.shape, rng)
        sheet.spot(x, y, between(rng, 0.5, 3), between(rng, 0.5, 3))
    return _laid(plane, sheet.cover(), np.float32(rng.integers(2)))


def _laid(plane: Plane, cover: Plane, level: np.float32) -> Plane:
    return np.asarray(plane + (level - plane) * cover, dtype=np.float32)


def draw_page(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return a page of writing of that size, dark on light."""
    height, width = plane.shape
    sheet, line_px = Stencil(plane.shape), height / rng.uniform(6, 26)
    for y in np.arange(rng.uniform(1, 3), height / line_px - 1) * line_px:
        x, end = width * rng.uniform(0.03, 0.12), width * rng.uniform(0.5, 0.98)
        while x < end:
            word = line_px * rng.uniform(0.6, 3)
            steps = np.linspace(x, min(x + word, end), 10)
            points = np.stack([steps, y + rng.normal(0, line_px * 0.16, 10)], axis=1)
            sheet.line(points, line_px * rng.uniform(0.1, 0.3))
            x += word + line_px * rng.uniform(0.3, 0.7)
    return _laid(np.full_like(plane, rng.uniform(0.7, 1)), sheet.cover(), np.float32(rng.uniform(0, 0.3)))


def draw_sketch(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return the photograph as a drawing: what is darker than its surroundings, on white."""
    around = blurred(plane, rng.uniform(1, 4))
    lines = np.clip(plane / np.maximum(around, 0.03), 0, 1)
    return np.asarray(lines ** np.float32(rng.uniform(2, 8)), dtype=np.float32)


def draw_clouds(plane: Plane, rng: np.random.Generator) -> Plane:
    """Return soft shapes without a scene, light on dark: fog, stains, X-rays of nothing."""
    shape, side = plane.shape, min(plane.shape)
    shade = cloud(shape, rng, side / rng.uniform(1.5, 10))
    if rng.random() < 0.5:
        shade = shade * blurred(_oval(shape, rng), rng.uniform(0.5, 4))
    return np.asarray(shade, dtype=np.float32)
