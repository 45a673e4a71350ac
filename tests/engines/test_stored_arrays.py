"""What a graph says of the arrays beside it is followed as ONNX's own package follows it, or refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from photochrom.engines.onnx import load_session
from photochrom.engines.stored_arrays import TYPES, stored_arrays
from photochrom.engines.weights_file import weights_beside
from photochrom.errors import ModelFileError

ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "plain": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "ünïcode": np.arange(300, dtype=np.int64),
    "half": np.linspace(0, 1, 7).astype(np.float16),
    "bytes": np.arange(5, dtype=np.int8),
    "single": np.array(7.0),
}


def external(name: str, array: np.ndarray[Any, Any], at: int, **changed: str) -> TensorProto:
    tensor = TensorProto(name=name, dims=array.shape, data_location=TensorProto.EXTERNAL)
    tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
    for key, value in ({"location": "m.weights", "offset": str(at), "length": str(array.nbytes)} | changed).items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def written() -> tuple[onnx.ModelProto, np.ndarray[Any, Any]]:
    """Return a model whose arrays lie outside one behind the other, unaligned, and one inside; and those outside."""
    content, tensors = b"x", [numpy_helper.from_array(np.ones(3, np.float32), "inside")]
    for name, array in ARRAYS.items():
        tensors.append(external(name, array, len(content)))
        content += array.tobytes()
    node = helper.make_node("Add", ["image", "inside"], ["colored"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in ("image", "colored")]
    graph = helper.make_graph([node], "graph", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, ir_version=8), np.frombuffer(content, np.uint8)


def test_arrays_are_those_that_were_stored() -> None:
    model, content = written()
    found = dict(stored_arrays(model.SerializeToString(), "m.weights", content))
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_types_are_onnxs() -> None:
    assert {number: np.dtype(dtype) for number, dtype in TYPES.items()} == {
        number: helper.tensor_dtype_to_np_dtype(number) for number in TYPES
    }


@pytest.mark.parametrize(
    "changed", [{"location": "../other"}, {"offset": "-4"}, {"offset": "999999"}, {"length": "5"}, {"offset": "a"}]
)
def test_arrays_that_are_not_there_are_refused(changed: dict[str, str]) -> None:
    model, content = written()
    model.graph.initializer.append(external("more", ARRAYS["plain"], 0, **changed))
    with pytest.raises(ValueError):  # noqa: PT011 - its words are the next test's
        list(stored_arrays(model.SerializeToString(), "m.weights", content))


def test_such_a_model_is_one_line(tmp_path: Path) -> None:
    model, content = written()
    (tmp_path / "m.onnx").write_bytes(graph := model.SerializeToString())
    (tmp_path / "m.weights").write_bytes(content[:-1].tobytes())
    with pytest.raises(ModelFileError, match=r"m\.onnx: not a model .* \(weights that are not in their file\)"):
        load_session(graph, tmp_path / "m.onnx", "CPUExecutionProvider", 1, weights=weights_beside(tmp_path / "m.onnx"))


@given(st.data())
def test_a_harmed_graph_ends_in_one_kind_of_error(data: st.DataObject) -> None:
    model, content = written()
    graph = bytearray(model.SerializeToString())
    graph[data.draw(st.integers(0, len(graph) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(graph)))
    with suppress(ValueError):
        for _, array in stored_arrays(bytes(graph[:cut]), "m.weights", content):
            assert array.nbytes <= content.size


@given(st.binary(max_size=60))
def test_rubbish_ends_in_one_kind_of_error(graph: bytes) -> None:
    with suppress(ValueError):
        assert not list(stored_arrays(graph, "m.weights", np.zeros(0, np.uint8)))
