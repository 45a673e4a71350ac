"""Pictures that belong beside a result: its other versions, how sure the net was, what was filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from photochrom.files.photo import Photo
from photochrom.options import OutputFormat

UNCERTAINTY_MARK = "-uncertainty"
ALTERNATIVE_MARK = "-alternative-"
MASK_MARK = "-mask"


@dataclass(frozen=True, slots=True)
class Companion:
    """A picture beside a result.

    Attributes:
        mark: added to the stem of the result's name.
        photo: the picture.
        settings: the options in which it differs from the result.
        format: of its file; the result's where left out.
    """

    mark: str
    photo: Photo
    settings: Mapping[str, object] = field(default_factory=dict)
    format: OutputFormat | None = None


def without_companion_mark(stem: str) -> str:
    """Return the stem of the result that a companion of this stem belongs to; other stems come back as they are."""
    for mark in (UNCERTAINTY_MARK, MASK_MARK):
        if stem.endswith(mark):
            return stem.removesuffix(mark)
    result, mark, number = stem.rpartition(ALTERNATIVE_MARK)
    return result if mark and number.isdecimal() else stem
