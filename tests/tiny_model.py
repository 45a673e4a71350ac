"""Write a tiny ONNX model that keeps the colour contract.

ab follows the luma, confidence is the luma, and logits say of every cell that three strong colours are nearly equally
likely: it colours with certainty and admits none.
"""

from __future__ import annotations

import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

BINS_AB = [(50.0, 40.0), (-50.0, 40.0), (10.0, -60.0), (0.0, 0.0)]
SPEC = {
    "contract": "color/1",
    "name": "tiny",
    "render_px": 64,
    "multiple": 32,
    "output_stride": 2,
    "temperature": 0.4,
    "bins_ab": BINS_AB,
    "bin_shares": [0.1, 0.1, 0.1, 0.7],
}


def write_tiny_model(
    path: Path, *, scale: float = 60.0, spec: dict[str, object] | None = None, hears: bool = False
) -> Path:
    """Write the model and return its path; ``scale`` is the ab that a luma of 1 gets, ``spec`` changes metadata.

    One that hears adds a hint's colour to its own.
    """
    luma = helper.make_tensor_value_info("luma", TensorProto.FLOAT, ["b", 1, "h", "w"])
    temperature = helper.make_tensor_value_info("temperature", TensorProto.FLOAT, [])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", channels, "h2", "w2"])
        for name, channels in (("ab", 2), ("confidence", 1), ("logits", len(BINS_AB)))
    ]
    weights = helper.make_tensor("scale", TensorProto.FLOAT, [1, 2, 1, 1], [scale, -scale])
    slopes = helper.make_tensor("slopes", TensorProto.FLOAT, [1, 4, 1, 1], [0.2, 0.1, 0.0, 0.0])
    base = helper.make_tensor("base", TensorProto.FLOAT, [1, 4, 1, 1], [0.0, 0.0, 0.0, -3.0])
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    nodes = [
        helper.make_node("AveragePool", ["luma"], ["confidence"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Mul", ["temperature", "zero"], ["nothing"]),
        helper.make_node("Add", ["confidence", "nothing"], ["pooled"]),
        helper.make_node("Mul", ["pooled", "scale"], ["seen" if hears else "ab"]),
        helper.make_node("Mul", ["confidence", "slopes"], ["sloped"]),
        helper.make_node("Add", ["sloped", "base"], ["logits"]),
    ]
    inputs, constants = [luma, temperature], [weights, slopes, base, zero]
    if hears:
        inputs.append(helper.make_tensor_value_info("hints", TensorProto.FLOAT, ["b", 3, "h", "w"]))
        constants.append(helper.make_tensor("starts", TensorProto.INT64, [1], [0]))
        constants.append(helper.make_tensor("ends", TensorProto.INT64, [1], [2]))
        constants.append(helper.make_tensor("axes", TensorProto.INT64, [1], [1]))
        nodes += [
            helper.make_node("Slice", ["hints", "starts", "ends", "axes"], ["told"]),
            helper.make_node("MaxPool", ["told"], ["heard"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Add", ["seen", "heard"], ["ab"]),
        ]
        spec = {"contract": "color/2", **(spec or {})}
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, {"photochrom": json.dumps({**SPEC, **(spec or {})})})
    onnx.save(model, path)
    return path
