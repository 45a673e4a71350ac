"""Film made old: the photographs' engine with a sense of time, frame by frame in order.

A preset's doses say how long each kind lasts (`Dose.lasts`): what happened to the reel once is the same in every frame,
a run drifts sideways, grain is as coarse in every frame but never the same grain, dust lives one frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.degradation.engine import REFERENCE_PX, Degraded, apply_kind, as_picture
from photochrom.degradation.fields import Picture, luma_of
from photochrom.degradation.kinds import KINDS, Kind
from photochrom.degradation.presets import Dose, Preset, load_preset

# Standard deviation of a run's step sideways from frame to frame, in scan pixels.
DRIFT_PX = 0.5
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Step:
    """One kind as it happens to a reel: always with the same strength, and with random numbers of its own."""

    kind: Kind
    dose: Dose
    strength: float
    seed: int

    def happen(self, picture: Picture, frame: int, px: float) -> tuple[Picture, Mask | None]:
        """Return a frame after it, and where it is hidden."""
        fresh = np.random.default_rng([self.seed, frame + 1])
        if self.dose.lasts == "frame":
            if fresh.random() >= self.dose.chance:
                return picture, None
            return apply_kind(self.kind, picture, fresh, self.strength, px)
        lasting = np.random.default_rng([self.seed, 0])
        if self.dose.lasts == "texture":
            both = cast("np.random.Generator", _Texture(lasting, fresh))
            return apply_kind(self.kind, picture, both, self.strength, px)
        if self.dose.lasts == "film":
            return apply_kind(self.kind, picture, lasting, self.strength, px)
        return self._drifted(picture, frame, px, lasting)

    def _drifted(
        self, picture: Picture, frame: int, px: float, lasting: np.random.Generator
    ) -> tuple[Picture, Mask | None]:
        steps = np.random.default_rng([self.seed, 0, 1]).normal(0, DRIFT_PX * px, frame + 1)
        aside = round(float(steps.sum()))
        worn, hidden = apply_kind(self.kind, np.roll(picture, -aside, axis=2), lasting, self.strength, px)
        return np.roll(worn, aside, axis=2), None if hidden is None else np.roll(hidden, aside, axis=1)


class _Texture:
    """Random numbers of which single ones and short rows are a reel's, and whole fields a frame's."""

    def __init__(self, lasting: np.random.Generator, fresh: np.random.Generator) -> None:
        self._lasting, self._fresh = lasting, fresh

    def __getattr__(self, name: str) -> Any:
        lasting, fresh = getattr(self._lasting, name), getattr(self._fresh, name)

        def draw(*arguments: Any, **named: Any) -> Any:
            drawn = lasting(*arguments, **named)
            return fresh(*arguments, **named) if np.ndim(drawn) >= 2 else drawn

        return draw


def degrade_film(
    frames: Iterable[npt.NDArray[Any]], preset: Preset | str, seed: int = 0, *, px: float | None = None
) -> Iterator[Degraded]:
    """Yield each frame as years of showing would have left it.

    Args:
        frames: in order, all of one size; as `degrade` takes pictures.
        preset: a preset, its name, or the path of a TOML file with one; "reel" and "faded-reel" are made for film.
        seed: fixes everything: the same seed, preset and frames give the same result.
        px: size in pixels of the finest structures; left out, it grows with frames whose short side is over 900 px.

    Raises:
        OptionError: no such preset.
        ValueError: a frame has another shape than pictures have.

    Cost: as `degrade`, for each frame.
    """
    preset = load_preset(preset) if isinstance(preset, str) else preset
    rng = np.random.default_rng(seed)
    grey, size = rng.random() < preset.grey, float(rng.uniform(*preset.px))
    steps = _steps(preset, rng)
    for number, frame in enumerate(frames):
        worn = as_picture(frame)
        worn = as_picture(luma_of(worn)) if grey else worn
        mask = np.zeros(worn.shape[1:], dtype=bool)
        fine = size * (max(1.0, min(mask.shape) / REFERENCE_PX) if px is None else px)
        for step in steps:
            worn, hidden = step.happen(worn, number, fine)
            mask |= False if hidden is None else hidden
        named = tuple((step.kind.name, step.strength) for step in steps)
        yield Degraded(np.moveaxis(worn, 0, -1), mask, named)


def _steps(preset: Preset, rng: np.random.Generator) -> list[_Step]:
    """Return what happens to a reel, in its order; what lives one frame happens in its share of them."""
    drawn: list[tuple[float, _Step]] = []
    for name, dose in preset.kinds.items():
        chance, strength, delay = rng.random(), float(rng.uniform(*dose.strength)), rng.random()
        step = _Step(KINDS[name], dose, strength, int(rng.integers(2**31)))
        if dose.lasts == "frame" or chance < dose.chance:
            drawn.append((step.kind.stage + preset.disorder * delay, step))
    return [step for _, step in sorted(drawn, key=lambda timed: timed[0])]
