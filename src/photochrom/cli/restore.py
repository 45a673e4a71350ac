"""`photochrom restore IN... -o OUT`: restore files and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.albums.album import RESTORED_MARK
from photochrom.albums.parts import PartOptions
from photochrom.albums.plan import Plan, refuse_shared_mask, refuse_taken
from photochrom.albums.results import BatchSettings
from photochrom.cli.groups import Budget, Engine, Reading, Restoring, Writing
from photochrom.cli.idle import refuse_idle_stages
from photochrom.cli.runs import Part, plan_told, run_planned
from photochrom.cli.targets import refuse_lossy, refuse_targets
from photochrom.files.made_here import labelled
from photochrom.files.photo import Photo
from photochrom.files.provenance import RESTORE
from photochrom.files.writing import save_photo
from photochrom.options import EngineOptions, Limits, OutputOptions, ReadingOptions, RestoreOptions, Topic
from photochrom.restoration.pipeline import RestoreResult, mask_photo
from photochrom.restorer import Mask, Restorer, read_mask


def restore(
    inputs: Annotated[list[Path], Parameter(name="IN", negative="")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    mask: Annotated[Path | None, Topic.RESTORING] = None,
    mask_out: Annotated[Path | None, Topic.RESTORING] = None,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=64)), Topic.COMPUTER] = 2,
    report: Annotated[Path | None, Topic.FILES] = None,
    recipe: Annotated[bool, Parameter(negative=""), Topic.FILES] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    restoring: Restoring = RestoreOptions(),
    reading: Reading = ReadingOptions(),
    writing: Writing = OutputOptions(),
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
    part: Part = PartOptions(),
) -> int:
    """Restore photographs: scratches and stains filled, grain removed, fading undone. Full size and depth, offline.

    Each stage decides by itself whether a photograph needs it, and says so. Nothing is invented: no model here has
    learned faces, and damage too large to be filled from its surroundings stays. A folder restored into a folder can be
    stopped at any time: run again, it goes on, and skips what is done and unchanged.

    Args:
        inputs: Photographs, and folders of photographs (with their subfolders).
        output: A folder, or for one photograph a file name. Left out, each result lies next to its photograph, with
            `-restored` added to the name.
        mask: For one photograph: a picture of its size, white where it is to be filled, instead of what the model
            finds.
        mask_out: For one photograph: write what was filled to this file, white on black, to look at, change, and give
            back with --mask. For several photographs there is --keep-mask.
        workers: Photographs in memory at a time: while one is restored, others are read and written.
        report: Write a file with one line of JSON per photograph: what was decided, how long it took, errors.
        recipe: Write a recipe beside each result, from which `photochrom redo` makes the same file again.
        quiet: Print errors only.
        restoring: What to restore.
        reading: How to read.
        writing: How to write.
        engine: What runs the nets.
        limits: What a file may ask of this computer.
        part: Which photographs this machine does, where several share an album.
    """
    refuse_idle_stages(restoring, drawn=mask is not None)
    planned = plan_told(inputs, output, format=writing.format, mark=RESTORED_MARK, part=part, quiet=quiet)
    if isinstance(planned, int):
        return planned
    read = [mask] if mask else []
    _check_masks(planned, mask, mask_out)
    refuse_taken(planned, {"--mask-out": mask_out, "--report": report}, read=read)
    refuse_targets([mask_out], read=[], overwrite=writing.overwrite)  # others of the run are refused above
    drawn = read_mask(mask, limits=limits) if mask else None
    with Restorer(restoring, engine_options=engine) as restorer:
        restorer.refuse_idle(drawn)
        settings = BatchSettings(
            restorer.provenance_with(drawn),
            writing,
            limits,
            reading,
            keep_recipe=recipe,
            keep_mask=restoring.keep_mask,
            mask_out=mask_out is not None,
        )
        restore_one = _RestoreOne(restorer, drawn, mask_out)
        return run_planned(
            planned, restore_one, settings, workers=workers, report=report, quiet=quiet, done="restored", also_read=read
        )


class _RestoreOne:
    """Restores one photograph, and writes its mask where that is asked for."""

    def __init__(self, restorer: Restorer, mask: Mask | None, mask_out: Path | None) -> None:
        self.restorer, self.mask, self.mask_out = restorer, mask, mask_out

    def __call__(self, photo: Photo) -> RestoreResult:
        result = self.restorer.run(photo, mask=self.mask)
        if self.mask_out:
            save_photo(labelled(mask_photo(result.mask, photo), RESTORE), self.mask_out)
        return result


def _check_masks(planned: Plan, mask: Path | None, mask_out: Path | None) -> None:
    """Raise an error for masks that cannot be meant, before anything is loaded or written."""
    refuse_shared_mask(planned, mask)
    refuse_shared_mask(planned, mask_out, "mask-out")
    if mask_out is not None:
        refuse_lossy(mask_out)
