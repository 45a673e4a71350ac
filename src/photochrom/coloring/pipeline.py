"""THE MAIN PATH: a photograph goes in, the same photograph in colour comes out.

    luma -> small copy -> tone -> views (and hints) -> net -> mean -> versions -> grading -> hints obeyed -> chroma
         -> upsample and merge in strips

The promise about luma. Let Y' be the input's BT.601 luma, rounded to a code value of its depth. The output has the
same depth, and its luma rounds to the same code value at *every* pixel, for 8 and for 16 bit: colour is added by
moving along the line of equal luma, a colour that the gamut cannot hold at that luma loses chroma and never
lightness, and rounding to integers is done so that the luma error stays under 0.3 of a code value. For 8 bit this
means that ``convert("L")`` of input and output are equal arrays. (A lossy file format may change it afterwards.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import chroma_from_ab, merge_luma_chroma, quantize_keeping_luma
from photochrom.coloring.alternatives import choose_versions
from photochrom.coloring.classic import TRANSPARENCY_LOST, colorize_classic
from photochrom.coloring.grading import grade, split_vividness
from photochrom.coloring.hearing import Answers, hear, refuse_deaf
from photochrom.coloring.obedience import Wishes, follow_hints
from photochrom.coloring.prediction import Prediction, is_rebalanced, predict
from photochrom.coloring.remembered import Remembered
from photochrom.coloring.rendering import RenderPlan, plan_render
from photochrom.computer.cores import usable_cores
from photochrom.computer.room import empty_pixels, let_go
from photochrom.engines.base import Engine, FloatArray, ModelSpec
from photochrom.engines.generator_spec import PX_PER_FACTOR
from photochrom.errors import OptionError
from photochrom.files.companions import ALTERNATIVE_MARK, UNCERTAINTY_MARK, Companion
from photochrom.files.photo import Photo
from photochrom.files.provenance import COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
from photochrom.hints.hint import Hint
from photochrom.luma import LumaCopies, is_blank, luma_strip, strips
from photochrom.options import ColorizeOptions
from photochrom.resample import GuidedUpsampler

if TYPE_CHECKING:
    from photochrom.restoration.pipeline import RestoreResult

PART_CELLS = 1 << 14
"""Cells of the chroma grid that a thread converts at a time."""


@dataclass(frozen=True, slots=True)
class ColorizeResult:
    """A coloured photograph, and what was decided on the way.

    Attributes:
        photo: the photograph in colour.
        model: what the model says of itself.
        options: how it was coloured.
        render_width: of the largest copy that the net saw.
        render_height: likewise.
        notes: what was decided.
        seconds: per step, in order.
        confidence: where ``options.uncertainty`` asks for it, (h, w) float32 in 0..1 on the chroma grid: how sure the
            net is of its colours.
        alternatives: the other versions, where ``options.alternatives`` asks for more than one.
        restoration: what was restored before, where that was asked for.
        kept: whether the photograph was in colour already, and was left as it was.
    """

    photo: Photo
    model: ModelSpec
    options: ColorizeOptions
    render_width: int
    render_height: int
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    confidence: FloatArray | None = None
    alternatives: tuple[ColorizeResult, ...] = ()
    restoration: RestoreResult | None = None
    kept: bool = False

    @property
    def is_skipped(self) -> bool:
        """Whether no result is wanted: it was in colour already, and such are to be skipped."""
        return self.kept and self.options.colored == "skip"

    @property
    def source_type(self) -> str:
        """The IPTC's word for what was done: the colours are a model's; where they were kept, what restoring did."""
        if self.kept:
            return self.restoration.source_type if self.restoration else ""
        return COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA

    @property
    def uncertainty(self) -> Photo | None:
        """The confidence as a grey picture of the photograph's size, white where the net is sure, or None."""
        if self.confidence is None:
            return None
        codes = np.rint(np.clip(self.confidence, 0, 1) * 255).astype(np.uint8)
        size = (self.photo.width, self.photo.height)
        return Photo(np.asarray(Image.fromarray(codes).resize(size, Image.Resampling.BILINEAR))[..., None])

    @property
    def companions(self) -> list[Companion]:
        """What is written beside the result: the confidence, other versions, and of restoring the mask."""
        numbered = {other.options.alternative: other.photo for other in self.alternatives}
        found = [Companion(f"{ALTERNATIVE_MARK}{k}", photo, {"alternative": k}) for k, photo in numbered.items()]
        if self.uncertainty:
            found.append(Companion(UNCERTAINTY_MARK, self.uncertainty, format="png"))
        return [*found, *(self.restoration.companions if self.restoration else [])]


