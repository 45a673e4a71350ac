"""`photochrom degrade PHOTO -o OUT`: make a photograph look old, to see what restoration has to undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.cli.groups import Budget
from photochrom.cli.idle import refuse_idle_options
from photochrom.cli.lines import say
from photochrom.cli.targets import refuse_lossy, refuse_targets
from photochrom.degradation import KINDS, Degraded, Dose, Preset, degrade, load_preset, presets
from photochrom.errors import EXIT_OK, OptionError
from photochrom.files.made_here import labelled
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import format_of_path, save_photo
from photochrom.options import Limits, OutputOptions, WritingOptions
from photochrom.spelling import did_you_mean

DEFAULT_PRESET = "attic"
DEFAULT_STRENGTH = 0.8
DEGRADE = "degrade"


def degrade_photo(
    photo: Annotated[Path | None, Parameter(name="PHOTO")] = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    preset: str | None = None,
    kind: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
    strength: Annotated[float | None, Parameter(validator=Number(gte=0, lte=1))] = None,
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    mask_out: Path | None = None,
    sheet: Path | None = None,
    list_kinds: Annotated[bool, Parameter(name="--list", negative="")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    writing: Annotated[WritingOptions, Parameter(name="*")] = WritingOptions(),
    limits: Budget = Limits(),
) -> int:
    """Make a photograph look old: faded, scratched, stained, grainy. The same seed makes the same damage.

    photochrom degrade photo.jpg --preset attic --seed 1 -o old.jpg --mask-out damage.png

    photochrom degrade photo.jpg --kind scratches --kind dust -o scratched.jpg

    photochrom degrade photo.jpg --sheet kinds.png

    Args:
        photo: The photograph.
        output: The file to write; its suffix decides the format.
        preset: A mixture of damage: attic (the default), album, wallet, newspaper, film, reel, faded-reel, flood; or a
            TOML file with one.
        kind: One kind of damage by name, instead of a preset; may be given several times. `--list` shows them all.
        strength: How strong the damage of --kind is, and each kind on --sheet, 0 to 1 (default 0.8).
        seed: Fixes what is drawn: which kinds, how strong, where.
        mask_out: Write where damage hides the picture: white on black, the size of the photograph.
        sheet: Write a contact sheet of the photograph under every kind and every preset, or each --kind that is named.
        list_kinds: List the presets and kinds, and do nothing else.
        quiet: Do not say what happened.
        writing: How to write.
        limits: What a file may ask of this computer.
    """
    if list_kinds:
        _print_list()
        return EXIT_OK
    if strength is not None and not kind and sheet is None:
        raise OptionError("goes with --kind; presets have their own", where="--strength")
    amount = DEFAULT_STRENGTH if strength is None else strength
    mixture = _mixture(preset, kind, amount)
    if photo is None:
        raise OptionError("no photograph is given", where="degrade", next_step="Name one, or use --list")
    _check_use(photo, [output, mask_out, sheet], preset, writing)
    opened = open_photo(photo, limits=limits)
    if output is not None or mask_out is not None:
        result = degrade(_unit_range(opened), mixture, seed)
        notes = [*opened.notes, *_write(result, opened, output, mask_out, writing)]
        if not quiet:
            told = f"  ({'; '.join(notes)})" if notes else ""
            say(f"{photo} -> {output or mask_out}: {_described(result)}{told}")
    if sheet is not None:
        from photochrom.degradation.sheet import contact_sheet

        pixels = np.asarray(contact_sheet(_unit_range(opened), seed, strength=amount, kinds=kind or ()))
        save_photo(labelled(Photo(pixels), DEGRADE), sheet)
        if not quiet:
            say(f"{photo} -> {sheet}: {len(set(kind or KINDS))} kinds")
    return EXIT_OK


def _check_use(photo: Path, targets: list[Path | None], preset: str | None, writing: WritingOptions) -> None:
    """Raise, before any work, what is wrong with the files to be written: picture, mask and sheet."""
    output, mask_out, sheet = targets
    if output is None and sheet is None and mask_out is None:
        raise OptionError("nothing to write", where="degrade", next_step="Give --output, --mask-out or --sheet")
    if output is None:
        refuse_idle_options(writing, "--output", names=WritingOptions.model_fields.keys() - {"overwrite"})
    if output is None and mask_out is None and preset is not None:
        raise OptionError("a sheet shows all of them", where="--preset", next_step="Add --output or --mask-out")
    if mask_out is not None:
        refuse_lossy(mask_out)
    for target in targets:
        if target is not None:
            format_of_path(target)
    refuse_targets(targets, read=[photo], overwrite=writing.overwrite)


def _mixture(preset: str | None, kinds: list[str] | None, amount: float) -> Preset:
    if not kinds:
        return load_preset(preset or DEFAULT_PRESET)
    if preset is not None:
        raise OptionError("give one or the other", where="--preset and --kind")
    for name in kinds:
        if name not in KINDS:
            raise OptionError(
                f"no kind {name!r}", where="--kind", next_step=did_you_mean(name, list(KINDS)) or "Use --list"
            )
    return Preset(kinds={name: Dose(strength=(amount, amount)) for name in kinds})


def _unit_range(photo: Photo) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(photo.pixels * np.float32(1 / photo.max_code), dtype=np.float32)


def _write(
    result: Degraded, photo: Photo, output: Path | None, mask_out: Path | None, writing: WritingOptions
) -> tuple[str, ...]:
    """Write what is asked for, and return notes on what the picture's format could not hold."""
    notes: tuple[str, ...] = ()
    if output is not None:
        scaled = np.rint(result.picture * photo.max_code)
        codes = scaled.astype(np.uint8) if photo.depth == 8 else scaled.astype(np.uint16)
        old = replace(photo, pixels=codes, metadata=photo.metadata if writing.keep_metadata else Metadata())
        options = OutputOptions(**{**writing.model_dump(), "keep_metadata": True})
        notes = save_photo(labelled(old, DEGRADE), output, options=options)
    if mask_out is not None:
        save_photo(labelled(Photo(result.mask[..., None].astype(np.uint8) * 255), DEGRADE), mask_out)
    return notes


def _described(result: Degraded) -> str:
    steps = ", ".join(f"{name} {strength:.2f}" for name, strength in result.steps) or "left as it was"
    return f"{steps}; {result.mask.mean():.1%} hidden"


def _print_list() -> None:
    say("presets (mixtures):")
    for name, preset in presets().items():
        say(f"  {name:22} {preset.summary}")
    say("kinds:")
    for name, kind in KINDS.items():
        say(f"  {name:22} {kind.summary}")
