"""What somebody knows of a film's colours without having coloured a frame: hints, and reference photographs.

A frame that hints are for is coloured as a photograph, with them and without. Where the two differ, the hints have
spoken, and those colours rule the shot as a frame that was coloured by hand does. A reference is compared with the
first frame of each passage, so with each shot, and what matches are hints. So is a frame of the same shot whose colours
somebody has given: what travels wears off, and what is known again by its looks does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from photochrom.color import lab_from_srgb
from photochrom.coloring.reference import Places, match_places, places_of, reference_places
from photochrom.colorizer import Colorizer
from photochrom.errors import ModelError
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.film.given import FrameFiles, colours_of
from photochrom.film.keyframes import Viewer, require_hearing
from photochrom.film.matrices import Plane
from photochrom.film.options import FilmOptions
from photochrom.film.planes import Pixels
from photochrom.film.steadiness import GIVEN_WEIGHT, Colours
from photochrom.hints.hint import Hint
from photochrom.hints.sheet import HINTS_SUFFIX, PAINTED_SUFFIX, read_hints
from photochrom.options import Limits
from photochrom.resample import render_size, resize

HINT_ENDINGS = (HINTS_SUFFIX, PAINTED_SUFFIX)
# Short side at which a frame is coloured as a photograph: twice the film's small grid and more.
TOLD_PX = 512
# Lab units by which hints must move a colour to have spoken there wholly.
SPOKEN_AB = 6.0
# Frames of a shot that are remembered, and the share of given colour from which on a place of theirs is.
MOST_REMEMBERED, LEAST_GIVEN = 4, 0.5


@dataclass(slots=True)
class Told:
    """Hints of frames, and reference photographs.

    Attributes:
        hints: files of hints, by frame.
        references: what is compared of the reference photographs.
        limits: what a picture of hints may cost.
        looked: passages that references were compared with.
        matched: those in which something matched.
    """

    hints: FrameFiles = field(default_factory=FrameFiles)
    references: tuple[Places, ...] = ()
    limits: Limits = field(default_factory=Limits)
    looked: int = 0
    matched: int = 0

    @classmethod
    def read(cls, options: FilmOptions, colorizer: Colorizer, limits: Limits) -> Told:
        """Return what the options name.

        Raises:
            OptionError: the model takes no hints, there are none, or a reference has no colours.
            PhotoError: a reference cannot be read.
        """
        hints, references = FrameFiles(), list[Places]()
        if options.hints:
            require_hearing(colorizer.engine, "--hints")
            hints = FrameFiles.read(options.hints, "--hints", HINT_ENDINGS)
        for path in options.reference:
            require_hearing(colorizer.engine, "--reference")
            references.append(reference_places(open_photo(path, limits=limits), colorizer.engine, str(path)))
        return cls(hints, tuple(references), limits)

    def colours(
        self, viewer: Viewer, luma: Pixels, grid_luma: Plane, file: Path | None, remembered: Sequence[Places] | None
    ) -> Colours | None:
        """Return what is said of one frame; None where nothing is.

        Args:
            viewer: of the film.
            luma: (H, W) codes of the stored frame.
            grid_luma: the same on the small grid, 0..1.
            file: the frame's hints.
            remembered: frames of the shot to know things again by, where a passage begins, and references are compared;
                None elsewhere.

        Raises:
            OptionError: the hints are wrong, or another frame's.

        Cost: that of colouring two small photographs, and a run of the net where something is compared.
        """
        compares = remembered is not None and bool(self.references)
        if file is None and not compares and not remembered:
            return None
        photo = _as_photo(viewer, luma)
        hints: list[Hint] = []
        if compares or remembered:
            own = places_of(photo, viewer.engine)
            lent, known_again = match_places(own, self.references), match_places(own, remembered or ())
            if compares:
                self.looked, self.matched = self.looked + 1, self.matched + bool(lent.hints)
            hints += [*lent.hints, *known_again.hints]
        if file is not None:
            hints += read_hints(file, photo, limits=self.limits).hints  # a person's count, whatever is matched
        if not hints:
            return None
        told, alpha = _spoken(photo, hints, viewer)
        return colours_of(told, alpha, grid_luma, viewer, str(file or "--reference"))

    @property
    def notes(self) -> list[str]:
        """What came of it, for people to read."""
        left = [f"no frame was met for {path.name}" for path in self.hints.left]
        used = [f"hints followed in {len(self.hints.used)} frames"] if self.hints.used else []
        if not self.references:
            return [*used, *left]
        matched = f"matched in {self.matched} of {self.looked} passages"
        return [*used, *left, f"reference: {matched if self.matched else 'nothing in it matches this film'}"]


def remember(viewer: Viewer, luma: Pixels, grid_luma: Plane, known: Colours) -> tuple[Places, ...]:
    """Return what there is to know a frame's given colours again by: nothing for models that do not hear or look."""
    if not viewer.engine.spec.hears:
        return ()
    try:
        places = places_of(_as_photo(viewer, luma), viewer.engine)
    except ModelError:
        return ()  # without features, colours still travel
    rows, columns = places.grid
    ab = viewer.matrix.ab_from_chroma(np.clip(grid_luma, 0, 1), known.chroma)
    upright = np.rot90(np.dstack([ab, known.weight / np.float32(GIVEN_WEIGHT)]), viewer.quarter_turns)
    cells = np.stack([resize(np.ascontiguousarray(upright[..., band]), columns, rows) for band in range(3)], axis=-1)
    flat = cells.reshape(-1, 3)
    seen = places.features * (flat[:, 2:] > LEAST_GIVEN)
    return (replace(places, features=seen.astype(np.float32), ab=flat[:, :2].astype(np.float32)),)


def _as_photo(viewer: Viewer, luma: Pixels) -> Photo:
    """Return a frame as a small photograph: upright, in its true shape."""
    width, height = viewer.shown
    size = render_size(width, height, min(TOLD_PX, width, height), multiple=1, stride=1)
    return Photo(np.rint(viewer.upright(luma, size) * 255).astype(np.uint8)[..., None])


def _spoken(photo: Photo, hints: Sequence[Hint], viewer: Viewer) -> tuple[Photo, Plane]:
    """Return a frame in colour as hints would have it, and how far they have spoken, 0..1."""
    colorizer = Colorizer(engine=viewer.engine, options=viewer.options)
    told, alone = (colorizer.run(photo, some).photo for some in (hints, ()))
    apart = np.hypot(*np.moveaxis(_ab(told) - _ab(alone), -1, 0))
    return told, np.clip(apart / SPOKEN_AB, 0, 1).astype(np.float32)


def _ab(photo: Photo) -> Plane:
    return lab_from_srgb(photo.pixels.astype(np.float32) / np.float32(photo.max_code))[..., 1:].astype(np.float32)
