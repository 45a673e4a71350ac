"""`photochrom finetune PHOTOS -o FILE.onnx`: adapt a model to one archive or collection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from photochrom.cli.extras import require_extra
from photochrom.cli.lines import say
from photochrom.engines.hub import find_model
from photochrom.errors import EXIT_OK, OptionError
from photochrom.options import DEFAULT_MODEL


def finetune(
    photos: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    model: Annotated[str, Parameter(name=["--model", "-m"])] = DEFAULT_MODEL,
    steps: int = 300,
    batch: int = 8,
    size: int = 128,
    rate: float = 2e-4,
    all_layers: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 0,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
) -> int:
    """Adapt a model to your own colour photographs, so that `colorize --model FILE.onnx` paints like them.

    A fifth of the photographs is held out. The weights kept are those that colour these best; if none of the steps
    does better than the start, nothing is written.

    Args:
        photos: Folder of colour photographs of the kind to be imitated, with its subfolders. A hundred are plenty.
        output: The model file to write, ending in .onnx.
        model: The model to start from: a name from `photochrom models list`, or an .onnx file.
        steps: Most optimizer steps. Each takes about half a second on two cores.
        batch: Photographs per step.
        size: Side of the squares it learns from, in pixels; a multiple of 32.
        rate: Peak learning rate.
        all_layers: Train the backbone too. Slower, and quicker to overfit.
        seed: Fixes order, crops and damage.
        overwrite: Replace the output if it exists.
        quiet: Print errors only.
    """
    require_extra("train", "fine-tuning", "torch", "onnx")
    if output.suffix != ".onnx":
        raise OptionError("a model file ends in .onnx", where=str(output))
    if output.exists() and not overwrite:
        raise OptionError("exists already", where=str(output), next_step="Use --overwrite to replace it.")
    if size % 32 or min(steps, batch, size) < 1 or rate <= 0:
        raise OptionError("size is a multiple of 32; steps, batch and rate are above 0", where="finetune")
    from photochrom.train.finetune import FinetuneOptions
    from photochrom.train.finetune import finetune as adapt

    options = FinetuneOptions(steps=steps, batch=batch, size_px=size, rate=rate, all_layers=all_layers, seed=seed)
    console = Console(stderr=True, quiet=quiet)
    with console.status("adapting") as status:
        result = adapt(
            find_model(model).path,
            photos,
            output,
            options,
            lambda step, figures: status.update(
                f"step {step} of {steps}: held-out error {figures['ciede2000']:.3f} (CIEDE2000)"
            ),
        )
    if not quiet:
        say(f"{result.photos} photographs, {result.held_out} held out, best after {result.steps} steps")
        for name, figures in (("before", result.before), ("after", result.after)):
            error, share = figures["ciede2000"], figures["colourfulness_share"]
            say(f"{name:7} held-out error {error:.3f} (CIEDE2000), colourfulness {share:.0%} of the truth's")
        for number, unusable in enumerate(result.unusable):
            if number < 10:
                say(f"unusable: {unusable}")
        say(f"{output}  sha256 {result.sha256}")
        say(f"next: photochrom colorize PHOTO --model {output}")
    return EXIT_OK
