"""Write a .safetensors file array by array, without a second copy of it in memory.

Source: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from photochrom.computer.systems import flush_to_disk

KINDS = {
    "float32": "F32",
    "float64": "F64",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
HEADER_ALIGNMENT = 8


def write_safetensors(path: Path, arrays: Mapping[str, npt.NDArray[np.generic]], metadata: Mapping[str, str]) -> None:
    """Write arrays and a few strings about them; raise OSError as writing does."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    position = 0
    for name, array in arrays.items():
        end = position + array.nbytes
        header[name] = {"dtype": KINDS[array.dtype.name], "shape": list(array.shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())
        file.flush()
        flush_to_disk(file.fileno())
