"""The colours of another photograph, for what both show: the same room, uniform or person.

Both are shown to the net in grey, and its encoder's features are compared place by place. Two places match if each is
the other's nearest, if no place elsewhere is nearly as near, and if their tones are alike; matches become hints, with
how sure they are as their weight. What does not match is left to the net.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.color import lab_from_srgb
from photochrom.engines.base import Engine
from photochrom.errors import ModelError, OptionError
from photochrom.files.photo import Photo
from photochrom.hints.hint import Hint
from photochrom.luma import is_blank, show_clearly, shrink_luma
from photochrom.resample import block_mean, pad_to_multiple, render_size, resize

FEATURES = "features"
STRIDE = 16
COMPARED_PX = 384
"""Short side at which pictures are compared."""
PLACES_ACROSS = COMPARED_PX // STRIDE
# Cosine of two places' features from which on they may match, and by which the best must beat any place elsewhere.
LEAST_LIKENESS, LEAST_LEAD = 0.55, 0.06
ELSEWHERE_CELLS = 2
MOST_LUMA_APART = 0.2
# Of a picture's places; fewer matches than this are chance, and none is used. Between the two shares below it grows
# likely that both show one place in one light, and not a like thing in another: there a reference is believed in full,
# and before in part (docs/hints.md has the figures).
FEWEST_MATCHED = 0.12
LIKE_THING, SAME_PLACE, PARTLY = 0.25, 0.4, 0.4
LARGEST_WEIGHT, MOST_MATCHES = 0.9, 800
REFERENCE_REACH = 0.04
COLOURLESS_AB = 1.5


@dataclass(frozen=True, slots=True)
class Matched:
    """What a reference says of a photograph.

    Attributes:
        hints: colours, where both show the same.
        places: how many places of the photograph were compared.
    """

    hints: tuple[Hint, ...]
    places: int

    @property
    def note(self) -> str:
        """Return how much was matched."""
        if not self.hints:
            return "reference: nothing in it matches this photograph, which is coloured without it"
        return f"reference: {len(self.hints)} of {self.places} places matched ({len(self.hints) / self.places:.0%})"


@dataclass(frozen=True, slots=True)
class Places:
    """A picture's places: features (n, C) of length one, mean luma (n,), a*, b* (n, 2), and their rows and columns."""

    features: npt.NDArray[np.float32]
    luma: npt.NDArray[np.float32]
    ab: npt.NDArray[np.float32]
    grid: tuple[int, int]

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.features.nbytes + self.luma.nbytes + self.ab.nbytes


def places_of(photo: Photo, engine: Engine) -> Places:
    """Return what is compared of a picture.

    Raises:
        ModelError: the model gives no features.
    """
    spec = engine.spec
    width, height = render_size(photo.width, photo.height, COMPARED_PX, multiple=spec.multiple, stride=STRIDE)
    net = show_clearly(shrink_luma(photo.pixels, width, height, STRIDE).net)[0]
    padded = np.ascontiguousarray(pad_to_multiple(net, spec.multiple))
    inputs = {"luma": padded[None, None], "temperature": np.array(spec.temperature, dtype=np.float32)}
    try:
        features = engine.run(inputs, (FEATURES,))[FEATURES][0]
    except (ModelError, KeyError):
        raise ModelError(
            "the model gives no features to compare photographs by",
            where=spec.name,
            next_step="Export it again with this version of photochrom",
        ) from None
    rows, columns = height // STRIDE, width // STRIDE
    flat = features[:, :rows, :columns].reshape(len(features), -1).T
    flat = flat - flat.mean(axis=0)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    if is_blank(net):  # its places differ by what the net makes of borders alone, as any other blank page's do
        flat = np.zeros_like(flat)
    return Places(
        flat.astype(np.float32), block_mean(net, STRIDE).ravel(), _cell_ab(photo, columns, rows), (rows, columns)
    )


def reference_places(photo: Photo, engine: Engine, where: str) -> Places:
    """Return what is compared of a reference photograph, which ``where`` names in errors.

    Raises:
        OptionError: it has no colours.
        ModelError: the model gives no features.
    """
    refuse_colourless(photo, where)
    return places_of(photo, engine)


