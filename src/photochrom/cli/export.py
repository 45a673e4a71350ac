"""`photochrom export RUN_FOLDER -o FILE.onnx`: from a training run to a model file that `colorize --model` takes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from photochrom.cli.extras import require_extra
from photochrom.cli.lines import say
from photochrom.errors import EXIT_OK, OptionError

if TYPE_CHECKING:
    from photochrom.nets.generators import ColorNet
    from photochrom.train.trained import Trained

DEFAULTS: dict[str, Any] = {
    "licence": "MIT", "trained_on": "", "render_px": 256, "detail_px": 0, "temperature": 0.5, "gain": 1.0,
    "detail_gain": 1.0, "chroma_spread": 0.0, "pale_below": 0.0, "trust_frequencies": 0.0,
    "noisy": None, "damaged": None, "negative": None,
}  # fmt: skip
OF_ALL = ("licence", "trained_on")
LIMITS = {"noisy": "noise/1", "damaged": "damage/1", "negative": "polarity/1"}
"""Which contract each limit belongs to; what else is not of all networks is of colour."""


def export(
    run: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    name: str = "",
    licence: str | None = None,
    render_px: int | None = None,
    detail_px: int | None = None,
    temperature: float | None = None,
    gain: float | None = None,
    detail_gain: float | None = None,
    chroma_spread: float | None = None,
    pale_below: float | None = None,
    trust_frequencies: float | None = None,
    noisy: float | None = None,
    damaged: float | None = None,
    negative: float | None = None,
    trained_on: str = "",
    full_precision: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Write the averaged weights of a run as an ONNX model file, compared with the network before it is kept.

    Colour and restoration networks alike; options from render-px to trust-frequencies concern colour only. What is
    left out of licence to trained-on is as it was, where a model is exported again; else as is said here.

    Args:
        run: The run's folder, one checkpoint file, or a model: a name from `photochrom models list`, or its file.
        output: The model file to write, ending in .onnx.
        name: Name the model carries; left out, the configuration's model.name.
        licence: Licence the model carries; left out, MIT.
        render_px: Short side, in pixels, of the copy that the network should see; left out, 256.
        detail_px: That of a second copy at most, as large as the photograph is; 0 for none.
        temperature: Sharpness of the colours it should be decoded with: 1 is the mean, towards 0 the likeliest; left
            out, 0.5.
        gain: Factor on the decoded colours; left out, 1.
        detail_gain: Further factor, of photographs that are seen at detail_px, too; in proportion below it.
        chroma_spread: Power by which strong colours (chroma above 15) are strengthened further, 0 to 1.
        pale_below: Colourfulness under which a picture counts as pale, and its colours are strengthened; 0 for never.
        trust_frequencies: How far to take the rebalancing of rare colours back, 0 to 1: fewer errors, and paler, which
            a gain mends.
        noisy: Noise models: how much the model takes out of the quietest parts (of 255) of a photograph that counts as
            noisy.
        damaged: Damage models: the share of squares, 64 to the short side, in which the model is sure of damage in a
            photograph that counts as damaged.
        negative: Polarity models: the probability of a positive, 0 to 1, at which a photograph counts as a negative.
        trained_on: A sentence on the training photographs, kept in the file.
        full_precision: Store float32 weights; the file is then twice as large.
        overwrite: Replace the output if it exists.
    """
    require_extra("train", "export", "torch", "safetensors", "onnx", "onnxscript")
    given: dict[str, Any] = {
        name: value
        for name, value in {
            "licence": licence, "trained_on": trained_on or None, "render_px": render_px, "detail_px": detail_px,
            "temperature": temperature, "gain": gain, "detail_gain": detail_gain, "chroma_spread": chroma_spread,
            "pale_below": pale_below, "trust_frequencies": trust_frequencies,
            "noisy": noisy, "damaged": damaged, "negative": negative,
        }.items()
        if value is not None
    }  # fmt: skip
    if output.suffix != ".onnx":
        raise OptionError("a model file ends in .onnx", where=str(output))
    if not 0 <= given.get("trust_frequencies", 0.0) <= 1:
        raise OptionError("must lie in 0..1", where="--trust-frequencies")
    if output.is_dir():
        raise OptionError("is a folder", where=str(output), next_step="Name the file to write.")
    if output.exists() and not overwrite:
        raise OptionError("exists already", where=str(output), next_step="Use --overwrite to replace it.")
    # It warns of libraries that are not needed here.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    from photochrom.nets.generators import ColorNet
    from photochrom.train.trained import load_trained

    trained = load_trained(run)
    card = trained.card() | {"name": name or trained.config.model.name}
    if isinstance(trained.net, ColorNet):
        return _export_color(trained, trained.net, output, card, given, half_storage=not full_precision)
    return _export_restoration(trained, output, card, given, half_storage=not full_precision)