def colorize_photo(
    photo: Photo,
    engine: Engine,
    options: ColorizeOptions,
    *,
    threads: int = 0,
    hints: Sequence[Hint] = (),
    remembered: Remembered | None = None,
) -> ColorizeResult:
    """Return the photograph in colour: same size, depth, alpha and metadata, and its luma untouched.

    Args:
        photo: grey, tinted or coloured; only its luma is used.
        engine: runs the model; may be shared between threads.
        options: how to colour.
        threads: for merging, 0 for all usable cores.
        hints: colours that somebody knows; the net is told, and what it makes of them is held to them.
        remembered: what is known of this photograph's very pixels; what is worked out now is added.

    Raises:
        ModelError: the model gave values that are not numbers, or arrays of another shape than it promised, or it
            cannot hear the hints.
        OptionError: a version was asked for that this picture, or this model, does not have; or what would do nothing.

    Cost: the net, which does not depend on the photograph's size, and about 0.1 core seconds per megapixel.
    Memory: input and output pixels, and some megabytes per thread.
    """
    options.refuse_idle()
    seconds: dict[str, float] = {}
    spec, threads = engine.spec, threads or usable_cores()
    if hints:
        refuse_deaf(spec)
    # What a reference says lies dense: at a larger size it takes a quarter of a gigabyte more, and is worth no more.
    lent = any(hint.by == "reference" for hint in hints)
    plan = plan_render(photo.width, photo.height, engine, options, detailed=not lent)
    if options.classic:
        return _colorize_classic(photo, engine, options, plan)
    if remembered and remembered.luma.pixels is not photo.pixels:
        remembered = None
    copies = remembered.luma if remembered else LumaCopies(photo.pixels)
    with _timed(seconds, "shrink"):
        size = plan.width, plan.height, spec.output_stride
        if plan.is_detailed and options.normalize_tone and plan.shows_dots(copies.toned(*size)[0]):
            plan = plan_render(photo.width, photo.height, engine, options, detailed=False)
            size = plan.width, plan.height, spec.output_stride
        small = copies.small(*size)
        net_luma, tone_notes = copies.shown(*size) if options.normalize_tone else (small.net, ())
    with _timed(seconds, "net"):
        caution, gain = split_vividness(options.vividness, rebalanced=is_rebalanced(spec))
        gain *= plan.detail_gain(spec)
        if spec.bins_ab and is_blank(small.net):  # a distribution over colours has a favourite for nothing, too
            gain, tone_notes = 0.0, ("blank picture: nothing to recognise, left without colour",)
        wanted = wanted_outputs(options, spec)

        def ask(told: FloatArray | None, extras: Sequence[str]) -> Prediction:
            outputs = (*wanted, *(name for name in extras if name not in wanted))
            return predict(net_luma, plan.views, engine, outputs, caution=caution, hints=told)

        # Of a picture that is held ready hints will come.
        weighs = remembered is not None or any(hint.by == "person" for hint in hints)
        kept = remembered.answers(spec, options) if remembered else {}
        heard = hear(hints, Answers(ask, net_luma, spec, weighs=weighs, kept=kept))
        predicted = heard.told
        versions, version_notes = choose_versions(predicted, small.cell, spec, options, gain)
    graded = partial(grade, cell_luma=small.cell, options=options, spec=spec, gain=gain)
    with _timed(seconds, "upsample and merge"):
        told, told_notes = graded(predicted.ab)
        wishes = Wishes(heard.wishes, told, graded(heard.without.ab)[0]) if heard.without else None
    made = []
    for version in versions:
        with _timed(seconds, "upsample and merge"):
            ab, grade_notes = (told, told_notes) if version.ab is predicted.ab else graded(version.ab)
            ab, cell, hint_notes = follow_hints(hints, copies, ab, small.cell, threads, wishes)
            pixels = merge_chroma(photo.pixels, ab, cell, threads)
        decided = (predicted.note, *version_notes, *version.notes, *grade_notes, *hint_notes)
        notes = (*photo.notes, *plan.notes, *tone_notes, *decided)
        coloured = replace(photo, pixels=pixels, notes=notes)
        chosen = options.model_copy(update={"alternative": version.number})
        made.append(ColorizeResult(coloured, spec, chosen, plan.width, plan.height, notes, seconds))
    confidence = predicted.extras["confidence"][0] if options.uncertainty else None
    return replace(made[0], confidence=confidence, alternatives=tuple(made[1:]))


