"""Write a tiny generator of whole pictures, installed as an import leaves one: graph, weights beside it, card."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SPEC = {
    "contract": "rgb-generator/1",
    "name": "deoldify-artistic",
    "network": "artistic",
    "mean": (0.485, 0.456, 0.406),
    "deviation": (0.229, 0.224, 0.225),
    "grey_weights": (0.299, 0.587, 0.114),
    "render_px": 560,
    "multiple": 32,
    "licence": "MIT",
}


def write_tiny_generator(folder: Path) -> Path:
    """Write a generator that paints everything warmer, and return its graph; its weights take some 16 kB.

    Only the last three of its channels count; the others are there for a file that can be cut and damaged.
    """
    folder.mkdir(parents=True)
    kernel = np.zeros((1024, 3, 1, 1), np.float32)
    kernel[:3, :, 0, 0] = np.eye(3)
    bias = np.zeros(1024, np.float32)
    bias[:3] = 0.8, 0.0, -0.8
    chosen = helper.make_tensor("chosen", TensorProto.INT64, [3], [0, 1, 2])
    weights = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(bias, "bias")]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel", "bias"], ["channels"]),
            helper.make_node("Gather", ["channels", "chosen"], ["colored"], axis=1),
        ],
        "tiny generator",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("colored", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [*weights, chosen],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    path, beside = folder / "model.onnx", folder / "model.weights"
    stored = b"".join(tensor.raw_data for tensor in weights)
    spec = {**SPEC, "weights_sha256": hashlib.sha256(stored).hexdigest()}
    helper.set_model_props(model, {"photochrom": json.dumps(spec)})
    onnx.save(model, path, save_as_external_data=True, location=beside.name, size_threshold=1024)
    assert beside.read_bytes() == stored
    card = {
        "name": spec["name"],
        "kind": "color",
        "contract": spec["contract"],
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": spec["licence"],
        "summary": "a stand-in",
    }
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return path
