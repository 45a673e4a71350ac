"""Reading PyTorch files: right numbers from all containers, and nothing ever run."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from photochrom.errors import ModelFileError
from photochrom.importer import containers, pickles
from photochrom.importer.checkpoints import read_checkpoint
from photochrom.importer.safetensors_file import write_safetensors

CONTAINERS = pytest.mark.parametrize("zipped", [False, True], ids=["legacy", "zip"])
STATE = {
    "plain": torch.arange(12, dtype=torch.float32).reshape(3, 4),
    "transposed": torch.arange(6).reshape(2, 3).t(),
    "half": torch.tensor([0.5, -2.0]).half(),
    "brain": torch.tensor([0.5, -2.0]).bfloat16(),
    "part": torch.arange(10, dtype=torch.float64)[3:6],
    "scalar": torch.tensor(7),
    "empty": torch.zeros(0, 3),
    "flag": torch.tensor([True, False]),
}
PARAMETERS = {"lr": slice(1e-7, 1e-4), "betas": (0.0, 0.99)}


def saved(path: Path, content: object, *, zipped: bool) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@CONTAINERS
def test_tensors_are_read_from_a_published_style_file(tmp_path: Path, *, zipped: bool) -> None:
    content = {"model": OrderedDict(STATE), "opt": {"state": {}, "param_groups": [PARAMETERS]}}
    checkpoint = read_checkpoint(saved(tmp_path / "gen.pth", content, zipped=zipped))
    assert checkpoint.wrapper == "model"
    assert checkpoint.others == ("opt",)
    assert list(checkpoint.tensors) == list(STATE)
    for name, tensor in STATE.items():
        np.testing.assert_array_equal(checkpoint.tensors[name], tensor.float().numpy() if name == "brain" else tensor)


@CONTAINERS
def test_a_bare_state_dict_with_metadata_and_parallel_prefix_is_read(tmp_path: Path, *, zipped: bool) -> None:
    state = torch.nn.Sequential(torch.nn.Linear(3, 2)).state_dict(prefix="module.")
    checkpoint = read_checkpoint(saved(tmp_path / "a.h5", state, zipped=zipped))
    assert list(checkpoint.tensors) == ["0.weight", "0.bias"]
    np.testing.assert_array_equal(checkpoint.tensors["0.bias"], state["module.0.bias"])


@CONTAINERS
def test_parameters_saved_as_such_are_read(tmp_path: Path, *, zipped: bool) -> None:
    path = saved(tmp_path / "a.pth", {"w": torch.nn.Parameter(torch.ones(2))}, zipped=zipped)
    np.testing.assert_array_equal(read_checkpoint(path).tensors["w"], [1, 1])


def test_safetensors_files_are_read(tmp_path: Path) -> None:
    state = {"a": torch.arange(6, dtype=torch.float32).reshape(2, 3), "b": torch.tensor([0.5]).bfloat16()}
    save_file(state, tmp_path / "a.safetensors")
    tensors = read_checkpoint(tmp_path / "a.safetensors").tensors
    np.testing.assert_array_equal(tensors["a"], state["a"])
    np.testing.assert_array_equal(tensors["b"], [0.5])


def test_numbers_of_every_kind_that_is_read_are_written(tmp_path: Path) -> None:
    path, tensors = tmp_path / "a.pth", {name: value.reshape(-1) for name, value in STATE.items()}
    torch.save(tensors | {str(kind): torch.ones(2, dtype=kind) for kind in (torch.int16, torch.int8)}, path)
    read = read_checkpoint(path).tensors
    write_safetensors(tmp_path / "b.safetensors", read, {})
    again = read_checkpoint(tmp_path / "b.safetensors").tensors
    assert {name: value.dtype for name, value in again.items()} == {name: value.dtype for name, value in read.items()}
    assert all((again[name] == read[name]).all() for name in read)


def test_arrays_are_views_of_the_file_and_cannot_be_written(tmp_path: Path) -> None:
    array = read_checkpoint(saved(tmp_path / "a.pth", STATE, zipped=False)).tensors["plain"]
    assert not array.flags.owndata
    assert not array.flags.writeable


@CONTAINERS
def test_a_file_cut_after_it_was_read_takes_nothing_away(tmp_path: Path, *, zipped: bool) -> None:
    path = saved(tmp_path / "a.pth", STATE, zipped=zipped)
    content = path.read_bytes()
    checkpoint = read_checkpoint(path)
    os.truncate(path, 10)
    np.testing.assert_array_equal(checkpoint.tensors["plain"], STATE["plain"])
    assert checkpoint.sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_that_changes_while_it_is_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, calls, fstat = saved(tmp_path / "a.pth", STATE, zipped=True), [0], os.fstat

    def cut_at_second_look(descriptor: int) -> os.stat_result:
        calls[0] += 1
        if calls[0] == 2:
            os.truncate(path, 10)
        return fstat(descriptor)

    monkeypatch.setattr("photochrom.importer.checkpoints.os.fstat", cut_at_second_look)
    with pytest.raises(ModelFileError, match="changed while it was read"):
        read_checkpoint(path)


@pytest.mark.posix
def test_folders_and_pipes_are_no_checkpoints(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    for path in (tmp_path, tmp_path / "pipe.pth"):
        with pytest.raises(ModelFileError, match="no file, but a folder, pipe or device"):
            read_checkpoint(path)


# --- malice ---------------------------------------------------------------------------------------------------------


class Command:
    """Pickles as a call of os.system."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)


