"""Read the tensors of a PyTorch file without running anything in it.

A .pth file is a pickle, and a pickle is a program: opened the usual way, a downloaded file can do what it likes. Here
the pickle is read by an interpreter that knows only how to put tensors together. Any other name in it ends the reading
with one clear line, before anything of that name is looked up. The file is read whole and once, and never mapped: one
that is cut or written to meanwhile is one line, not the end of the process. Tensors are views of what was read, and
none can be larger than it.

Both containers are read, the zip of torch 1.6 and later and the older sequence of pickles, and safetensors files too.

Source: the formats as written by torch.serialization; https://github.com/huggingface/safetensors (format section).
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from photochrom.errors import ModelFileError
from photochrom.importer.containers import LEGACY_MAGIC, read_legacy, read_safetensors, read_zip
from photochrom.importer.pickles import Array

WRAPPERS = ("model", "state_dict", "params_ema", "params", "generator", "net")

LARGEST_BYTES = 8_000_000_000

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
    """The tensors of one file, by name; arrays are views of its bytes, read-only."""

    path: Path
    tensors: dict[str, Array]
    wrapper: str = ""  # the key they were stored under, such as "model"
    others: tuple[str, ...] = ()  # other keys beside it, such as "opt"
    sha256: str = ""  # of the bytes that the tensors are views of


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the tensors of a .pth, .pt, .h5 (torch's of 2018) or .safetensors file.

    Raises:
        ModelFileError: the file is missing, truncated, of another kind, holds code, or holds no tensors.

    Cost: reads and hashes the whole file. Memory: its size, and twice that of what is bfloat16 in it, widened.
    """
    data = _read_whole(path)
    with _one_line_errors(path):
        content = _content(data, path)
    return replace(_unwrapped(path, content), sha256=hashlib.sha256(data).hexdigest())


def _read_whole(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError("this is no file, but a folder, pipe or device", where=str(path))
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            if before.st_size > LARGEST_BYTES:
                raise ModelFileError(f"it is larger than {LARGEST_BYTES / 1e9:.0f} GB", where=str(path))
            data, after = file.read(before.st_size), os.fstat(file.fileno())
    except OSError as error:
        raise ModelFileError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except MemoryError:
        raise ModelFileError("there is not enough memory to read it", where=str(path)) from None
    if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ModelFileError(
            "it was changed while it was read", where=str(path), next_step="Run again when it is whole."
        )
    if not data:
        raise ModelFileError("the file is empty", where=str(path), next_step="Download it again.")
    return data


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


def _content(data: bytes, path: Path) -> object:
    start = data[:32]
    if start.startswith(b"PK\x03\x04"):
        return read_zip(data, path)
    if start.startswith(b"\x80") and data.find(LEGACY_MAGIC.to_bytes(10, "little"), 0, 32) >= 0:
        return read_legacy(data, path)
    if len(data) > 8 and data[8:9] == b"{":
        return read_safetensors(data)
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
