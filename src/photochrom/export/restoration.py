"""From a trained restoration network to its ONNX file: contracts tone/1, noise/1, damage/1, inpaint/2, polarity/1.

All pictures in them are sRGB, R'G'B' 0..1, (B, 3, H, W) float32; a grey photograph goes in as three equal planes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from photochrom.engines.restoration import POLARITY_SIDE_PX, StageSpec
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import ModelFileError
from photochrom.export.onnx_file import Exported, Trace, refuse_unusable, write_model
from photochrom.nets.damage import DamageNet
from photochrom.nets.folding import fold_norms
from photochrom.nets.polarity import PolarityNet
from photochrom.nets.restoration import DenoiseNet, InpaintNet
from photochrom.nets.tone import FIELD, KNOTS, ToneNet

TONE_PX = 256
# Largest difference, on a scale of 0..1, between a network and its file with weights in half precision.
PARITY_TOLERANCE = 0.02


@dataclass(frozen=True)
class RestorationContract:
    """What a file promises. ``multiple``: sides must be multiples of it; 0: they are ``side_px``.

    ``held`` is the share of values that must keep the tolerance: the denoiser's hard thresholds fall to one side or the
    other by a rounding, which is another one on another processor.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    multiple: int
    held: float = 1.0
    side_px: int = 0


CONTRACTS: dict[type[nn.Module], RestorationContract] = {
    ToneNet: RestorationContract("tone/1", ("rgb",), ("curves", "gain", "offset"), 0, side_px=TONE_PX),
    DenoiseNet: RestorationContract("noise/1", ("rgb",), ("restored",), 16, held=0.999),
    DamageNet: RestorationContract("damage/1", ("rgb",), ("mask",), 32),
    InpaintNet: RestorationContract("inpaint/2", ("rgb", "mask"), ("restored",), 16),
    PolarityNet: RestorationContract("polarity/1", ("rgb",), ("positive",), 0, side_px=POLARITY_SIDE_PX),
}


class RestorationGraph(nn.Module):
    """A restoration network as exported: pictures clamped to 0..1, a mask and polarity as probabilities."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = fold_norms(net)
        self.contract = CONTRACTS[type(net)]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Shapes: as the contract's."""
        if isinstance(self.net, ToneNet):
            curves, gain, offset = self.net(*inputs)
            return curves, gain, offset
        answer = self.net(*inputs)
        return (answer.sigmoid() if isinstance(self.net, DamageNet | PolarityNet) else answer.clamp(0, 1),)


def export_restoration_net(
    net: nn.Module,
    path: Path,
    card: dict[str, Any],
    *,
    half_storage: bool = True,
    run: Mapping[str, str] | None = None,
) -> str:
    """Write the ONNX file and return its sha256.

    Args:
        net: the trained network.
        path: where to write; written aside, checked, then renamed.
        card: what the file says about itself: name, licence, training ...
        half_storage: store large weights as float16, halving the file.
        run: configuration and position of its run, as in a checkpoint's header.

    Raises:
        OptionError: the card says what no engine would take.
        ModelFileError: the exported graph does not answer as the network does.
    """
    graph = RestorationGraph(net)
    contract = graph.contract
    header: dict[str, Any] = card | {"contract": contract.name}
    header |= {"side_px": contract.side_px} if contract.side_px else {"multiple": contract.multiple}
    if isinstance(net, ToneNet):
        header |= {"knots": KNOTS, "field": FIELD}
    refuse_unusable(header, StageSpec)
    inputs = {name: torch.from_numpy(array) for name, array in _examples(contract, 64, 96).items()}
    return write_model(
        Exported(graph, graph.net, net, header, run),
        Trace(inputs, contract.outputs, contract.multiple, starred=True),
        path,
        lambda written: check_parity(graph, written),
        half_storage=half_storage,
    )


def _examples(
    contract: RestorationContract, height: int, width: int
) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Return two pictures, a ramp and noise, and a mask of holes and probabilities where one is asked for."""
    if contract.side_px:
        height = width = contract.side_px
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 3 * height * width, dtype=np.float32).reshape(1, 3, height, width)
    feed = {"rgb": np.concatenate([ramp, rng.random((1, 3, height, width), dtype=np.float32)])}
    if "mask" in contract.inputs:
        mask = rng.random((2, 1, height, width), dtype=np.float32)
        feed["mask"] = np.where(mask < 0.6, 0, np.where(mask < 0.8, 1, mask))
    return feed


def check_parity(graph: RestorationGraph, path: Path, *, tolerance: float = PARITY_TOLERANCE) -> float:
    """Return the largest difference (0..1) between the network and its file, over all outputs, at two sizes.

    Largest among the share of values that the contract holds to the tolerance.

    Raises:
        ModelFileError: it is above the tolerance.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for height, width in ((64, 96), (160, 128)):
        feed = _examples(graph.contract, height, width)
        with torch.no_grad():
            expected = graph(*(torch.from_numpy(array) for array in feed.values()))
        reached = session.run(list(graph.contract.outputs), feed)
        pairs = zip(expected, reached, strict=True)
        apart = (np.abs(one.numpy() - other) for one, other in pairs)
        worst = float(np.max([worst, *(np.quantile(values, graph.contract.held) for values in apart)]))
    if not worst <= tolerance:
        raise ModelFileError(f"the exported graph differs from the network by {worst:.3f}", where=str(path))
    return worst
