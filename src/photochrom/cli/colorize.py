"""`photochrom colorize IN... -o OUT`: colour files and folders."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.albums.hinted import with_hints, with_references
from photochrom.albums.parts import PartOptions
from photochrom.albums.plan import refuse_shared_mask, refuse_taken
from photochrom.albums.results import BatchSettings
from photochrom.cli.groups import Budget, Coloring, Engine, Reading, Restoring, Writing
from photochrom.cli.idle import refuse_idle_looks, refuse_idle_options, refuse_idle_stages
from photochrom.cli.runs import Part, plan_told, run_planned
from photochrom.coloring.hearing import refuse_deaf
from photochrom.colorizer import Colorizer
from photochrom.errors import OptionError
from photochrom.options import (
    ColorizeOptions,
    EngineOptions,
    Limits,
    OutputOptions,
    ReadingOptions,
    RestoreOptions,
    Topic,
)
from photochrom.restorer import Restorer, read_mask


def colorize(
    inputs: Annotated[list[Path], Parameter(name="IN", negative="")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=64)), Topic.COMPUTER] = 2,
    report: Annotated[Path | None, Topic.FILES] = None,
    recipe: Annotated[bool, Parameter(negative=""), Topic.FILES] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    hints: Annotated[Path | None, Topic.LOOK] = None,
    reference: Annotated[list[Path] | None, Parameter(negative="", consume_multiple=False), Topic.LOOK] = None,
    keep_hints: Annotated[bool, Parameter(negative=""), Topic.LOOK] = False,
    mask: Annotated[Path | None, Topic.RESTORING] = None,
    restore: Annotated[bool, Parameter(negative=""), Topic.LOOK] = False,
    colour: Coloring = ColorizeOptions(),
    restoring: Restoring = RestoreOptions(),
    reading: Reading = ReadingOptions(),
    writing: Writing = OutputOptions(),
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
    part: Part = PartOptions(),
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
        hints: Colours that you know: a file of hints (NAME.hints.json), a transparent picture of them, or, for several
            photographs, a folder that holds NAME.hints.json or NAME.hints.png for some. See docs/hints.md. Needs a
            model that can hear. Costs 0.2 s.
        reference: A colour photograph that shows the same things: the same room, uniform or person. Its colours are
            taken for what matches, and the result says how much that was. Repeat it for several; they serve all
            photographs of an album. Needs a model that can hear. About half a second each.
        keep_hints: Write the hints beside each result that was made with some.
        mask: For one photograph, with --restore: a picture of its size, white where it is to be filled, instead of what
            the model finds.
        restore: Restore each photograph first (scratches, stains, grain, fading), as `photochrom restore` does, then
            colour the restored luma.
        colour: How to colour.
        restoring: How to restore, with --restore.
        reading: How to read.
        writing: How to write.
        engine: What runs the net.
        limits: What a file may ask of this computer.
        part: Which photographs this machine does, where several share an album.
    """
    if restore:
        refuse_idle_stages(restoring, drawn=mask is not None)
    else:
        refuse_idle_options(restoring, "--restore")
    refuse_idle_looks(colour)
    if keep_hints and hints is None and not reference:
        what, next_step = "needs --hints or --reference", "Add one, or leave it out"
        raise OptionError(what, where="--keep-hints", next_step=next_step)
    if mask and not restore:
        raise OptionError("needs --restore", where="--mask", next_step="Add --restore")
    planned = plan_told(inputs, output, format=writing.format, part=part, quiet=quiet)
    if isinstance(planned, int):
        return planned
    refuse_shared_mask(planned, mask)
    planned, references = with_hints(planned, hints), reference or []
    read = [*(job.hints for job in planned.jobs if job.hints), *references, *([mask] if mask else [])]
    refuse_taken(planned, {"--report": report}, read=read)
    drawn = read_mask(mask, limits=limits) if mask else None
    with ExitStack() as sessions:
        restorer = restore and sessions.enter_context(Restorer(restoring, engine_options=engine, mask=drawn))
        if restorer:
            restorer.refuse_idle()
        colorizer = sessions.enter_context(Colorizer(options=colour, engine_options=engine, restore=restorer))
        if hints or references:
            refuse_deaf(colorizer.engine.spec)
        settings = BatchSettings(
            colorizer.provenance,
            writing,
            limits,
            reading,
            keep_recipe=recipe,
            keep_hints=keep_hints,
            keep_mask=restoring.keep_mask,
        )
        if references:
            settings = with_references(settings, references, colorizer.engine)
        return run_planned(
            planned,
            colorizer.run,
            settings,
            workers=workers,
            report=report,
            quiet=quiet,
            done="coloured",
            make_hinted=colorizer.run,
            also_read=[*references, *([mask] if mask else [])],
        )
