"""The public way in: `colorize` for one picture, `Colorizer` for a session that is loaded once and reused.

What comes out is of the kind that went in; see ``kinds``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from PIL import Image

from photochrom.coloring.hearing import refuse_deaf
from photochrom.coloring.pipeline import ColorizeResult, colorize_photo
from photochrom.coloring.preview import Preview
from photochrom.coloring.reference import Matched, match_references, reference_places
from photochrom.coloring.remembered import Remembered
from photochrom.engines.base import Engine
from photochrom.engines.generator_spec import GENERATOR_CONTRACT
from photochrom.engines.hub import find_model
from photochrom.errors import ModelFileError
from photochrom.files.kinds import Same, opened
from photochrom.files.photo import Photo
from photochrom.files.provenance import Provenance
from photochrom.hints.hint import Hint, checked_hints
from photochrom.hints.sheet import HintSheet
from photochrom.options import DEFAULT_MODEL, Colored, ColorizeOptions, EngineOptions, RestoreOptions
from photochrom.questions.asking import Question, ask
from photochrom.session import Session
from photochrom.version import VERSION

if TYPE_CHECKING:
    from photochrom.restorer import Restorer


class Colorizer(Session):
    """A loaded model and the options to colour with. Safe to share between threads; a context manager.

    Args:
        model: a name from `photochrom models list`, or the path of an .onnx file. Left out, the options' model.
        options: how to colour; left out, the defaults.
        engine: what runs the model, for tests (`FakeEngine`) and other runtimes; no colour model is loaded then.
        engine_options: threads and device of the engine that is made when none is given.
        restore: restore each photograph first, with every stage deciding by itself, or as the options say; or a session
            to do it with, which stays the caller's to close.

    Raises:
        UnknownModelError, ModelNotInstalledError, ModelFileError: the model cannot be loaded.

    Cost: loading takes a fraction of a second and some tens of megabytes; keep the session for many pictures.

    Example:
        >>> scans = [np.full((40, 60), 90, np.uint8), np.full((30, 30, 3), 40000, np.uint16)]
        >>> with photochrom.Colorizer(engine=photochrom.FakeEngine()) as colorizer:  # or a model's name
        ...     [(colored.shape, colored.dtype.name) for colored in map(colorizer, scans)]
        [((40, 60, 3), 'uint8'), ((30, 30, 3), 'uint16')]
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        options: ColorizeOptions | None = None,
        *,
        engine: Engine | None = None,
        engine_options: EngineOptions | None = None,
        restore: bool | RestoreOptions | Restorer = False,
    ) -> None:
        options = options or ColorizeOptions()
        if model is not None:
            options = options.model_copy(update={"model": os.fspath(model)})
        self.options = options
        self._threads = (engine_options.threads if engine_options else None) or 0
        self.engine = engine or load_engine(options.model, engine_options)
        self._own_restorer = isinstance(restore, bool | RestoreOptions)
        self.restorer = _restorer(restore, engine_options)

    @overload
    def __call__(self, picture: str | os.PathLike[str] | Image.Image) -> Image.Image: ...
    @overload
    def __call__(self, picture: Same) -> Same: ...
    def __call__(self, picture: object) -> object:
        """Return the picture in colour, as the kind it came in; see ``kinds``.

        Arrays: uint8, uint16, or float in 0..1; (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) with alpha last, sRGB.
        Float arrays are coloured at 16 bit, so their luma is kept to 1 / 65535 / 2.

        Raises:
            PhotoError: the picture cannot be read, or is of a kind that cannot be handled without loss.
        """
        photo, given_back = opened(picture)
        result = self.run(photo)
        return given_back(result.photo, self.provenance.of_pages([result.source_type]))

    def run(
        self, photo: Photo, hints: Sequence[Hint] | HintSheet = (), *, remembered: Remembered | None = None
    ) -> ColorizeResult:
        """Return the coloured photo together with notes, model, render size and seconds per step.

        Args:
            photo: the picture.
            hints: colours that somebody knows. A sheet, from `read_hints`, must be that of this photograph.
            remembered: kept by whoever colours this photograph again and again; see `coloring/pipeline.py`.

        Raises:
            ModelError: hints for a model that cannot hear.
            OptionError: wrong hints, thousands of them, or those of another photograph.
        """
        return self._run(photo, self.options, hints, remembered)

    def preview(self, photo: Photo) -> Preview:
        """Return a photograph held ready at screen size: a changed hint then costs one run of the net.

        Cost: 10 ms per megapixel, once. What is restored is not shown in it.
        """
        return Preview(photo, self.engine, self.options, threads=self._threads)

    def ask(self, photo: Photo, count: int, hints: Sequence[Hint] = ()) -> list[Question]:
        """Return up to ``count`` questions whose answers would change the photograph's colours most, best first.

        ``hints_of`` of ``photochrom.questions.answers`` makes hints of answers; see ``photochrom.questions.asking``.
        """
        return ask(photo, self.engine, count, hints, self.options)

    def match(self, photo: Photo, references: Sequence[Photo]) -> Matched:
        """Return the hints that colour photographs give for what they and a photograph both show, and how much that is.

        Raises:
            OptionError: a reference has no colours.
            ModelError: the model gives nothing to compare photographs by.
        """
        places = [reference_places(one, self.engine, f"reference {number}") for number, one in enumerate(references, 1)]
        return match_references(photo, places, self.engine)

    def _run(
        self,
        photo: Photo,
        options: ColorizeOptions,
        hints: Sequence[Hint] | HintSheet = (),
        remembered: Remembered | None = None,
    ) -> ColorizeResult:
        told = hints.for_this(photo) if isinstance(hints, HintSheet) else checked_hints(hints)
        if told:
            refuse_deaf(self.engine.spec)  # before anything is restored
        if self.restorer is None:
            return self._colored(photo, options, told, remembered)
        restored = self.restorer.run(photo)
        result = self._colored(restored.photo, options, told)
        seconds = {f"restore: {stage}": value for stage, value in restored.seconds.items()}
        return replace(result, restoration=restored, seconds={**seconds, **result.seconds})

    def _colored(
        self, photo: Photo, options: ColorizeOptions, told: Sequence[Hint], remembered: Remembered | None = None
    ) -> ColorizeResult:
        """Return the photograph in colour; one that is so already as the options say, and with a note.

        A person's hints say that other colours are wanted; a reference, which serves a whole album, does not. What
        looks like a negative is told, too.
        """
        is_asked = any(hint.by == "person" for hint in told)
        note, kept = _seen_in_color(photo, "recolor" if is_asked else options.colored)
        if not note and not told and self.restorer is None:  # who gives hints has looked at it, and restoring told it
            from photochrom.restoration.polarity import note_of_negative  # loads ONNX Runtime, a third of a second

            note = note_of_negative(photo)
        if note and not any(note in said for said in photo.notes):
            photo = replace(photo, notes=(*photo.notes, note))
        if kept:
            return ColorizeResult(photo, self.engine.spec, options, 0, 0, photo.notes, kept=True)
        return colorize_photo(photo, self.engine, options, threads=self._threads, hints=told, remembered=remembered)

    @overload
    def alternatives(self, picture: str | os.PathLike[str] | Image.Image, count: int) -> list[Image.Image]: ...
    @overload
    def alternatives(self, picture: Same, count: int) -> list[Same]: ...
    def alternatives(self, picture: Any, count: int) -> list[Any]:
        """Return up to ``count`` (1 to 9) plausible and visibly different versions of a picture, likeliest first.

        The first is what calling the session gives. Fewer come back where the net is sure of its colours; `run` with
        ``ColorizeOptions(alternatives=...)`` says in its notes why, and how likely each is.

        Raises:
            PhotoError: as in calling the session.
            OptionError: the count is out of range, or the model gives no distribution to choose from.

        Cost: about half a second, and merging of each version.
        """
        options = ColorizeOptions.checked(**self.options.model_dump() | {"alternatives": count, "alternative": 1})
        photo, given_back = opened(picture)
        likeliest = self._run(photo, options)
        versions = (likeliest, *likeliest.alternatives)
        return [
            given_back(version.photo, self._provenance(version.options).of_pages([version.source_type]))
            for version in versions
        ]

    @property
    def provenance(self) -> Provenance:
        """What results say of their making: model, hash, version and every option that shapes the picture."""
        return self._provenance(self.options)

    def _provenance(self, options: ColorizeOptions) -> Provenance:
        spec = self.engine.spec
        settings = options.model_dump(exclude={"model"})
        if self.restorer is not None:
            made = self.restorer.provenance
            settings["restore"] = {**made.settings, "models": made.model, "models_sha256": made.model_sha256}
        return Provenance(spec.name, spec.sha256, VERSION, settings)

    def close(self) -> None:
        """Release the model's memory."""
        self.engine.close()
        if self.restorer is not None and self._own_restorer:
            self.restorer.close()


