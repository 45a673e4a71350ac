"""Colours as people write them, as Lab a*, b*."""

from __future__ import annotations

import re

import numpy as np
from PIL import ImageColor

from photochrom.color import lab_from_srgb
from photochrom.spelling import did_you_mean

LARGEST_AB = 128.0
KNOWN_FORMS = "Use a CSS colour word, #rrggbb, rgb(r, g, b), hsl(...), or two numbers a*, b*"
# rgb(1 2 3) and rgb(1 2 3 / 50%): CSS Color 4 separates by spaces, Pillow by commas alone.
SPACED = re.compile(r"^(rgb|hsl)a?\(([^,]+)\)$")


class UnknownColorError(ValueError):
    """A word is no colour; the text says which was meant."""


def ab_of(color: str | tuple[float, float]) -> tuple[float, float]:
    """Return Lab a*, b* of a colour: any CSS colour word, hex, rgb() or hsl(), or a pair that is a*, b* already.

    Raises:
        UnknownColorError: it is none of these, or out of range.
    """
    if not isinstance(color, str):
        if not all(np.isfinite(value) and abs(value) <= LARGEST_AB for value in color):
            raise UnknownColorError(f"a*, b* are numbers of at most {LARGEST_AB:.0f}, not {list(color)}")
        return float(color[0]), float(color[1])
    try:
        red, green, blue = ImageColor.getrgb(_with_commas(color.strip().lower()))[:3]
    except ValueError:
        raise UnknownColorError(f"no colour is called {color[:40]!r}. {_meant(color)}") from None
    if not 0 <= min(red, green, blue) <= max(red, green, blue) <= 255:  # hsl() of more than 100 %
        raise UnknownColorError(f"{color[:40]!r} goes beyond 255. {KNOWN_FORMS}")
    lab = lab_from_srgb(np.array([red, green, blue], dtype=np.float64) / 255)
    return round(float(lab[1]), 2), round(float(lab[2]), 2)


def hex_of(rgb: np.ndarray[tuple[int], np.dtype[np.floating]]) -> str:
    """Return #rrggbb of sRGB in 0..1."""
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in np.clip(rgb, 0, 1))


def _with_commas(text: str) -> str:
    spaced = SPACED.match(text)
    return f"{spaced[1]}({','.join(spaced[2].split('/')[0].split())})" if spaced else text


def _meant(word: str) -> str:
    meant = did_you_mean(word.strip().lower()[:40], ImageColor.colormap)
    return meant if meant.startswith("Did") else KNOWN_FORMS
