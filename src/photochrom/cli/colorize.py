"""`photochrom colorize IN... -o OUT`: colour files and folders."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.albums.results import BatchSettings
from photochrom.cli.inputs import plan, refuse_taken
from photochrom.cli.runs import run_planned
from photochrom.colorizer import Colorizer
from photochrom.errors import EXIT_SOME_FAILED, OptionError
from photochrom.options import ColorizeOptions, EngineOptions, Limits, OutputOptions, ReadingOptions, RestoreOptions

RESTORING = "Restoring, with --restore"


def colorize(
    inputs: Annotated[list[Path], Parameter(name="IN", negative="")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=64))] = 2,
    report: Path | None = None,
    recipe: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    restore: Annotated[bool, Parameter(negative="")] = False,
    colour: Annotated[ColorizeOptions, Parameter(name="*")] = ColorizeOptions(),  # noqa: B008 - frozen
    restoring: Annotated[RestoreOptions, Parameter(name="*", group=RESTORING)] = RestoreOptions(),  # noqa: B008
    reading: Annotated[ReadingOptions, Parameter(name="*")] = ReadingOptions(),  # noqa: B008
    writing: Annotated[OutputOptions, Parameter(name="*")] = OutputOptions(),  # noqa: B008
    engine: Annotated[EngineOptions, Parameter(name="*")] = EngineOptions(),  # noqa: B008
    limits: Annotated[Limits, Parameter(name="*")] = Limits(),  # noqa: B008
) -> int:
    """Colour photographs. Full size, luma untouched, offline.

    A folder coloured into a folder can be stopped at any time: run again, it goes on, and skips what is done and
    unchanged.

    Args:
        inputs: Photographs, and folders of photographs (with their subfolders).
        output: A folder, or for one photograph a file name. Left out, each result lies next to its photograph, with
            `-color` added to the name.
        workers: Photographs in memory at a time: while one is in the net, others are read and written.
        report: Write a file with one line of JSON per photograph: what was decided, how long it took, errors.
        recipe: Write a recipe beside each result, from which `photochrom redo` makes the same file again.
        quiet: Print errors only.
        restore: Restore each photograph first (scratches, stains, grain, fading), as `photochrom restore` does, then
            colour the restored luma.
        colour: How to colour.
        restoring: How to restore, with --restore.
        reading: How to read.
        writing: How to write.
        engine: What runs the net.
        limits: What a file may ask of this computer.
    """
    if restoring != RestoreOptions() and not restore:
        changed = next(name for name in RestoreOptions.model_fields if getattr(restoring, name) != _unchanged(name))
        raise OptionError("needs --restore", where=f"--{changed.replace('_', '-')}", next_step="Add --restore")
    planned = plan(inputs, output, format=writing.format)
    for failure in planned.failures:
        print(f"photochrom: {failure}", file=sys.stderr)
    if not planned.jobs:
        return EXIT_SOME_FAILED
    refuse_taken(planned, {"--report": report})
    with Colorizer(options=colour, engine_options=engine, restore=restore and restoring) as colorizer:
        settings = BatchSettings(colorizer.provenance, writing, limits, reading, keep_recipe=recipe)
        return run_planned(
            planned, colorizer.run, settings, workers=workers, report=report, quiet=quiet, done="coloured"
        )


def _unchanged(name: str) -> object:
    return RestoreOptions.model_fields[name].default
