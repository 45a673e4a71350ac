"""The file around an exported graph: made small, described, checked, and whole or absent. No tracer, so no time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from photochrom.engines.runtime import onnxruntime
from photochrom.errors import ModelFileError
from photochrom.export import onnx_file
from photochrom.export.onnx_file import Exported, Trace, store_weights_as_half, write_model


def model(sides: int = 80) -> onnx.ModelProto:
    """Return x @ kernel + bias, as a tracer leaves it: with notes of where it was made."""
    random = np.random.default_rng(0)
    kernel = numpy_helper.from_array(random.normal(0, 0.1, (sides, sides)).astype(np.float32), "kernel")
    bias = numpy_helper.from_array(random.normal(0, 0.1, sides).astype(np.float32), "bias")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", sides]) for name in ("x", "y")]
    nodes = [helper.make_node("MatMul", ["x", "kernel"], ["z"]), helper.make_node("Add", ["z", "bias"], ["y"])]
    nodes[0].doc_string = "/home/somebody/network.py, line 3"
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], [kernel, bias])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def answer(made: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x})[0]


def test_large_weights_are_stored_as_half_and_small_ones_stay() -> None:
    whole, half = model(), model()
    store_weights_as_half(half)
    types = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    assert types == {"kernel.half": TensorProto.FLOAT16, "bias": TensorProto.FLOAT}
    assert len(half.SerializeToString()) < 0.6 * len(whole.SerializeToString())
    x = np.random.default_rng(1).random((2, 80), dtype=np.float32)
    np.testing.assert_allclose(answer(half, x), answer(whole, x), atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("starred", [False, True])
def test_batch_and_sides_may_vary_and_a_number_may_not(starred: bool) -> None:
    inputs = {"luma": torch.zeros(2, 1, 64, 96), "temperature": torch.tensor(1.0)}
    sizes = Trace(inputs, ("ab",), 32, starred=starred).sizes()
    pictures, number = sizes[0] if starred else sizes
    assert sorted(pictures) == [0, 2, 3]
    assert number is None
    assert sorted(Trace({"rgb": torch.zeros(2, 3, 256, 256)}, ("curves",), 0).sizes()[0]) == [0]


def written(path: Path, monkeypatch: pytest.MonkeyPatch, check: object) -> str:
    monkeypatch.setattr(onnx_file, "_trace", lambda _graph, _trace, aside: onnx.save(model(), aside))
    net = nn.Linear(2, 2)
    exported = Exported(net, net, net, {"name": "x", "contract": "color/1"}, {"step": "7"})
    return write_model(exported, Trace({}, (), 0), path, check, half_storage=True)  # type: ignore[arg-type]


def test_a_file_says_what_it_is_and_nothing_of_where_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "new" / "net.onnx", list[Path]()
    assert len(written(path, monkeypatch, seen.append)) == 64
    assert seen[0] != path, "it was checked before it was put into place"
    entries = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(entries["photochrom"]) == {"name": "x", "contract": "color/1"}
    assert json.loads(entries["photochrom-training"])["header"] == {"step": "7"}
    assert b"somebody" not in path.read_bytes()
    assert [file.name for file in path.parent.iterdir()] == ["net.onnx"]


def test_a_file_that_answers_otherwise_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> None:
        raise ModelFileError("differs from the network")

    (tmp_path / "net.onnx").write_bytes(b"the one before")
    with pytest.raises(ModelFileError, match="differs"):
        written(tmp_path / "net.onnx", monkeypatch, refuse)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"net.onnx": b"the one before"}
