"""The table of everything the engine can do to a picture."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from photochrom.degradation import cracking, marks, surface, texture, tone, writing

# When in a photograph's life a kind happens: exposed, printed and faded, handled, scanned.
CAMERA, PRINT, HANDS, SCAN = range(4)


@dataclass(frozen=True)
class Kind:
    """One kind of degradation. ``apply(picture, rng, strength, px)`` returns a picture, or picture and cover."""

    name: str
    apply: Callable[..., Any]
    stage: int
    covers: bool

    @property
    def summary(self) -> str:
        """What a person is told: the function's own first sentences."""
        return (inspect.getdoc(self.apply) or "").split("\n\n")[0].replace("\n", " ")


def _table(stage: int, *functions: Callable[..., Any], covers: bool = False) -> dict[str, Kind]:
    return {
        function.__name__.replace("_", "-"): Kind(function.__name__.replace("_", "-"), function, stage, covers)
        for function in functions
    }


KINDS: dict[str, Kind] = (
    _table(CAMERA, tone.exposure, tone.flicker, texture.blur, tone.vignette, tone.color_cast)
    | _table(PRINT, tone.sepia, tone.toning, texture.grain, texture.halftone, tone.fading, tone.uneven_fading)
    | _table(PRINT, tone.yellowing, tone.dye_fading, surface.borders)
    | _table(PRINT, writing.writing)
    | _table(HANDS, marks.scratches, marks.film_runs, marks.mould, covers=True)
    | _table(HANDS, cracking.creases, cracking.folds, cracking.cracks, cracking.crackle, covers=True)
    | _table(HANDS, surface.tears, surface.worn_edges, surface.tape, surface.missing_corners, covers=True)
    | _table(HANDS, surface.stains, covers=True)
    | _table(SCAN, marks.dust, marks.hairs, marks.scanner_lines, surface.glare, covers=True)
    | _table(SCAN, texture.scanner_blur, texture.scanner_noise, texture.speckle, texture.jpeg)
)