@overload
def colorize(
    picture: str | os.PathLike[str] | Image.Image,
    *,
    model: str | os.PathLike[str] = ...,
    size: int | None = ...,
    vividness: float = ...,
    warmth: float = ...,
    chroma_ceiling: float | None = ...,
    normalize_tone: bool = ...,
    colored: Colored = ...,
    restore: bool | RestoreOptions = ...,
) -> Image.Image: ...
@overload
def colorize(
    picture: Same,
    *,
    model: str | os.PathLike[str] = ...,
    size: int | None = ...,
    vividness: float = ...,
    warmth: float = ...,
    chroma_ceiling: float | None = ...,
    normalize_tone: bool = ...,
    colored: Colored = ...,
    restore: bool | RestoreOptions = ...,
) -> Same: ...
def colorize(
    picture: Any,
    *,
    model: str | os.PathLike[str] = DEFAULT_MODEL,
    size: int | None = None,
    vividness: float = 1.0,
    warmth: float = 0.0,
    chroma_ceiling: float | None = ColorizeOptions.model_fields["chroma_ceiling"].default,
    normalize_tone: bool = True,
    colored: Colored = "keep",
    restore: bool | RestoreOptions = False,
) -> Any:
    """Return one picture in colour, as the kind it came in (path in, PIL image out); see ``kinds``.

    The options are those of `ColorizeOptions`; ``restore`` restores the picture first. Loads the model each time: for
    several pictures use a `Colorizer`.

    Raises:
        OptionError: an option is out of range.
        ModelError: the model cannot be found or loaded.
        PhotoError: the picture cannot be read or handled.

    Example:
        >>> grey = np.full((40, 60), 128, np.uint8)
        >>> photochrom.colorize(grey, vividness=1.2).shape
        (40, 60, 3)
    """
    options = ColorizeOptions.checked(
        model=os.fspath(model),
        size=size,
        vividness=vividness,
        warmth=warmth,
        chroma_ceiling=chroma_ceiling,
        normalize_tone=normalize_tone,
        colored=colored,
    )
    with Colorizer(options=options, restore=restore) as colorizer:
        return colorizer(picture)


