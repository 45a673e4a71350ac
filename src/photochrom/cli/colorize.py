"""`photochrom colorize IN... -o OUT`: colour files and folders."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.colorizer import Colorizer
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, OptionError, OutputError, PhotochromError, PhotoNotFoundError
from photochrom.options import ColorizeOptions, EngineOptions, Limits, OutputOptions
from photochrom.photo import open_photo, save_photo
from photochrom.pipeline import ColorizeResult

WRITABLE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".bmp"])
PICTURE_SUFFIXES = WRITABLE_SUFFIXES | {".gif", ".heic", ".heif", ".jp2"}
SUFFIX_OF_FORMAT = {"jpeg": ".jpg", "tiff": ".tif"}


def colorize(
    inputs: Annotated[list[Path], Parameter(name="IN", negative="")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    colour: Annotated[ColorizeOptions, Parameter(name="*")] = ColorizeOptions(),  # noqa: B008 - frozen
    writing: Annotated[OutputOptions, Parameter(name="*")] = OutputOptions(),  # noqa: B008
    engine: Annotated[EngineOptions, Parameter(name="*")] = EngineOptions(),  # noqa: B008
    limits: Annotated[Limits, Parameter(name="*")] = Limits(),  # noqa: B008
) -> int:
    """Colour photographs. Full size, luma untouched, offline.

    Args:
        inputs: Photographs, and folders of photographs (with their subfolders).
        output: A folder, or for one photograph a file name. Left out, each result lies next to its photograph, with
            `-color` added to the name.
        quiet: Print errors only.
        colour: How to colour.
        writing: How to write.
        engine: What runs the net.
        limits: What a file may ask of this computer.
    """
    jobs, failures = plan(inputs, output, writing)
    if jobs:
        with Colorizer(options=colour, engine_options=engine) as colorizer:
            for source, target in jobs:
                try:
                    result = _colorize_file(colorizer, source, target, writing, limits)
                except PhotochromError as error:
                    failures.append(error)
                    _print_failure(error)
                else:
                    if not quiet:
                        _print_success(source, target, result)
    if len(jobs) > 1 and failures:
        print(f"photochrom: {len(failures)} failed, {len(jobs)} tried", file=sys.stderr)
    return EXIT_SOME_FAILED if failures else EXIT_OK


def plan(
    inputs: list[Path], output: Path | None, writing: OutputOptions
) -> tuple[list[tuple[Path, Path]], list[PhotochromError]]:
    """Return (photograph, target) pairs, and the errors of inputs that hold none; those are printed at once."""
    jobs: list[tuple[Path, Path]] = []
    failures: list[PhotochromError] = []
    for given in inputs:
        try:
            found = _photographs(given)
        except PhotochromError as error:
            failures.append(error)
            _print_failure(error)
            continue
        jobs += [(path, path.relative_to(given) if given.is_dir() else Path(path.name)) for path in found]
    to_file = output is not None and len(inputs) == 1 and _names_a_file(output) and not inputs[0].is_dir()
    if output is not None and not to_file and output.is_file():
        raise OptionError("is a file, and several photographs need a folder", where=str(output))
    taken: set[Path] = set()
    planned = []
    for source, relative in jobs:
        target = output if to_file and output is not None else _target(source, relative, output, writing)
        if target in taken:  # a.jpg and a.png, written as one format
            target = target.with_name(f"{source.name}{target.suffix}")
        taken.add(target)
        planned.append((source, target))
    return planned, failures


def _photographs(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]  # opening it says what is wrong, if anything is
    found = sorted(path for path in given.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not found:
        raise PhotoNotFoundError("the folder holds no pictures", where=str(given), next_step="Check the path.")
    return found


def _names_a_file(output: Path) -> bool:
    return not output.is_dir() and output.suffix.lower() in WRITABLE_SUFFIXES


def _target(source: Path, relative: Path, output: Path | None, writing: OutputOptions) -> Path:
    suffix = source.suffix if source.suffix.lower() in WRITABLE_SUFFIXES else ".png"
    if writing.format:
        suffix = SUFFIX_OF_FORMAT.get(writing.format, f".{writing.format}")
    if output is None:
        return source.with_name(f"{source.stem}-color{suffix}")
    return output / relative.with_suffix(suffix)


def _colorize_file(
    colorizer: Colorizer, source: Path, target: Path, writing: OutputOptions, limits: Limits
) -> ColorizeResult:
    if target.exists():
        if source.exists() and target.samefile(source):
            raise OutputError("is the photograph itself", where=str(target), next_step="Choose another --output.")
        if not writing.overwrite:
            raise OutputError("exists already", where=str(target), next_step="Use --overwrite to replace it.")
    result = colorizer.run(open_photo(source, limits=limits))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder cannot be made ({error.strerror})", where=str(target.parent)) from None
    notes = save_photo(result.photo, target, options=writing)
    return replace(result, notes=(*result.notes, *notes))


def _print_failure(error: PhotochromError) -> None:
    print(f"photochrom: {error}", file=sys.stderr, flush=True)


def _print_success(source: Path, target: Path, result: ColorizeResult) -> None:
    notes = f"  ({'; '.join(result.notes)})" if result.notes else ""
    print(f"{source} -> {target}{notes}", flush=True)
