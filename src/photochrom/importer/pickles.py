"""An interpreter of pickles that knows only how to put tensors together, and runs nothing.

Any name in a pickle but those below ends the reading with one clear line, before anything of that name is looked up.
What a pickle may cost is bounded: instructions are counted, nothing is larger than the bytes it was read from, and
tuples cannot be hashed, for a small pickle can nest them deeper than the processor's stack, or doubled at each level.

Source: the formats as written by torch.serialization.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from photochrom.errors import ModelFileError

Array = npt.NDArray[np.generic]
Kind = TypeVar("Kind")

MOST_INSTRUCTIONS = 2_000_000
"""Of one pickle, and as many items handed to functions; a checkpoint of a thousand tensors takes fifty thousand."""
MOST_ARGUMENTS = 64
LONGEST_NUMBER_BYTES = 32
LARGEST_PICKLE_BYTES = 64_000_000  # names and shapes of a checkpoint take some hundred kilobytes

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


def _refuse_state(_self: object, _state: object) -> None:
    raise pickle.UnpicklingError("an object that cannot be changed")


def _unchangeable(kind: type[Kind]) -> type[Kind]:
    """Keep a pickle from rewriting our own objects (its BUILD instruction).

    Around ``dataclass``, not in the class: before Python 3.11.4 frozen ones with slots get a ``__setstate__`` that
    takes the place of theirs.
    """
    setattr(kind, "__setstate__", _refuse_state)  # noqa: B010 - assigned, it would have to be each class's own
    return kind


@_unchangeable
@dataclass(frozen=True, slots=True)
class _StorageKind:
    """Stands for a class such as torch.FloatStorage; cannot be called to any effect."""

    dtype: str


@_unchangeable
@dataclass(slots=True)
class Storage:
    """A run of numbers somewhere in the file."""

    dtype: str
    count: int
    raw: memoryview | None = None
    _widened: Array | None = None

    def numbers(self) -> Array:
        """Return the numbers as an array over the file; bfloat16 as a copy in float32, one for all its tensors."""
        if self.raw is None:
            raise EOFError("a tensor's numbers are missing")
        if self.dtype != "bf16":
            return np.frombuffer(self.raw, self.dtype)
        if self._widened is None:
            self._widened = (np.frombuffer(self.raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        return self._widened

    @property
    def byte_count(self) -> int:
        """Bytes in the file."""
        return self.count * (2 if self.dtype == "bf16" else np.dtype(self.dtype).itemsize)


@_unchangeable
@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage, made into an array once all storages have been found in the file."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

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


class _Tuple(tuple[Any, ...]):
    """A tuple that is no key: hashing follows nested ones to the bottom, and does so again at every mention."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]


class _Counted(dict[int, Callable[..., None]]):
    """The unpickler's instructions, counted as they are looked up."""

    def __init__(self, table: dict[int, Callable[..., None]]) -> None:
        super().__init__(table)
        self.left = MOST_INSTRUCTIONS

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise pickle.UnpicklingError("more instructions than any checkpoint has")

    def __getitem__(self, code: int) -> Callable[..., None]:
        self.spend(1)
        return super().__getitem__(code)


def _rebuilt_tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> _Tensor:
    if not isinstance(storage, Storage) or not isinstance(offset, int):
        raise TypeError("a tensor without storage")
    if not isinstance(shape, tuple) or not isinstance(strides, tuple) or len(shape) != len(strides):
        raise TypeError("a tensor without shape")
    if len(shape) > MOST_ARGUMENTS:
        raise TypeError("a tensor of too many dimensions")
    if not all(isinstance(n, int) for n in (*shape, *strides)):
        raise TypeError("a shape that is not made of whole numbers")
    return _Tensor(storage, offset, shape, strides)


def _first(value: object, *_: object) -> object:
    return value


@_unchangeable
@dataclass(frozen=True, slots=True)
class _Call:
    """A function that a pickle may call and cannot change."""

    function: Callable[..., object]

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


