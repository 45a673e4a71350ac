"""Pictures printed in dots, without a photograph."""

from __future__ import annotations

import numpy as np

from photochrom.degradation.texture import print_dots


def printed(plane: np.ndarray, share: float, period_px: float = 3.1, angle_deg: float = 42.0) -> np.ndarray:
    """Return a plane (H, W), 0..1, of which so much has become the dots of a screen."""
    dots = print_dots(plane, period_px, angle_deg, np.float32(3))
    return (plane + share * (dots - plane)).astype(np.float32)
