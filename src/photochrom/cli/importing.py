"""`photochrom models import FILE` and `photochrom models pull NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.cli.lines import say
from photochrom.cli.progress import print_bytes
from photochrom.computer.downloads import fetch
from photochrom.engines.hub import cache_folder, models_folder
from photochrom.importer.installation import ImportedModel, import_model
from photochrom.importer.published import published_file


def import_file(
    file: Path,
    /,
    *,
    name: str | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    int8: Path | None = None,
) -> None:
    """Turn a published file of DeOldify into a model that `colorize --model` takes. Runs no code of the file.

    Args:
        file: A .pth, .h5 or .safetensors file: ColorizeArtistic_gen, ColorizeStable_gen, ColorizeVideo_gen, or a
            generator of 2018.
        name: What to call the model. Left out, by what the file holds.
        overwrite: Replace an installed model of that name.
        int8: A folder of photographs: make the convolutions 8 bit wide, with ranges measured on these. The model
            shrinks to a seventh and needs more memory; no quicker for one photograph.
    """
    _print_result(import_model(file, models_folder(), name=name, overwrite=overwrite, int8_photos=int8))


def pull(
    name: str,
    /,
    *,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    keep_download: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Download a published model, check it against its sha256, and import it. An interrupted download goes on.

    Args:
        name: deoldify-artistic (255 MB), deoldify-stable (874 MB) or deoldify-video (874 MB).
        overwrite: Replace an installed model of that name.
        keep_download: Keep the published file beside the model made from it.
    """
    path = fetch(published_file(name), cache_folder() / "downloads", progress=print_bytes)
    result = import_model(path, models_folder(), name=name, overwrite=overwrite)
    if not keep_download:
        path.unlink()
    _print_result(result)


def _print_result(result: ImportedModel) -> None:
    found = result.parity.largest
    parity = (
        "not compared with the unfolded network" if found is None else f"within {found:.1e} of the unfolded network"
    )
    if result.loss:
        parity = f"8 bit, {result.loss} (of 255, photographs held out)"
    say(f"{result.name}: {result.kind.what}, {parity}")
    say(f"Use it: photochrom colorize photo.jpg --model {result.name}")
    for note in result.notes:
        say(f"Note: {note}")
