"""Run a model with ONNX Runtime."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.computer.cores import usable_cores
from photochrom.engines.base import HINT_CHANNELS, METADATA_KEY, FloatArray, ModelSpec, refuse_unknown_inputs
from photochrom.engines.runtime import onnxruntime as ort
from photochrom.engines.weights_file import WEIGHTS_SUFFIX, Weights, refuse_if_damaged, weights_beside
from photochrom.errors import ModelError, ModelFileError, OptionError
from photochrom.options import EngineOptions

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
PACKAGES = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml", "openvino": "onnxruntime-openvino"}
ONLY_FATAL_MESSAGES = 4


class OnnxEngine:
    """A loaded ONNX model. Safe to call from several threads: ONNX Runtime's ``run`` is, and nothing else is shared.

    Args:
        path: the ``.onnx`` file, which carries its spec under ``metadata_props["photochrom"]``.
        expected_sha256: the hash the file must have; empty accepts any.
        options: threads and device.

    Raises:
        ModelFileError: the file is unreadable, damaged, not ONNX, has another hash, or carries no spec.
        OptionError: the device is not available in this ONNX Runtime.
    """

    def __init__(self, path: Path, *, expected_sha256: str = "", options: EngineOptions | None = None) -> None:
        options = options or EngineOptions()
        self._provider, self._reason = choose_provider(options.device)
        self._threads = options.threads or usable_cores()
        content, sha256 = read_checked(path, expected_sha256)
        # Imported models have their weights in a file of their own.
        weights = weights_beside(path)
        session = load_session(content, path, self._provider, self._threads, weights=weights)
        metadata = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        self._spec = ModelSpec.from_json(metadata, str(path)).model_copy(update={"sha256": sha256})
        if weights:
            refuse_if_damaged(path.with_suffix(WEIGHTS_SUFFIX), weights.sha256, self._spec.weights_sha256)
        self._inputs = {item.name for item in session.get_inputs()}
        self._outputs = {item.name for item in session.get_outputs()}
        if "luma" not in self._inputs or "ab" not in self._outputs:
            raise ModelFileError("the model has no input 'luma' or no output 'ab'", where=str(path))
        if self._spec.hears != ("hints" in self._inputs):
            raise ModelFileError(
                f"the model's inputs are not those of its contract {self._spec.contract}", where=str(path)
            )
        self._session: ort.InferenceSession | None = session
        self._closing = threading.Lock()

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself, and the hash of its file."""
        return self._spec

    @property
    def description(self) -> str:
        """One line: runtime, provider, threads, and why."""
        return f"ONNX Runtime {ort.__version__}, {self._provider}, {self._threads} threads ({self._reason})"

    def run(self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> dict[str, FloatArray]:
        """Return the outputs asked for; see ``Engine.run`` for shapes and inputs."""
        session = self._session
        if session is None:
            raise ModelError("the model was closed", where=self._spec.name, next_step="Make a new session.")
        missing = [name for name in outputs if name not in self._outputs]
        if missing:
            raise ModelError(f"the model has no output {missing[0]!r}", where=self._spec.name)
        refuse_unknown_inputs(inputs, self._inputs | {"temperature"}, self._spec)
        feed = {name: np.asarray(value, dtype=np.float32) for name, value in inputs.items() if name in self._inputs}
        if "hints" in self._inputs and "hints" not in feed:
            batch, _, *size = feed["luma"].shape
            feed["hints"] = np.zeros((batch, HINT_CHANNELS, *size), dtype=np.float32)
        with told_if_memory_lacks(feed["luma"].shape, self._spec.name):
            found = session.run(list(outputs), feed)
        return dict(zip(outputs, found, strict=True))

    def close(self) -> None:
        """Release the model's memory once no run uses it any more."""
        with self._closing:
            self._session = None


@contextmanager
def told_if_memory_lacks(shape: Sequence[int], where: str) -> Iterator[None]:
    """Raise ModelError where a model that is shown a copy of this shape, (..., H, W), finds no memory for its work."""
    try:
        yield
    except Exception as error:
        if "alloc" not in str(error).lower() and "memory" not in str(error).lower():
            raise
        raise ModelError(
            f"not enough memory for a copy of {shape[-1]} x {shape[-2]} pixels; nothing was coloured",
            where=where,
            next_step="Use a smaller --render-factor or --size.",
        ) from None


def choose_provider(device: str) -> tuple[str, str]:
    """Return the provider's name and the reason for it."""
    provider = PROVIDERS[device]
    available = ort.get_available_providers()
    if provider not in available:
        package = PACKAGES.get(device, "onnxruntime")
        raise OptionError(
            f"this ONNX Runtime has no {device} support",
            where="device",
            next_step=f"Use --device cpu, or `pip install {package}` where your computer has it.",
        )
    return provider, "the default: fast enough, same everywhere" if device == "cpu" else "asked for"


def read_checked(
    path: Path, expected_sha256: str, *, next_step: str = "Install photochrom again."
) -> tuple[bytes, str]:
    """Return a model file's bytes and their hash; raise ModelFileError if it is not the expected one, unless empty.

    The bytes that were hashed are the bytes that are run: reading the file twice would leave a gap between.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"the model file cannot be read ({error.strerror})", where=str(path)) from None
    sha256 = hashlib.sha256(content).hexdigest()
    refuse_if_damaged(path, sha256, expected_sha256, "the model file", next_step)
    return content, sha256


def load_session(
    content: bytes,
    path: Path,
    provider: str,
    threads: int,
    *,
    weights: Weights | None = None,
    weights_stay_as_stored: bool = False,
) -> ort.InferenceSession:
    """Return a session of a model's bytes, whose weights may lie in a file of their own.

    ``weights_stay_as_stored`` leaves out the optimisations that make rearranged copies of weights.
    """
    options = ort.SessionOptions()
    if weights_stay_as_stored:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Planned memory is kept for each shape that was met, and saves no time that could be measured.
    options.enable_mem_pattern = False
    options.log_severity_level = ONLY_FATAL_MESSAGES  # problems arrive as exceptions; the library never prints
    # Waiting threads sleep rather than spin: between two photographs the decoder needs the processor.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        if weights and provider == PROVIDERS["cpu"]:  # others copy them to where they work
            weights.give_to(options, content)
        # The runtime wants to see the file of weights as well, beside the graph, so it has to know the graph's path.
        session = ort.InferenceSession(str(path) if weights else content, options, providers=[provider])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no base class of their own
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelFileError(
            f"not a model that ONNX Runtime can load ({first_line[:120]})",
            where=str(path),
            next_step="Use a model from `photochrom models list`.",
        ) from None
    session.weights = weights  # it runs on their bytes for as long as it lives
    if weights:
        weights.refuse_if_changed()
        if read_checked(path, "")[0] != content:
            raise ModelFileError("the model file was changed while it was loaded", where=str(path))
    if session.get_providers()[0] != provider:  # ONNX Runtime falls back in silence when a driver is missing
        raise OptionError(f"{provider} is installed but does not start", where="device", next_step="Use --device cpu.")
    return session
