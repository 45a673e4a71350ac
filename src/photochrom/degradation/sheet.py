"""A contact sheet: one picture under every kind of degradation, or under every preset, each with its name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from photochrom.degradation.engine import apply_kind, as_picture, degrade
from photochrom.degradation.fields import codes, image_of
from photochrom.degradation.kinds import KINDS
from photochrom.degradation.presets import presets

COLUMNS = 6
LABEL_PX, GAP_PX = 18, 6
PAPER, INK = (250, 249, 246), (40, 40, 40)
# What presets for training do is not meant for looking at.
TRAINING = "train-"


def contact_sheet(
    picture: npt.NDArray[Any],
    seed: int = 0,
    *,
    cell_px: int = 240,
    strength: float = 0.8,
    kinds: Collection[str] = (),
) -> Image.Image:
    """Return the picture as it was, under each kind at one strength, and under each preset for people.

    Args:
        picture: (H, W), (H, W, 1) or (H, W, 3), codes 0..255 or floats 0..1.
        seed: fixes everything.
        cell_px: longest side of each small picture.
        strength: of the single kinds, 0..1.
        kinds: names of those that are shown, and no presets; left out, all.
    """
    small = fitted(picture, cell_px)
    cells = [("as it was", image_of(as_picture(small)))]
    for number, kind in enumerate(KINDS.values()):
        if kinds and kind.name not in kinds:
            continue
        rng = np.random.default_rng((seed, number))
        cells.append((kind.name, image_of(apply_kind(kind, as_picture(small), rng, strength, 1.0)[0])))
    cells += [
        (f"preset {name}", Image.fromarray(codes(degrade(small, name, seed, px=1.0).picture)))
        for name in presets()
        if not kinds and not name.startswith(TRAINING)
    ]
    return _arranged(cells)


def fitted(picture: npt.NDArray[Any], longest_px: int) -> npt.NDArray[np.uint8]:
    """Return the picture as RGB codes, its longest side no longer than asked for."""
    image = image_of(as_picture(picture))
    image.thumbnail((longest_px, longest_px), Image.Resampling.BOX, reducing_gap=None)
    return np.asarray(image)


def _arranged(cells: list[tuple[str, Image.Image]]) -> Image.Image:
    width, height = cells[0][1].width + GAP_PX, cells[0][1].height + LABEL_PX + GAP_PX
    rows = -(-len(cells) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (name, image) in enumerate(cells):
        x, y = GAP_PX + number % COLUMNS * width, GAP_PX + number // COLUMNS * height
        sheet.paste(image, (x, y + LABEL_PX))
        draw.text((x, y + 2), name, fill=INK)
    return sheet
