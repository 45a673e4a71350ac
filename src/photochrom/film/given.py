"""Frames that somebody has coloured: pictures named by the frame's number or its time."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from photochrom.color import lab_from_srgb
from photochrom.errors import OptionError
from photochrom.files.reading import open_photo
from photochrom.film.matrices import Matrix, Plane
from photochrom.film.options import parse_time
from photochrom.film.sources import PICTURES
from photochrom.film.steadiness import Colours

# A given colour's weight; the net's own weigh at most 1.
GIVEN_WEIGHT = 50.0
TIME = re.compile(r"(?:\d+-){0,2}\d+(?:\.\d+)?s?")


@dataclass(slots=True)
class GivenFrames:
    """A folder of coloured frames.

    Attributes:
        by_number: frames counted from 0, as ``--codec frames`` names them.
        by_time: seconds of the film.
        used: those that were met.
    """

    by_number: dict[int, Path] = field(default_factory=dict)
    by_time: dict[float, Path] = field(default_factory=dict)
    used: set[Path] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path) -> GivenFrames:
        """Return what a folder holds.

        Raises:
            OptionError: it is no folder, has no pictures, or a picture's name is neither a number nor a time.
        """
        where = f"--keyframes {folder}"
        if not folder.is_dir():
            raise OptionError("is no folder", where=where)
        given = cls()
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in PICTURES:
                continue
            name = path.name.removesuffix(path.suffix)
            if name.isdigit():
                given.by_number[int(name)] = path
            elif TIME.fullmatch(name):
                given.by_time[parse_time(name.replace("-", ":"))] = path
            else:
                raise OptionError(
                    f"{path.name} is named neither by a frame's number nor by a time",
                    where=where,
                    next_step="Name it like 000123.png, 12.5s.png or 0-01-02.5.png",
                )
        if not given.by_number and not given.by_time:
            raise OptionError("holds no pictures", where=where)
        return given

    def at(self, number: int, seconds: float, lasts_s: float) -> Path | None:
        """Return the picture for a frame, or None; a time belongs to the frame that is on the screen then."""
        found = self.by_number.get(number)
        if found is None:
            found = next((p for t, p in self.by_time.items() if seconds - 1e-6 <= t < seconds + lasts_s - 1e-6), None)
        if found is not None:
            self.used.add(found)
        return found

    @property
    def left(self) -> list[Path]:
        """Those that no frame was met for."""
        return sorted({*self.by_number.values(), *self.by_time.values()} - self.used)


def colours_of(path: Path, grid_luma: Plane, matrix: Matrix, quarter_turns: int) -> Colours:
    """Return a given picture's colours under the film's luma, heavy where it is opaque.

    Args:
        path: the picture, as players show the frame; of any size of the same shape.
        grid_luma: (h, w) of the stored frame, 0..1.
        matrix: of the film.
        quarter_turns: counter-clockwise, by which players turn the stored frame.

    Raises:
        OptionError: its shape is another than the film's.
        PhotoError: it cannot be read.
    """
    import cv2

    photo = open_photo(path)
    height, width = np.rot90(grid_luma, quarter_turns).shape
    if abs(photo.width * height - photo.height * width) > 0.04 * photo.width * height:
        raise OptionError(f"is {photo.width} x {photo.height}, which is not the film's shape", where=os.fspath(path))
    pixels = photo.pixels.astype(np.float32) / photo.max_code
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    alpha = np.ones(rgb.shape[:2], np.float32) if photo.alpha is None else photo.alpha / np.float32(photo.max_code)
    known = np.dstack([rgb * alpha[..., None], alpha]).astype(np.float32)
    small = cv2.resize(known, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, 4)
    small = np.ascontiguousarray(np.rot90(small, -quarter_turns))
    solid = np.maximum(small[..., 3:], np.float32(1e-3))
    lab = lab_from_srgb(np.clip(small[..., :3] / solid, 0, 1))
    chroma = matrix.chroma_from_ab(grid_luma, lab[..., 1:].astype(np.float32))
    return Colours(chroma, small[..., 3] * np.float32(GIVEN_WEIGHT))
