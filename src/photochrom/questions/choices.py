"""Likely colours of a region, from the net's distribution, as a person can choose between them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import ImageColor

from photochrom.color import chroma_from_ab, ciede2000, lab_from_srgb, merge_luma_chroma
from photochrom.hints.words import hex_of

LETTERS = "abcd"
MOST_CHOICES, FEWEST_CHOICES = len(LETTERS), 2
# Lab units: two choices differ by this much, and a choice speaks for the colours about this near.
APART_AB, KERNEL_AB = 16.0, 8.0
# Of the likeliest choice's likelihood, from which on another is worth naming.
LEAST_LIKELIHOOD = 0.12


@dataclass(frozen=True, slots=True)
class Choice:
    """A colour that a region may have.

    Attributes:
        letter: "a" for the likeliest.
        color: as it would look there, #rrggbb.
        name: the CSS colour that looks most like it.
        ab: Lab a*, b*.
        share: how likely the net holds it, 0..1, among the choices.
    """

    letter: str
    color: str
    name: str
    ab: tuple[float, float]
    share: float


def likely_choices(
    shares: npt.NDArray[np.floating], bins_ab: npt.NDArray[np.floating], luma: float
) -> tuple[Choice, ...]:
    """Return two to four clearly different colours, the likeliest first.

    Args:
        shares: (K,) the region's distribution, sum 1.
        bins_ab: (K, 2) Lab a*, b* of its classes.
        luma: of the region, 0..1.
    """
    squared = ((bins_ab[:, None] - bins_ab[None]) ** 2).sum(axis=-1)
    density = np.exp(-squared / (2 * KERNEL_AB**2)) @ shares
    order, taken = np.argsort(-density, kind="stable"), list[int]()
    for best in order:
        enough = len(taken) >= FEWEST_CHOICES and density[best] < LEAST_LIKELIHOOD * density[order[0]]
        if len(taken) == MOST_CHOICES or enough:
            break
        if all(squared[best, other] >= APART_AB**2 for other in taken):
            taken.append(int(best))
    nearest = squared[:, taken].argmin(axis=1)
    mass = np.bincount(nearest, shares, len(taken))
    mass = mass / mass.sum()
    ranked = sorted(range(len(taken)), key=lambda at: -mass[at])
    return tuple(
        _choice(letter, bins_ab[taken[at]], float(mass[at]), luma) for letter, at in zip(LETTERS, ranked, strict=False)
    )


def _choice(letter: str, ab: npt.NDArray[np.floating], share: float, luma: float) -> Choice:
    tone = np.array([luma])
    rgb = merge_luma_chroma(tone, chroma_from_ab(tone, ab[None].astype(np.float64)))[0]
    names, labs = _named()
    nearest = int(ciede2000(np.broadcast_to(lab_from_srgb(rgb), labs.shape), labs).argmin())
    return Choice(
        letter, hex_of(rgb), names[nearest], (round(float(ab[0]), 1), round(float(ab[1]), 1)), round(share, 3)
    )


@functools.cache
def _named() -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the CSS colour words and their Lab colours."""
    names = sorted(name for name in ImageColor.colormap if "grey" not in name)
    return names, np.asarray(lab_from_srgb(np.array([ImageColor.getrgb(name)[:3] for name in names]) / 255), np.float64)
