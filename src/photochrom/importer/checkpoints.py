"""Read the tensors of a PyTorch file without running anything in it.

A .pth file is a pickle, and a pickle is a program: opened the usual way, a downloaded file can do what it likes. Here
the pickle is read by an interpreter that knows only how to put tensors together. Any other name in it ends the reading
with one clear line, before anything of that name is looked up. Tensors stay in the file (memory-mapped) until they are
used, and none can be larger than the file.

Both containers are read, the zip of torch 1.6 and later and the older sequence of pickles, and safetensors files too.

Source: the formats as written by torch.serialization; https://github.com/huggingface/safetensors (format section).
"""

from __future__ import annotations

import mmap
import pickle
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from photochrom.errors import ModelFileError
from photochrom.importer.containers import LEGACY_MAGIC, read_legacy, read_safetensors, read_zip
from photochrom.importer.pickles import Array

WRAPPERS = ("model", "state_dict", "params_ema", "params", "generator", "net")

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
