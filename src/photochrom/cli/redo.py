"""`photochrom redo RECIPE`: make a result again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.albums.finished import MakeOne
from photochrom.albums.recipe import Recipe
from photochrom.albums.recipe import redo as redo_recipe
from photochrom.cli.groups import Budget, Engine
from photochrom.cli.lines import say
from photochrom.colorizer import Colorizer
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, ModelFileError, OptionError
from photochrom.files.provenance import RESTORE
from photochrom.hints.hint import checked_hints
from photochrom.hints.sheet import HintSheet
from photochrom.options import ColorizeOptions, EngineOptions, Limits, RestoreOptions
from photochrom.restorer import Mask, Restorer, mask_sha256, read_mask

HASHES = "models_sha256"
WRITING_FILLED = {"fill_writing": True}
"""As it was before there was a choice."""


def redo(
    recipe: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    source: Path | None = None,
    model: str | None = None,
    mask: Path | None = None,
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
) -> int:
    """Make a result again from its recipe, and say whether it is identical, byte for byte.

    Args:
        recipe: The file that `photochrom colorize --recipe` or `restore --recipe` wrote beside the result.
        output: Where to write. Left out, the recipe's own result, which is replaced only by an identical one.
        source: The photograph, if it is no longer where the recipe says.
        model: The path of the colour model's file, if it is not one of `photochrom models list`.
        mask: The hand-drawn mask, if the recipe was made with one.
        engine: What runs the nets.
        limits: What a file may ask of this computer.
    """
    with ExitStack() as sessions:
        makers = _Makers(sessions, engine, model, mask, limits)
        redone = redo_recipe(recipe, makers.make_one_for, output=output, source=source, limits=limits)
    notes = f"  ({'; '.join(redone.notes)})" if redone.notes else ""
    say(f"{recipe} -> {redone.path}: {'identical' if redone.identical else 'NOT identical'}{notes}")
    return EXIT_OK if redone.identical else EXIT_SOME_FAILED


@dataclass(frozen=True)
class _Makers:
    """Makes what a recipe was made with."""

    sessions: ExitStack
    engine: EngineOptions
    model: str | None
    mask: Path | None
    limits: Limits

    def make_one_for(self, written: Recipe) -> MakeOne:
        """Return the callable for a recipe's task, models and settings; the models' hashes are checked."""
        return self._restorer(written) if written.task == RESTORE else self._colorizer(written)

    def _colorizer(self, written: Recipe) -> MakeOne:
        settings = dict(written.settings)
        told = settings.pop("hints", None)
        first = settings.pop("restore", None)
        settings.setdefault("colored", "recolor")  # before there was a choice, everything was coloured
        options = ColorizeOptions.checked(**{**settings, "model": self.model or written.model})
        restore: bool | Restorer = False
        if isinstance(first, dict):
            restoring = WRITING_FILLED | {key: value for key, value in first.items() if key != HASHES}
            drawn = self._drawn(restoring.pop("mask_sha256", None))
            restore = self._session(restoring, str(first.get(HASHES, "")), drawn)
        colorizer = self.sessions.enter_context(Colorizer(options=options, engine_options=self.engine, restore=restore))
        _check_hash(colorizer.engine.spec.sha256, written.model_sha256, options.model)
        return partial(colorizer.run, hints=_hints_of(written, told)) if told or written.hints else colorizer.run

    def _restorer(self, written: Recipe) -> MakeOne:
        settings = {**WRITING_FILLED, **written.settings, "models": written.model}
        drawn = self._drawn(settings.pop("mask_sha256", None))
        return self._session(settings, written.model_sha256, drawn).run

    def _drawn(self, expected: object) -> Mask | None:
        """Return the mask that a recipe was made with; raise OptionError where that is not given."""
        if expected is None:
            return None
        if self.mask is None:
            raise OptionError(
                "the recipe was made with a hand-drawn mask", where="mask", next_step="Give it with --mask"
            )
        mask = read_mask(self.mask, limits=self.limits)
        if mask_sha256(mask) != expected:
            raise OptionError("is not the mask that the recipe was made with", where=str(self.mask))
        return mask

    def _session(self, settings: Mapping[str, object], models_sha256: str, drawn: Mask | None) -> Restorer:
        options = RestoreOptions.checked(**{key: value for key, value in settings.items() if key != "models"})
        restorer = self.sessions.enter_context(Restorer(options, engine_options=self.engine, mask=drawn))
        _check_hash(restorer.provenance.model_sha256, models_sha256, str(settings.get("models")))
        return restorer


def _hints_of(written: Recipe, told: object) -> HintSheet:
    """Return a recipe's hints; raise OptionError where they are not those that its result was made with."""
    sheet = HintSheet(hints=checked_hints(written.hints, "hints of the recipe"))
    if not isinstance(told, dict) or sheet.sha256 != told.get("sha256"):
        raise OptionError("are not those that its result was made with", where="hints of the recipe")
    return sheet


def _check_hash(found: str, expected: str, model: str) -> None:
    if found != expected:
        raise ModelFileError(
            "is not the model that the recipe names, though it has its name",
            where=model,
            next_step="Give the right file with --model.",
        )
