"""The file of arrays beside a graph."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import onnx

SMALLEST_STORED_BYTES = 1024  # smaller arrays stay in the graph itself
STORE_ALIGNMENT = 4096  # a memory page: whoever maps the file has each array at one


class WeightStore:
    """A file of arrays beside the graph, written as they come, so that no more than one is in memory at a time.

    Used as a context manager.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sha256 = hashlib.sha256()
        self._file = path.open("wb")
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, content: bytes) -> tuple[int, int]:
        """Append the bytes of one array; return their offset and length."""
        self._write(bytes(-self._size % STORE_ALIGNMENT))
        offset = self._size
        self._write(content)
        return offset, len(content)

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self.sha256.update(content)
        self._size += len(content)


def move_weights(model: onnx.ModelProto, store: WeightStore) -> None:
    """Move the arrays of a finished model into a store beside it."""
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) >= SMALLEST_STORED_BYTES:
            point_at(tensor, store, tensor.raw_data)
            tensor.ClearField("raw_data")


def point_at(tensor: onnx.TensorProto, store: WeightStore, content: bytes) -> None:
    """Put the bytes of an array into the store, and where they lie into ``tensor``."""
    offset, length = store.add(content)
    tensor.data_location = tensor.EXTERNAL
    for key, value in (("location", store.path.name), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
