"""The mask of damage, at full size: found by the model once, then corrected by strokes of a person's brush."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw
from pydantic import Field

from photochrom.errors import OptionError
from photochrom.files.codecs.atomic import write_whole
from photochrom.files.photo import Photo
from photochrom.hints.hint import Place, Share
from photochrom.options import Options, RestoreOptions
from photochrom.studio.looks import MASK_NAME, png
from photochrom.studio.sessions import Sessions
from photochrom.studio.stopping import Stop

FOUND_NAME, STROKES_NAME = "found.png", "strokes.json"
MOST_STROKES, MOST_POINTS = 2_000, 5_000
OVERLAY_PX = 1_600
OVERLAY_RGB = (230, 60, 40)


class Stroke(Options):
    """One stroke of the brush over the mask: places as of a hint, the width a share of the short side."""

    mode: Literal["add", "remove"] = Field(description="Whether what it covers is damage, or is none.")
    points: tuple[Place, ...] = Field(min_length=1, max_length=MOST_POINTS, description="Corners of the line.")
    width: Share = Field(default=0.02, description="Of the line.")


def checked_strokes(values: Any) -> list[Stroke]:
    """Return strokes; raise OptionError where one is wrong, or there are too many."""
    if not isinstance(values, list) or len(values) > MOST_STROKES:
        raise OptionError(f"should be a list of up to {MOST_STROKES}", where="strokes")
    if not all(isinstance(value, dict) for value in values):
        raise OptionError("should be objects", where="strokes")
    return [Stroke.checked(**value) for value in values]


def find_mask(photo: Photo, folder: Path, sessions: Sessions, options: RestoreOptions, stop: Stop) -> float:
    """Search a photograph for damage, keep what would be filled, and return its share of the picture."""
    only = options.model_copy(update={"damage": "always", "noise": "never", "tone": "never", "neutralize": False})
    found = sessions.restorer(only, stop=stop).run(photo).mask
    mask = np.zeros((photo.height, photo.width), np.uint8) if found is None else found
    write_whole(folder / FOUND_NAME, png(Image.fromarray(mask)))
    return float((mask > 0).mean())


def correct_mask(folder: Path, strokes: list[Stroke]) -> None:
    """Draw strokes over the mask that was found, and keep the result; without strokes, what was found counts again.

    Raises:
        OptionError: damage has not been searched for yet.
    """
    if not strokes:
        for name in (MASK_NAME, STROKES_NAME):
            (folder / name).unlink(missing_ok=True)
        return
    mask = _opened(folder / FOUND_NAME)
    draw, short = ImageDraw.Draw(mask), min(mask.size)
    for stroke in strokes:
        places = [(x * mask.width, y * mask.height) for x, y in stroke.points]
        width, fill = max(1, round(stroke.width * short)), 255 if stroke.mode == "add" else 0
        if len(places) > 1:
            draw.line(places, fill=fill, width=width, joint="curve")
        for x, y in (places[0], places[-1]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)
    write_whole(folder / MASK_NAME, png(mask))
    write_whole(folder / STROKES_NAME, json.dumps([stroke.model_dump() for stroke in strokes]).encode())


def kept_strokes(folder: Path) -> tuple[bool, list[dict[str, Any]]]:
    """Return whether damage has been searched for, and the strokes by which the mask was corrected since."""
    path = folder / STROKES_NAME
    strokes: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return (folder / FOUND_NAME).exists(), strokes


def overlay(folder: Path) -> bytes:
    """Return the mask as a transparent picture of screen size, in which thin marks are still seen. PNG."""
    path = folder / MASK_NAME
    mask = _opened(path if path.exists() else folder / FOUND_NAME)
    step = max(1, -(-max(mask.size) // OVERLAY_PX))
    codes = np.asarray(mask)
    height, width = (-codes.shape[0] % step, -codes.shape[1] % step)
    blocks = np.pad(codes, ((0, height), (0, width)))
    most = blocks.reshape(blocks.shape[0] // step, step, -1, step).max(axis=(1, 3))
    rgba = np.zeros((*most.shape, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = OVERLAY_RGB, np.where(most > 127, 170, 0)
    return png(Image.fromarray(rgba))


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            return image.convert("L")
    except OSError:
        raise OptionError("damage has not been searched for yet", where="mask") from None
