"""Rows that a damaged file has lost: found, told in words, and handed on as holes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.libvips import libvips

Holes = npt.NDArray[np.bool_]
MOST_NAMED = 4


def rows_until_error(image: Any) -> int:
    """Return how many rows of a sequential libvips image can be read before the first that cannot."""
    region = libvips().Region.new(image)
    for row in range(image.height):
        try:
            region.fetch(0, row, image.width, 1)
        except libvips().Error:
            return row
    return int(image.height)


def lost_from(first: int, width: int, height: int) -> tuple[Holes, str]:
    """Return holes from a row to the last, and the note: what follows damage is shifted, or grey."""
    holes = np.zeros((height, width), np.bool_)
    holes[first:] = True
    return holes, told(holes)


def told(holes: Holes) -> str:
    """Return in words which rows are lost, counted from 1 in the file's own order."""
    rows = np.flatnonzero(holes.any(axis=1)) + 1
    if not rows.size:
        return "damaged file, and no row is lost"
    starts = np.concatenate([[0], np.flatnonzero(np.diff(rows) > 1) + 1])
    ends = np.concatenate([starts[1:], [rows.size]]) - 1
    spans = [f"{rows[a]}-{rows[b]}" if a != b else f"{rows[a]}" for a, b in zip(starts, ends, strict=True)]
    more = f" and {len(spans) - MOST_NAMED} more stretches" if len(spans) > MOST_NAMED else ""
    partly = "" if holes[rows - 1].all() else " (in part)"
    return f"damaged file: rows {', '.join(spans[:MOST_NAMED])}{more} of {holes.shape[0]} are lost{partly}"
