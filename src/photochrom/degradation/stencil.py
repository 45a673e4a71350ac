"""Antialiased shapes as planes of coverage, and the wandering lines that scratches, hairs and cracks follow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from photochrom.degradation.fields import Plane, Size

Points = npt.NDArray[np.float64]
# Shapes are drawn so many times as large and averaged.
ZOOM = 2
ROUNDED_FROM = 6  # width on the zoomed sheet above which the ends of a line's pieces show


class Stencil:
    """A sheet into which shapes are cut; where they overlap, the last one counts.

    Points are (N, 2) x, y in pixels, from the picture's upper left corner; widths are pixels and may be below one.
    """

    def __init__(self, shape: Size) -> None:
        self.zoom = ZOOM
        self._sheet = Image.new("L", (shape[1] * self.zoom, shape[0] * self.zoom))
        self._draw = ImageDraw.Draw(self._sheet)

    def line(self, points: Points, width_px: float, opacity: float = 1.0) -> None:
        """Cut a line; one thinner than the sheet can hold is made fainter instead."""
        width = width_px * self.zoom
        ink = round(255 * opacity * min(1.0, width))
        flat = (points * self.zoom).ravel().tolist()
        self._draw.line(flat, fill=ink, width=max(1, round(width)))
        if width > ROUNDED_FROM:  # Butt ends would leave notches at every bend, which no scratch has.
            for x, y in points:
                self.spot(x, y, width_px, width_px, opacity)

    def polygon(self, points: Points, opacity: float = 1.0) -> None:
        """Cut a filled polygon."""
        self._draw.polygon((points * self.zoom).ravel().tolist(), fill=round(255 * opacity))

    def spot(self, x: float, y: float, width_px: float, height_px: float, opacity: float = 1.0) -> None:
        """Cut a filled ellipse with its centre at (x, y)."""
        z = self.zoom
        box = ((x - width_px / 2) * z, (y - height_px / 2) * z, (x + width_px / 2) * z, (y + height_px / 2) * z)
        self._draw.ellipse(box, fill=round(255 * opacity))

    def cover(self) -> Plane:
        """Return how much of each pixel is cut out, (H, W), 0..1."""
        return np.asarray(self._sheet.reduce(self.zoom), dtype=np.float32) * np.float32(1 / 255)


def anywhere(shape: Size, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a point (x, y) of the picture."""
    return rng.random(2) * (shape[1], shape[0])


def wander(
    start: npt.ArrayLike, heading: float, length_px: float, rng: np.random.Generator, *, curl: float, steps: int = 12
) -> Points:
    """Return a line of a given length that changes its heading (radians) by about ``curl`` over its whole length."""
    turns = np.cumsum(rng.normal(0, curl / np.sqrt(steps), steps)) + heading
    strides = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (length_px / steps)
    return np.asarray(np.concatenate([np.zeros((1, 2)), np.cumsum(strides, axis=0)]) + np.asarray(start))


def crack(start: npt.ArrayLike, end: npt.ArrayLike, rng: np.random.Generator, roughness_px: float) -> Points:
    """Return a jagged line between two points: halved again and again, each middle moved aside by a little less.

    Source: Fournier, Fussell, Carpenter 1982, "Computer Rendering of Stochastic Models" (midpoint displacement).
    """
    points = np.array([start, end], dtype=np.float64)
    length = float(np.hypot(*(points[1] - points[0])))
    # Down to steps of about four pixels, in large scans of a few more.
    for _ in range(int(np.clip(np.log2(max(length, 1) / 4), 3, 8))):
        middles = (points[:-1] + points[1:]) / 2 + rng.normal(0, roughness_px, (len(points) - 1, 2))
        joined = np.empty((len(points) + len(middles), 2))
        joined[::2], joined[1::2] = points, middles
        points, roughness_px = joined, roughness_px * 0.6
    return points


def chord(shape: Size, rng: np.random.Generator) -> tuple[Points, Points]:
    """Return two points on different edges of the picture."""
    edges = rng.permutation(4)[:2]
    ends = []
    for edge, along in zip(edges, rng.uniform(0.05, 0.95, 2), strict=True):
        x, y = [(along, 0), (1, along), (along, 1), (0, along)][edge]
        ends.append(np.array([x * shape[1], y * shape[0]]))
    return ends[0], ends[1]
