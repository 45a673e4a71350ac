"""The tone stage: curves and smooth fields of gain and offset, predicted from a small copy, applied at full depth.

By default only the luma is corrected and each pixel keeps its chroma: sepia stays sepia, and a colour photograph keeps
its colours. Where a cast is to be corrected, or a toned print to become neutral, the three channels have corrections of
their own.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from PIL import Image

from photochrom.border import Box
from photochrom.color import chroma, luma, merge_luma_chroma, quantize_keeping_luma
from photochrom.computer.room import let_go
from photochrom.engines.base import FloatArray
from photochrom.engines.restoration import CURVE_KNOTS, FIELD_CELLS, TONE_SIDE_PX, StageEngine
from photochrom.errors import ModelError
from photochrom.luma import Codes, luma_strip, strips
from photochrom.options import RestoreOptions
from photochrom.restoration.decisions import StageDecision, is_wanted
from photochrom.restoration.planes import codes_from_planes, rgb_planes
from photochrom.restoration.toning import Coloring

# Percentiles that count as the photograph's black and white.
BLACK_PERCENTILE, WHITE_PERCENTILE = 1.0, 99.0
# Share of the tone range between them below which a photograph counts as faded.
FADED_RANGE = 0.55
# Below this there is nothing but paper: stretching it would show its grain.
BLANK_RANGE = 0.06
# Root mean square change, of 1, below which the model itself sees nothing to correct, and from which on it is believed
# whatever the range. Pictures in colour are seldom old, and fog and dusk not faded: there it takes more. These rules
# correct 2 % of 229 held-out clean photographs, and 56 % of 50 faded ones, by 4.8 dB each (docs/restoration.md).
SMALLEST_CHANGE, LARGE_CHANGE, LARGE_CHANGE_IN_COLOUR = 0.02, 0.06, 0.09


@dataclass(frozen=True, slots=True)
class ToneCorrection:
    """What the model proposes for one photograph: ``curve(clip(x * gain + offset, 0, 1))`` for each channel.

    Attributes:
        curves: (C, 33) tone out at equally spaced tones in, 0..1; C is 1 (luma) or 3 (red, green, blue).
        gain: (C, 16, 16), a grid over the whole picture, bilinear between the centres of its cells.
        offset: likewise.
        strength: 0 leaves the picture as it is, 1 takes all of the correction.
        box: the part of the picture that the grid lies over, beyond which its outermost values go on; None: all of it.
    """

    curves: FloatArray
    gain: FloatArray
    offset: FloatArray
    strength: float = 1.0
    box: Box | None = None

    def rows(self, values: FloatArray, top: int, height: int) -> FloatArray:
        """Return corrected rows, those from ``top`` on of a picture ``height`` high.

        Shapes: (C, n, width) -> same. Range: 0..1. Rows come out the same however a picture is cut into strips.
        """
        _, count, width = values.shape
        fields, box = np.concatenate([self.gain, self.offset]), self.box or Box(0, height, 0, width)
        lying = _enlarged(_interpolated_rows(fields, top - box.top, count, box.height), box.width)
        full = np.pad(lying, ((0, 0), (0, 0), (box.left, width - box.right)), mode="edge")
        channels = len(self.gain)
        moved = np.clip(values * full[:channels] + full[channels:], 0, 1)
        knots = np.linspace(0, 1, self.curves.shape[1])
        out = np.stack([np.interp(moved[k], knots, self.curves[k]) for k in range(channels)]).astype(np.float32)
        return np.asarray(values + np.float32(self.strength) * (out - values))


def squash(pixels: Codes, side: int = TONE_SIDE_PX) -> FloatArray:
    """Return the whole picture at ``side`` squared by area averaging, (3, side, side) in 0..1.

    Memory: rows are averaged strip by strip first; of full height and ``side`` wide is the largest copy.
    """
    height, width = pixels.shape[:2]
    parts = []
    for top, bottom in strips(width, height):
        parts.append(_box(np.ascontiguousarray(rgb_planes(pixels[top:bottom])), side, bottom - top))
        let_go(pixels)
    narrow = np.concatenate(parts, axis=1)
    return np.clip(_box(narrow, side, side), 0, 1)


def predict(small_rgb: FloatArray, engine: StageEngine, *, per_channel: bool, strength: float = 1.0) -> ToneCorrection:
    """Return the model's correction: of each channel, or one of the luma.

    Raises:
        ModelError: the model gave arrays of another shape than its contract says.
    """
    if not per_channel:
        grey = luma(np.moveaxis(small_rgb, 0, -1)).astype(np.float32)
        small_rgb = np.broadcast_to(grey, small_rgb.shape)
    found = engine.run(np.ascontiguousarray(small_rgb[None]))
    curves, gain, offset = (found[name][0] for name in ("curves", "gain", "offset"))
    if curves.shape != (3, CURVE_KNOTS) or gain.shape != (3, FIELD_CELLS, FIELD_CELLS) or offset.shape != gain.shape:
        raise ModelError("the model gave arrays of another shape than it promised", where=engine.spec.name)
    if not per_channel:  # for a grey picture the three are nearly the same
        curves, gain, offset = (part.mean(axis=0, keepdims=True) for part in (curves, gain, offset))
    return ToneCorrection(np.clip(curves, 0, 1), gain, offset, strength)


def decide(
    small_rgb: FloatArray, correction: ToneCorrection, options: RestoreOptions, coloring: Coloring
) -> StageDecision:
    """Return whether the tones need correction: by the photograph's own range and the model's answer together."""
    grey = luma(np.moveaxis(small_rgb, 0, -1)).astype(np.float32)
    black, white = np.percentile(grey, [BLACK_PERCENTILE, WHITE_PERCENTILE])
    spread = float(white - black)
    before = small_rgb if len(correction.gain) == 3 else grey[None]
    full = replace(correction, strength=1.0)  # whether it is needed does not depend on how much of it is wanted
    change = float(np.sqrt(((full.rows(before, 0, len(grey)) - before) ** 2).mean()))
    if spread < BLANK_RANGE and options.tone != "never":
        note = f"tone: left alone, a blank picture ({spread:.0%} of the tone range)"
        return StageDecision("tone", options.tone, False, spread, FADED_RANGE, note)
    large = LARGE_CHANGE_IN_COLOUR if coloring == "colour" else LARGE_CHANGE
    faded = (spread < FADED_RANGE and change >= SMALLEST_CHANGE) or change >= large
    applied = correction.strength > 0 and is_wanted(options.tone, needed=faded)
    what = f"{spread:.0%} of the tone range used, {FADED_RANGE:.0%} is the limit"
    if not applied:
        what += f"; the model would change {change * 255:.0f} of 255, {large * 255:.0f} is the limit"
    kept = "" if len(correction.gain) == 3 or coloring == "grey" else ", colours kept"
    verb = f"corrected by {change * correction.strength * 255:.0f} of 255{kept}" if applied else "left alone"
    verb += "" if correction.strength else " at a strength of 0"
    return StageDecision("tone", options.tone, applied, spread, FADED_RANGE, f"tone: {verb} ({what})")


def apply(pixels: Codes, correction: ToneCorrection, threads: int) -> None:
    """Correct a picture in place, strip by strip."""
    height, width = pixels.shape[:2]

    def correct(strip: tuple[int, int]) -> None:
        top, bottom = strip
        pixels[top:bottom] = _corrected(pixels[top:bottom], correction, top, height)
        let_go(pixels)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(correct, strips(width, height)):  # the loop raises what a thread raised
            pass


def _corrected(codes: Codes, correction: ToneCorrection, top: int, height: int) -> Codes:
    max_code = int(np.iinfo(codes.dtype).max)
    if len(correction.gain) == 3:
        out = correction.rows(np.ascontiguousarray(rgb_planes(codes)), top, height)
        return codes_from_planes(out, codes)
    before = luma_strip(codes, 0, len(codes))
    after = np.clip(correction.rows(before[None], top, height)[0], 0, 1)
    if codes.shape[-1] == 1:
        return codes_from_planes(after[None], codes)
    rgb = codes.astype(np.float32) / np.float32(max_code)
    merged = quantize_keeping_luma(merge_luma_chroma(after, chroma(rgb)), after, max_code)
    return cast("Codes", merged.astype(codes.dtype))


def _box(planes: FloatArray, width: int, height: int) -> FloatArray:
    resized = [Image.fromarray(plane).resize((width, height), Image.Resampling.BOX) for plane in planes]
    return np.stack([np.asarray(plane, np.float32) for plane in resized])


def _interpolated_rows(fields: FloatArray, top: int, count: int, height: int) -> FloatArray:
    """Return (F, count, 16): the fields at the centres of some rows of the picture, linear between cells' centres."""
    cells = fields.shape[1]
    position = np.clip((np.arange(top, top + count) + 0.5) * (cells / height) - 0.5, 0, cells - 1)
    above = np.floor(position).astype(np.intp)
    below = np.minimum(above + 1, cells - 1)
    weight = (position - above).astype(np.float32)[:, None]
    return np.asarray(fields[:, above] + weight * (fields[:, below] - fields[:, above]))


def _enlarged(rows: FloatArray, width: int) -> FloatArray:
    """Return (F, n, 16) at the picture's width."""
    fields, count, cells = rows.shape
    stacked = Image.fromarray(np.ascontiguousarray(rows.reshape(fields * count, cells)))
    wide = stacked.resize((width, fields * count), Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32).reshape(fields, count, width)
