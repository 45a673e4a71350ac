"""What shows where a picture is hidden: paper fibres, and the tints of glue, mould and dirt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.degradation.fields import Picture, Plane, noise, per_channel

# A damaged picture with the plane (H, W), 0..1, of how much of each pixel is hidden.
Damaged = tuple[Picture, Plane]


def paper(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return the fibres under the emulsion as a picture: nearly white, rough, warm where the picture has colour."""
    tint = of_its_kind(picture, np.array([0.95, 0.92, 0.84]) * rng.uniform(0.85, 1.05))
    rough: Plane = noise(picture.shape[1:], rng, 1.5) * np.float32(0.035)
    return np.asarray(np.clip(per_channel(tint) + rough, 0, 1), dtype=np.float32)


def of_its_kind(picture: Picture, tint: npt.NDArray[np.float64]) -> Picture:
    """Return the tint, without its colour where the picture itself has none (a grey scan shows everything grey)."""
    sample = picture[:, ::8, ::8]
    is_grey = float(np.ptp(sample, axis=0).max()) < 0.02
    return np.asarray(np.full(3, tint.mean()) if is_grey else tint, dtype=np.float32)
