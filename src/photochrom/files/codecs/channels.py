"""What the channels of a file mean: its picture's own, transparency, infrared, and what is none of these.

A film scanner's infrared channel shows dust and scratches as shadows, for the dyes of colour film let infrared through.
Files seldom mark it, so it is also known by how it looks: one bright tone, unlike the picture, with a few dark spots.

Sources: TIFF 6.0, sections 18 (ExtraSamples) and 23 (CIE L*a*b*); Adobe's TIFF technical note on ICC L*a*b*; Adobe
Photoshop file formats, image resources 1006 (names of alpha channels); RFC 3949 (ITULAB).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

ASSOCIATED, UNASSOCIATED = 1, 2
ALPHA_NAMES = 1006
SAMPLED_A_SIDE = 512
# Of an infrared channel: at least this bright, half of it within this share of its middle tone, and so much of it dark.
LEAST_BRIGHT, NARROW, SHADOW, MOST_SHADOW = 0.2, 0.2, 0.75, 0.2
# More of a selection or of transparency than this is wholly in or wholly out.
MOSTLY_FULL = 0.5
# Silver blocks infrared: that of a black-and-white film looks like its picture, and says nothing of dust.
LIKE_PICTURE = 0.7

Samples = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Channels:
    """Which channel is what.

    Attributes:
        colors: how many belong to the picture; they come first.
        alpha: index of transparency.
        infrared: index of a channel that is marked as infrared.
        unknown: indices of channels of no stated meaning.
    """

    colors: int
    alpha: int | None = None
    infrared: int | None = None
    unknown: tuple[int, ...] = ()

    @classmethod
    def of_extra_samples(cls, colors: int, count: int, kinds: Sequence[int], names: Sequence[str]) -> Channels:
        """Return what the channels of a TIFF page mean.

        Args:
            colors: how many belong to the picture.
            count: how many there are.
            kinds: the values of ExtraSamples; where they are too few, the rest mean nothing.
            names: what the file calls its further channels.
        """
        further = range(colors, count)
        kind_of = dict(zip(further, [*kinds, *[0] * count], strict=False))
        name_of = dict(zip(further, [*names, *[""] * count], strict=False))
        alpha = next((k for k in further if kind_of[k] in (ASSOCIATED, UNASSOCIATED)), None)
        infrared = next((k for k in further if k != alpha and is_called_infrared(name_of[k])), None)
        unknown = tuple(k for k in further if k not in (alpha, infrared))
        return cls(colors, alpha, infrared, unknown)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.colors + len(self.unknown) + (self.alpha is not None) + (self.infrared is not None)

    @classmethod
    def usual(cls, image: Any) -> Channels:
        """Return what the bands of a libvips image mean where nothing else is known."""
        colors = 1 if image.bands < 3 else 4 if image.interpretation == "cmyk" else 3
        if image.bands == colors:
            return cls(colors)
        return cls(colors, alpha=colors, unknown=tuple(range(colors + 1, image.bands)))


def names_in_resources(data: bytes) -> list[str]:
    """Return the names of the further channels from Photoshop's image resources."""
    at = 0
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        identity = int.from_bytes(data[at + 4 : at + 6], "big")
        size_at = at + 6 + (data[at + 6] + 2) // 2 * 2
        size = int.from_bytes(data[size_at : size_at + 4], "big")
        if identity == ALPHA_NAMES:
            return _pascal_strings(data[size_at + 4 : size_at + 4 + size])
        at = size_at + 4 + (size + 1) // 2 * 2
    return []


def _pascal_strings(data: bytes) -> list[str]:
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 1 : at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return found


def is_called_infrared(text: str) -> bool:
    """Return whether a name says infrared."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()
    return any(word.startswith("infrared") or word in ("ir", "rgbi", "rgbir", "hdri", "ice") for word in words)


def looks_infrared(pixels: Samples, channel: Samples) -> bool:
    """Return whether a channel clearly is the infrared of a colour film: (H, W, 1 or 3), (H, W)."""
    step = max(1, min(channel.shape) // SAMPLED_A_SIDE)
    white = np.iinfo(channel.dtype).max
    values = channel[::step, ::step].astype(np.float32) / white
    if np.mean((values == 0) | (values == 1)) > MOSTLY_FULL:
        return False
    low, typical, high = np.percentile(values, (25, 50, 75))
    shadow = float(np.mean(values < SHADOW * typical))
    if typical < LEAST_BRIGHT or high - low > NARROW * typical or not 0 < shadow < MOST_SHADOW:
        return False
    if np.mean(values > typical / SHADOW) > shadow:  # light spots are not shadows
        return False
    lit = values >= SHADOW * typical
    gray = pixels[::step, ::step].astype(np.float32).mean(axis=2)
    return abs(_correlation(values[lit], gray[lit])) < LIKE_PICTURE


def _correlation(one: Samples, other: Samples) -> float:
    spread = float(one.std() * other.std())
    return float(((one - one.mean()) * (other - other.mean())).mean()) / spread if spread > 1e-9 else 0.0
