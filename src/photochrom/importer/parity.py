"""Is a folded ONNX model still the network it was made from? Measured, wherever torch is installed."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Two versions of torch differ by up to 4e-4 on these networks.
LARGEST_DIFFERENCE = 1e-3
# DDColor's output is Lab a*, b*: a hundredth of a unit is far below what can be seen.
LARGEST_AB_DIFFERENCE = 1e-2
# One multiple of 32, and one whose deeper stages are odd; DDColor takes multiples of 32 only.
SIZES, AB_SIZES = ((64, 64), (80, 112)), ((64, 64), (64, 96))


@dataclass(frozen=True, slots=True)
class Parity:
    """The largest difference found, in units of the network's output; None where torch is missing."""

    largest: float | None
    limit: float = LARGEST_DIFFERENCE

    @property
    def checked(self) -> bool:
        """Whether there was anything to compare with."""
        return self.largest is not None

    @property
    def passed(self) -> bool:
        """Whether the difference, if measured, is one that versions of torch have among themselves."""
        return self.largest is None or self.largest < self.limit


def measure_parity(graph: Path, network: str, tensors: Mapping[str, npt.NDArray[np.generic]]) -> Parity:
    """Run the ONNX model and the unfolded network on test pictures; return the largest difference."""
    if importlib.util.find_spec("torch") is None:
        return Parity(None)
    of_chroma = network.startswith("ddcolor")
    pictures = [_waves(height, width) for height, width in (AB_SIZES if of_chroma else SIZES)]
    if of_chroma:
        pictures = [(picture / 4 + 0.5).astype(np.float32) for picture in pictures]
    folded = _run_folded(graph, [picture[:, :1] for picture in pictures] if of_chroma else pictures)
    unfolded = _run_unfolded(network, tensors, pictures)
    limit = LARGEST_AB_DIFFERENCE if of_chroma else LARGEST_DIFFERENCE
    if not all(np.isfinite(answer).all() for answer in folded):
        return Parity(float("inf"), limit)
    return Parity(float(max(np.abs(a - b).max() for a, b in zip(folded, unfolded, strict=True))), limit)


def _waves(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return a soft grey test picture. Shapes: (1, 3, height, width). Range: normalised, -2..2."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    waves = np.sin(rows / 7) + np.cos(columns / 5 + rows / 11)
    return np.repeat(waves[None, None], 3, axis=1).astype(np.float32)


def _run_folded(graph: Path, pictures: list[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
    from photochrom.engines.runtime import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    return [session.run(None, {session.get_inputs()[0].name: picture})[0] for picture in pictures]


def _run_unfolded(
    network: str, tensors: Mapping[str, npt.NDArray[np.generic]], pictures: list[npt.NDArray[np.float32]]
) -> list[npt.NDArray[np.float32]]:
    import torch

    from photochrom.nets.loading import load_generator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # arrays are views of a read-only file; nothing writes to them
        generator = load_generator(network, tensors)
    with torch.inference_mode():
        return [generator(torch.from_numpy(picture)).numpy() for picture in pictures]
