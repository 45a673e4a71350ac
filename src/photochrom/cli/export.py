"""`photochrom export RUN_FOLDER -o FILE.onnx`: from a training run to a model file that `colorize --model` takes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from photochrom.cli.extras import require_extra
from photochrom.cli.lines import say
from photochrom.errors import EXIT_OK, OptionError

if TYPE_CHECKING:
    from photochrom.train.trained import Trained

DEFAULT_RENDER_PX = 256


def export(
    run: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    name: str = "",
    licence: str = "MIT",
    render_px: int = DEFAULT_RENDER_PX,
    detail_px: int = 0,
    temperature: float = 0.5,
    gain: float = 1.0,
    detail_gain: float = 1.0,
    chroma_spread: float = 0.0,
    pale_below: float = 0.0,
    trust_frequencies: float = 0.0,
    noisy: float | None = None,
    damaged: float | None = None,
    negative: float | None = None,
    trained_on: str = "",
    full_precision: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Write the averaged weights of a run as an ONNX model file, compared with the network before it is kept.

    Colour and restoration networks alike; options from render-px to trust-frequencies concern colour only.

    Args:
        run: The run's folder, one checkpoint file, or a model: a name from `photochrom models list`, or its file.
        output: The model file to write, ending in .onnx.
        name: Name the model carries; left out, the configuration's model.name.
        licence: Licence the model carries.
        render_px: Short side, in pixels, of the copy that the network should see.
        detail_px: That of a second copy at most, as large as the photograph is; 0 for none.
        temperature: Sharpness of the colours it should be decoded with: 1 is the mean, towards 0 the likeliest.
        gain: Factor on the decoded colours.
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
    if output.suffix != ".onnx":
        raise OptionError("a model file ends in .onnx", where=str(output))
    if not 0 <= trust_frequencies <= 1:
        raise OptionError("must lie in 0..1", where="--trust-frequencies")
    if not 0 <= chroma_spread <= 1:
        raise OptionError("must lie in 0..1", where="--chroma-spread")
    if output.exists() and not overwrite:
        raise OptionError("exists already", where=str(output), next_step="Use --overwrite to replace it.")
    # It warns of libraries that are not needed here.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    from photochrom.nets.generators import ColorNet
    from photochrom.train.trained import load_trained

    trained = load_trained(run)
    card = trained.card() | {"name": name or trained.config.model.name, "licence": licence}
    if not isinstance(trained.net, ColorNet):
        limits = {"noisy": noisy, "damaged": damaged, "negative": negative}
        card |= {name: limit for name, limit in limits.items() if limit is not None}
        return _export_restoration(trained, output, card | _told(trained_on), half_storage=not full_precision)
    from photochrom.export import color as exporting

    card |= {
        "render_px": render_px,
        "detail_px": detail_px,
        "temperature": temperature,
        "gain": gain,
        "detail_gain": detail_gain,
        "chroma_spread": chroma_spread,
        "pale_below": pale_below,
        "rebalancing": trained.config.model.rebalancing,
        "rebalancing_left": 1 - trust_frequencies,
    }
    card |= _told(trained_on)
    net = exporting.trust_frequencies(trained.net, trust_frequencies)
    sha256 = exporting.export_color_net(
        net, output, card, half_storage=not full_precision, learned=trained.net, run=trained.header()
    )
    _print_file(output, sha256)
    difference = exporting.check_parity(exporting.ColorGraph(net), output)
    say(f"parity  {difference:.4f} Lab units at most from the trained network")
    return EXIT_OK


def _export_restoration(trained: Trained, output: Path, card: dict[str, object], *, half_storage: bool) -> int:
    from photochrom.export import restoration as exporting

    if type(trained.net) not in exporting.CONTRACTS:
        raise OptionError(
            f"no contract for a network of target {trained.config.task.target} on a backbone",
            where="export",
            next_step="Exported are networks of target color, tone, mask, fill and polarity, and "
            "rgb with model.backbone none",
        )
    sha256 = exporting.export_restoration_net(
        trained.net, output, card, half_storage=half_storage, run=trained.header()
    )
    _print_file(output, sha256)
    graph = exporting.RestorationGraph(trained.net)
    difference, held = exporting.check_parity(graph, output), graph.contract.held
    say(f"parity  {difference:.5f} at most from the trained network at {held:.1%} of values, on a scale of 0 to 1")
    return EXIT_OK


def _told(trained_on: str) -> dict[str, object]:
    return {"trained_on": trained_on} if trained_on else {}


def _print_file(output: Path, sha256: str) -> None:
    say(f"{output}  {output.stat().st_size / 1e6:.2f} MB")
    say(f"sha256  {sha256}")
