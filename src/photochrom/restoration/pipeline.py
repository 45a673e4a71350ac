"""The way of a photograph through restoration: damage found and filled, noise removed, tones corrected.

    mask -> holes filled -> noise -> tones -> toning

In this order because scratches and dust would mislead the noise and tone stages. Each stage decides by itself, unless
told, and works in place on one copy of the pixels, made before the first change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from photochrom.computer.cores import usable_cores
from photochrom.computer.room import empty_pixels
from photochrom.engines.restoration import StageEngine, StageSpec
from photochrom.errors import OptionError
from photochrom.files.companions import MASK_MARK, Companion
from photochrom.files.photo import Photo
from photochrom.files.provenance import ALGORITHMICALLY_ENHANCED, COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
from photochrom.options import RestoreOptions, Switch
from photochrom.restoration import damage, noise, tone
from photochrom.restoration.decisions import StageDecision
from photochrom.restoration.infrared import shadows
from photochrom.restoration.inpainting import fill
from photochrom.restoration.masks import share_of, thick_parts
from photochrom.restoration.polarity import note_of_negative
from photochrom.restoration.toning import GREY_CHROMA, NEGATIVE, Toning, classify, neutralize
from photochrom.restoration.work import Work
from photochrom.restoration.writing import said, take_out_writing

# A hand-drawn mask over more than this leaves too little to fill from.
MOST_DRAWN = 0.5


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """A restored photograph, and what was decided on the way.

    Attributes:
        photo: the photograph restored.
        mask: (H, W) uint8, 255 where it was filled; None where nothing was.
        decisions: of each stage, in order.
        models: what the models that changed the picture say of themselves.
        options: how it was restored.
        notes: what was decided, the notes of reading included.
        seconds: per stage, in order.
    """

    photo: Photo
    mask: npt.NDArray[np.uint8] | None
    decisions: tuple[StageDecision, ...]
    models: tuple[StageSpec, ...]
    options: RestoreOptions
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether any stage changed the picture."""
        return any(decision.applied for decision in self.decisions)

    @property
    def is_skipped(self) -> bool:
        """Whether no result is wanted: restoring always gives one."""
        return False

    @property
    def source_type(self) -> str:
        """The IPTC's word for what was done: pixels filled in by a model, corrected by an algorithm, or "": nothing."""
        if self.mask is not None:
            return COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
        return ALGORITHMICALLY_ENHANCED if self.changed else ""

    @property
    def companions(self) -> list[Companion]:
        """What is written beside the result: the mask, where it is asked for."""
        if not self.options.keep_mask:
            return []
        return [Companion(MASK_MARK, mask_photo(self.mask, self.photo), format="png")]


def mask_photo(mask: npt.NDArray[np.uint8] | None, like: Photo) -> Photo:
    """Return a mask as a grey picture, black where nothing was filled."""
    grey = np.zeros((like.height, like.width), np.uint8) if mask is None else mask
    return Photo(grey[..., None])


def restore_photo(
    photo: Photo,
    engines: Mapping[str, StageEngine],
    options: RestoreOptions,
    *,
    mask: npt.NDArray[np.bool_] | None = None,
    threads: int = 0,
) -> RestoreResult:
    """Return the photograph restored: same size, depth, channels, alpha and metadata.

    Args:
        photo: grey, toned or in colour.
        engines: by kind: "damage", "inpaint", "noise", "tone"; those of stages that are switched off may be absent.
        options: what to do.
        mask: (H, W), true where the picture is to be filled; drawn by hand, instead of what the model finds. Left out,
            holes of a damaged file are filled, and what an infrared channel shows instead of what the model finds.
        threads: for the tone stage, 0 for all usable cores.

    Raises:
        ModelError: a model gave values that are not numbers, or arrays of another shape than it promised.
        OptionError: the mask does not fit the picture, or marks too much of it.

    Cost: about a second a megapixel on two cores for each of searching and filling, two and a half for denoising, a
    tenth for tones.
    Memory: input and output pixels, two bytes per pixel for masks, and some hundred megabytes for a row of tiles.
    """
    work = Work(photo, options)
    if mask is not None:
        _fill_drawn(work, mask, engines)
    elif options.damage == "never":
        _say_what_is_left(work)
    elif not _fill_known(work, engines):
        _fill_found(work, engines)
    if options.noise != "never":
        _denoise(work, engines["noise"])
    with work.timed("toning"):
        small = work.squashed()
        toning = classify(small)
    if options.tone != "never":
        _correct_tone(work, small, toning, engines["tone"], threads or usable_cores())
    with work.timed("toning"):
        _settle_toning(work, toning)
    return _result(work)


def _result(work: Work) -> RestoreResult:
    notes = (*work.photo.notes, *(decision.note for decision in work.decisions))
    restored = replace(work.photo, pixels=work.in_all_channels(), notes=notes)
    if work.mask is not None:  # they spoke of the picture as it was
        restored = replace(restored, infrared=None, holes=None)
    return RestoreResult(
        restored, work.mask, tuple(work.decisions), tuple(work.models), work.options, notes, work.seconds
    )


def _fill_found(work: Work, engines: Mapping[str, StageEngine]) -> None:
    with work.timed("damage"):
        coloring = classify(work.squashed()).coloring
        found, decision = damage.find(work.pixels, engines["damage"], work.options, coloring)
    if work.decided(decision, engines["damage"], engines["inpaint"]):
        _fill(work, found.mask, engines["inpaint"], found.probability)