def match_references(photo: Photo, references: Sequence[Places], engine: Engine) -> Matched:
    """Return the colours of references for what they and a photograph both show; of several, the surest counts.

    Cost: a run of the net at COMPARED_PX, and some milliseconds.
    """
    return match_places(places_of(photo, engine), references)


def match_places(own: Places, references: Sequence[Places]) -> Matched:
    """Return what ``match_references`` does, for a photograph whose places are known."""
    count = len(own.luma)
    best, ab = np.zeros(count), np.zeros((count, 2))
    for reference in references:
        trust, partner = _matches(own, reference)
        surer = trust > best
        best[surer], ab[surer] = trust[surer], reference.ab[partner[surer]]
    if (best > 0).sum() < max(2, FEWEST_MATCHED * count):
        return Matched((), count)
    best = best * belief(float((best > 0).mean()))
    rows, columns = own.grid
    hints = [
        Hint(
            point=((at % columns + 0.5) / columns, (at // columns + 0.5) / rows),
            color=(round(float(ab[at, 0]), 1), round(float(ab[at, 1]), 1)),
            weight=max(round(float(best[at]), 2), 0.01),
            reach=REFERENCE_REACH,
            by="reference",
        )
        for at in sorted(np.argsort(-best, kind="stable")[: min(MOST_MATCHES, int((best > 0).sum()))])
    ]
    return Matched(tuple(hints), count)


def belief(matched: float) -> float:
    """Return how much of what a reference says is believed, 0..1, where this share of a picture's places matched."""
    return PARTLY + (1 - PARTLY) * min(max((matched - LIKE_THING) / (SAME_PLACE - LIKE_THING), 0.0), 1.0)


def refuse_colourless(photo: Photo, where: str) -> None:
    """Raise OptionError for a reference that has no colours."""
    ab = _cell_ab(photo, 32, 32)
    if photo.pixels.shape[2] == 1 or float(np.hypot(ab[:, 0], ab[:, 1]).mean()) < COLOURLESS_AB:
        raise OptionError("has no colours to take", where=where, next_step="Give a colour photograph as --reference")


def _matches(own: Places, other: Places) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return how sure each place's match is, 0 where there is none, and which place of the other it is."""
    likeness = own.features @ other.features.T
    partner = likeness.argmax(axis=1)
    mutual = _near(likeness.argmax(axis=0)[partner], np.arange(len(partner)), own.grid[1], 1)
    top = likeness.max(axis=1)
    elsewhere = ~_near(partner[:, None], np.arange(likeness.shape[1])[None], other.grid[1], ELSEWHERE_CELLS)
    lead = top - np.where(elsewhere, likeness, -1).max(axis=1)
    tone = np.abs(own.luma - other.luma[partner]) < MOST_LUMA_APART
    sure = mutual & tone & (top >= LEAST_LIKENESS) & (lead >= LEAST_LEAD)
    trust = np.clip((top - LEAST_LIKENESS) / (1 - LEAST_LIKENESS), 0.2, LARGEST_WEIGHT)
    return np.where(sure, trust, 0), partner


def _near(one: npt.NDArray[np.intp], other: npt.NDArray[np.intp], columns: int, cells: int) -> npt.NDArray[np.bool_]:
    """Return whether places, by their numbers on a grid, lie within so many cells of each other."""
    rows_apart = np.abs(one // columns - other // columns)
    return np.asarray((rows_apart <= cells) & (np.abs(one % columns - other % columns) <= cells))


def _cell_ab(photo: Photo, columns: int, rows: int) -> npt.NDArray[np.float32]:
    """Return mean a*, b* of each cell: (rows * columns, 2); zero for a grey picture."""
    if photo.pixels.shape[2] == 1:
        return np.zeros((rows * columns, 2), dtype=np.float32)
    codes = photo.pixels.astype(np.float32) / np.float32(photo.max_code)
    planes = [resize(np.ascontiguousarray(codes[..., band]), columns, rows).ravel() for band in range(3)]
    return lab_from_srgb(np.clip(np.stack(planes, axis=-1), 0, 1))[:, 1:].astype(np.float32)
