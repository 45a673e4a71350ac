"""Read the tensors of a PyTorch file without running anything in it.

A .pth file is a pickle, and a pickle is a program: opened the usual way, a downloaded file can do what it likes. Here
the pickle is read by an interpreter that knows only how to put tensors together. Any other name in it ends the reading
with one clear line, before anything of that name is looked up. Tensors stay in the file (memory-mapped) until they are
used, and none can be larger than the file.

Both containers are read, the zip of torch 1.6 and later and the older sequence of pickles, and safetensors files too.

Source: the formats as written by torch.serialization; https://github.com/huggingface/safetensors (format section).
"""

from __future__ import annotations

import json
import math
import mmap
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.errors import ModelFileError

Array = npt.NDArray[np.generic]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
LARGEST_PICKLE_BYTES = 64_000_000  # names and shapes of a checkpoint take some hundred kilobytes
LARGEST_HEADER_BYTES = 100_000_000
WRAPPERS = ("model", "state_dict", "params_ema", "params", "generator", "net")

STORAGE_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bf16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
SAFETENSORS_DTYPES = {
    "F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "bf16", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U8": "u1", "BOOL": "?",
}  # fmt: skip
# What files that are not checkpoints begin with.
LOOKALIKES = {
    b"\x89HDF": "a Keras or HDF5 file",
    b"version https://git-lfs": "a Git LFS pointer, not the file it points to",
    b"<": "a web page: the download was redirected",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x08": "an ONNX or another protobuf file",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of one file, by name; arrays may be views of the file, read-only."""

    path: Path
    tensors: dict[str, Array]
    wrapper: str = ""  # the key they were stored under, such as "model"
    others: tuple[str, ...] = ()  # other keys beside it, such as "opt"


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the tensors of a .pth, .pt, .h5 (torch's of 2018) or .safetensors file.

    Raises:
        ModelFileError: the file is missing, truncated, of another kind, holds code, or holds no tensors.

    Cost: reads names and shapes; tensors are read when used.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if size == 0:
                raise ModelFileError("the file is empty", where=str(path), next_step="Download it again.")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ModelFileError(f"cannot be read ({error.strerror})", where=str(path)) from None
    with _one_line_errors(path):
        content = _content(data, path)
    return _unwrapped(path, content)


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes the readers raise into one line."""
    try:
        yield
    except ModelFileError:
        raise
    except (EOFError, struct.error, zipfile.BadZipFile) as error:
        detail = str(error) or "it ends too early"
        raise ModelFileError(
            f"the file is truncated or damaged ({detail})", where=str(path), next_step="Download it again."
        ) from None
    except (
        pickle.UnpicklingError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        what = f"not a checkpoint that can be read ({type(error).__name__}: {str(error)[:100]})"
        raise ModelFileError(what, where=str(path), next_step="Download it again.") from None
    except MemoryError:
        raise ModelFileError("the file asks for more memory than its tensors need", where=str(path)) from None


def _content(data: mmap.mmap, path: Path) -> object:
    start = bytes(data[:32])
    if start.startswith(b"PK\x03\x04"):
        return _read_zip(data, path)
    if start.startswith(b"\x80") and data.find(LEGACY_MAGIC.to_bytes(10, "little"), 0, 32) >= 0:
        return _read_legacy(data, path)
    if len(data) > 8 and data[8:9] == b"{":
        return _read_safetensors(data)
    kind = next((text for prefix, text in LOOKALIKES.items() if start.startswith(prefix)), "not a PyTorch file")
    raise ModelFileError(
        f"this is {kind}",
        where=str(path),
        next_step="Give a .pth file as published, or a .safetensors file.",
    )


def _unwrapped(path: Path, content: object) -> Checkpoint:
    """Return the tensors of a state dict that lies at the top or under one of the usual keys."""
    if isinstance(content, dict):
        for wrapper in ("", *WRAPPERS):
            inner = content.get(wrapper) if wrapper else content
            tensors = _tensors(inner)
            if tensors:
                others = tuple(str(key) for key in content if wrapper and key != wrapper)
                return Checkpoint(path, tensors, wrapper, others)
    raise ModelFileError(
        "the file holds no tensors by name",
        where=str(path),
        next_step="Give the file of a state dict, as published.",
    )


def _tensors(content: object) -> dict[str, Array]:
    if not isinstance(content, dict):
        return {}
    found = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, np.ndarray)}
    return {name.removeprefix("module."): value for name, value in found.items()}


# --- the interpreter ------------------------------------------------------------------------------------------------


def _refuse_state(_self: object, _state: object) -> None:
    """Keep a pickle from rewriting our own objects (its BUILD instruction)."""
    raise pickle.UnpicklingError("an object that cannot be changed")


@dataclass(frozen=True, slots=True)
class _StorageKind:
    """Stands for a class such as torch.FloatStorage; cannot be called to any effect."""

    dtype: str
    __setstate__ = _refuse_state


@dataclass(slots=True)
class _Storage:
    """A run of numbers somewhere in the file."""

    dtype: str
    count: int
    raw: memoryview | None = None
    __setstate__ = _refuse_state

    def numbers(self) -> Array:
        if self.raw is None:
            raise EOFError("a tensor's numbers are missing")
        if self.dtype == "bf16":
            return np.asarray((np.frombuffer(self.raw, "<u2").astype(np.uint32) << 16).view(np.float32))
        return np.frombuffer(self.raw, self.dtype)

    @property
    def byte_count(self) -> int:
        return self.count * (2 if self.dtype == "bf16" else np.dtype(self.dtype).itemsize)


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage, made into an array once all storages have been found in the file."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    __setstate__ = _refuse_state

    def array(self) -> Array:
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        negative = self.offset < 0 or any(n < 0 for n in self.shape) or any(s < 0 for s in self.strides)
        too_many = math.prod(self.shape) > self.storage.count  # repeated views could be of any size once copied
        if negative or too_many or (0 not in self.shape and last >= self.storage.count):
            raise ValueError("a tensor reaches outside its storage")
        numbers = self.storage.numbers()
        if 0 in self.shape:
            return np.zeros(self.shape, numbers.dtype)
        steps = tuple(stride * numbers.itemsize for stride in self.strides)
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, steps, writeable=False)


class _Ignored:
    """Takes the place of harmless values that no weight depends on, such as an optimizer's slice of learning rates."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


class _Mapping(dict[Any, Any]):
    """Takes the place of OrderedDict; what torch attaches to it (_metadata) is dropped."""

    def __setstate__(self, state: object) -> None:
        pass


def _rebuilt_tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> _Tensor:
    if not isinstance(storage, _Storage) or not isinstance(offset, int):
        raise TypeError("a tensor without storage")
    if not isinstance(shape, tuple) or not isinstance(strides, tuple) or len(shape) != len(strides):
        raise TypeError("a tensor without shape")
    if not all(isinstance(n, int) for n in (*shape, *strides)):
        raise TypeError("a shape that is not made of whole numbers")
    return _Tensor(storage, offset, shape, strides)


def _first(value: object, *_: object) -> object:
    return value


@dataclass(frozen=True, slots=True)
class _Call:
    """A function that a pickle may call and cannot change."""

    function: Callable[..., object]
    __setstate__ = _refuse_state

    def __call__(self, *arguments: object) -> object:
        return self.function(*arguments)


KNOWN_NAMES: dict[tuple[str, str], Callable[..., object]] = {
    ("collections", "OrderedDict"): _Mapping,
    ("torch._utils", "_rebuild_tensor"): _Call(_rebuilt_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): _Call(_rebuilt_tensor),
    ("torch._utils", "_rebuild_parameter"): _Call(_first),
    ("torch", "Size"): _Call(_first),
    ("torch.serialization", "_get_layout"): _Ignored,
    ("torch", "device"): _Ignored,
    ("builtins", "slice"): _Ignored,
    ("__builtin__", "slice"): _Ignored,
    ("_codecs", "encode"): _Ignored,
    ("numpy.core.multiarray", "scalar"): _Ignored,
    ("numpy._core.multiarray", "scalar"): _Ignored,
    ("numpy", "dtype"): _Ignored,
}


class _TensorUnpickler(pickle._Unpickler):  # noqa: SLF001 - the name of the Python version
    """Knows the names above and torch's storage classes; every other name is refused unseen.

    Built on the standard library's Python version: in the C version one damaged or hostile byte (a memo index of four
    billion) takes gigabytes of memory.
    """

    def __init__(self, file: Any, storages: dict[str, _Storage], path: Path) -> None:
        super().__init__(file, encoding="utf-8", errors="surrogateescape")
        self._storages = storages
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """Return our stand-in for a name, or raise ModelFileError; nothing is ever imported."""
        if module in {"torch", "torch.cuda"} and name in STORAGE_DTYPES:
            return _StorageKind(STORAGE_DTYPES[name])
        if (module, name) in KNOWN_NAMES:
            return KNOWN_NAMES[module, name]
        raise ModelFileError(
            f"the file asks to run {module}.{name}; nothing was run",
            where=str(self._path),
            next_step="Only files that hold nothing but weights are read; get the file from its publisher.",
        )

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that a tensor refers to. ``pid``: ("storage", class, key, device, count[, view])."""
        tag, kind, key, _device, count, *view = pid
        if tag != "storage" or not isinstance(kind, _StorageKind) or not isinstance(count, int) or count < 0:
            raise TypeError("an unknown reference")
        if view and view[0] is not None:
            raise ModelFileError("storages that are parts of others are not read", where=str(self._path))
        return self._storages.setdefault(str(key), _Storage(kind.dtype, count))


def _finished(content: object, depth: int = 0) -> object:
    """Return dicts with arrays in place of tensors; the rest is left out. Two levels deep is all that is needed."""
    if isinstance(content, _Tensor):
        return content.array()
    if isinstance(content, dict) and depth < 2:
        return {key: _finished(value, depth + 1) for key, value in content.items()}
    return None


# --- containers -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reader:
    """The file interface that unpickling needs, over a map; never reads past a limit, so no pickle can ask for more."""

    data: mmap.mmap
    position: int = 0
    limit: int = field(default=LARGEST_PICKLE_BYTES)

    def read(self, count: int = -1) -> bytes:
        end = min(self.limit, len(self.data))
        if count < 0 or self.position + count > end:
            raise EOFError("it ends too early")
        start, self.position = self.position, self.position + count
        return self.data[start : self.position]

    def readline(self) -> bytes:
        end = self.data.find(b"\n", self.position, min(self.limit, len(self.data)))
        if end < 0:
            raise EOFError("it ends too early")
        return self.read(end + 1 - self.position)


def _read_legacy(data: mmap.mmap, path: Path) -> object:
    """Read four pickles (magic, protocol, system, content), the list of storage keys, then the storages."""
    reader, storages = _Reader(data), cast("dict[str, _Storage]", {})
    magic, protocol, system, content = (_TensorUnpickler(reader, storages, path).load() for _ in range(4))
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL or not isinstance(system, dict):
        raise ValueError("unknown version of the older container")
    if not system.get("little_endian", True):
        raise ModelFileError("the file was written on a big-endian computer", where=str(path))
    keys = _TensorUnpickler(reader, storages, path).load()
    whole = memoryview(data)
    position = reader.position
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
    return _finished(content)


def _read_zip(data: mmap.mmap, path: Path) -> object:
    """Read ``*/data.pkl``, with each storage in its own uncompressed entry ``*/data/KEY``."""
    with zipfile.ZipFile(path) as archive:
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
    storages: dict[str, _Storage] = {}
    content = _TensorUnpickler(_Reader(data, begin, min(end, begin + LARGEST_PICKLE_BYTES)), storages, path).load()
    for key, storage in storages.items():
        raw = _entry(data, entries[f"{root}data/{key}"])
        if len(raw) < storage.byte_count:
            raise EOFError("a tensor is shorter than its shape says")
        storage.raw = raw[: storage.byte_count]
    return _finished(content)


def _entry(data: mmap.mmap, entry: zipfile.ZipInfo) -> memoryview:
    begin, end = _span(data, entry)
    return memoryview(data)[begin:end]


def _span(data: mmap.mmap, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return where an uncompressed entry's bytes begin and end; its local header has its own name and extra lengths."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise ValueError("a compressed or encrypted entry")
    name_length, extra_length = struct.unpack_from("<HH", data, entry.header_offset + 26)
    begin = entry.header_offset + 30 + name_length + extra_length
    if begin + entry.file_size > len(data):
        raise EOFError("it ends too early")
    return begin, begin + entry.file_size


def _read_safetensors(data: mmap.mmap) -> object:
    """Read an eight-byte length, a JSON header of that length, then the numbers."""
    (length,) = struct.unpack_from("<Q", data)
    if length > min(LARGEST_HEADER_BYTES, len(data) - 8):
        raise EOFError("the header is longer than the file")
    header = json.loads(data[8 : 8 + length])
    whole = memoryview(data)[8 + length :]
    found = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        begin, end = about["data_offsets"]
        shape = tuple(int(n) for n in about["shape"])
        storage = _Storage(SAFETENSORS_DTYPES[about["dtype"]], int(np.prod(shape, dtype=np.int64)))
        if not 0 <= begin <= end <= len(whole) or end - begin != storage.byte_count:
            raise EOFError("a tensor reaches outside the file")
        storage.raw = whole[begin:end]
        found[name] = storage.numbers().reshape(shape)
    return found
