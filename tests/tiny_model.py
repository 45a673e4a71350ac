"""Write a tiny ONNX model that keeps the colour contract: ab follows the luma, confidence is the luma."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

SPEC = {"contract": "color/1", "name": "tiny", "render_px": 64, "multiple": 32, "output_stride": 2, "temperature": 0.4}


def write_tiny_model(path: Path, *, scale: float = 60.0, spec: dict[str, object] | None = None) -> Path:
    """Write the model and return its path; ``scale`` is the ab that a luma of 1 gets, ``spec`` changes metadata."""
    luma = helper.make_tensor_value_info("luma", TensorProto.FLOAT, ["b", 1, "h", "w"])
    temperature = helper.make_tensor_value_info("temperature", TensorProto.FLOAT, [])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", channels, "h2", "w2"])
        for name, channels in (("ab", 2), ("confidence", 1))
    ]
    weights = helper.make_tensor("scale", TensorProto.FLOAT, [1, 2, 1, 1], [scale, -scale])
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    nodes = [
        helper.make_node("AveragePool", ["luma"], ["confidence"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Mul", ["temperature", "zero"], ["nothing"]),
        helper.make_node("Add", ["confidence", "nothing"], ["pooled"]),
        helper.make_node("Mul", ["pooled", "scale"], ["ab"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [luma, temperature], outputs, [weights, zero])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, {"photochrom": json.dumps({**SPEC, **(spec or {})})})
    onnx.save(model, path)
    return path