def _colorize_classic(photo: Photo, engine: Engine, options: ColorizeOptions, plan: RenderPlan) -> ColorizeResult:
    """Return the photograph as DeOldify would have coloured it; see ``classic``."""
    seconds: dict[str, float] = {}
    with _timed(seconds, "classic"):
        pixels, notes = colorize_classic(photo.pixels, engine, plan.width // PX_PER_FACTOR)
    notes = (*photo.notes, *plan.notes, *notes, *(TRANSPARENCY_LOST if photo.alpha is not None else ()))
    # What lies on the pixels, such as infrared, would no longer be of their depth.
    coloured = replace(photo, pixels=pixels, alpha=None, infrared=None, notes=notes)
    return ColorizeResult(coloured, engine.spec, options, plan.width, plan.height, notes, seconds)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = seconds.get(step, 0) + time.perf_counter() - start


def wanted_outputs(options: ColorizeOptions, spec: ModelSpec) -> tuple[str, ...]:
    """Return what is wanted of the net beside the colours; raise OptionError if it cannot say how likely they are."""
    several = max(options.alternatives, options.alternative) > 1
    if several and not spec.bins_ab:
        raise OptionError(f"the model {spec.name} gives one colour only, and no alternatives", where="alternatives")
    return (*(["confidence"] if options.uncertainty else []), *(["logits"] if several else []))


def merge_chroma(
    pixels: npt.NDArray[Any], ab: FloatArray, cell_luma: FloatArray, threads: int
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return integer RGB: the full-size luma of ``pixels`` under the upsampled chroma of ``ab``.

    Shapes: (H, W, 1 or 3), (2, h, w) -> (H, W, 3), dtype kept. Works in row strips, whose borders leave no trace.
    """
    height, width = pixels.shape[:2]
    max_code = int(np.iinfo(pixels.dtype).max)
    out = empty_pixels((height, width, 3), pixels.dtype)

    def merge(strip: tuple[int, int]) -> None:
        top, bottom = strip
        luma = luma_strip(pixels, top, bottom)
        rgb = merge_luma_chroma(luma, upsampler.rows(top, luma))
        out[top:bottom] = quantize_keeping_luma(rgb, luma, max_code)
        let_go(out, pixels)

    with ThreadPoolExecutor(threads) as pool:
        cbcr = list(pool.map(lambda part: chroma_from_ab(cell_luma[part], np.moveaxis(ab[:, part], 0, -1)), _parts(ab)))
        upsampler = GuidedUpsampler.fit(np.concatenate(cbcr), cell_luma, width, height)
        for _ in pool.map(merge, strips(width, height, sharers=threads)):  # the loop raises what a thread raised
            pass
    return out


def _parts(ab: FloatArray) -> list[slice]:
    """Return the rows of a chroma grid in parts that are worth a thread each, whatever their number."""
    rows = max(1, PART_CELLS // ab.shape[2])
    return [slice(top, top + rows) for top in range(0, ab.shape[1], rows)]
