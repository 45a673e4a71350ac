"""What a model file keeps beside its graph, so that training goes on from it: one file serves both.

The graph holds folded kernels. What folding loses (a few hundred kB) stands where ONNX has room for training, in
``training_info``: runtimes pass it over, without a word and without loading more slowly. How the kernels were folded,
and the configuration of the run, are JSON under the metadata key ``photochrom-training``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from torch import Tensor, nn

from photochrom.engines.onnx import read_checked
from photochrom.errors import ModelFileError
from photochrom.nets.folding import Fold, find_folds, unfold_norms

KEY, FORMAT = "photochrom-training", "photochrom-training/1"
HALF, OF_GRAPH = ".half", "net."
# Beside what names weights: a folded kernel or bias that the exporter has left out of the graph or renamed.
FOLDED = "folded:"
# Kernels of fewer numbers stay float32 in model files.
SMALLEST_HALF = 4096
# What may be lost by storing kernels as float16: a share of the largest weight that leads to the same channel, and its
# smallest step.
TOLERANCE, LEAST = 2.0**-10, 2.0**-24


@dataclass(frozen=True)
class Kept:
    """What a model file holds of the network it was made from.

    Attributes:
        graph: the folded network's weights as the graph has them, float32, by their names in the network.
        extra: what was kept beside them.
        folds: which convolutions were folded, and how.
        fixed: names of what the graph has of the network and training does not change, so that no state holds it.
        header: configuration and position of the run, as in a checkpoint; empty where they were not told.
    """

    graph: dict[str, Tensor]
    extra: dict[str, Tensor]
    folds: list[Fold]
    fixed: tuple[str, ...] = ()
    header: dict[str, str] = field(default_factory=dict)

    def state(self) -> dict[str, Tensor]:
        """Return the weights of the network before folding, as its ``state_dict`` names them."""
        own = {name: value for name, value in self.extra.items() if not name.startswith(FOLDED)}
        changed = {f"{fold.conv}.{part}" for fold in self.folds for part in ("weight", "bias")[: 1 + bool(fold.norm)]}
        plain = {name: value for name, value in self.graph.items() if name not in changed.union(self.fixed)}
        return plain | own | unfold_norms(self.folded(), own, self.folds)

    def folded(self) -> dict[str, Tensor]:
        """Return the folded network's weights, whether the graph has them or not."""
        away = {name.removeprefix(FOLDED): value for name, value in self.extra.items() if name.startswith(FOLDED)}
        return self.graph | away

    def after(self, folded: Mapping[str, Tensor]) -> Kept:
        """Return what is to be kept once the folded network has been trained: these are its weights by name."""
        needed = {name for fold in self.folds for name in fold.needs}
        made = {name for fold in self.folds for name in fold.makes}
        extra: dict[str, Tensor] = {}
        for name, value in self.extra.items():
            of_folded = folded.get(name.removeprefix(FOLDED))
            if of_folded is None or name in needed:
                extra |= {} if name in made - needed else {name: value}
            else:
                # Where the graph was given something else, the same step away from it.
                extra[name] = value + (of_folded - self.graph[name]) if name in self.graph else of_folded
        return replace(self, extra=extra)


def keep_for_training(
    model: onnx.ModelProto, net: nn.Module, folded: nn.Module, header: Mapping[str, str] | None = None
) -> None:
    """Put into a model what it takes to make ``net``, as it is in training, from the graph of ``folded``.

    Only what the graph does not tell to half precision is added. What was there of this kind before is replaced.
    """
    state, folds, graph = net.state_dict(), find_folds(net), graph_weights(model)
    changed = tuple(f"{fold.conv}." for fold in folds)
    extra = {
        FOLDED + name: value
        for name, value in folded.state_dict().items()
        if name.startswith(changed) and name not in graph
    }
    extra |= {name: state[name] for fold in folds for name in fold.needs if name in state}
    told = Kept(graph, extra, folds).state()
    extra |= {name: value for name, value in state.items() if not _tells(told, name, value)}
    fixed = tuple(name for name in graph if name not in state and not name.startswith(changed))
    write_kept(model, Kept(graph, extra, folds, fixed, dict(header or {})))


def _tells(known: Mapping[str, Tensor], name: str, value: Tensor) -> bool:
    """Return whether a tensor is known to half precision, channel by channel."""
    other = known.get(name)
    if other is None or other.shape != value.shape or not value.is_floating_point():
        return False
    channels = len(value) if value.ndim > 1 else 1
    truth, found = (part.detach().float().reshape(channels, -1) for part in (value, other))
    return bool(((truth - found).abs() <= LEAST + TOLERANCE * truth.abs().amax(dim=1, keepdim=True)).all())


def write_kept(model: onnx.ModelProto, kept: Kept) -> None:
    """Write what is kept beside the graph into a model; its graph stays as it is."""
    del model.training_info[:]
    room = model.training_info.add().algorithm
    room.name = KEY
    for name, value in kept.extra.items():
        is_kernel = value.is_floating_point() and value.ndim > 1 and value.numel() >= SMALLEST_HALF
        stored = (value.half() if is_kernel else value).detach().cpu().contiguous()
        room.initializer.append(onnx.numpy_helper.from_array(stored.numpy(), name))
    others = [entry for entry in model.metadata_props if entry.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    entry = model.metadata_props.add()
    told = {"format": FORMAT, "header": kept.header, "fixed": kept.fixed, "folds": [asdict(f) for f in kept.folds]}
    entry.key, entry.value = KEY, json.dumps(told)


def read_kept(path: Path) -> tuple[onnx.ModelProto, Kept]:
    """Return a model file and what it holds of the network it was made from.

    Raises:
        ModelFileError: the file cannot be read, or holds nothing to train on from.
    """
    try:
        model = onnx.load_from_string(read_checked(path, "")[0])
    except DecodeError as error:
        raise ModelFileError(f"cannot be read as a model file ({error})", where=str(path)) from error
    told = {entry.key: entry.value for entry in model.metadata_props}.get(KEY)
    if told is None or not model.training_info:
        raise ModelFileError(
            "this model file holds folded kernels alone, which cannot be trained on",
            where=str(path),
            next_step="Export its run again (photochrom export RUN -o FILE.onnx), or name the run's checkpoint",
        )
    try:
        content = json.loads(told)
        is_known = content["format"] == FORMAT
        folds = [Fold(**fold) for fold in content["folds"]] if is_known else []
        fixed, header = tuple(content.get("fixed", ())), dict(content.get("header", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError("what it keeps for training is damaged", where=str(path)) from error
    if not is_known:
        raise ModelFileError(
            f"keeps its weights as {content['format']!r}, which this version does not know",
            where=str(path),
            next_step="Install the newest photochrom",
        )
    extra = _tensors(model.training_info[0].algorithm.initializer)
    return model, Kept(graph_weights(model), extra, folds, fixed, header)


def graph_weights(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Return the network's weights in the graph, by their names in the network; those stored as float16 widened."""
    weights = _tensors(tensor for tensor in model.graph.initializer if tensor.name.startswith(OF_GRAPH))
    return {name.removesuffix(HALF).removeprefix(OF_GRAPH): value for name, value in weights.items()}


def _tensors(stored: Iterable[onnx.TensorProto]) -> dict[str, Tensor]:
    values = {tensor.name: torch.from_numpy(np.array(onnx.numpy_helper.to_array(tensor))) for tensor in stored}
    return {name: value.float() if value.dtype == torch.float16 else value for name, value in values.items()}
