"""The containers of tensors: torch's zip of version 1.6 and later, its older sequence of pickles, and safetensors.

Each reader gets the bytes of the whole file, and returns what is in it, with tensors as arrays over them.

Sources: the formats as written by torch.serialization; https://github.com/huggingface/safetensors (format section).
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import cast

import numpy as np

from photochrom.errors import ModelFileError
from photochrom.importer.pickles import LARGEST_PICKLE_BYTES, PickleReader, Storage, TensorUnpickler, finished

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
LARGEST_HEADER_BYTES = 10_000_000  # of names, shapes and places; a thousand tensors take a hundred kilobytes
SAFETENSORS_DTYPES = {
    "F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "bf16", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U8": "u1", "BOOL": "?",
}  # fmt: skip


def read_legacy(data: bytes, path: Path) -> object:
    """Read four pickles (magic, protocol, system, content), the list of storage keys, then the storages."""
    reader, storages = PickleReader(data), cast("dict[str, Storage]", {})
    magic, protocol, system, content = (TensorUnpickler(reader, storages, path).load() for _ in range(4))
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL or not isinstance(system, dict):
        raise ValueError("unknown version of the older container")
    if not system.get("little_endian", True):
        raise ModelFileError("the file was written on a big-endian computer", where=str(path))
    keys = TensorUnpickler(reader, storages, path).load()
    whole = memoryview(data)
    position = reader.position
    if not isinstance(keys, list) or not all(isinstance(key, str | int) for key in keys):
        raise TypeError("storages without names")
    for key in keys:
        storage = storages[str(key)]
        (count,) = struct.unpack_from("<q", data, position)
        position += 8
        if count != storage.count:
            raise ValueError("a storage has another length than its tensors say")
        if position + storage.byte_count > len(data):
            raise EOFError(f"{position + storage.byte_count - len(data):,} bytes or more are missing at the end")
        storage.raw = whole[position : position + storage.byte_count]
        position += storage.byte_count
    return finished(content)


def read_zip(data: bytes, path: Path) -> object:
    """Read ``*/data.pkl``, with each storage in its own uncompressed entry ``*/data/KEY``."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ModelFileError("a zip file, but not one that torch saved", where=str(path))
    root = pickles[0].removesuffix("data.pkl")
    if f"{root}constants.pkl" in entries:
        raise ModelFileError(
            "a TorchScript program, not weights", where=str(path), next_step="Give the file of a state dict."
        )
    order = entries.get(f"{root}byteorder")
    if order is not None and bytes(_entry(data, order)) != b"little":
        raise ModelFileError("the file was written on a big-endian computer", where=str(path))
    begin, end = _span(data, entries[pickles[0]])
    storages: dict[str, Storage] = {}
    content = TensorUnpickler(PickleReader(data, begin, min(end, begin + LARGEST_PICKLE_BYTES)), storages, path).load()
    if sum(storage.byte_count for storage in storages.values()) > len(data):
        raise ValueError("storages that overlap, or are not there")
    for key, storage in storages.items():
        raw = _entry(data, entries[f"{root}data/{key}"])
        if len(raw) < storage.byte_count:
            raise EOFError("a tensor is shorter than its shape says")
        storage.raw = raw[: storage.byte_count]
    return finished(content)


def _entry(data: bytes, entry: zipfile.ZipInfo) -> memoryview:
    begin, end = _span(data, entry)
    return memoryview(data)[begin:end]


def _span(data: bytes, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return where an uncompressed entry's bytes begin and end; its local header has its own name and extra lengths."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise ValueError("a compressed or encrypted entry")
    name_length, extra_length = struct.unpack_from("<HH", data, entry.header_offset + 26)
    begin = entry.header_offset + 30 + name_length + extra_length
    if begin + entry.file_size > len(data):
        raise EOFError("it ends too early")
    return begin, begin + entry.file_size


def read_safetensors(data: bytes) -> object:
    """Read an eight-byte length, a JSON header of that length, then the numbers, each of them one tensor's."""
    (length,) = struct.unpack_from("<Q", data)
    if length > min(LARGEST_HEADER_BYTES, len(data) - 8):
        raise EOFError("the header is longer than the file")
    header = json.loads(data[8 : 8 + length])
    whole = memoryview(data)[8 + length :]
    found, taken = {}, 0
    header.pop("__metadata__", None)
    for name, about in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = about["data_offsets"]
        if begin < taken:
            raise ValueError("tensors that overlap")
        taken = end
        shape = tuple(int(n) for n in about["shape"])
        storage = Storage(SAFETENSORS_DTYPES[about["dtype"]], int(np.prod(shape, dtype=np.int64)))
        if not 0 <= begin <= end <= len(whole) or end - begin != storage.byte_count:
            raise EOFError("a tensor reaches outside the file")
        storage.raw = whole[begin:end]
        found[name] = storage.numbers().reshape(shape)
    return found
