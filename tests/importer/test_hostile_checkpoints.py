"""Pickles that are small and ask for everything: each is one line, in a process with bounds on memory and time."""

from __future__ import annotations

import json
import pickle
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from photochrom.engines.base import ModelSpec
from photochrom.errors import ModelFileError
from photochrom.importer import pickles
from photochrom.importer.checkpoints import read_checkpoint
from photochrom.importer.containers import LEGACY_MAGIC, LEGACY_PROTOCOL

MEMORY_BYTES, PROCESSOR_S = 2_000_000_000, 40
DOUBLED = b"2\x86"  # DUP, TUPLE2: a pair of itself
DOUBLED_LIST = b"]q\x00h\x00a0"


def legacy(content: bytes, keys: bytes = b"\x80\x02]q\x00.") -> bytes:
    """The older container around a pickle's instructions."""
    head = [pickle.dumps(value, 2) for value in (LEGACY_MAGIC, LEGACY_PROTOCOL, {"little_endian": True})]
    return b"".join(head) + b"\x80\x04" + content + b"." + keys


def lists_doubled(depth: int) -> bytes:
    """A list of twice the list before, and so on: small to store, endless to print."""
    return b"]" + b"".join(b"\x94]\x94" + b"h" + bytes([2 * i]) + b"ah" + bytes([2 * i]) + b"a" for i in range(depth))


ONE = b"K\x01"
KEY_AND_VALUE = b"}%sNs"
STORAGE = b"ctorch\nFloatStorage\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
HOSTILE = {
    "tuples nested a hundred thousand deep as a key": KEY_AND_VALUE % (b")" + b"\x85" * 100_000),
    "tuples nested a hundred thousand deep as a value": b"}" + ONE + b")" + b"\x85" * 100_000 + b"s",
    "tuples doubled sixty times as a key": KEY_AND_VALUE % (b")" + DOUBLED * 60),
    "tuples doubled in a set": b"\x8f(" + b")" + DOUBLED * 60 + b"\x90",
    "tuples doubled in a frozen set": b"((" + b")" + DOUBLED * 60 + b"\x91",
    "tuples doubled as the pair of an ordered dict": b"ccollections\nOrderedDict\n](" + b")" + DOUBLED * 60
    + b"N\x86e\x85R",
    "a storage named by doubled lists": b"(X\x07\0\0\0storage" + STORAGE + lists_doubled(50) + b"X\x03\0\0\0cpuK\x01tQ",
    "a storage named by doubled tuples": b"(X\x07\0\0\0storage" + STORAGE + b")" + DOUBLED * 60
    + b"X\x03\0\0\0cpuK\x01tQ",
    "a bytearray that claims a terabyte": b"\x96" + struct.pack("<Q", 10**12),
    "bytes that claim a terabyte": b"\x8e" + struct.pack("<Q", 10**12),
    "a text that claims a terabyte": b"\x8d" + struct.pack("<Q", 10**12),
    "a frame that claims a terabyte": b"\x95" + struct.pack("<Q", 10**12),
    "a number of a million digits": b"\x8b" + struct.pack("<i", 500_000) + b"\x7f" * 500_000,
    "more instructions than a checkpoint has": b"N0" * 150_000 + b"N",
    "a list handed over again and again": b"](" + b"N" * 100_000 + b"e\x85\x940"
    + b"ccollections\nOrderedDict\nh\0R0" * 100_000 + b"N",
    "a call with a hundred thousand arguments": b"ctorch\nSize\n(" + b"N" * 100_000 + b"tR",
    "a shape of a hundred thousand dimensions": REBUILD + b"(NK\0(" + ONE * 100_000 + b"t(" + ONE * 100_000 + b"ttR",
    "lists nested a hundred thousand deep": b"]" * 100_000 + b"a" * 99_999,
    "a memo of four thousand million": b"Nr\xff\xff\xff\xff",
    "names of lines": b"cposix\nsys\x1b[2Jtem\n)R",
}  # fmt: skip
CHILD = """
import resource
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
import sys
from tests.importer.test_hostile_checkpoints import read_all
read_all(sys.argv[1])
"""


