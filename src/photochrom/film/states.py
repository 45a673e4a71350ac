"""What is known of a film's finished segments: each one's record, and the state in which the next one begins."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from photochrom.coloring.reference import Places
from photochrom.film.motion import Grey
from photochrom.film.planes import Pixels
from photochrom.film.steadiness import Colours
from photochrom.film.treatment import Treatment

LAYERS = ("net", "given")


@dataclass(frozen=True, slots=True)
class Record:
    """One finished segment.

    Attributes:
        first_pts: time stamp of its first frame, in units of the film's time base.
        last_pts: of its last frame.
        frames: how many it has.
        last_luma: SHA-256 of the last frame's luma codes.
        cuts: numbers of the frames that begin a shot.
        keys: how many frames the net has seen.
        counts: damaged, missing, moved up to here; see ``containers.Reading``.
        restored: what restoring has found up to here; see ``restoring.Findings``.
    """

    first_pts: int
    last_pts: int
    frames: int
    last_luma: str
    cuts: tuple[int, ...] = ()
    keys: int = 0
    counts: tuple[int, int, int] = (0, 0, 0)
    restored: tuple[float, ...] = ()

    @classmethod
    def of(cls, values: dict[str, Any]) -> Record:
        """Return the record of JSON's values; ValueError, TypeError or KeyError where they are none."""
        return cls(**(values | {name: tuple(values[name]) for name in ("cuts", "counts", "restored")}))


@dataclass(slots=True)
class State:
    """What the next segment needs to know of those before it.

    Attributes:
        greys: small copies of the last two frames.
        layers: the colours that travel on.
        lumas: luma codes of the last two frames, as they were decoded; where film is restored.
        changes: how exposure has changed from frame to frame lately, as logarithms; likewise.
        treatment: what the networks said of this shot; likewise.
        remembered: frames of this shot whose colours somebody has given, to know their things again by.
    """

    greys: tuple[Grey, ...] = ()
    layers: dict[str, Colours] = field(default_factory=dict)
    lumas: tuple[Pixels, ...] = ()
    changes: tuple[float, ...] = ()
    remembered: tuple[Places, ...] = ()
    treatment: Treatment | None = None

    def to_bytes(self) -> bytes:
        """Return it as a NumPy archive, exact to the bit."""
        arrays: dict[str, Any] = {f"grey_{k}": grey for k, grey in enumerate(self.greys)}
        arrays |= {f"luma_{k}": luma for k, luma in enumerate(self.lumas)}
        arrays["changes"] = np.array(self.changes, np.float64)
        arrays |= self.treatment.arrays() if self.treatment else {}
        for name, colours in self.layers.items():
            arrays |= {f"{name}_chroma": colours.chroma, f"{name}_weight": colours.weight}
        for k, places in enumerate(self.remembered):
            parts = (places.features, places.luma, places.ab, np.array(places.grid, np.int64))
            arrays |= {f"remembered_{k}_{part}": array for part, array in enumerate(parts)}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_file(cls, path: Path) -> State:
        """Return what `to_bytes` has written."""
        with np.load(path, allow_pickle=False) as arrays:
            layers = {
                name: Colours(arrays[f"{name}_chroma"], arrays[f"{name}_weight"])
                for name in LAYERS
                if f"{name}_chroma" in arrays
            }
            greys = tuple(arrays[name] for name in ("grey_0", "grey_1") if name in arrays)
            lumas = tuple(arrays[name] for name in ("luma_0", "luma_1") if name in arrays)
            known = sum(name.startswith("remembered_") for name in arrays) // 4
            read = ([arrays[f"remembered_{k}_{part}"] for part in range(4)] for k in range(known))
            remembered = tuple(
                Places(features, luma, ab, (int(grid[0]), int(grid[1]))) for features, luma, ab, grid in read
            )
            changes = tuple(map(float, arrays["changes"]))
            return cls(greys, layers, lumas, changes, remembered, Treatment.of(arrays))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some whole shots of a film, which can be coloured apart from the rest.

    Attributes:
        first: number of the first frame.
        end: number of the frame after the last; None: up to the film's end.
        last_pts: time stamp of the frame before the first.
        last_luma: SHA-256 of its luma codes.
        counts: damaged, missing, moved up to there; see ``containers.Reading``.
        greys: small copies of the two frames before the first, by which its cut is told.
    """

    first: int = 0
    end: int | None = None
    last_pts: int = 0
    last_luma: str = ""
    counts: tuple[int, int, int] = (0, 0, 0)
    greys: tuple[Grey, ...] = ()

    def reaches(self, number: int) -> bool:
        """Return whether a frame comes before the end."""
        return self.end is None or number < self.end
