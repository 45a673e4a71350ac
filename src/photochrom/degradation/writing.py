"""Writing on plates, prints and mounts: numbers, captions, signatures, stamps. It belongs to the picture: no damage.

Networks that look for thin light or dark lines have to see much of it to leave it alone, so it takes many shapes: our
own strokes by many hands, and a printing face (the one that Pillow brings along).
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photochrom.degradation.fields import Picture, Plane, Size, between, blurred, cloud, lay, luma_of
from photochrom.degradation.lettering import Stroke, draw_hand, draw_text, sign, write
from photochrom.degradation.materials import of_its_kind, paper
from photochrom.degradation.stencil import Points, Stencil, anywhere

# Heights of capitals, of the short side; below so many pixels nobody can read it.
SMALLEST, LARGEST, LEGIBLE_PX = 0.025, 0.2, 6.0


def writing(picture: Picture, rng: np.random.Generator, strength: float, px: float) -> Picture:
    """Numbers, captions, signatures and stamps, by many hands or printed, light on dark or dark on light; no damage."""
    for _ in range(1 + rng.poisson(1.2 * strength)):
        ink, ground = inscription(picture.shape[1:], rng, px)
        if ground is not None:
            picture = lay(picture, ground, paper(picture, rng) if rng.random() < 0.7 else np.full(3, 0.05))
        picture = lay(picture, ink, _tint(picture, ink, rng))
    return picture


def inscription(shape: Size, rng: np.random.Generator, px: float) -> tuple[Plane, Plane | None]:
    """Return how much ink covers each pixel, and the label that it stands on, if there is one."""
    strokes, pen, nib = _lines(rng)
    height = max(LEGIBLE_PX, min(shape) * between(rng, SMALLEST, LARGEST))
    placed, height, box = _placed(strokes, height, shape, rng)
    sheet, label = Stencil(shape), Stencil(shape)
    width = max(0.7 * px, height * pen)
    for stroke in placed:
        _ink(sheet, stroke, width, nib)
    ink = sheet.cover()
    if rng.random() < 0.2:
        ink = np.maximum(ink, _printed(shape, rng))
    if rng.random() < 0.5:  # a dry pen, a worn stamp
        ink = ink * np.clip(cloud(shape, rng, height / 2) * np.float32(1.8) + np.float32(rng.uniform(0, 0.8)), 0, 1)
    ink = blurred(ink, between(rng, 0.2, 0.06 * height + 0.3)) * np.float32(rng.uniform(0.7, 1))
    if rng.random() > 0.12:
        return ink, None
    label.polygon(box)
    return ink, blurred(label.cover(), 0.5 * px)


def _lines(rng: np.random.Generator) -> tuple[list[Stroke], float, float | None]:
    """Return the strokes of one to three lines of a hand or of a signature, the pen's width, and its nib's angle."""
    hand, pen = draw_hand(rng), between(rng, 0.04, 0.2)
    if rng.random() < 0.15:
        return sign(rng), min(pen, 0.1), hand.nib
    strokes: list[Stroke] = []
    for line in range(int(rng.choice([1, 1, 1, 2, 3]))):
        strokes += [stroke + np.array([rng.uniform(0, 0.5), 1.5 * line]) for stroke in write(draw_text(rng), hand, rng)]
    if rng.random() < 0.12:
        strokes += _frame(strokes, rng)
    elif rng.random() < 0.08:
        reach = np.concatenate(strokes)[:, 0].max()
        strokes.append(np.array([[0.0, 0.25], [reach, 0.25 + rng.normal(0, 0.03)]]))
    return strokes, pen, hand.nib


def _frame(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Return a stamp's rim: a box or an oval around what is written, single or double."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0) - 0.4, points.max(axis=0) + 0.4
    middle, half = (low + high) / 2, (high - low) / 2
    if rng.random() < 0.5:
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
        rims = [corners * half + middle]
    else:
        turn = np.linspace(0, 2 * np.pi, 60)
        rims = [np.stack([np.cos(turn), np.sin(turn)], axis=1) * half * 1.35 + middle]
    return rims + [(rim - middle) * 1.12 + middle for rim in rims if rng.random() < 0.3]


def _placed(
    strokes: list[Stroke], height: float, shape: Size, rng: np.random.Generator
) -> tuple[list[Stroke], float, Points]:
    """Return the strokes in pixels, a capital's height in them, and the box around them; along an edge, or anywhere."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = high - low
    turn = rng.normal(0, 0.03) if rng.random() < 0.8 else rng.choice([-np.pi / 2, np.pi / 2, np.pi, rng.normal(0, 0.6)])
    along = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    room = np.abs(extent @ np.abs(along))
    height = float(max(min(height, *(0.95 * np.array(shape[::-1]) / np.maximum(room, 0.1))), 1.0))
    half = room * height / 2
    margin = height * rng.uniform(0.2, 1.2) + half
    centre, free = anywhere(shape, rng), np.array(shape[::-1]) - margin
    if rng.random() < 0.65:  # near the lower or upper edge, in a corner or in between
        centre[1] = free[1] if rng.random() < 0.7 else margin[1]
        centre[0] = rng.choice([margin[0], free[0], centre[0], shape[1] / 2])
    centre = np.clip(centre, np.minimum(half, free), np.maximum(half, free))
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (extent / 2 + 0.3)
    to_pixels = along * height
    return [(s - (low + high) / 2) @ to_pixels + centre for s in strokes], height, corners @ to_pixels + centre


def _ink(sheet: Stencil, stroke: Stroke, width_px: float, nib: float | None) -> None:
    if nib is None:
        sheet.line(stroke, width_px)
        return
    steps = np.diff(stroke, axis=0)
    across = np.abs(np.sin(np.arctan2(steps[:, 1], steps[:, 0]) - nib))
    for i, share in enumerate(across):
        sheet.line(stroke[i : i + 2], width_px * (0.25 + 0.95 * float(share)))


def _printed(shape: Size, rng: np.random.Generator) -> Plane:
    """Return a line of print somewhere, seldom upright, regular or bold."""
    height = max(LEGIBLE_PX, min(shape) * between(rng, SMALLEST, LARGEST / 2))
    font = ImageFont.load_default(height * 1.4)
    text = draw_text(rng)
    left, top, right, bottom = font.getbbox(text)
    weight = int(rng.random() < 0.4) * max(1, round(height / 24))
    line = Image.new("L", (int(right - left) + 2 * weight + 2, int(bottom - top) + 2 * weight + 2))
    ImageDraw.Draw(line).text((weight + 1 - left, weight + 1 - top), text, fill=255, font=font, stroke_width=weight)
    if rng.random() < 0.15:
        line = line.transpose(Image.Transpose.ROTATE_90)
    sheet = Image.new("L", (shape[1], shape[0]))
    x, y = (rng.uniform(0, max(1, free)) for free in (shape[1] - line.width, shape[0] - line.height))
    sheet.paste(line, (int(x), int(y)))
    return np.asarray(sheet, dtype=np.float32) * np.float32(1 / 255)


def _tint(picture: Picture, ink: Plane, rng: np.random.Generator) -> Picture:
    """Return the ink's tone: mostly one that can be read on what lies under it."""
    weight = float(ink.sum())
    under = float((luma_of(picture) * ink).sum()) / weight if weight else 0.5
    is_light = under < 0.5 if rng.random() < 0.75 else rng.random() < 0.5
    tone = rng.uniform(0.78, 1.0) if is_light else rng.uniform(0.0, 0.25)
    return of_its_kind(picture, np.clip(tone + rng.normal(0, 0.05, 3), 0, 1))