def read_all(folder: str) -> None:
    pickles.MOST_INSTRUCTIONS = 200_001  # a tenth, for a tenth of the time
    path = Path(folder) / "hostile.pth"
    for name, content in HOSTILE.items():
        path.write_bytes(legacy(content))
        try:
            read_checkpoint(path)
        except ModelFileError as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 500
            print(name, flush=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="bounds and what they count differ elsewhere")
def test_hostile_pickles_are_one_line_each_at_little_cost(tmp_path: Path) -> None:
    program = CHILD.format(memory=MEMORY_BYTES, seconds=PROCESSOR_S)
    command = [sys.executable, "-c", program, str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, timeout=200)
    assert done.returncode == 0, (done.stdout[-300:], done.stderr[-2000:])
    assert done.stdout.splitlines() == list(HOSTILE)
    assert done.stderr == ""


def test_storages_named_by_doubled_lists_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hostile.pth"
    path.write_bytes(legacy(b"}", b"\x80\x04](" + lists_doubled(50)[1:] + b"e."))
    with pytest.raises(ModelFileError):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "header", [b"{" + b'"a":[' * 50_000, b'{"a": {"dtype": 5, "shape": [[1]], "data_offsets": "ab"}}']
)
def test_hostile_headers_of_safetensors_are_one_line(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(100))
    with pytest.raises(ModelFileError):
        read_checkpoint(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_one_bfloat16_storage_share_what_it_is_widened_to(tmp_path: Path, zipped: bool) -> None:
    numbers = torch.arange(1000).bfloat16()
    path = tmp_path / "shared.pth"
    torch.save({"a": numbers, "b": numbers[:500]}, path, _use_new_zipfile_serialization=zipped)
    tensors = read_checkpoint(path).tensors
    assert np.shares_memory(tensors["a"], tensors["b"])
    assert (tensors["b"] == numbers[:500].float().numpy()).all()


def test_numbers_of_a_safetensors_file_belong_to_one_tensor(tmp_path: Path) -> None:
    one = {"dtype": "BF16", "shape": [50], "data_offsets": [0, 100]}
    header = json.dumps({"a": one, "b": one}).encode()
    path = tmp_path / "overlapping.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(100))
    with pytest.raises(ModelFileError, match="tensors that overlap"):
        read_checkpoint(path)


def test_numbers_of_a_zip_belong_to_one_storage(tmp_path: Path) -> None:
    path = tmp_path / "overlapping.pth"
    torch.save({name: torch.ones(1000) for name in "abc"}, path)
    data = path.read_bytes()
    at = [data.index(b"PK\x01\x02")]
    while (following := data.find(b"PK\x01\x02", at[-1] + 1)) > 0:
        at.append(following)
    first, *others = (entry for entry in at if re.search(rb"/data/\d", data[entry : entry + 100]))
    changed = bytearray(data)
    for entry in others:  # all of them lie where the first one does
        changed[entry + 42 : entry + 46] = data[first + 42 : first + 46]
    path.write_bytes(changed.replace(b"M\xe8\x03", b"M\x10\x0e"))  # and are said to be longer
    with pytest.raises(ModelFileError, match="storages that overlap"):
        read_checkpoint(path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, '{"name": {}}', "null", "\ud800"])
def test_hostile_descriptions_of_models_are_one_line(text: str) -> None:
    with pytest.raises(ModelFileError, match="metadata cannot be used") as caught:
        ModelSpec.from_json(text, "x.onnx")
    assert "\n" not in str(caught.value)


def test_a_description_with_more_than_is_known_is_read() -> None:
    spec = ModelSpec.from_json(json.dumps({"contract": "color/1", "name": "a", "render_px": 64, "new": 1}), "x")
    assert spec.name == "a"
