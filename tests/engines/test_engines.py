from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest

from photochrom.engines.base import Engine, FakeEngine, ModelSpec
from photochrom.engines.hub import find_model
from photochrom.engines.onnx import OnnxEngine
from photochrom.errors import ModelError, ModelFileError, OptionError
from photochrom.options import EngineOptions
from tests.tiny_model import write_tiny_model

LUMA = np.linspace(0, 1, 64 * 96, dtype=np.float32).reshape(1, 1, 64, 96)
INPUTS = {"luma": LUMA, "temperature": np.array(0.4, dtype=np.float32)}


@pytest.fixture(params=["onnx", "fake"])
def engine(request: pytest.FixtureRequest, tiny_model: Path) -> Engine:
    return OnnxEngine(tiny_model) if request.param == "onnx" else FakeEngine()


def test_every_engine_keeps_the_contract(engine: Engine) -> None:
    assert isinstance(engine, Engine)
    assert engine.spec.contract == "color/1"
    assert engine.description
    stride = engine.spec.output_stride
    outputs = engine.run(INPUTS, ("ab", "confidence"))
    assert list(outputs) == ["ab", "confidence"]
    assert outputs["ab"].shape == (1, 2, 64 // stride, 96 // stride)
    assert outputs["confidence"].shape == (1, 1, 64 // stride, 96 // stride)
    assert {array.dtype for array in outputs.values()} == {np.dtype(np.float32)}


def test_only_what_is_asked_for_is_fetched(engine: Engine) -> None:
    assert list(engine.run(INPUTS, ("confidence",))) == ["confidence"]


def test_the_fake_engine_follows_its_function() -> None:
    engine = FakeEngine(ab=lambda luma: np.concatenate([luma, -luma], axis=1))
    ab = engine.run(INPUTS, ("ab",))["ab"]
    assert np.array_equal(ab[:, 0], LUMA[:, 0, ::2, ::2])


def test_the_spec_and_the_hash_are_read_from_the_file(tiny_model: Path) -> None:
    spec = OnnxEngine(tiny_model).spec
    assert (spec.name, spec.render_px, spec.temperature) == ("tiny", 64, 0.4)
    assert spec.sha256 == hashlib.sha256(tiny_model.read_bytes()).hexdigest()


def test_a_newer_exporters_extra_facts_are_kept(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "new.onnx", spec={"trained_steps": 100})
    assert OnnxEngine(path).spec.model_dump()["trained_steps"] == 100


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"contract": "color/9"}, "contract"),
        ({"render_px": 0}, "render_px"),
        ({"render_px": "big"}, "render_px"),
        ({"temperature": 0}, "temperature"),
    ],
)
def test_a_spec_that_cannot_be_used_is_refused(tmp_path: Path, spec: dict[str, object], message: str) -> None:
    path = write_tiny_model(tmp_path / "odd.onnx", spec=spec)
    with pytest.raises(ModelFileError, match=message):
        OnnxEngine(path)


def test_a_model_that_restores_is_told_as_one() -> None:
    with pytest.raises(ModelFileError, match=r"is a model of contract 'noise/1', and 'color/1' or 'color/2' is needed"):
        OnnxEngine(find_model("photochrom-noise").path)


def test_an_onnx_file_without_metadata_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    model = onnx.load(tiny_model)
    del model.metadata_props[:]
    path = tmp_path / "bare.onnx"
    onnx.save(model, path)
    with pytest.raises(ModelFileError, match="carries no photochrom metadata"):
        OnnxEngine(path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x09" * 50])
def test_junk_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        OnnxEngine(path)
    assert "\n" not in str(caught.value)


def test_a_truncated_model_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_model.read_bytes()[:-40])
    with pytest.raises(ModelFileError):
        OnnxEngine(path)


def test_another_hash_is_refused(tiny_model: Path) -> None:
    with pytest.raises(ModelFileError, match="damaged"):
        OnnxEngine(tiny_model, expected_sha256="0" * 64)


def test_an_unreadable_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        OnnxEngine(tmp_path)


def test_files_larger_than_any_model_are_refused_unread(tmp_path: Path, tiny_model: Path) -> None:
    path, weights = tmp_path / "huge.onnx", tmp_path / "huge.weights"
    with path.open("wb") as file:
        file.truncate(2**40)  # none of it is on the disk
    with pytest.raises(ModelFileError, match=r"^\S+huge\.onnx: is larger than any model file"):
        OnnxEngine(path)
    path.write_bytes(tiny_model.read_bytes())
    with weights.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ModelFileError, match=r"^\S+huge\.weights: is larger than any file of weights"):
        OnnxEngine(path)


def test_a_model_that_cannot_be_run_is_one_line(tiny_model: Path) -> None:
    engine = OnnxEngine(tiny_model)
    with pytest.raises(ModelError, match=r"^tiny: the model cannot be run \(.*Invalid rank for input") as caught:
        engine.run(INPUTS | {"luma": INPUTS["luma"][0]}, ("ab",))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_absent_device_is_refused_not_replaced(tiny_model: Path) -> None:
    with pytest.raises(OptionError, match="no cuda support"):
        OnnxEngine(tiny_model, options=EngineOptions(device="cuda"))


def test_threads_and_the_reason_for_the_provider_are_told(tiny_model: Path) -> None:
    description = OnnxEngine(tiny_model, options=EngineOptions(threads=3)).description
    assert "3 threads" in description
    assert "CPUExecutionProvider" in description
    assert "default" in description


def test_an_unknown_output_and_a_closed_engine_raise(tiny_model: Path) -> None:
    engine = OnnxEngine(tiny_model)
    with pytest.raises(ModelError, match="no output 'depth'"):
        engine.run(INPUTS, ("depth",))
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.run(INPUTS, ("ab",))


def test_metadata_that_is_not_json_is_refused() -> None:
    with pytest.raises(ModelFileError, match="not JSON"):
        ModelSpec.from_json("{", "m.onnx")


def test_too_little_memory_is_one_line(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def run(self, *_: object) -> None:
            raise RuntimeError("bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 6553600000")

    engine = OnnxEngine(tiny_model)
    monkeypatch.setattr(engine, "_session", Session())
    with pytest.raises(ModelError, match=r"not enough memory for a copy of 64 x 32 pixels; nothing was coloured"):
        engine.run({"luma": np.zeros((1, 1, 32, 64), np.float32)}, ["ab"])
