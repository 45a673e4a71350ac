"""Which arrays a graph has in the file beside it, by the graph's own words.

ONNX's own package, which reads them as well, is an extra of forty megabytes; these are four fields of three messages.

Source: ONNX, onnx.proto3 (ModelProto.graph, GraphProto.initializer, TensorProto, StringStringEntryProto); Protocol
Buffers, "Encoding".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, NAME, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 8, 13, 14
KEY, VALUE = 1, 2
OUTSIDE = 1
TYPES: dict[int, npt.DTypeLike] = {
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_,
    10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64,
}  # fmt: skip
VARINT, EIGHT_BYTES, COUNTED, FOUR_BYTES = 0, 1, 2, 5
LONGEST_VARINT = 10
Value = int | memoryview


def stored_arrays(graph: bytes, name: str, content: npt.NDArray[np.uint8]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield name and array of each initializer that lies in the file beside the graph, without copying it.

    Args:
        graph: a model file's bytes.
        name: of the file beside it.
        content: that file's bytes.

    Raises:
        ValueError: the graph cannot be followed, or asks for what is not there.
    """
    for model_field, inside in _fields(memoryview(graph)):
        if model_field == GRAPH:
            for graph_field, tensor in _fields(_counted(inside)):
                if graph_field == INITIALIZER:
                    yield from _stored(_counted(tensor), name, content)


def _stored(tensor: memoryview, name: str, content: npt.NDArray[np.uint8]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield the array of one initializer, if it lies outside."""
    fields: dict[int, list[Value]] = {}
    for field, value in _fields(tensor):
        fields.setdefault(field, []).append(value)
    if fields.get(DATA_LOCATION, [0])[-1] != OUTSIDE:
        return
    place = dict(_entry(_counted(entry)) for entry in fields.get(EXTERNAL_DATA, []))
    dtype = TYPES.get(_number(fields.get(DATA_TYPE, [0])[-1]))
    if place.get("location") != name or dtype is None:
        raise ValueError("weights of an unknown kind, or in another file")
    shape = [size for value in fields.get(DIMS, []) for size in _sizes(value)]
    begin, count = int(place.get("offset", "0")), math.prod(shape) * np.dtype(dtype).itemsize
    if (
        max(shape, default=0) > content.size
        or begin < 0
        or int(place.get("length", count)) != count
        or begin + count > content.size
    ):
        raise ValueError("weights that are not in their file")
    array = content[begin : begin + count].view(dtype).reshape(shape)
    yield str(_counted(fields.get(NAME, [memoryview(b"")])[-1]), "utf-8"), np.require(array, requirements="A")


def _entry(entry: memoryview) -> tuple[str, str]:
    found = {field: str(_counted(value), "utf-8") for field, value in _fields(entry)}
    return found.get(KEY, ""), found.get(VALUE, "")


def _sizes(value: Value) -> Iterator[int]:
    """Yield the sizes in a field of them: one by one, or packed."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        size, at = _varint(value, at)
        yield size


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field of a message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == COUNTED:
            size, at = _varint(message, at)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError("a field of an unknown kind")
        if at + size > len(message):
            raise ValueError("a field that does not end")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    number = 0
    for place, byte in enumerate(message[at : at + LONGEST_VARINT]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, at + place + 1
    raise ValueError("a number that does not end")


def _counted(value: Value) -> memoryview:
    if isinstance(value, memoryview):
        return value
    raise ValueError("a number where a message belongs")


def _number(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise ValueError("a message where a number belongs")