class TensorUnpickler(pickle._Unpickler):  # noqa: SLF001 - the name of the Python version
    """Knows the names above and torch's storage classes; every other name is refused unseen.

    Built on the standard library's Python version: in the C version one damaged or hostile byte (a memo index of four
    billion) takes gigabytes of memory.
    """

    # What the base class makes when it loads.
    stack: list[Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: Any, storages: dict[str, Storage], path: Path) -> None:
        super().__init__(file, encoding="utf-8", errors="surrogateescape")
        self._storages = storages
        self._path = path
        self._counted = _Counted({**pickle._Unpickler.dispatch, **BOUNDED})  # noqa: SLF001 - see the class
        self.dispatch = self._counted  # type: ignore[misc] # a table for each, for each counts

    def make_tuple(self, count: int | None) -> None:
        """Put the last ``count`` items of the stack, or those since the last mark, into a tuple."""
        if count is None:
            items = self.pop_mark()  # which changes what is appended to
            self.append(_Tuple(items))
        else:
            self.stack[-count:] = [_Tuple(self.stack[-count:])]

    def check_arguments(self) -> None:
        """Raise UnpicklingError for a call with more arguments, or longer ones, than calls here have."""
        arguments = self.stack[-1]
        if not isinstance(arguments, tuple) or len(arguments) > MOST_ARGUMENTS:
            raise pickle.UnpicklingError("a call with odd arguments")
        self._counted.spend(sum(len(item) for item in arguments if isinstance(item, list | dict | tuple)))

    def find_class(self, module: str, name: str) -> Any:
        """Return our stand-in for a name, or raise ModelFileError; nothing is ever imported."""
        if module in {"torch", "torch.cuda"} and name in STORAGE_DTYPES:
            return _StorageKind(STORAGE_DTYPES[name])
        if (module, name) in KNOWN_NAMES:
            return KNOWN_NAMES[module, name]
        asked = f"{module}.{name}"[:100].encode("unicode_escape").decode()
        raise ModelFileError(
            f"the file asks to run {asked}; nothing was run",
            where=str(self._path),
            next_step="Only files that hold nothing but weights are read; get the file from its publisher.",
        )

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that a tensor refers to. ``pid``: ("storage", class, key, device, count[, view])."""
        if not isinstance(pid, tuple) or len(pid) > MOST_ARGUMENTS:
            raise TypeError("an unknown reference")
        tag, kind, key, _device, count, *view = pid
        if not isinstance(key, str | int):
            raise TypeError("a storage without a name")
        if tag != "storage" or not isinstance(kind, _StorageKind) or not isinstance(count, int) or count < 0:
            raise TypeError("an unknown reference")
        if view and view[0] is not None:
            raise ModelFileError("storages that are parts of others are not read", where=str(self._path))
        return self._storages.setdefault(str(key), Storage(kind.dtype, count))


def _refuse(_self: TensorUnpickler) -> None:
    raise pickle.UnpicklingError("an instruction that checkpoints have no use for")


def _checked_call(name: str) -> Callable[[TensorUnpickler], None]:
    plain = getattr(pickle._Unpickler, name)  # noqa: SLF001 - see the class

    def call(self: TensorUnpickler) -> None:
        self.check_arguments()
        plain(self)

    return call


def _load_number(self: TensorUnpickler) -> None:
    size = int.from_bytes(self.read(4), "little", signed=True)
    if not 0 <= size <= LONGEST_NUMBER_BYTES:
        raise pickle.UnpicklingError("a number of too many digits")
    self.append(int.from_bytes(self.read(size), "little", signed=True))


BOUNDED: dict[int, Callable[..., None]] = {
    pickle.TUPLE[0]: lambda self: self.make_tuple(None),
    pickle.TUPLE1[0]: lambda self: self.make_tuple(1),
    pickle.TUPLE2[0]: lambda self: self.make_tuple(2),
    pickle.TUPLE3[0]: lambda self: self.make_tuple(3),
    pickle.REDUCE[0]: _checked_call("load_reduce"),
    pickle.NEWOBJ[0]: _checked_call("load_newobj"),
    pickle.NEWOBJ_EX[0]: _refuse,
    pickle.BYTEARRAY8[0]: _refuse,  # makes room for as many bytes as it claims to have
    pickle.LONG4[0]: _load_number,
}
"""Instructions that would cost what the pickle says, with a bound or without use."""


def finished(content: object, depth: int = 0) -> object:
    """Return dicts with arrays in place of tensors; the rest is left out. Two levels deep is all that is needed."""
    if isinstance(content, _Tensor):
        return content.array()
    if isinstance(content, dict) and depth < 2:
        return {key: finished(value, depth + 1) for key, value in content.items()}
    return None


@dataclass(slots=True)
class PickleReader:
    """The file interface that unpickling needs, over bytes; never reads past a limit, so no pickle can ask for more."""

    data: bytes
    position: int = 0
    limit: int = field(default=LARGEST_PICKLE_BYTES)

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes; EOFError where there are not that many."""
        end = min(self.limit, len(self.data))
        if count < 0 or self.position + count > end:
            raise EOFError("it ends too early")
        start, self.position = self.position, self.position + count
        return self.data[start : self.position]

    def readline(self) -> bytes:
        """Return the bytes up to and with the next end of line."""
        end = self.data.find(b"\n", self.position, min(self.limit, len(self.data)))
        if end < 0:
            raise EOFError("it ends too early")
        return self.read(end + 1 - self.position)
