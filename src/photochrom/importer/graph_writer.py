"""A small way to write ONNX graphs by hand: convolutions with their weights, and loops over bands.

Writing the graph from a state dict needs neither torch nor a tracer, keeps sizes free where tracing would fix them,
and lets a graph work in bands, so that memory does not grow with the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.errors import MissingExtraError
from photochrom.importer.weight_store import SMALLEST_STORED_BYTES, WeightStore, point_at

if TYPE_CHECKING:
    import onnx

OPSET = 17
IR_VERSION = 8


def _onnx() -> Any:
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingExtraError(
            "writing a model needs the package onnx", next_step='Install it with: pip install "photochrom[import]"'
        ) from error
    return onnx


class GraphWriter:
    """Collects nodes and weights; each method adds a step and returns the name of its result.

    ``plain`` asks those who write large convolutions for ordinary ones, without bands or transformed kernels, because
    that is what tools that work on finished graphs can read.
    """

    def __init__(
        self, parent: GraphWriter | None = None, *, store: WeightStore | None = None, plain: bool = False
    ) -> None:
        self._onnx = _onnx()
        self.store = store
        self.plain = plain
        self.nodes: list[onnx.NodeProto] = []
        self.root: GraphWriter = parent.root if parent else self
        self.weights: list[onnx.TensorProto] = []
        self.known: dict[bytes, str] = {}
        self.count = 0

    def name(self, stem: str) -> str:
        """Return a name not used yet in the whole graph."""
        self.root.count += 1
        return f"{stem}_{self.root.count}"

    def constant(self, array: npt.NDArray[np.generic], stem: str = "constant") -> str:
        """Store weights (or small integers, shared among all who need them) and return their name."""
        array = np.asarray(array)
        key = array.tobytes() + str((array.dtype, array.shape)).encode() if array.size <= 16 else b""
        if key in self.root.known:
            return self.root.known[key]
        name = self.name(stem)
        self.root.weights.append(self._tensor(np.ascontiguousarray(array).reshape(array.shape), name))
        if key:
            self.root.known[key] = name
        return name

    def _tensor(self, array: npt.NDArray[np.generic], name: str) -> Any:
        store = self.root.store
        if store is None or array.nbytes < SMALLEST_STORED_BYTES:
            return self._onnx.numpy_helper.from_array(array, name)
        tensor = self._onnx.TensorProto(name=name, dims=array.shape)
        tensor.data_type = self._onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        point_at(tensor, store, array.tobytes())
        return tensor

    def integers(self, *values: int) -> str:
        """Store a list of int64."""
        return self.constant(np.array(values, np.int64), "integers")

    def scalar(self, value: int) -> str:
        """Store one int64 without axes."""
        return self.constant(np.array(value, np.int64), "integer")

    def step(self, op: str, *inputs: str, stem: str = "", **attributes: Any) -> str:
        """Add one node and return the name of its result."""
        name = self.name(stem or op.lower())
        self.nodes.append(self._onnx.helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def output(self, x: str, name: str) -> None:
        """Call a result by the name that it has outside the graph."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [x], [name]))

    def conv(
        self,
        x: str,
        kernel: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32] | None = None,
        *,
        stride: int = 1,
        pads: tuple[int, int, int, int] | None = None,
        group: int = 1,
        stem: str = "conv",
    ) -> str:
        """Convolve; ``pads`` are top, left, bottom, right, by default what keeps the size."""
        half = kernel.shape[-1] // 2
        inputs = [x, self.constant(kernel, stem)] + ([] if bias is None else [self.constant(bias, f"{stem}_bias")])
        return self.step(
            "Conv",
            *inputs,
            stem=stem,
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            pads=list(pads or (half,) * 4),
            group=group,
        )

    def affine(self, x: str, scale: npt.NDArray[np.float32], shift: npt.NDArray[np.float32]) -> str:
        """Multiply and add per channel."""
        size = scale.shape
        parts = [scale, shift, np.zeros(size, np.float32), np.ones(size, np.float32)]
        return self.step("BatchNormalization", x, *(self.constant(part, "norm") for part in parts), epsilon=0.0)

    def size(self, x: str, axis: int) -> str:
        """Return one dimension of ``x`` as a list of one int64."""
        return self.step("Shape", x, start=axis, end=axis + 1)

    def crop(self, x: str, start: str, end: str, axis: int) -> str:
        """Return ``x[start:end]`` along one axis; both are lists of one int64."""
        return self.step("Slice", x, start, end, self.integers(axis))

    def loop(self, trips: str, index: str, body: GraphWriter, result: str, name: str) -> str:
        """Run ``body`` ``trips`` times, ``index`` counting from 0; return its results stacked on a new first axis."""
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        going, goes_on = self.name("going"), self.name("goes_on")
        body.nodes.append(helper.make_node("Identity", [going], [goes_on]))
        graph = helper.make_graph(
            body.nodes,
            name,
            [
                helper.make_tensor_value_info(index, kinds.INT64, []),
                helper.make_tensor_value_info(going, kinds.BOOL, []),
            ],
            [
                helper.make_tensor_value_info(goes_on, kinds.BOOL, []),
                helper.make_tensor_value_info(result, kinds.FLOAT, None),
            ],
        )
        return self.step("Loop", trips, "", stem=name, body=graph)

    def model(self, inputs: dict[str, list[str | int]], outputs: dict[str, list[str | int]]) -> onnx.ModelProto:
        """Return the finished model; ``inputs`` and ``outputs`` give the shape of each float32 tensor."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes,
            "photochrom",
            [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
            initializer=self.weights,
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="photochrom")
        return cast("onnx.ModelProto", model)
