"""Marks on film: dust and scratches that live one frame, and vertical lines that stay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.film.motion import Plane
from photochrom.film.neighbours import Neighbour

# A mark differs from both neighbours by this many times the noise, and by this at least, of 1; and they agree.
MARK_NOISES, MARK_LEAST = 5.0, 0.05
# Flow is believed for marks where it closes this well, and where what surrounds a place fits, to this, of 1.
BELIEVED, SURROUNDINGS = 0.7, 0.02
# More than this share of a frame is no dust: something moved that flow has not followed.
MOST_MARKED = 0.12
# A line: this share of the height departs from the columns beside it to the same side, by this at least, of 1.
LINE_SHARE, LINE_LEAST, LINE_WIDTH_PX = 0.7, 0.02, 11


def find_marks(plane: Plane, before: Neighbour, after: Neighbour, noise: float) -> npt.NDArray[np.bool_]:
    """Return where something lives this one frame alone: both neighbours differ from it to the same side, and agree."""
    import cv2

    limit = max(MARK_NOISES * noise, MARK_LEAST)
    believed = np.minimum(before.trust, after.trust) > BELIEVED
    for other in (before, after):
        believed &= _fits_around(np.abs(plane - other.plane), max(3 * noise, SURROUNDINGS))
    kernel = np.ones((3, 3), np.uint8)
    leaves = _leaves(plane, before.plane, after.plane, limit / 2)
    least = _least_difference(plane, before.plane, after.plane)
    apart = np.subtract(before.plane, after.plane)
    np.abs(apart, out=apart)
    sure = (least > limit) & leaves & (apart < 0.4 * least) & believed
    # From the sure places, what belongs to the mark is taken in, down to half the limit, and a pixel around it.
    likely = ((least > limit / 2) & (apart < 0.7 * least) & believed).astype(np.uint8)
    opened = cv2.morphologyEx(sure.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    grown = opened
    for _ in range(3):
        grown = cv2.dilate(grown, kernel) & np.maximum(likely, grown)
    mask = cv2.dilate(np.asarray(grown), kernel).astype(bool) if sure.any() else sure
    return mask if mask.mean() < MOST_MARKED else np.zeros_like(sure)


def _leaves(plane: Plane, before: Plane, after: Plane, limit: float) -> npt.NDArray[np.bool_]:
    """Return where a frame goes beyond all that lies beside a place in either neighbour, by more than the limit.

    Fine texture a fraction of a pixel out of place is no mark.
    """
    import cv2

    kernel = np.ones((3, 3), np.uint8)
    bound = np.asarray(cv2.dilate(before, kernel), np.float32)
    np.maximum(bound, cv2.dilate(after, kernel), out=bound)
    leaves = np.subtract(plane, bound, out=bound) > limit
    bound = np.asarray(cv2.erode(before, kernel), np.float32)
    np.minimum(bound, cv2.erode(after, kernel), out=bound)
    return np.asarray(leaves | (np.subtract(bound, plane, out=bound) > limit))


def _least_difference(plane: Plane, before: Plane, after: Plane) -> Plane:
    """Return by how much a frame differs from both neighbours to the same side; 0 where it does not."""
    first, second = plane - before, plane - after
    alike = first * second > 0
    np.abs(first, out=first)
    np.minimum(first, np.abs(second, out=second), out=first)
    first *= alike
    return first


def _fits_around(difference: Plane, limit: float) -> npt.NDArray[np.bool_]:
    """Return where the median of a difference around a place, which a mark does not reach, says that flow is right."""
    import cv2

    height, width = difference.shape
    difference *= 255
    codes = np.clip(difference, 0, 255, out=difference).astype(np.uint8)
    half = cv2.resize(codes, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_NEAREST)
    fits = cv2.medianBlur(half, 17).astype(np.float32) / np.float32(255) < limit
    return np.asarray(cv2.resize(fits.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST), np.bool_)


def find_lines(plane: Plane) -> Plane | None:
    """Return what vertical lines add to a frame, or None where it has none.

    A line departs from the columns beside it, to one side, over most of the height. Its offset is followed down the
    line by a running median, so that a line that fades or sways a little is met, and what is under it stays.
    """
    import cv2

    height, width = plane.shape
    if width < 3 * LINE_WIDTH_PX or height < 32:
        return None
    codes = np.clip(plane * 255, 0, 255).astype(np.uint8)
    departs = plane * 255 - row_median(np.asarray(cv2.blur(codes, (1, 5)), np.uint8)).astype(np.float32)
    share = np.maximum((departs > 0).mean(axis=0), (departs < 0).mean(axis=0))
    strength = np.abs(np.median(departs, axis=0))
    columns = (share > LINE_SHARE) & (strength > LINE_LEAST * 255)
    columns[: LINE_WIDTH_PX // 2] = columns[-(LINE_WIDTH_PX // 2) :] = False
    if not columns.any() or columns.mean() > 0.05:
        return None
    columns = cv2.dilate(columns.astype(np.uint8)[None], np.ones((1, 3), np.uint8))[0].astype(bool)
    offset = np.zeros_like(plane)
    shifted = np.clip(departs[:, columns] + 128, 0, 255).astype(np.uint8)
    along = min(31, height // 2 * 2 - 1)
    stacked = np.stack([cv2.medianBlur(np.repeat(column[:, None], 3, 1), 5)[:, 1] for column in shifted.T], axis=1)
    offset[:, columns] = (cv2.blur(stacked.astype(np.float32), (1, along)).reshape(stacked.shape) - 128) / 255
    return offset


def row_median(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the running median along rows over ``LINE_WIDTH_PX`` columns. Shapes: (H, W) -> (H, W).

    The median is none of the least and the largest of more than half of the values: they are dropped, and one that has
    not been looked at takes their place, until one is left. A twentieth of the time that sorting each window takes.
    """
    half, width = LINE_WIDTH_PX // 2, codes.shape[1]
    padded = np.pad(codes, ((0, 0), (half, half)), mode="edge")
    waiting = [padded[:, k : k + width] for k in range(LINE_WIDTH_PX)]
    held, waiting = waiting[: half + 2], waiting[half + 2 :]
    while len(held) > 1:
        for k in range(1, len(held)):
            held[0], held[k] = np.minimum(held[0], held[k]), np.maximum(held[0], held[k])
        for k in range(1, len(held) - 1):
            held[k], held[-1] = np.minimum(held[k], held[-1]), np.maximum(held[k], held[-1])
        held = held[1:-1] + waiting[:1]
        waiting = waiting[1:]
    return held[0]
