"""`photochrom redo RECIPE`: make a result again."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.batch import ColorOne
from photochrom.colorizer import Colorizer
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, ModelFileError
from photochrom.options import ColorizeOptions, EngineOptions, Limits
from photochrom.recipe import Recipe
from photochrom.recipe import redo as redo_recipe


def redo(
    recipe: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    source: Path | None = None,
    model: str | None = None,
    engine: Annotated[EngineOptions, Parameter(name="*")] = EngineOptions(),  # noqa: B008 - frozen
    limits: Annotated[Limits, Parameter(name="*")] = Limits(),  # noqa: B008
) -> int:
    """Make a result again from its recipe, and say whether it is identical, byte for byte.

    Args:
        recipe: The file that `photochrom colorize --recipe` wrote beside the result.
        output: Where to write. Left out, the recipe's own result, which is replaced only by an identical one.
        source: The photograph, if it is no longer where the recipe says.
        model: The path of the model's file, if the model is not one of `photochrom models list`.
        engine: What runs the net.
        limits: What a file may ask of this computer.
    """
    with ExitStack() as sessions:

        def color_one_for(written: Recipe) -> ColorOne:
            options = ColorizeOptions.checked(**{**written.settings, "model": model or written.model})
            colorizer = sessions.enter_context(Colorizer(options=options, engine_options=engine))
            if colorizer.engine.spec.sha256 != written.model_sha256:
                raise ModelFileError(
                    "is not the model that the recipe names, though it has its name",
                    where=options.model,
                    next_step="Give the right file with --model.",
                )
            return colorizer.run

        redone = redo_recipe(recipe, color_one_for, output=output, source=source, limits=limits)
    notes = f"  ({'; '.join(redone.notes)})" if redone.notes else ""
    print(f"{recipe} -> {redone.path}: {'identical' if redone.identical else 'NOT identical'}{notes}")
    return EXIT_OK if redone.identical else EXIT_SOME_FAILED
