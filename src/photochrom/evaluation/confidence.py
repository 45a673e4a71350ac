"""A model's confidence, taken from the very run that made the colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.engines.base import Engine, FloatArray, ModelSpec
from photochrom.pipeline import ColorizeResult


@dataclass
class ConfidenceTap:
    """An engine that asks another one for the confidence along with whatever else is wanted, and keeps it.

    Not for several threads: it remembers the last run only.
    """

    engine: Engine
    last: FloatArray = field(default_factory=lambda: np.zeros((1, 1, 0, 0), np.float32))

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        return self.engine.spec

    @property
    def description(self) -> str:
        """The engine's own line."""
        return self.engine.description

    def run(self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> dict[str, FloatArray]:
        """Return the outputs asked for, and keep the confidence."""
        found = self.engine.run(inputs, tuple(dict.fromkeys((*outputs, "confidence"))))
        self.last = found["confidence"]
        return {name: found[name] for name in outputs}

    def close(self) -> None:
        """Release the model's memory."""
        self.engine.close()

    def cropped(self, result: ColorizeResult) -> FloatArray:
        """Return the confidence of the picture proper, (h, w) in 0..1: without what was padded for the net."""
        stride = self.spec.output_stride
        return self.last[0, 0, : result.render_height // stride, : result.render_width // stride]
