"""A `Photo` on its way from one process to another: a line of JSON, then blocks and samples as they are."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from photochrom.computer.room import STRIP_BYTES, empty_pixels, let_go
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo

SAMPLES = ("pixels", "alpha", "infrared", "holes")
BLOCKS = ("exif", "icc", "xmp", "iptc")


def write_line(stream: IO[bytes], values: dict[str, Any]) -> None:
    stream.write(json.dumps(values).encode() + b"\n")


def read_line(stream: IO[bytes]) -> dict[str, Any] | None:
    """Return what the other process says next, or None where it has ended."""
    line = stream.readline()
    return dict(json.loads(line)) if line.endswith(b"\n") else None


def write_photo(stream: IO[bytes], photo: Photo) -> None:
    """Write a photograph. Memory: none beside it."""
    arrays = {name: array for name in SAMPLES if (array := getattr(photo, name)) is not None}
    blocks = {name: block for name in BLOCKS if (block := getattr(photo.metadata, name)) is not None}
    told = {field.name: getattr(photo, field.name) for field in fields(photo) if field.name not in SAMPLES}
    about = told | {
        "metadata": {"dpi": photo.metadata.dpi, "texts": photo.metadata.texts},
        "blocks": {name: len(block) for name, block in blocks.items()},
        "arrays": {name: (array.dtype.str, array.shape) for name, array in arrays.items()},
    }
    write_line(stream, about)
    for block in blocks.values():
        stream.write(block)
    for array in arrays.values():
        for piece in _pieces(array):
            stream.write(piece)
            let_go(array)


def read_photo(stream: io.BufferedReader, about: dict[str, Any]) -> Photo:
    """Return the photograph whose first line was read already.

    Raises:
        EOFError: the other process ended.
        PhotoTooLargeError: there is no room for it.
    """
    dpi, texts = about["metadata"]["dpi"], about["metadata"]["texts"]
    blocks = {name: _exactly(stream, count) for name, count in about.pop("blocks").items()}
    metadata = Metadata(**blocks, dpi=tuple(dpi) if dpi else None, texts=tuple(tuple(text) for text in texts))
    arrays = {name: _array(stream, dtype, shape) for name, (dtype, shape) in about.pop("arrays").items()}
    lists = {name: tuple(about[name]) for name in ("notes", "left_out")}
    return Photo(**{**about, **lists, **arrays, "metadata": metadata})


def _array(stream: io.BufferedReader, dtype: str, shape: list[int]) -> npt.NDArray[Any]:
    array = empty_pixels(tuple(shape), np.dtype(dtype))
    for piece in _pieces(array):
        if stream.readinto(piece) < len(piece):
            raise EOFError
        let_go(array)
    return array


def _pieces(array: npt.NDArray[Any]) -> list[memoryview]:
    plain = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    return [plain[at : at + STRIP_BYTES] for at in range(0, len(plain), STRIP_BYTES)]


def _exactly(stream: io.BufferedReader, count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError
    return found