def _fill_known(work: Work, engines: Mapping[str, StageEngine]) -> bool:
    """Fill what the file itself says is damaged; return whether that leaves nothing to search for."""
    photo = work.photo
    if photo.holes is not None:
        _fill_given(work, photo.holes.copy(), "lost by the damaged file", engines)
    if photo.infrared is None:
        return False
    with work.timed("damage"):
        mask = shadows(photo.infrared)
    if share_of(mask) > damage.MOST_FILLED:
        note = f"damage: infrared channel not used, {share_of(mask):.0%} of it is dark, as on black-and-white film"
        work.decided(StageDecision("damage", work.options.damage, False, share_of(mask), damage.MOST_FILLED, note))
        return False
    _fill_given(work, mask, "shown by the infrared channel", engines, marks=True)
    return True


def _fill_given(
    work: Work, mask: npt.NDArray[np.bool_], why: str, engines: Mapping[str, StageEngine], *, marks: bool = False
) -> None:
    """Fill a mask, but for parts that are too thick to be more than invented, and writing where it is one of marks."""
    height, width = mask.shape
    thick = thick_parts(mask, work.options.largest_hole * min(height, width))
    left = damage.take_out(mask, thick)
    writing = 0.0 if work.options.fill_writing or not marks else take_out_writing(work.pixels, mask)
    share = share_of(mask)
    note = f"damage: {share:.2%} of the picture filled, {why}" if share else f"damage: nothing filled of what is {why}"
    if left:
        note += f"; {left:.2%} left, thicker than {work.options.largest_hole:.0%} of the short side"
    note += said(writing)
    decision = StageDecision("damage", work.options.damage, share > 0, share, MOST_DRAWN, note)
    if work.decided(decision, engines["inpaint"]):
        _fill(work, mask, engines["inpaint"])


def _say_what_is_left(work: Work) -> None:
    """Say what the file knows of its damage, where nothing is to be filled."""
    if work.photo.holes is not None or work.photo.infrared is not None:
        what = "lost rows" if work.photo.holes is not None else "what the infrared channel shows"
        note = f"damage: {what} left, as filling is switched off"
        work.decided(StageDecision("damage", "never", False, 0.0, 0.0, note))


def _fill_drawn(work: Work, mask: npt.NDArray[np.bool_], engines: Mapping[str, StageEngine]) -> None:
    height, width = work.pixels.shape[:2]
    if mask.shape != (height, width):
        raise OptionError(
            f"the mask has {mask.shape[1]} x {mask.shape[0]} pixels, the photograph {width} x {height}",
            where="mask",
            next_step="Draw it on a copy of the photograph itself",
        )
    share = float(mask.mean())
    if share > MOST_DRAWN:
        raise OptionError(
            f"the mask marks {share:.0%} of the photograph, and {MOST_DRAWN:.0%} is the limit",
            where="mask",
            next_step="Mark in white what is to be filled, and leave the rest black",
        )
    note = f"damage: {share:.2%} of the picture filled, as the mask says"
    decision = StageDecision("damage", work.options.damage, share > 0, share, MOST_DRAWN, note)
    if work.decided(decision, engines["inpaint"]):
        _fill(work, mask, engines["inpaint"])


def _fill(
    work: Work, mask: npt.NDArray[np.bool_], engine: StageEngine, probability: npt.NDArray[np.uint8] | None = None
) -> None:
    with work.timed("inpaint"):
        fill(work.writable(), mask, engine, probability=probability)
    before, work.mask = work.mask, empty_pixels(mask.shape, np.uint8)
    np.multiply(mask, np.uint8(255), out=work.mask)
    if before is not None:
        np.maximum(work.mask, before, out=work.mask)


def _denoise(work: Work, engine: StageEngine) -> None:
    with work.timed("noise"):
        decision = noise.decide(work.pixels[work.box.window], engine, work.options)
        if work.decided(replace(decision, note=decision.note + work.beside), engine):
            noise.apply(work.writable(), engine, work.options.noise_strength)


def _correct_tone(
    work: Work, small: npt.NDArray[np.float32], toning: Toning, engine: StageEngine, threads: int
) -> None:
    with work.timed("tone"):
        options = work.options
        toned = toning.coloring == "toned"
        per_channel = options.correct_cast if toning.coloring == "colour" else options.neutralize and toned
        correction = tone.predict(small, engine, per_channel=per_channel, strength=options.tone_strength)
        decision = tone.decide(small, correction, options, toning.coloring)
        if work.decided(replace(decision, note=decision.note + work.beside), engine):
            tone.apply(work.writable(), replace(correction, box=work.box), threads)


def _settle_toning(work: Work, toning: Toning) -> None:
    """Make a toned photograph neutral where that is asked for, and say what is kept."""
    negative = _seen_as_negative(work, toning)
    if negative:
        work.decided(StageDecision("toning", "never", False, toning.residual, toning.limit, f"toning: {negative}"))
    if toning.coloring != "toned" and not (work.options.neutralize and toning.chroma):
        return
    applied = work.options.neutralize and toning.coloring == "toned"
    measured = f"{toning.residual:.3f} of chroma beside one colour per tone"
    if applied:
        note = f"toning: {toning.name} made neutral ({measured})"
        neutralize(work.writable())
    elif toning.coloring == "toned":
        note = f"toning: {toning.name} kept ({measured})"
    elif toning.coloring == "grey":
        note = f"toning: grey kept as it is ({toning.chroma:.3f} of chroma, {GREY_CHROMA} is the limit)"
    else:
        note = f"toning: a colour photograph, its colours kept ({measured})"
    switch: Switch = "always" if work.options.neutralize else "never"
    work.decided(StageDecision("toning", switch, applied, toning.residual, toning.limit, note))


def _seen_as_negative(work: Work, toning: Toning) -> str:
    if work.may_be_color_negative:
        return NEGATIVE
    return note_of_negative(work.photo) if toning.coloring != "colour" else ""
