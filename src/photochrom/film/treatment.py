"""The photographs' networks in film: tones and noise, decided once a shot, and the same for all of its frames.

A network asked anew for each frame would flicker. Here the tone network looks at frames spread over the beginning of a
shot, and the mean of what it says of them, weighed by how much of the tone range each uses, corrects the whole shot:
one curve, one field, so that nothing can breathe and a fade stays one. Bars around the picture are none of it: their
black would hide that it is faded. What is taken off as noise is what the frames' own averaging along the motion has
left, and whether that is needed is decided once a shot, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from photochrom.border import Box, inside
from photochrom.computer.cores import usable_cores
from photochrom.engines.restoration import TONE_SIDE_PX
from photochrom.film.matrices import Codes, Plane
from photochrom.film.options import FilmOptions
from photochrom.film.painting import in_order
from photochrom.film.planes import Pixels
from photochrom.options import EngineOptions, RestoreOptions
from photochrom.restoration import noise, tone
from photochrom.restoration.tone import BLANK_RANGE, ToneCorrection
from photochrom.restorer import Restorer

# Frames of a shot's beginning that the tone network looks at.
LOOKS = 8
# Rows whose tones are corrected at once: that takes twenty times the room of what comes out.
ROWS = 128
FULL = np.float32(65535)
FIELDS = ("curves", "gain", "offset")


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was decided for a shot.

    Attributes:
        correction: of its tones; None: left alone.
        denoise: whether the noise network runs on each frame.
    """

    correction: ToneCorrection | None = None
    denoise: bool = False

    def arrays(self) -> dict[str, Any]:
        """Return it as arrays, to be written down."""
        found: dict[str, Any] = {"treatment_denoise": np.array(self.denoise)}
        if self.correction and self.correction.box:
            box = self.correction.box
            found["treatment_box"] = np.array([box.top, box.bottom, box.left, box.right])
        return found | {f"treatment_{name}": getattr(self.correction, name) for name in FIELDS if self.correction}

    @classmethod
    def of(cls, arrays: Any) -> Treatment | None:
        """Return what `arrays` gave; None where nothing was decided."""
        if "treatment_denoise" not in arrays:
            return None
        toned = "treatment_curves" in arrays
        denoise = bool(arrays["treatment_denoise"])
        if not toned:
            return cls(None, denoise)
        curves, gain, offset = (arrays[f"treatment_{name}"] for name in FIELDS)
        box = Box(*arrays["treatment_box"].tolist()) if "treatment_box" in arrays else None
        return cls(ToneCorrection(curves, gain, offset, box=box), denoise)


@dataclass(frozen=True, slots=True)
class Looks:
    """What the tone network is shown of a shot.

    Attributes:
        box: the part of the frame that no bars surround.
        small: frames' share of it, (3, 256, 256) 0..1 each.
    """

    box: Box
    small: list[Plane]