def _told(trained: Trained, given: Mapping[str, Any], contract: str) -> dict[str, Any]:
    """Return what the file is to say: what was given, or what the model said that is exported again, or the default.

    Raises:
        OptionError: something was given that a model of this contract has no use for.
    """
    of_color = contract.startswith("color/")
    fitting = {
        name: value
        for name, value in DEFAULTS.items()
        if name in OF_ALL or (LIMITS[name] == contract if name in LIMITS else of_color)
    }
    if foreign := [name for name in given if name not in fitting]:
        where = "--" + foreign[0].replace("_", "-")
        raise OptionError(f"does not concern models of contract {contract}", where=where, next_step="Leave it out.")
    said = {name: value for name, value in trained.said.items() if name in fitting}
    if of_color and "rebalancing_left" in trained.said:
        said["trust_frequencies"] = 1 - trained.said["rebalancing_left"]
    told = {**fitting, **said, **given}
    return {name: value for name, value in told.items() if value not in ("", None) or name in given}


def _export_color(
    trained: Trained,
    learned: ColorNet,
    output: Path,
    card: dict[str, Any],
    given: Mapping[str, Any],
    *,
    half_storage: bool,
) -> int:
    from photochrom.export import color as exporting

    told = _told(trained, given, exporting.HEARING)
    trust = told.pop("trust_frequencies")
    card |= told | {"rebalancing": trained.config.model.rebalancing, "rebalancing_left": 1 - trust}
    net = exporting.trust_frequencies(learned, trust)
    sha256 = exporting.export_color_net(
        net, output, card, half_storage=half_storage, learned=learned, run=trained.header()
    )
    _print_file(output, sha256)
    difference = exporting.check_parity(exporting.ColorGraph(net), output)
    say(f"parity  {difference:.4f} Lab units at most from the trained network")
    return EXIT_OK


def _export_restoration(
    trained: Trained, output: Path, card: dict[str, Any], given: Mapping[str, Any], *, half_storage: bool
) -> int:
    from photochrom.export import restoration as exporting

    if type(trained.net) not in exporting.CONTRACTS:
        raise OptionError(
            f"no contract for a network of target {trained.config.task.target} on a backbone",
            where="export",
            next_step="Exported are networks of target color, tone, mask, fill and polarity, and "
            "rgb with model.backbone none",
        )
    card |= _told(trained, given, exporting.CONTRACTS[type(trained.net)].name)
    sha256 = exporting.export_restoration_net(
        trained.net, output, card, half_storage=half_storage, run=trained.header()
    )
    _print_file(output, sha256)
    graph = exporting.RestorationGraph(trained.net)
    difference, held = exporting.check_parity(graph, output), graph.contract.held
    say(f"parity  {difference:.5f} at most from the trained network at {held:.1%} of values, on a scale of 0 to 1")
    return EXIT_OK


def _print_file(output: Path, sha256: str) -> None:
    say(f"{output}  {output.stat().st_size / 1e6:.2f} MB")
    say(f"sha256  {sha256}")
