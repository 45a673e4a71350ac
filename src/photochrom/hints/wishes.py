"""A wish keeps to its thing: what the net makes of a hint far from its own mind, taken back where it is no wish's.

The net carries a colour to what looks alike, and a little of it farther: a coat that shall be green greens the wall
behind it. Where a hint is near what the net would have said anyway, that is what makes it right; where it is a *wish*,
far from it, what arrives across an edge is wrong. How far the net follows at a place tells the two apart but for the
middle: so following is decided, wholly or not at all, and what must be reached for it depends on the place. Where tone
and the net's own colour are like those the wish lies on, a little of it will do; elsewhere most of it is needed, and
more than all of it where tone is quite another, as a white shirt's is beside an arm.

How the numbers were found, and what they cost: docs/experiments/color-hints.md, "A wish keeps to its thing".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from photochrom.hints.drawing import Drawn
from photochrom.resample import Plane

Singles = npt.NDArray[np.float32]

# What is asked for is so far from what the net says by itself, in Lab units, and the net gives colours within so many
# of it so little of its distribution: from where on a hint begins to be a wish, and from where on it is nothing else.
WISH_AB, NEAR_AB = 25.0, 12.0
LIKELY, UNLIKELY = 0.05, 0.015
# Differences of luma, and of the net's own a*, b* in Lab units, up to which a place is like the wish's own, and from
# which on it is nothing like it; and that of luma from which on no thing's light and shadow differ as much.
LIKE_LUMA, UNLIKE_LUMA, STRANGE_LUMA = 0.08, 0.15, 0.3
LIKE_AB, UNLIKE_AB = 8.0, 20.0
# How far the net must follow, as a share of what is asked for, to be made to follow at all, and to do so wholly: where
# a place is like the wish's own, where it is not, and where its tone is a strange one.
ALIKE_FROM, ALIKE_WHOLE = 0.03, 0.4
OTHERS_FROM, OTHERS_WHOLE = 0.7, 0.9
STRANGE_FROM, STRANGE_WHOLE = 1.1, 1.4
# Where several wishes claim a place, each counts by the square of how much it does, and of how far the change goes its
# way; by so little where it does not.
UNCLAIMED = 1e-4
# No change is made more than this many times as large as the net's.
MOST_STRENGTHENED = 2.5
# Wishes that are told apart; where there are more, those of like colour count as one, and the largest of these.
MOST_CLAIMS, COLOR_STEP_AB = 24, 20.0


def find_wishes(ab: Singles, logits: Singles, bins_ab: Singles, drawn: Drawn) -> dict[int, float]:
    """Return the numbers of hints that ask for what the net thinks unlikely, and how much of a wish each is, 0 to 1.

    Args:
        ab: (2, h, w) Lab a*, b* that the net says by itself.
        logits: (K, h, w) its distribution.
        bins_ab: (K, 2) the colours of that.
        drawn: the hints on that grid.

    Cost: a millisecond, and 20 for a thousand cells.
    """
    known = drawn.number >= 0
    number, asked = drawn.number[known], drawn.ab[:, known]
    shares = np.exp(logits[:, known] - logits[:, known].max(axis=0))
    near = np.hypot(*(bins_ab.T[:, :, None] - asked[:, None])) < NEAR_AB
    likely = (shares * near).sum(axis=0) / shares.sum(axis=0)
    apart = np.hypot(*(asked - ab[:, known]))
    wishful = np.clip((LIKELY - likely) / (LIKELY - UNLIKELY), 0, 1) * (apart >= WISH_AB)
    mean = np.bincount(number, wishful) / np.maximum(np.bincount(number), 1)
    return {int(n): float(mean[n]) for n in np.flatnonzero(mean)}


def keep_to_things(told: Singles, without: Singles, luma: Plane, drawn: Drawn, wishes: Mapping[int, float]) -> Singles:
    """Return how much of what wishes change is kept, (h, w): 0 none of it, 1 as the net says, more where it wavers.

    Args:
        told: (2, h, w) Lab a*, b* of the net that was told all hints.
        without: of the net that was told all but the wishes.
        luma: (h, w) 0..1, of the same grid.
        drawn: all hints on that grid.
        wishes: how much of a wish those are that are one, by number.

    Cost: 3 ms a wish for 256 x 341 cells, 80 ms at most.
    """
    change = told - without
    size = np.hypot(*change)
    kept, claims = np.zeros(luma.shape, dtype=np.float32), np.zeros(luma.shape, dtype=np.float32)
    for cells in _claims(drawn, wishes):
        asked = (drawn.ab[:, cells] - without[:, cells]).mean(axis=1)
        followed = np.tensordot(asked, change, 1) / max(float(asked @ asked), 1.0)
        apart = _tone_apart(luma, cells)
        alike = _falling(apart, LIKE_LUMA, UNLIKE_LUMA) * _alike_in_color(without, cells)
        strange = 1 - _falling(apart, UNLIKE_LUMA, STRANGE_LUMA)
        start = OTHERS_FROM + (ALIKE_FROM - OTHERS_FROM) * alike + (STRANGE_FROM - OTHERS_FROM) * strange
        whole = OTHERS_WHOLE + (ALIKE_WHOLE - OTHERS_WHOLE) * alike + (STRANGE_WHOLE - OTHERS_WHOLE) * strange
        claimed = np.clip((followed - start) / (whole - start), 0, 1)
        # How far the change goes the wish's way: of what goes aside of it by 60 degrees and more, less is its own.
        way = np.clip(followed * np.linalg.norm(asked) / np.maximum(size, 1.0), 0, 1)
        share = np.minimum(claimed / np.maximum(followed, ALIKE_FROM), MOST_STRENGTHENED) * np.minimum(2 * way, 1)
        wishful = np.mean([wishes[number] for number in np.unique(drawn.number[cells]).tolist()])
        weight = (claimed * way) ** 2 + UNCLAIMED
        kept += weight * (1 + np.float32(wishful) * (share - 1))
        claims += weight
    return np.asarray(kept / claims, dtype=np.float32)


def _claims(drawn: Drawn, wishes: Collection[int]) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield the cells of each wish, a painted one's by colour."""
    known = np.isin(drawn.number, list(wishes))
    colors = np.rint(drawn.ab[:, known] / COLOR_STEP_AB).astype(np.int64)
    keys = np.stack([drawn.number[known], *colors])
    _, claim = np.unique(keys, axis=1, return_inverse=True)
    if claim.max(initial=0) >= MOST_CLAIMS:
        _, claim = np.unique(keys[1:], axis=1, return_inverse=True)
    claim = claim.reshape(-1)
    for one in np.argsort(-np.bincount(claim), kind="stable")[:MOST_CLAIMS]:
        cells = np.zeros(known.shape, dtype=np.bool_)
        cells[known] = claim == one
        yield cells


def _tone_apart(luma: Plane, cells: npt.NDArray[np.bool_]) -> Singles:
    """Return by how much places are lighter or darker than most of the cells are: (h, w), 0 among these."""
    low, high = np.percentile(luma[cells], (10, 90))
    return np.asarray(np.maximum(np.maximum(low - luma, luma - high), 0), dtype=np.float32)


def _alike_in_color(ab: Singles, cells: npt.NDArray[np.bool_]) -> Singles:
    """Return 1 where colours are about the cells' median, falling to 0 far from it: (2, h, w) -> (h, w)."""
    middle = np.median(ab[:, cells], axis=1)
    return _falling(np.hypot(*(ab - middle[:, None, None])), LIKE_AB, UNLIKE_AB)


def _falling(apart: npt.NDArray[np.floating], like: float, unlike: float) -> Singles:
    return np.asarray(np.clip((unlike - apart) / (unlike - like), 0, 1), dtype=np.float32)
