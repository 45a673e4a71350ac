"""Tiny ONNX models that keep the contracts of the four restoring models, and do one known thing each.

* tone: always the same curve, which spreads FADED_BLACK..FADED_WHITE over the whole range; no local correction.
* noise: the mean over 5 x 5 pixels: it does harm wherever there is detail, and looks 2 pixels far.
* damage: what is nearly white, over 5 x 5 pixels of context that do not matter, is damaged.
* inpaint: the mean of what is known within 33 x 33 pixels, however sure the damage is.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from photochrom.engines.restoration import CURRENT

KINDS = ("tone", "noise", "damage", "inpaint")
FADED_BLACK, FADED_WHITE = 0.25, 0.75
BLUR_PX, REACH_PX = 5, 33
DAMAGED = 0.97


def write_stand_ins(folder: Path) -> dict[str, Path]:
    """Write the four models and return their paths by kind."""
    graphs = {"tone": _tone(), "noise": _noise(), "damage": _damage(), "inpaint": _inpaint()}
    return {
        kind: save_model(folder / f"photochrom-{kind}.onnx", graph, CURRENT[kind]) for kind, graph in graphs.items()
    }


def save_model(path: Path, graph: onnx.GraphProto, contract: str) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    spec = {"contract": contract, "name": f"stand-in-{graph.name}", "licence": "MIT", "trained_on": "nothing"}
    helper.set_model_props(model, {"photochrom": json.dumps(spec)})
    onnx.save(model, path)
    return path


def _tone() -> onnx.GraphProto:
    knots = np.clip((np.linspace(0, 1, 33) - FADED_BLACK) / (FADED_WHITE - FADED_BLACK), 0, 1)
    constants = {
        "curves_0": np.broadcast_to(knots, (1, 3, 33)),
        "gain_0": np.ones((1, 3, 16, 16)),
        "offset_0": np.zeros((1, 3, 16, 16)),
    }
    nodes = [helper.make_node("Identity", [f"{name}_0"], [name]) for name in ("curves", "gain", "offset")]
    outputs = {"curves": [1, 3, 33], "gain": [1, 3, 16, 16], "offset": [1, 3, 16, 16]}
    return _graph("tone", ["rgb"], outputs, nodes, constants)


def _noise() -> onnx.GraphProto:
    kernel = np.full((3, 1, BLUR_PX, BLUR_PX), 1 / BLUR_PX**2)
    nodes = [helper.make_node("Conv", ["rgb", "kernel"], ["restored"], group=3, pads=[2, 2, 2, 2])]
    return _graph("noise", ["rgb"], {"restored": ["b", 3, "h", "w"]}, nodes, {"kernel": kernel})


def _damage() -> onnx.GraphProto:
    nodes = [
        helper.make_node("ReduceMean", ["rgb"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["grey", "limit"], ["above"]),
        helper.make_node("Mul", ["above", "steep"], ["steeper"]),
        helper.make_node("Sigmoid", ["steeper"], ["mask"]),
    ]
    constants = {"limit": np.array(DAMAGED), "steep": np.array(400.0)}
    return _graph("damage", ["rgb"], {"mask": ["b", 1, "h", "w"]}, nodes, constants)


def _inpaint() -> onnx.GraphProto:
    half = REACH_PX // 2
    across, down = [0, half, 0, half], [half, 0, half, 0]
    nodes = [
        helper.make_node("Ceil", ["mask"], ["hole"]),
        helper.make_node("Sub", ["unity", "hole"], ["known"]),
        helper.make_node("Mul", ["rgb", "known"], ["seen"]),
        helper.make_node("Concat", ["seen", "known"], ["both"], axis=1),
        helper.make_node("Conv", ["both", "row"], ["rows"], group=4, pads=across),
        helper.make_node("Conv", ["rows", "column"], ["sums"], group=4, pads=down),
        helper.make_node("Split", ["sums", "parts"], ["sum", "count"], axis=1),
        helper.make_node("Max", ["count", "unity"], ["at_least"]),
        helper.make_node("Div", ["sum", "at_least"], ["mean"]),
        helper.make_node("Mul", ["mean", "hole"], ["filling"]),
        helper.make_node("Add", ["seen", "filling"], ["restored"]),
    ]
    constants = {
        "unity": np.array(1.0),
        "row": np.ones((4, 1, 1, REACH_PX)),
        "column": np.ones((4, 1, REACH_PX, 1)),
        "parts": np.array([3, 1], np.int64),
    }
    return _graph("inpaint", ["rgb", "mask"], {"restored": ["b", 3, "h", "w"]}, nodes, constants)


def _graph(
    name: str,
    inputs: list[str],
    outputs: dict[str, list[object]],
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
) -> onnx.GraphProto:
    channels = {"rgb": 3, "mask": 1}
    takes = [helper.make_tensor_value_info(port, TensorProto.FLOAT, ["b", channels[port], "h", "w"]) for port in inputs]
    gives = [helper.make_tensor_value_info(port, TensorProto.FLOAT, shape) for port, shape in outputs.items()]
    tensors = [
        numpy_helper.from_array(value if value.dtype == np.int64 else value.astype(np.float32), key)
        for key, value in constants.items()
    ]
    return helper.make_graph(nodes, name, takes, gives, tensors)
