"""Run a generator of whole pictures, such as DeOldify's, as if it were a model of chroma."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.color import chroma, lab_from_srgb, merge_luma_chroma
from photochrom.computer.cores import usable_cores
from photochrom.engines.base import METADATA_KEY, FloatArray, ModelSpec, refuse_unknown_inputs
from photochrom.engines.generator_spec import GeneratorSpec
from photochrom.engines.onnx import choose_provider, load_session, read_checked, told_if_memory_lacks
from photochrom.engines.runtime import onnxruntime as ort
from photochrom.engines.weights_file import (
    REINSTALL,
    WEIGHTS_SUFFIX,
    Weights,
    refuse_if_damaged,
)
from photochrom.errors import ModelError, ModelFileError
from photochrom.options import EngineOptions

LARGEST_RENDER_PX = 1024
# What the runtime keeps for the next picture is given back after each: it can be a gigabyte.
SHRINK_AFTER_RUN = ("memory.enable_memory_arena_shrinkage", "cpu:0")


# (pixels of the copy, largest resident bytes of the process), measured on Linux with two threads at render factors 10,
# 21 and 35 (2018: 28 and 48); beyond, what the largest maps take.
MEMORY_BYTES = {
    "artistic": ((25_600, 0.82e9), (112_896, 1.01e9), (313_600, 1.11e9)),
    "stable": ((25_600, 1.31e9), (112_896, 1.59e9), (313_600, 1.62e9)),
    "unet-2018": ((25_600, 0.64e9), (112_896, 0.70e9), (200_704, 0.83e9), (594_000, 1.75e9)),
}
BYTES_PER_FURTHER_PIXEL = 2000
# 8-bit networks work on the whole picture at once: 2.85e9 measured for artistic at render factor 35, the rest reckoned.
INT8_BYTES, INT8_BYTES_PER_PIXEL = 0.9e9, 8000


class GeneratorEngine:
    """An installed generator. Fulfils the contract of colour models (``Engine``), and paints whole pictures.

    The weights lie in a file of their own beside the graph, and are read once: what becomes of the file later changes
    nothing.

    Args:
        path: ``model.onnx``, whose metadata are a ``GeneratorSpec``.
        expected_sha256: the hash the graph must have; empty accepts any. The weights' hash is in the graph.
        options: threads and device.

    Raises:
        ModelFileError: a file is missing, damaged, or of another contract.
        OptionError: the device is not available.
    """

    def __init__(self, path: Path, *, expected_sha256: str = "", options: EngineOptions | None = None) -> None:
        options = options or EngineOptions()
        self._provider, self._reason = choose_provider(options.device)
        self._threads = options.threads or usable_cores()
        graph, self._sha256 = read_checked(path, expected_sha256, next_step=REINSTALL)
        beside = path.with_suffix(WEIGHTS_SUFFIX)
        weights = Weights(beside)
        with ThreadPoolExecutor(1) as other_core:
            found = other_core.submit(getattr, weights, "sha256")
            session = self._load(graph, path, weights, graph_is_whole=bool(expected_sha256))
            self.generator = _spec_from_json(session.get_modelmeta().custom_metadata_map.get(METADATA_KEY), path)
            refuse_if_damaged(beside, found.result(), self.generator.weights_sha256)
        self._session: ort.InferenceSession | None = session
        self._closing = threading.Lock()

    def _load(self, graph: bytes, path: Path, weights: Weights, *, graph_is_whole: bool) -> ort.InferenceSession:
        try:
            return load_session(
                graph, path, self._provider, self._threads, weights=weights, weights_stay_as_stored=True
            )
        except ModelFileError:
            if not graph_is_whole:
                raise
            raise ModelFileError(
                "the weights are missing, damaged or cut short",
                where=str(path.with_suffix(WEIGHTS_SUFFIX)),
                next_step=REINSTALL,
            ) from None

    @property
    def spec(self) -> ModelSpec:
        """What the model is to the pipeline: chroma at the resolution of the net's copy."""
        generator = self.generator
        return ModelSpec(
            contract="color/1",
            name=generator.name,
            render_px=min(generator.render_px, LARGEST_RENDER_PX),
            multiple=generator.multiple,
            output_stride=1,
            licence=generator.licence,
            sha256=self._sha256,
        )

    @property
    def description(self) -> str:
        """One line: runtime, provider, threads, and why."""
        return f"ONNX Runtime {ort.__version__}, {self._provider}, {self._threads} threads ({self._reason})"

    def peak_memory_bytes(self, pixels: int) -> int:
        """Return the memory of the whole process while a copy of so many pixels is painted, estimated."""
        if self.generator.precision == "int8":
            return int(INT8_BYTES + INT8_BYTES_PER_PIXEL * pixels)
        known_pixels, known_bytes = zip(*MEMORY_BYTES[self.generator.network], strict=True)
        beyond = max(0, pixels - known_pixels[-1]) * BYTES_PER_FURTHER_PIXEL
        return int(np.interp(pixels, known_pixels, known_bytes) + beyond)

    def run(self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> dict[str, FloatArray]:
        """Return ``ab``; see ``Engine.run`` for shapes. Generators say nothing of confidence, and take no temperature.

        The generator's chroma is put under the luma that went in, and that colour's a*, b* are given, so that the
        pipeline gets exactly this chroma back.
        """
        missing = [name for name in outputs if name != "ab"]
        if missing:
            raise ModelError(
                f"the model has no output {missing[0]!r}",
                where=self.generator.name,
                next_step="Leave out what needs it (--uncertainty), or use one of photochrom's own models",
            )
        refuse_unknown_inputs(inputs, {"luma", "temperature"}, self.spec)
        return {"ab": np.stack([self._ab(luma[0]) for luma in inputs["luma"]])}

    def _ab(self, luma: FloatArray) -> FloatArray:
        painted = self.paint(np.repeat(luma[..., None], 3, axis=-1))
        rgb = merge_luma_chroma(luma, chroma(painted))
        return np.ascontiguousarray(np.moveaxis(lab_from_srgb(rgb)[..., 1:], -1, 0), dtype=np.float32)

    def paint(self, rgb: FloatArray) -> FloatArray:
        """Return the picture as the generator paints it.

        Shapes: (H, W, 3) -> (H, W, 3), multiples of ``generator.multiple``. Range: sRGB 0..1, and so the result.
        """
        session = self._session
        if session is None:
            raise ModelError("the model was closed", where=self.generator.name, next_step="Make a new session.")
        mean, deviation = (np.array(part, np.float32) for part in (self.generator.mean, self.generator.deviation))
        image = np.ascontiguousarray(np.moveaxis((rgb - mean) / deviation, -1, 0), dtype=np.float32)
        options = ort.RunOptions()
        options.add_run_config_entry(*SHRINK_AFTER_RUN)
        with told_if_memory_lacks(image.shape, self.generator.name):
            colored = session.run(["colored"], {"image": image[None]}, options)[0][0]
        colored = colored[:, : rgb.shape[0], : rgb.shape[1]]
        if not np.isfinite(colored).all():
            raise ModelError("the model gave values that are not numbers", where=self.generator.name)
        painted: FloatArray = np.clip(np.moveaxis(colored, 0, -1) * deviation + mean, 0, 1)
        return painted

    def close(self) -> None:
        """Release the model's memory once no run uses it any more."""
        with self._closing:
            self._session = None


def _spec_from_json(text: str | None, path: Path) -> GeneratorSpec:
    try:
        return GeneratorSpec.model_validate(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        raise ModelFileError("not a generator that photochrom made", where=str(path), next_step=REINSTALL) from None
