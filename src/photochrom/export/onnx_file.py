"""Writing a network's graph as an ONNX file: traced, described, made small, compared, and only then put into place."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from photochrom.computer.hashes import sha256_of
from photochrom.computer.systems import put_in_place
from photochrom.engines.base import FileSpec
from photochrom.export.kept import SMALLEST_HALF, keep_for_training
from photochrom.options import option_error

OPSET = 18


@dataclass(frozen=True)
class Trace:
    """What a graph is traced with.

    Attributes:
        inputs: an example of each input, by name, in the order of ``forward``.
        outputs: their names, in order.
        multiple: sides of pictures are multiples of it; 0: they are those of the examples.
        starred: ``forward`` takes them as ``*inputs``.
    """

    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]
    multiple: int
    starred: bool = False

    def sizes(self) -> tuple[Any, ...]:
        """Return what may vary of each input: the batch, and sides; nothing of a number."""
        pictures: dict[int, Any] = {0: torch.export.Dim("batch", min=1, max=64)}
        if self.multiple:
            rows, columns = (torch.export.Dim(name, min=1, max=512) for name in ("rows", "columns"))
            pictures |= {2: self.multiple * rows, 3: self.multiple * columns}
        sizes = tuple(pictures if example.ndim else None for example in self.inputs.values())
        return (sizes,) if self.starred else sizes


@dataclass(frozen=True)
class Exported:
    """A graph, and what belongs into its file beside it.

    Attributes:
        graph: the folded network with its decoding, in the form that is traced.
        folded: the network inside it.
        learned: the network that training goes on from.
        header: what the file says about itself.
        run: configuration and position of the run, as in a checkpoint's header.
    """

    graph: nn.Module
    folded: nn.Module
    learned: nn.Module
    header: Mapping[str, Any]
    run: Mapping[str, str] | None = None


def write_model(
    exported: Exported, trace: Trace, path: Path, check: Callable[[Path], object], *, half_storage: bool
) -> str:
    """Write the ONNX file aside, check it there, rename it, and return its sha256.

    Args:
        exported: what is written.
        trace: how the graph is traced.
        path: where to.
        check: compares the file with the graph, and raises ModelFileError.
        half_storage: store large weights as float16, halving the file.

    Raises:
        ModelFileError: the file does not answer as the network does.

    Nothing is left of a file that could not be finished.
    """
    aside = path.with_suffix(".partial.onnx")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _trace(exported.graph, trace, aside)
        model = onnx.load(aside)
        if half_storage:
            store_weights_as_half(model)
        _describe(model, exported.header)
        keep_for_training(model, exported.learned, exported.folded, exported.run)
        onnx.save(model, aside)
        check(aside)
        put_in_place(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return sha256_of(path)


def refuse_unusable(header: Mapping[str, Any], spec: type[FileSpec]) -> None:
    """Raise OptionError where an engine, which reads a header as ``spec``, would refuse the file for it."""
    try:
        spec.model_validate(header)
    except ValidationError as error:
        raise option_error(spec, error) from None


def _trace(graph: nn.Module, trace: Trace, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            tuple(trace.inputs.values()),
            str(path),
            input_names=list(trace.inputs),
            output_names=list(trace.outputs),
            dynamic_shapes=trace.sizes(),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _describe(model: onnx.ModelProto, header: Mapping[str, Any]) -> None:
    """Put the header in, and take out what the tracer noted of the source code: it tells paths of this computer."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = "photochrom", json.dumps(header)
    graph = model.graph
    model.doc_string = graph.doc_string = ""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def store_weights_as_half(model: onnx.ModelProto, smallest: int = SMALLEST_HALF) -> None:
    """Store the graph's larger float32 constants as float16, each followed by a Cast that loading folds away.

    Small kernels stay as they are. Those of the first layer need it: folded norms make them hundreds in size, of
    opposite signs for red, green and blue, which cancel on grey input. Rounded too, they moved colours by up to 3 Lab
    units (`benchmarks/storage.py`).
    """
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or int(np.prod(tensor.dims)) < smallest:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        narrow = f"{tensor.name}.half"
        casts.append(onnx.helper.make_node("Cast", [narrow], [tensor.name], to=onnx.TensorProto.FLOAT))
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), narrow))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
