"""Frames that somebody has coloured: pictures named by the frame's number or its time."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from photochrom.color import lab_from_srgb
from photochrom.errors import OptionError
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.film.keyframes import Viewer
from photochrom.film.matrices import Plane
from photochrom.film.options import parse_time
from photochrom.film.sources import PICTURES
from photochrom.film.steadiness import GIVEN_WEIGHT, Colours
from photochrom.hints.sheet import read_hints
from photochrom.options import Limits

LARGEST_ASPECT_ERROR = 0.04
TIME = re.compile(r"(?:\d+-){0,2}\d+(?:\.\d+)?s?")


@dataclass(slots=True)
class FrameFiles:
    """Files of a folder, each for one frame.

    Attributes:
        by_number: frames counted from 0, as ``--codec frames`` names them.
        by_time: seconds of the film.
        used: those that were met.
    """

    by_number: dict[int, Path] = field(default_factory=dict)
    by_time: dict[float, Path] = field(default_factory=dict)
    used: set[Path] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path, option: str = "--keyframes", endings: Collection[str] = PICTURES) -> FrameFiles:
        """Return what a folder holds of files with these endings.

        Raises:
            OptionError: it is no folder, has no such files, or one's name is neither a number nor a time.
        """
        where, given = f"{option} {folder}", cls()
        if not folder.is_dir():
            raise OptionError("is no folder", where=where, next_step="Name the folder of the frames' files")
        for path in sorted(folder.iterdir()):
            ending = next((one for one in endings if path.name.lower().endswith(one)), None)
            if ending is None:
                continue
            name = path.name[: -len(ending)]
            if name.isdecimal():
                other = given.by_number.setdefault(int(name), path)
            elif TIME.fullmatch(name):
                other = given.by_time.setdefault(parse_time(name.replace("-", ":")), path)
            else:
                raise OptionError(
                    f"{path.name} is named neither by a frame's number nor by a time",
                    where=where,
                    next_step=f"Name it like 000123{ending}, 12.5s{ending} or 0-01-02.5{ending}",
                )
            if other != path:
                raise OptionError(
                    f"{other.name} and {path.name} are for the same frame", where=where, next_step="Remove one of them"
                )
        if not given.by_number and not given.by_time:
            raise OptionError(f"holds nothing that ends in {', '.join(sorted(endings))}", where=where)
        return given

    def at(self, number: int, seconds: float, lasts_s: float) -> Path | None:
        """Return the file for a frame, or None; a time belongs to the frame that is on the screen then."""
        found = self.by_number.get(number)
        if found is None:
            found = next((p for t, p in self.by_time.items() if seconds - 1e-6 <= t < seconds + lasts_s - 1e-6), None)
        if found is not None:
            self.used.add(found)
        return found

    def met_before(self, frames: int, seconds: float) -> None:
        """Take those as met that an earlier run has met: of so many frames, up to some time of the film."""
        self.used |= {path for number, path in self.by_number.items() if number < frames}
        self.used |= {path for at, path in self.by_time.items() if at <= seconds}

    @property
    def left(self) -> list[Path]:
        """Those that no frame was met for."""
        return sorted({*self.by_number.values(), *self.by_time.values()} - self.used)


def check_readable(files: FrameFiles, shown: tuple[int, int], limits: Limits) -> None:
    """Read every file before the first frame: a film that stopped at the last of them would have to begin anew.

    Args:
        files: pictures, or hints.
        shown: (width, height) of the film as players show it.
        limits: what a picture may cost.

    Raises:
        PhotoError: one cannot be read.
        OptionError: one is no file of hints, or of another shape than the film.

    Cost: decoding each.
    """
    for path in [*files.by_number.values(), *files.by_time.values()]:
        if path.suffix.lower() == ".json":
            read_hints(path, limits=limits)
        else:
            require_shape(open_photo(path, limits=limits), shown, os.fspath(path))


def require_shape(photo: Photo, shown: tuple[int, int], where: str) -> None:
    """Return if a picture has a film's shape, whatever its size; raise OptionError where it has another."""
    width, height = shown
    if abs(photo.width * height - photo.height * width) > LARGEST_ASPECT_ERROR * photo.width * height:
        raise OptionError(f"is {photo.width} x {photo.height}, which is not the film's shape", where=where)


def colours_of(photo: Photo, alpha: Plane | None, grid_luma: Plane, viewer: Viewer, where: str) -> Colours:
    """Return a coloured picture's colours under the film's luma, heavy where it is opaque.

    Args:
        photo: the picture, as players show the frame; of any size of the same shape.
        alpha: (H, W) how opaque it is, 0..1; None: wholly.
        grid_luma: (h, w) of the stored frame, 0..1.
        viewer: knows how players show the film.
        where: named in errors.

    Raises:
        OptionError: its shape is another than the film's.
    """
    import cv2

    require_shape(photo, viewer.shown, where)
    pixels = photo.pixels.astype(np.float32) / photo.max_code
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    opaque = np.ones(rgb.shape[:2], np.float32) if alpha is None else alpha
    known = np.dstack([rgb * opaque[..., None], opaque]).astype(np.float32)
    rows, columns = np.rot90(grid_luma, viewer.quarter_turns).shape
    small = cv2.resize(known, (columns, rows), interpolation=cv2.INTER_AREA).reshape(rows, columns, 4)
    small = np.ascontiguousarray(np.rot90(small, -viewer.quarter_turns))
    solid = np.maximum(small[..., 3:], np.float32(1e-3))
    lab = lab_from_srgb(np.clip(small[..., :3] / solid, 0, 1))
    chroma = viewer.matrix.chroma_from_ab(grid_luma, lab[..., 1:].astype(np.float32))
    return Colours(chroma, small[..., 3] * np.float32(GIVEN_WEIGHT))


def coloured_by_hand(path: Path, grid_luma: Plane, viewer: Viewer) -> Colours:
    """Return the colours of a frame that somebody has coloured; raise PhotoError where it cannot be read."""
    photo = open_photo(path)
    alpha = None if photo.alpha is None else photo.alpha.astype(np.float32) / np.float32(photo.max_code)
    return colours_of(photo, alpha, grid_luma, viewer, os.fspath(path))
