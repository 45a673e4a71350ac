"""Run the models that restore, and one that looks: five small networks, each with a contract of its own.

| contract | takes | gives |
|---|---|---|
| ``tone/1`` | ``rgb`` (B, 3, 256, 256), the whole photograph squashed by area averaging | ``curves`` (B, 3, 33), ``gain`` and ``offset`` (B, 3, 16, 16) |
| ``noise/1`` | ``rgb`` (B, 3, H, W), sides multiples of 16 | ``restored``, same shape |
| ``damage/1`` | ``rgb`` (B, 3, H, W), sides multiples of 32 | ``mask`` (B, 1, H, W), probability of damage |
| ``inpaint/2`` | ``rgb`` (B, 3, H, W) and ``mask`` (B, 1, H, W): 0 known, 1 a hole, between them the probability that it is damaged; sides multiples of 16 | ``restored``, same shape as ``rgb`` |
| ``polarity/1`` | ``rgb`` (B, 3, 128, 128), the whole photograph squashed by area averaging, or a corner of it | ``positive`` (B, 1), probability that it is a positive rather than a negative |

Everything is float32; pictures are gamma-encoded sRGB, 0..1; a grey photograph goes in as three equal planes.
"""  # noqa: E501 - a table

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from pydantic import Field

from photochrom.computer.cores import usable_cores
from photochrom.engines.base import METADATA_KEY, FileSpec, FloatArray
from photochrom.engines.onnx import choose_provider, load_session, read_checked, run_session
from photochrom.engines.runtime import onnxruntime as ort
from photochrom.engines.weights_file import weights_beside
from photochrom.errors import ModelError, ModelFileError
from photochrom.options import EngineOptions

TONE_SIDE_PX = 256
POLARITY_SIDE_PX = 128
CURVE_KNOTS = 33
FIELD_CELLS = 16
LESS_AT_ONCE = "Close other programs, or use fewer --threads."
LARGEST_VALUE = 1_000.0
"""Of any output: pictures and masks are within 0..1, curves and gains a few units."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a model takes and gives, and which multiple the sides of its pictures must be."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    multiple: int


CONTRACTS = {
    "tone/1": Contract(("rgb",), ("curves", "gain", "offset"), TONE_SIDE_PX),
    "noise/1": Contract(("rgb",), ("restored",), 16),
    "damage/1": Contract(("rgb",), ("mask",), 32),
    "inpaint/2": Contract(("rgb", "mask"), ("restored",), 16),
    "polarity/1": Contract(("rgb",), ("positive",), POLARITY_SIDE_PX),
}
# By kind of model: the version of its contract that this photochrom runs.
CURRENT = {name.partition("/")[0]: name for name in CONTRACTS}


class StageSpec(FileSpec):
    """What a restoring model says of itself."""

    contract: Literal["tone/1", "noise/1", "damage/1", "inpaint/2", "polarity/1"] = Field(
        description="See the module's table."
    )
    noisy: float = Field(
        default=1.8,
        gt=0,
        description="noise/1: a photograph counts as noisy when this model takes so much out of its quietest parts, "
        "code values of 255. Each training finds its own amount, so the limit belongs to the file.",
    )
    damaged: float = Field(
        default=0.0125,
        ge=0,
        le=1,
        description="damage/1: a photograph counts as damaged when this model is sure of damage in so large a share of "
        "its squares (64 to the short side). What a training takes for damage is its own, so the limit is the file's.",
    )
    negative: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="polarity/1: a photograph counts as a negative when this model gives a positive no more than this "
        "probability. How rare a false alarm is at it was measured with this file.",
    )


class StageEngine(Protocol):
    """Something that runs one restoring model. Implementations are safe to call from several threads at once."""

    @property
    def spec(self) -> StageSpec:
        """What the model says of itself."""
        ...

    def run(self, rgb: FloatArray, mask: FloatArray | None = None) -> dict[str, FloatArray]:
        """Return the outputs of the model's contract by name; see the module's table for shapes and ranges."""
        ...

    def close(self) -> None:
        """Release the model's memory; a later run raises ModelError."""
        ...


class OnnxStage:
    """A loaded restoring model.

    Args:
        path: the ``.onnx`` file, which carries its spec under ``metadata_props["photochrom"]``.
        contract: the one that it must fulfil, such as "noise/1".
        expected_sha256: the hash the file must have; empty accepts any.
        options: threads and device.

    Raises:
        ModelFileError: the file is unreadable, damaged, not ONNX, or of another contract.
        OptionError: the device is not available in this ONNX Runtime.
    """

    def __init__(
        self, path: Path, contract: str, *, expected_sha256: str = "", options: EngineOptions | None = None
    ) -> None:
        options = options or EngineOptions()
        provider, _ = choose_provider(options.device)
        content, sha256 = read_checked(path, expected_sha256)
        session = load_session(content, path, provider, options.threads or usable_cores())
        metadata = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        FileSpec.from_json(metadata, str(path)).refuse_other_contract([contract], str(path))
        self._spec = StageSpec.from_json(metadata, str(path)).model_copy(update={"sha256": sha256})
        self._ports = CONTRACTS[contract]
        present = {item.name for item in (*session.get_inputs(), *session.get_outputs())}
        missing = [name for name in (*self._ports.inputs, *self._ports.outputs) if name not in present]
        if missing:
            raise ModelFileError(f"the model has no input or output {missing[0]!r}", where=str(path))
        self._session: ort.InferenceSession | None = session
        self._closing = threading.Lock()

    @property
    def spec(self) -> StageSpec:
        """What the model says of itself, and the hash of its file."""
        return self._spec

    def run(self, rgb: FloatArray, mask: FloatArray | None = None) -> dict[str, FloatArray]:
        """Return the outputs of the contract by name.

        Raises:
            ModelError: the model was closed, cannot be run, or gave values that are not numbers, or of another shape.
        """
        session = self._session
        if session is None:
            raise ModelError("the model was closed", where=self._spec.name, next_step="Make a new session.")
        feed = {"rgb": rgb} if mask is None else {"rgb": rgb, "mask": mask}
        outputs, name = self._ports.outputs, self._spec.name
        values = run_session(session, outputs, feed, name, left_undone="nothing was restored", next_step=LESS_AT_ONCE)
        found = dict(zip(outputs, values, strict=True))
        if not all((np.abs(values) <= LARGEST_VALUE).all() for values in found.values()):
            raise ModelError("the model gave values that are not numbers, or far too large", where=name)
        promised = shapes_for(rgb.shape)
        if any(values.shape != promised[output] for output, values in found.items()):
            raise ModelError("the model gave arrays of another shape than it promised", where=name)
        return found

    def close(self) -> None:
        """Release the model's memory once no run uses it any more."""
        with self._closing:
            self._session = None


def shapes_for(rgb: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each output, of any contract, for pictures of a shape (B, 3, H, W)."""
    batch, channels, height, width = rgb
    fields = (batch, channels, FIELD_CELLS, FIELD_CELLS)
    return {
        "curves": (batch, channels, CURVE_KNOTS),
        "gain": fields,
        "offset": fields,
        "restored": rgb,
        "mask": (batch, 1, height, width),
        "positive": (batch, 1),
    }


def contract_of(path: Path) -> str:
    """Return the contract that a model file says it fulfils.

    Raises:
        ModelFileError: it cannot be loaded, or says nothing.
    """
    provider, _ = choose_provider("cpu")
    session = load_session(read_checked(path, "")[0], path, provider, 1, weights=weights_beside(path))
    metadata = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    return FileSpec.from_json(metadata, str(path)).contract