@dataclass(frozen=True, slots=True)
class Stages:
    """The networks, and how they are asked.

    Attributes:
        restorer: holds them.
        codes: depth and range of the film's luma.
    """

    restorer: Restorer
    codes: Codes

    def looks(self, shown: Sequence[Pixels]) -> Looks:
        """Return what the tone network is shown of a shot, given frames from its beginning on, (H, W) codes."""
        chosen = [shown[k] for k in np.unique(np.linspace(0, len(shown) - 1, LOOKS).astype(int))]

        @cache
        def small(box: Box) -> list[Plane]:
            rows, columns = box.window
            return [self._squashed(luma[rows, columns]) for luma in chosen]

        # Bars are where they are in all frames: of the mean, a dark one hides none.
        height, width = chosen[0].shape
        box = inside(height, width, lambda box: np.mean(small(box), axis=0))
        return Looks(box, small(box))

    def decide(self, looks: Looks, restored: Pixels) -> Treatment | None:
        """Return what to do with a shot; None where it shows nothing yet that could be judged.

        Args:
            looks: what the method of that name gave.
            restored: a frame of the shot as the other stages have left it, (H, W) codes, to measure noise in.

        Cost: eight runs of the tone network (10 ms each), and a run of the noise network over a third of a megapixel.
        """
        options = self.restorer.options
        ranges = np.array([float(np.subtract(*np.percentile(look[0], [99, 1]))) for look in looks.small])
        if ranges.max() < BLANK_RANGE:
            return None
        denoise = options.noise != "never" and self._is_noisy(restored[looks.box.window], options)
        return Treatment(self._correction(looks, ranges, options) if options.tone != "never" else None, denoise)

    def treated(self, lumas: Iterable[Pixels], treatment: Treatment) -> Iterator[Pixels]:
        """Yield frames as a shot's treatment leaves them, a few ahead on threads. Shapes: (H, W) codes -> the same.

        Cost: 50 ms a megapixel for tones; for noise two and a half seconds of one core.
        """
        if treatment == Treatment():
            yield from lumas
        else:
            yield from in_order(lambda luma: self._treated(luma, treatment), lumas, usable_cores())

    def _treated(self, luma: Pixels, treatment: Treatment) -> Pixels:
        codes, plane = self.codes, self.codes.luma(luma)
        if treatment.denoise:
            pixels = self._full_range(plane)
            noise.apply(pixels, self.restorer.engines["noise"], self.restorer.options.noise_strength)
            kept = np.clip(plane, 0, 1)
            plane = plane - kept + pixels[..., 0].astype(np.float32) / FULL
        if treatment.correction:
            for top in range(0, len(plane), ROWS):
                rows = slice(top, top + ROWS)
                plane[rows] = treatment.correction.rows(plane[None, rows], top, len(plane))[0]
        return codes.luma_codes(plane)

    def _correction(self, looks: Looks, ranges: np.ndarray[Any, Any], options: RestoreOptions) -> ToneCorrection | None:
        engine = self.restorer.engines["tone"]
        found = [tone.predict(look, engine, per_channel=False) for look in looks.small]
        weights = (ranges * (ranges >= BLANK_RANGE)).astype(np.float32)
        curves, gain, offset = (
            np.average([getattr(one, name) for one in found], axis=0, weights=weights).astype(np.float32)
            for name in FIELDS
        )
        correction = ToneCorrection(curves, gain, offset)
        wanted = [tone.decide(look, correction, options, "grey").applied for look in looks.small]
        return replace(correction, box=looks.box) if float(np.average(wanted, weights=weights)) >= 0.5 else None

    def _is_noisy(self, luma: Pixels, options: RestoreOptions) -> bool:
        pixels = self._full_range(self.codes.luma(luma))
        return noise.decide(pixels, self.restorer.engines["noise"], options).applied

    def _full_range(self, plane: Plane) -> Any:
        return np.rint(np.clip(plane, 0, 1) * FULL).astype(np.uint16)[..., None]

    def _squashed(self, luma: Pixels) -> Plane:
        """Return a frame as the tone network takes it: (3, 256, 256) 0..1."""
        import cv2

        side = (TONE_SIDE_PX, TONE_SIDE_PX)
        small = np.clip(self.codes.luma(cv2.resize(luma, side, interpolation=cv2.INTER_AREA)), 0, 1)
        return np.ascontiguousarray(np.broadcast_to(small, (3, *side)))


def restorer_for(options: FilmOptions, given: Restorer | None, engine_options: EngineOptions | None) -> Restorer | None:
    """Return what holds the networks that a film's options need, or None.

    Raises:
        ModelError: a network cannot be loaded.
    """
    if not options.restore or options.tone == options.noise == "never":
        return None
    chosen = RestoreOptions(damage="never", noise=options.noise, tone=options.tone)
    return Restorer(chosen, engines=given.engines if given else None, engine_options=engine_options)
