"""From a trained network to the ONNX file that colours photographs without torch.

The exported graph is the contract ``color/1``: luma and a temperature in, colours, confidence and logits out; or
``color/2``, which takes hints, too.
Spectral and batch norm are folded into the kernels, large weights are stored as float16 and widened when the
file is loaded, and the result is compared with the network it came from before it is kept.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from photochrom.engines.base import ModelSpec
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import ModelFileError
from photochrom.export.onnx_file import Exported, Trace, refuse_unusable, write_model
from photochrom.nets.blocks import softmax_over_channels
from photochrom.nets.folding import fold_norms
from photochrom.nets.generators import ColorNet

DEAF, HEARING = "color/1", "color/2"
MULTIPLE = 32
# The colour spread, in Lab units, at which confidence is one half.
HALF_CONFIDENCE_SPREAD = 10.0
PARITY_TOLERANCE_AB = 0.5


class ColorGraph(nn.Module):
    """A colour network with its decoding, as exported.

    Shapes: luma (B, 1, H, W), temperature () and, for a network that hears, hints (B, 3, H, W) -> ab (B, 2, h, w),
    confidence (B, 1, h, w), logits (B, K, h, w), h = H / stride, and features (B, C, H / 16, W / 16), by which places
    of two pictures are compared; H and W divisible by 32. Range: luma 0..1; ab and hints in Lab units; confidence and
    the weight of hints 0..1.

    Confidence is 1 / (1 + spread / 10), the spread being the standard deviation (Lab units) of the predicted
    distribution around its mean, at temperature one.
    """

    def __init__(self, net: ColorNet) -> None:
        super().__init__()
        self.net = fold_norms(net)
        self.bins_ab = self.net.palette.bins_ab

    def forward(self, luma: Tensor, temperature: Tensor, hints: Tensor | None = None) -> tuple[Tensor, ...]:
        """Shapes: as the class says."""
        logits = self.net(luma, hints)
        # Decoded as 1x1 convolutions over the bins: no large tensor is transposed.
        moments = torch.cat([self.bins_ab, self.bins_ab.square().sum(dim=1, keepdim=True)], dim=1)
        ab = nn.functional.conv2d(softmax_over_channels(logits / temperature), self.bins_ab.t()[:, :, None, None])
        mean = nn.functional.conv2d(softmax_over_channels(logits), moments.t()[:, :, None, None])
        spread = (mean[:, 2:] - mean[:, :2].square().sum(dim=1, keepdim=True)).clamp(min=0).sqrt()
        # The same nodes as in the net itself: the runtime finds them equal, and runs them once.
        *_, features, _ = self.net.unet.backbone(luma.expand(-1, 3, -1, -1))
        return ab, 1 / (1 + spread / HALF_CONFIDENCE_SPREAD), logits, features


def trust_frequencies(net: ColorNet, share: float = 1.0) -> ColorNet:
    """Return a copy that answers with the true frequencies of colours instead of the rebalanced ones, or part of it.

    Rebalanced training multiplies a colour's probability by its weight w; subtracting ``share`` (0..1) of log w from
    its logit takes that back. At 1 the errors are least, and what the network is unsure of turns grey. What is lost in
    vividness is better regained by a plain gain on the colours than by preferring rare ones: at the same colourfulness
    the error is lower (docs/experiments/color-first.md). Folded into the head's bias, so it costs nothing.

    Source: Saerens, Latinne, Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities",
    equation 4, with the weights of Zhang, Isola, Efros 2016, "Colorful Image Colorization", equation 4.
    """
    honest = copy.deepcopy(net)
    if honest.head.bias is None:
        raise ModelFileError("the network's head has no bias to fold the frequencies into")
    with torch.no_grad():
        honest.head.bias -= share * honest.palette.weights.log()
    return honest


def export_color_net(
    net: ColorNet,
    path: Path,
    card: dict[str, Any],
    *,
    half_storage: bool = True,
    learned: ColorNet | None = None,
    run: Mapping[str, str] | None = None,
) -> str:
    """Write the ONNX file and return its sha256.

    Args:
        net: the trained network.
        path: where to write; written aside, checked, then renamed.
        card: what the file says about itself: name, render_px, temperature, licence, training ...
        half_storage: store large weights as float16, halving the file.
        learned: the network that training goes on from, where it is another one than ``net``.
        run: configuration and position of its run, as in a checkpoint's header.

    Raises:
        OptionError: the card says what no engine would take.
        ModelFileError: the exported graph does not answer as the network does.
    """
    graph = ColorGraph(net)
    header = card | {
        "contract": HEARING if net.hears else DEAF,
        "multiple": MULTIPLE,
        "output_stride": net.stride,
        "bins_ab": net.palette.bins_ab.tolist(),
        "bin_shares": [float(f"{share:.6g}") for share in net.palette.shares.tolist()],
    }
    refuse_unusable(header, ModelSpec)
    exported = Exported(graph, graph.net, learned or net, header, run)
    return write_model(
        exported, _trace_of(graph), path, lambda written: check_parity(graph, written), half_storage=half_storage
    )


def _trace_of(graph: ColorGraph) -> Trace:
    inputs = {"luma": torch.rand(2, 1, 64, 96), "temperature": torch.tensor(1.0)}
    if graph.net.hears:
        inputs["hints"] = torch.rand(2, 3, 64, 96)
    return Trace(inputs, ("ab", "confidence", "logits", "features"), MULTIPLE)


def check_parity(graph: ColorGraph, path: Path, *, tolerance_ab: float = PARITY_TOLERANCE_AB) -> float:
    """Return the largest difference in colour (Lab units) between the network and its file, on noise and a ramp.

    At three sizes, the last of them above 224 px: from there on places agree over more pixels (``nets/agreement.py``).

    Raises:
        ModelFileError: it is above the tolerance.
    """
    rng = np.random.default_rng(0)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for height, width in ((64, 96), (160, 128), (288, 256)):
        ramp = np.linspace(0, 1, height * width, dtype=np.float32).reshape(1, 1, height, width)
        luma = np.concatenate([ramp, rng.random((1, 1, height, width), dtype=np.float32)])
        feed = {"luma": luma, "temperature": np.asarray(np.float32(0.7))}
        if graph.net.hears:
            feed["hints"] = np.stack([np.zeros((3, height, width)), _some_hints(height, width, rng)]).astype(np.float32)
        with torch.no_grad():
            expected = graph(*map(torch.from_numpy, feed.values()))[0].numpy()
        reached = session.run(["ab"], feed)[0]
        worst = float(np.maximum(worst, np.abs(expected - reached).max()))
    if not worst <= tolerance_ab:  # numbers that are none compare with nothing
        raise ModelFileError(f"the exported graph differs from the network by {worst:.2f} Lab units", where=str(path))
    return worst


def _some_hints(height: int, width: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return hints (3, H, W) at a fiftieth of the pixels."""
    given = rng.random((height, width)) < 0.02
    return np.concatenate([rng.uniform(-60, 60, (2, height, width)) * given, given[None]])
