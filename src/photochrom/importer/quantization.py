"""Turn a generator's convolutions into 8-bit ones: activations without sign, weights with sign and a scale per channel.

The ranges of activations are measured on photographs (static quantization). Weights get 7 of their 8 bits: processors
with AVX2 and no more add two products in 16 bits, which 8-bit weights overflow.

Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference"; ONNX Runtime's documentation of its QDQ format.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.albums.album import find_photos
from photochrom.errors import OptionError, PhotochromError
from photochrom.files.reading import open_photo
from photochrom.luma import luma_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnx

SIDE_PX = 256
FEWEST_PHOTOS, MOST_PHOTOS = 4, 16
HELD_OUT = 4  # every fourth photograph measures the loss and not the ranges
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class QuantizationLoss:
    """How far the 8-bit network's pictures lie from the network's own, in levels of 255, on photographs held out."""

    mean: float
    percentile_99: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} levels off on average, 99 % within {self.percentile_99:.1f}"


def calibration_pictures(folder: Path, mean: Sequence[float], deviation: Sequence[float]) -> list[FloatArray]:
    """Return up to sixteen photographs of a folder as the network sees them. Shapes: (1, 3, 256, 256) each.

    Raises:
        OptionError: the folder has fewer than four photographs that can be read.
    """
    found = find_photos(folder) if folder.is_dir() else []
    pictures: list[FloatArray] = []
    for path in found[:: max(1, len(found) // MOST_PHOTOS)][:MOST_PHOTOS]:
        try:
            codes = luma_codes(open_photo(path).pixels)
        except PhotochromError:
            continue
        grey = Image.fromarray((codes >> (8 * (codes.itemsize - 1))).astype(np.uint8))
        small = np.asarray(grey.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR), np.float32) / 255
        normalised = [(small - m) / d for m, d in zip(mean, deviation, strict=True)]
        pictures.append(np.stack(normalised)[None].astype(np.float32))
    if len(pictures) < FEWEST_PHOTOS:
        raise OptionError(
            f"{len(pictures)} photographs that can be read, at least {FEWEST_PHOTOS} are needed",
            where=str(folder),
            next_step="Give a folder of photographs like those to be coloured.",
        )
    return pictures


def quantize(exact: Path, pictures: Sequence[FloatArray]) -> onnx.ModelProto:
    """Return the model of a file with 8-bit convolutions, weights inside; ``pictures`` give the ranges.

    Memory: four times the model, and its activations at 256 x 256 for all pictures.
    """
    from photochrom.engines.runtime import load_quantization

    tools = load_quantization()

    class Reader(tools.CalibrationDataReader):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self._left = [{"image": picture} for picture in pictures]

        def get_next(self) -> dict[str, FloatArray] | None:
            return self._left.pop() if self._left else None

    import onnx

    target = exact.with_name("int8.onnx")
    with _silence():
        tools.quantize_static(
            exact,
            target,
            Reader(),
            quant_format=tools.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            reduce_range=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            extra_options={"CalibMovingAverage": False},
        )
    return onnx.load(str(target))


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the quantizer's advice on preparing models, which does not apply, from being printed."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def split_pictures(pictures: Sequence[FloatArray]) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return those that give the ranges, and those that measure the loss."""
    return [p for i, p in enumerate(pictures) if i % HELD_OUT], list(pictures[::HELD_OUT])


def measure_loss(
    exact: Path, rough: Path, pictures: Sequence[FloatArray], deviation: Sequence[float]
) -> QuantizationLoss:
    """Compare two models on pictures."""
    sessions = (_session(exact), _session(rough))
    answers = [[session.run(None, {"image": picture})[0] for picture in pictures] for session in sessions]
    scale = 255 * np.array(deviation, np.float32).reshape(1, 3, 1, 1)
    levels = np.abs(np.stack(answers[0]) - np.stack(answers[1])) * scale
    return QuantizationLoss(float(levels.mean()), float(np.percentile(levels, 99)))


def _session(model: Path) -> Any:
    from photochrom.engines.runtime import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
