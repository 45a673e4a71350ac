"""Pictures printed in dots, without a photograph."""

from __future__ import annotations

import numpy as np


def printed(plane: np.ndarray, share: float, period_px: float = 3.1, angle_deg: float = 42.0) -> np.ndarray:
    """Return a plane (H, W), 0..1, of which so much has become the dots of a screen."""
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    turn, wave = np.radians(angle_deg), 2 * np.pi / period_px
    first = np.cos(wave * (x * np.cos(turn) + y * np.sin(turn)))
    second = np.cos(wave * (y * np.cos(turn) - x * np.sin(turn)))
    dots = np.clip(0.5 + 3 * (plane - (0.5 + 0.235 * (first + second))), 0, 1)
    return (plane + share * (dots - plane)).astype(np.float32)