def load_engine(model: str, options: EngineOptions | None) -> Engine:
    file = find_model(model)  # before the runtime is imported: a wrong name is told at once
    if file.card is not None and file.card.kind != "color":
        raise ModelFileError(
            f"is a model that restores ({file.card.contract}), and does not colour",
            where=model,
            next_step="Use it with `photochrom restore`, or colour with a model of `photochrom models list`",
        )
    if file.card is not None and file.card.contract == GENERATOR_CONTRACT:
        from photochrom.engines.generator import GeneratorEngine

        return GeneratorEngine(file.path, expected_sha256=file.sha256, options=options)
    from photochrom.engines.onnx import OnnxEngine  # loads ONNX Runtime, a third of a second

    return OnnxEngine(file.path, expected_sha256=file.sha256, options=options)


def _restorer(restore: bool | RestoreOptions | Restorer, engine_options: EngineOptions | None) -> Restorer | None:
    if restore is False:
        return None
    from photochrom.restorer import Restorer  # only who restores pays for it

    if isinstance(restore, Restorer):
        return restore
    return Restorer(None if restore is True else restore, engine_options=engine_options)


def _seen_in_color(photo: Photo, colored: Colored) -> tuple[str, bool]:
    """Return what there is to say of a photograph's own colours, and whether they are kept."""
    if photo.pixels.shape[2] == 1:
        return "", False
    from photochrom.restoration.tone import squash
    from photochrom.restoration.toning import NEGATIVE, classify, looks_like_color_negative

    small = squash(photo.pixels)
    toning = classify(small)
    if looks_like_color_negative(small):
        return NEGATIVE, False
    measured = f"{toning.residual:.3f} of chroma beside one colour per tone"
    if toning.coloring != "colour":
        return "", False
    if not toning.is_colored:
        return f"may be in colour already: coloured anew ({measured})", False
    done = {"skip": "skipped", "keep": "its colours kept", "recolor": "coloured anew"}[colored]
    return f"in colour already: {done} ({measured})", colored != "recolor"
