"""Put kinds of degradation together: a preset, a seed, and a picture becomes an old one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.degradation.fields import Picture, Plane, luma_of
from photochrom.degradation.kinds import KINDS, Kind
from photochrom.degradation.presets import Preset, load_preset

# A pixel counts as hidden when so much of it is covered, and damage that changed it by less than this is not seen.
HIDDEN, SEEN = 0.25, 0.04
# Short side at which fine structures are drawn one scan pixel wide; larger pictures get larger ones.
REFERENCE_PX = 900


@dataclass(frozen=True)
class Degraded:
    """What became of a picture.

    ``picture`` (H, W, 3) float32, sRGB 0..1; ``mask`` (H, W) bool, where damage hides it; ``steps``: the kinds that
    happened, in their order, each with its strength.
    """

    picture: Picture
    mask: npt.NDArray[np.bool_]
    steps: tuple[tuple[str, float], ...]


def degrade(
    picture: npt.NDArray[Any], preset: Preset | str, seed: int | np.random.Generator = 0, *, px: float | None = None
) -> Degraded:
    """Return the picture as time, hands and scanners would have left it.

    Args:
        picture: (H, W), (H, W, 1) or (H, W, 3); sRGB codes of 8 or 16 bit, or floats 0..1.
        preset: a preset, its name, or the path of a TOML file with one.
        seed: fixes everything: the same seed, preset and picture give the same result on every computer.
        px: size in pixels of the finest structures; left out, it grows with pictures whose short side is over 900 px.

    Raises:
        OptionError: no such preset.
        ValueError: the picture has another shape or type.

    Cost: 2 to 6 ms for 128 x 128 pixels with the training presets; 1.2 s a step and 1.2 GB at 12 megapixels.
    """
    preset = load_preset(preset) if isinstance(preset, str) else preset
    rng = np.random.default_rng(seed)
    worn = as_picture(picture)
    if preset.grey and rng.random() < preset.grey:
        worn = as_picture(luma_of(worn))
    if px is None:
        px = max(1.0, min(worn.shape[1:]) / REFERENCE_PX)
    px *= rng.uniform(*preset.px)
    mask = np.zeros(worn.shape[1:], dtype=bool)
    steps = [] if preset.untouched and rng.random() < preset.untouched else draw_steps(preset, rng)
    for kind, strength in steps:
        worn, hidden = apply_kind(kind, worn, rng, strength, px)
        if hidden is not None:
            mask |= hidden
    return Degraded(np.moveaxis(worn, 0, -1), mask, tuple((kind.name, s) for kind, s in steps))


def draw_steps(preset: Preset, rng: np.random.Generator) -> list[tuple[Kind, float]]:
    """Return the kinds that happen this time with their strengths, in the order they happen in."""
    drawn = []
    for name, dose in preset.kinds.items():
        # Always the same number of draws, so that a kind's chance does not change what else happens.
        chance, strength, delay = rng.random(), rng.uniform(*dose.strength), rng.random()
        if chance < dose.chance:
            drawn.append((KINDS[name].stage + preset.disorder * delay, KINDS[name], strength))
    return [(kind, strength) for _, kind, strength in sorted(drawn, key=lambda step: step[0])]


def apply_kind(
    kind: Kind, picture: Picture, rng: np.random.Generator, strength: float, px: float
) -> tuple[Picture, npt.NDArray[np.bool_] | None]:
    """Return the picture after one kind, clipped to 0..1, and where it is hidden (None: the kind hides nothing)."""
    if not kind.covers:
        return np.clip(kind.apply(picture, rng, strength, px), 0, 1), None
    damaged, cover = kind.apply(picture, rng, strength, px)
    np.clip(damaged, 0, 1, out=damaged)
    return damaged, where_hidden(picture, damaged, cover)


def where_hidden(before: Picture, after: Picture, cover: Plane) -> npt.NDArray[np.bool_]:
    """Return where damage hides the picture and can be seen: a white scratch on a white sky cannot."""
    hidden = cover > HIDDEN
    if not hidden.any():
        return hidden
    red, green, blue = np.abs(after - before)
    return np.asarray(hidden & (np.maximum(np.maximum(red, green), blue) > SEEN), dtype=bool)


def as_picture(picture: npt.NDArray[Any]) -> Picture:
    """Return (3, H, W) float32, 0..1, of a grey or RGB picture in codes or floats; always a copy."""
    if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (1, 3)):
        raise ValueError(f"a picture is (H, W), (H, W, 1) or (H, W, 3), not {picture.shape}")
    planes = np.moveaxis(np.atleast_3d(picture), -1, 0)
    is_codes = picture.dtype in (np.uint8, np.uint16)
    if not is_codes and not np.issubdtype(picture.dtype, np.floating):
        raise ValueError(f"a picture is of uint8, uint16 or floats 0..1, not {picture.dtype}")
    scale = np.float32(1 / np.iinfo(picture.dtype).max if is_codes else 1)
    three = np.broadcast_to(planes, (3, *planes.shape[1:]))
    return np.asarray(np.multiply(three, scale, dtype=np.float32), dtype=np.float32, order="C")
