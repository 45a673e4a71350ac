"""ONNX Runtime, kept from reporting to anybody; the only module that imports it.

Its official builds send events about processes, models and runs to their maker, on Linux and macOS since 1.29, unless
a variable forbids it before the library is loaded: then it sends nothing, and keeps no number of the computer.
Where a program had loaded it before us, or on Windows, later events are switched off.
Source: ONNX Runtime's Privacy.md, "Disabling Telemetry".
"""

import os
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

onnxruntime.disable_telemetry_events()

__all__ = ["load_quantization", "onnxruntime"]


def load_quantization() -> Any:
    """Return ``onnxruntime.quantization``, which takes a second to load."""
    from onnxruntime import quantization

    return quantization