@CONTAINERS
@pytest.mark.parametrize("place", ["model", "opt"])
def test_a_command_in_the_pickle_is_named_and_not_run(tmp_path: Path, place: str, *, zipped: bool) -> None:
    trap = tmp_path / "trap"
    path = saved(tmp_path / "evil.pth", {"model": STATE, "opt": {}, place: Command(trap)}, zipped=zipped)
    with pytest.raises(ModelFileError, match=r"asks to run (posix|nt)\.system; nothing was run"):
        read_checkpoint(path)
    assert not trap.exists()


@pytest.mark.parametrize(
    "call",
    ["builtins eval", "builtins getattr", "torch load", "torch.hub load", "collections UserDict", "os.path join"],
)
def test_names_beyond_the_list_are_refused(tmp_path: Path, call: str) -> None:
    module, name = call.split()
    body = b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"X\x01\x00\x00\x00a\x85R."
    with pytest.raises(ModelFileError, match="nothing was run"):
        read_checkpoint(legacy_file(tmp_path, body))


def test_a_whole_model_is_refused_by_the_name_of_its_class(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"torch\.nn\.modules\.linear\.Linear"):
        read_checkpoint(saved(tmp_path / "a.pth", {"model": torch.nn.Linear(2, 2)}, zipped=False))


def test_our_own_stand_ins_cannot_be_rewritten(tmp_path: Path) -> None:
    # BUILD on the function that makes tensors, with slot state: would set its attributes for the whole process.
    body = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x08\x00\x00\x00functionK\x01s\x86b."
    before = pickles.KNOWN_NAMES["torch._utils", "_rebuild_tensor_v2"]
    with pytest.raises(ModelFileError, match="cannot be changed"):
        read_checkpoint(legacy_file(tmp_path, body))
    assert callable(getattr(before, "function", None))


def test_a_pickle_cannot_ask_for_more_bytes_than_the_file_has(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"truncated or damaged|more memory"):
        read_checkpoint(legacy_file(tmp_path, b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"."))


@pytest.mark.parametrize(
    ("shape", "strides"), [((10**12,), (0,)), ((5,), (1,)), ((2,), (-1,)), ((-1,), (1,)), ((2, 2), (1,))]
)
def test_shapes_that_leave_their_storage_are_refused(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    class Reference:
        def __init__(self, key: str) -> None:
            self.key = key

    class Pickler(pickle.Pickler):
        def persistent_id(self, item: object) -> object:
            return ("storage", torch.FloatStorage, item.key, "cpu", 4) if isinstance(item, Reference) else None

    class Tensor:
        def __reduce__(self) -> tuple[Any, ...]:
            return torch._utils._rebuild_tensor_v2, (Reference("0"), 0, shape, strides, False, OrderedDict())

    stream = io.BytesIO()
    Pickler(stream, 2).dump({"w": Tensor()})
    path = legacy_file(tmp_path, stream.getvalue(), keys=["0"], data=struct.pack("<q", 4) + bytes(16))
    with pytest.raises(ModelFileError, match="not a checkpoint that can be read"):
        read_checkpoint(path)


def legacy_file(folder: Path, body: bytes, keys: list[str] | None = None, data: bytes = b"") -> Path:
    heads = [containers.LEGACY_MAGIC, containers.LEGACY_PROTOCOL, {"little_endian": True}]
    parts = [*(pickle.dumps(head, 2) for head in heads), body, pickle.dumps(keys or [], 2), data]
    path = folder / "made.pth"
    path.write_bytes(b"".join(parts))
    return path


# --- damage ---------------------------------------------------------------------------------------------------------


@CONTAINERS
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.999])
def test_a_file_cut_short_is_one_clear_line(tmp_path: Path, share: float, *, zipped: bool) -> None:
    path = saved(tmp_path / "a.pth", {"model": {"w": torch.zeros(5000)}}, zipped=zipped)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ModelFileError, match=r"a\.pth: (the file is truncated|this is|not a)") as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@CONTAINERS
def test_any_single_damaged_byte_of_the_names_gives_a_result_or_one_line(tmp_path: Path, *, zipped: bool) -> None:
    path = saved(tmp_path / "a.pth", {"model": {"w": torch.zeros(3), "v": torch.ones(2, 2)}}, zipped=zipped)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for position in random.integers(0, len(whole), 300):
        damaged = bytearray(whole)
        damaged[position] ^= int(random.integers(1, 256))
        path.write_bytes(bytes(damaged))
        with contextlib.suppress(ModelFileError):  # damage that hits only numbers is no error
            read_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "a Keras or HDF5 file"),
        (b"hello", "not a PyTorch file"),
        (b"\x80\x02}q\x00.", "not a PyTorch file"),
    ],
)
def test_other_files_are_named(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "renamed.pth").write_bytes(content)
    with pytest.raises(ModelFileError, match=line):
        read_checkpoint(tmp_path / "renamed.pth")


def test_a_missing_file_and_another_zip_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_checkpoint(tmp_path / "none.pth")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelFileError, match="not one that torch saved"):
        read_checkpoint(tmp_path / "a.zip")


@CONTAINERS
def test_a_file_without_tensors_is_named(tmp_path: Path, *, zipped: bool) -> None:
    with pytest.raises(ModelFileError, match="no tensors by name"):
        read_checkpoint(saved(tmp_path / "a.pth", {"epoch": 3, "names": ["a"]}, zipped=zipped))


def test_a_compressed_zip_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pth", STATE, zipped=True)
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))
    with pytest.raises(ModelFileError, match="compressed"):
        read_checkpoint(tmp_path / "b.pth")
