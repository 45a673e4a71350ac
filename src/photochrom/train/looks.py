"""A look at the probe set: its figures after so many photographs of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photochrom.metrics import bootstrap_interval

TOLERANCE = 0.05


@dataclass(frozen=True)
class Look:
    """One look at the probe set, after so many photographs of the run."""

    photos_seen: int
    distance: float
    per_photo: dict[str, list[float]]
    critic_accuracy: float = float("nan")

    def mean(self, figure: str) -> float:
        """Return a figure's mean over the photographs; NaN where none has it."""
        values = self.per_photo.get(figure, [])
        return float(np.mean(values)) if values else float("nan")

    def band(self, figure: str) -> tuple[float, float]:
        """Return the 95 % bootstrap interval of that mean."""
        return bootstrap_interval(np.array(self.per_photo.get(figure, [])))

    def change(self, figure: str, since: Look) -> tuple[float, float]:
        """Return the 95 % bootstrap interval of the mean change of a figure, over the same photographs.

        Photographs differ far more among each other than one does from look to look, so the bands of two means overlap
        long after the change is certain.
        """
        before, after = (np.array(look.per_photo.get(figure, [])) for look in (since, self))
        return bootstrap_interval(after - before)

    def has_left(self, figure: str, since: Look) -> bool:
        """Return whether a figure has certainly risen by more than TOLERANCE of what it was."""
        return self.change(figure, since)[0] > TOLERANCE * since.mean(figure)
