"""Y'CbCr as film has it: which matrix, which range of codes, and chroma that a player can show.

Luma and chroma are floats here, luma 0..1 and chroma -0.5..0.5, and codes where they leave. Film knows several matrices
and two ranges of codes; a photograph's BT.601 in full range (``color``) is one of them.

Sources: ITU-R BT.601-7, BT.709-6, BT.2020-2 (weights and limited range); ITU-T H.273, tables 2 to 4 (tags).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom.color import lab_from_srgb, lightness_from_luma, srgb_from_lab

Plane = npt.NDArray[np.float32]
# H.273 matrix coefficients: tag -> (weight of red, weight of blue).
WEIGHTS = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.470 BG
    6: (0.299, 0.114),  # BT.601
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020, non-constant luminance
}
NAMES = {1: "BT.709", 4: "FCC", 5: "BT.601", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020"}
UNSPECIFIED = 2
BT709, BT601, BT2020 = 1, 6, 9
# Players take an untagged film for high definition from this size on.
HIGH_DEFINITION_WIDTH, HIGH_DEFINITION_HEIGHT = 1280, 577


def guess_matrix(width: int, height: int) -> int:
    """Return the tag that players assume where a film has none: BT.709 from 1280 wide or 577 high on, else BT.601."""
    return BT709 if width >= HIGH_DEFINITION_WIDTH or height >= HIGH_DEFINITION_HEIGHT else BT601


@dataclass(frozen=True, slots=True)
class Matrix:
    """Weights of red and blue in luma; chroma is the difference to blue and red, scaled to -0.5..0.5."""

    red: float
    blue: float

    @classmethod
    def of_tag(cls, tag: int) -> Matrix:
        """Return the matrix of an H.273 tag; raise KeyError for one that is not Y'CbCr with constant weights."""
        return cls(*WEIGHTS[tag])

    @property
    def green(self) -> float:
        """Weight of green."""
        return 1 - self.red - self.blue

    def offsets(self, chroma: Plane) -> tuple[Plane, Plane, Plane]:
        """Return how far red, green and blue lie from luma. Shapes: (..., 2) -> three of (...)."""
        cb, cr = chroma[..., 0], chroma[..., 1]
        red, blue = cr * np.float32(2 * (1 - self.red)), cb * np.float32(2 * (1 - self.blue))
        green = red * np.float32(-self.red / self.green) + blue * np.float32(-self.blue / self.green)
        return red, green, blue

    def luma(self, rgb: Plane) -> Plane:
        """Return the luma of gamma-encoded RGB. Shapes: (..., 3) -> (...)."""
        return np.asarray(rgb @ np.array([self.red, self.green, self.blue], dtype=np.float32))

    def chroma(self, rgb: Plane) -> Plane:
        """Return (Cb, Cr) of gamma-encoded RGB. Shapes: (..., 3) -> (..., 2)."""
        luma = self.luma(rgb)
        cb, cr = (rgb[..., 2] - luma) / (2 * (1 - self.blue)), (rgb[..., 0] - luma) / (2 * (1 - self.red))
        return np.stack([cb, cr], axis=-1).astype(np.float32)

    def rgb(self, luma: Plane, chroma: Plane) -> Plane:
        """Return gamma-encoded RGB, not clipped. Shapes: (...) and (..., 2) -> (..., 3)."""
        return np.stack([luma + offset for offset in self.offsets(chroma)], axis=-1)

    def chroma_from_ab(self, luma: Plane, ab: Plane, refinements: int = 3) -> Plane:
        """Return (Cb, Cr) of the colour of this luma with these Lab a*, b*, brought into the gamut.

        Shapes: (...) and (..., 2) -> (..., 2). As ``color.chroma_from_ab``, for any matrix: lightness is corrected
        until the luma agrees.
        """
        target = np.asarray(lightness_from_luma(luma), np.float32)
        lightness = target
        for _ in range(refinements):
            rgb = srgb_from_lab(np.concatenate([lightness[..., None], ab], axis=-1))
            reached = lightness_from_luma(np.clip(self.luma(rgb), 0, 1))
            lightness = np.clip(lightness + (target - reached), 0, 100).astype(np.float32)
        chroma = self.chroma(srgb_from_lab(np.concatenate([lightness[..., None], ab], axis=-1)).astype(np.float32))
        return chroma * self.headroom(chroma, luma, luma)[..., None]

    def ab_from_chroma(self, luma: Plane, chroma: Plane) -> Plane:
        """Return the Lab a*, b* of colours of this luma. Shapes: (...) and (..., 2) -> (..., 2)."""
        rgb = np.clip(self.rgb(luma, chroma), 0, 1)
        return np.asarray(lab_from_srgb(rgb)[..., 1:], np.float32)

    def headroom(self, chroma: Plane, darkest: Plane, brightest: Plane) -> Plane:
        """Return the largest factor in 0..1 that keeps RGB in 0..1 for every luma between the two given.

        Shapes: (..., 2), (...), (...) -> (...). A channel leaves the gamut upwards where the brightest luma plus its
        offset exceeds 1, downwards where the darkest plus it falls below 0: offsets are linear in chroma, so the limit
        is the smallest of the quotients, in closed form. Luma beyond 0..1, as cameras' highlights have it, counts as
        its end.
        """
        red, green, blue = self.offsets(chroma)
        highest = np.maximum(np.maximum(red, green), blue)
        lowest = np.minimum(np.minimum(red, green), blue)
        tiny = np.float32(1e-9)
        upwards = np.clip(1 - brightest, 0, 1) / np.maximum(highest, tiny)
        downwards = np.clip(darkest, 0, 1) / np.maximum(-lowest, tiny)
        return np.asarray(np.minimum(np.minimum(upwards, downwards), 1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Codes:
    """How floats become the integers of a plane: its depth, and limited ("tv") or full ("pc") range."""

    bits: int
    full: bool = False

    @property
    def black(self) -> int:
        """Code of black luma."""
        return 0 if self.full else 16 << (self.bits - 8)

    @property
    def span(self) -> int:
        """Codes from black to white."""
        return (1 << self.bits) - 1 if self.full else 219 << (self.bits - 8)

    @property
    def chroma_span(self) -> int:
        """Codes from chroma -0.5 to 0.5."""
        return (1 << self.bits) - 1 if self.full else 224 << (self.bits - 8)

    @property
    def neutral(self) -> int:
        """Code of no colour."""
        return 1 << (self.bits - 1)

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """The integers that hold such a code."""
        return np.uint8 if self.bits == 8 else np.uint16

    def luma(self, codes: npt.NDArray[np.generic]) -> Plane:
        """Return luma codes as floats; beyond 0..1 where codes lie beyond black and white."""
        plane = codes.astype(np.float32)
        plane -= np.float32(self.black)
        plane /= np.float32(self.span)
        return plane

    def luma_codes(self, plane: Plane) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """Return floats as luma codes, rounded; those beyond black and white are kept as far as there are codes."""
        out = plane * np.float32(self.span)
        out += np.float32(self.black)
        np.clip(np.rint(out, out=out), 0, (1 << self.bits) - 1, out=out)
        return out.astype(np.uint8) if self.bits == 8 else out.astype(np.uint16)

    def chroma(self, codes: npt.NDArray[np.generic]) -> Plane:
        """Return chroma codes as floats."""
        return (codes.astype(np.float32) - np.float32(self.neutral)) / np.float32(self.chroma_span)
