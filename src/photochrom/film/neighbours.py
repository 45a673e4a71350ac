"""The frames around one, brought into place along the motion, each when it is asked for: full-size planes take room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from photochrom.film.motion import Motion, Plane, carry, closing, enlarged

# How far on either side frames are looked at.
RADIUS = 2


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another frame brought into place: its plane, and how far each place can be believed. (H, W) both."""

    plane: Plane
    trust: Plane


@dataclass(frozen=True, slots=True)
class _Way:
    """Where each place of a frame lies in another one, and how far that can be believed; on the small grid."""

    other: int
    positions: Plane
    trust: Plane


class Neighbourhood:
    """The frames up to ``RADIUS`` away from one, by their distance: -2, -1, 1, 2, as far as there are some.

    Args:
        plane_of: gives a frame's luma, (H, W) 0..1, by its number.
        motions: between frame k and k + 1.
        frame: around which one.
        size: (width, height) of its plane.
        count: of frames.
    """

    def __init__(
        self,
        plane_of: Callable[[int], Plane],
        motions: Sequence[Motion],
        frame: int,
        size: tuple[int, int],
        count: int,
    ) -> None:
        self._plane_of, self._size = plane_of, size
        self._ways = {k: way for step in (-1, 1) for k, way in _followed(motions, frame, step, count)}
        self._held: dict[int, Neighbour] = {}

    def __contains__(self, distance: int) -> bool:
        return distance in self._ways

    def __getitem__(self, distance: int) -> Neighbour:
        """Return a neighbour, and hold it for the next time."""
        if distance not in self._held:
            self._held[distance] = self._brought(distance)
        return self._held[distance]

    def __bool__(self) -> bool:
        return bool(self._ways)

    def each(self) -> Iterator[Neighbour]:
        """Yield all of them, those that are held first, and let go of each."""
        for distance in sorted(self._ways, key=lambda distance: distance not in self._held):
            yield self._held.pop(distance) if distance in self._held else self._brought(distance)

    def _brought(self, distance: int) -> Neighbour:
        way = self._ways[distance]
        plane = carry(self._plane_of(way.other), enlarged(way.positions, *self._size))
        return Neighbour(plane, _resized(way.trust, *self._size))


def _followed(motions: Sequence[Motion], frame: int, step: int, count: int) -> Iterator[tuple[int, _Way]]:
    """Yield the ways to the frames before a frame (step -1) or after it (step 1), with their distance."""
    way: _Way | None = None
    for distance in range(1, RADIUS + 1):
        other = frame + step * distance
        if not 0 <= other < count:
            return
        motion = motions[other] if step < 0 else motions[other - 1]
        out, home = (motion.backward, motion.forward) if step < 0 else (motion.forward, motion.backward)
        closes = closing(out, home)
        if way is None:
            way = _Way(other, out, closes)
        else:
            way = _Way(other, carry(out, way.positions), way.trust * carry(closes, way.positions))
        yield step * distance, way


def _resized(plane: Plane, width: int, height: int) -> Plane:
    import cv2

    full = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.float32).reshape(height, width)
