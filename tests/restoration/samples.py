"""What tests of restoring share: photographs, and what was decided about them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from photochrom.files.photo import Photo
from photochrom.restoration.pipeline import RestoreResult
from photochrom.restorer import Restorer
from tests.restoration.stand_in_stages import FADED_BLACK, FADED_WHITE

RestorerFor = Callable[..., Restorer]
NOTHING = {"damage": "never", "noise": "never", "tone": "never"}


def photo_of(array: np.ndarray) -> Photo:
    return Photo(array[..., None] if array.ndim == 2 else array)


def decision(result: RestoreResult, stage: str) -> bool:
    return next(found.applied for found in result.decisions if found.stage == stage)


def sepia(grey: np.ndarray) -> np.ndarray:
    tone = grey[..., None] / 255
    return np.rint(255 * tone ** np.array([0.8, 1.0, 1.35])).astype(np.uint8)


def faded(array: np.ndarray) -> np.ndarray:
    spread = (FADED_WHITE - FADED_BLACK) * 255
    return np.rint(array / 255 * spread + FADED_BLACK * 255).astype(np.uint8)
