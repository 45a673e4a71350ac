"""Single frames of a film as people see them, and where its shots lie: for whoever chooses frames to say colours in."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from photochrom.errors import UnreadableFilmError
from photochrom.files.photo import Photo
from photochrom.film.checks import shown_size
from photochrom.film.containers import FilmInfo, Reading
from photochrom.film.passages import Passage, passage_length, passages, sights_of
from photochrom.film.planes import Pixels
from photochrom.film.shots import CutsFile
from photochrom.film.sources import Source
from photochrom.film.transfers import upright


@dataclass(frozen=True, slots=True)
class Still:
    """One frame.

    Attributes:
        at_s: when it is on the screen, in seconds, in full milliseconds.
        photo: upright, in its true shape, 8 bit.
    """

    at_s: float
    photo: Photo


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames without a cut between them.

    Attributes:
        begin_s: when its first frame appears.
        end_s: when its last one goes.
        still: a frame from its middle or, of long ones, from somewhat before.
    """

    begin_s: float
    end_s: float
    still: Still


def still_at(source: Source, seconds: float) -> Still:
    """Return the frame that is on the screen at a time; the last one for times after it.

    Raises:
        FilmError: there is none that can be decoded.
    """
    info, found = source.info, None
    wanted = seconds / info.time_base
    for shown in source.frames(Reading(), round(wanted) if seconds > 0 else None):
        if found is not None and shown.pts > wanted:
            break
        found = shown
    if found is None:
        raise UnreadableFilmError("no frame of it can be decoded", where=str(info.path))
    return _still(info, found.pts, found.luma)


def find_shots(source: Source) -> Generator[Shot]:
    """Yield a film's shots, in order.

    Raises:
        FilmError: a frame cannot be handled.

    Cost: that of decoding the film, and 5 ms a frame. Memory: a passage of luma planes.
    """
    info, shot = source.info, None
    codes = info.layout.codes
    longest = passage_length(info.width, info.height, codes.bits)
    for passage in passages(sights_of(source.frames(Reading()), codes, info.time_base), longest, CutsFile()):
        end_s = float((passage.sights[-1].pts + passage.sights[-1].duration) * info.time_base)
        if shot is not None and passage.link is not None:
            shot = replace(shot, end_s=end_s)
            continue
        if shot is not None:
            yield shot
        shot = Shot(float(passage.sights[0].pts * info.time_base), end_s, _middle(info, passage))
    if shot is not None:
        yield shot


def _middle(info: FilmInfo, passage: Passage) -> Still:
    sight = passage.sights[len(passage.sights) // 2]
    return _still(info, sight.pts, sight.luma)


def _still(info: FilmInfo, pts: int, luma: Pixels) -> Still:
    plane = upright(luma, info.quarter_turns, info.layout.codes, info.transfer, shown_size(info))
    # Rounded up: the frame before it was still on the screen a moment earlier.
    at_s = math.ceil(float(pts * info.time_base) * 1000 - 1e-6) / 1000
    return Still(at_s, Photo(np.rint(plane * 255).astype(np.uint8)[..., None]))
