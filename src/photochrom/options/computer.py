"""What a model and a picture may ask of this computer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from photochrom.options.base import Options, Topic

Device = Literal["cpu", "cuda", "coreml", "directml", "openvino"]


class EngineOptions(Options):
    """How a model is run on this computer. Not part of what makes a picture: any choice gives the same colours."""

    topic = Topic.COMPUTER

    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Threads for the net. Left out, all physical cores that this process may use.",
    )
    device: Device = Field(
        default="cpu",
        description="Where the net runs. The processor takes a fraction of a second for a photograph; another device "
        "needs the ONNX Runtime package built for it, and is refused, not replaced, where that is missing.",
    )


class Limits(Options):
    """How much one input may ask of this computer; hostile files claim to be huge."""

    topic = Topic.COMPUTER

    max_pixels: int = Field(
        default=250_000_000,
        ge=1,
        description="Largest picture accepted, in pixels (width times height). Raise it for larger scans.",
    )
    max_file_bytes: int = Field(
        default=4_000_000_000,
        ge=1,
        description="Largest input file read, in bytes.",
    )
    max_memory_bytes: int = Field(
        default=4_000_000_000,
        ge=1,
        description="Most memory and temporary room that one picture may need, in bytes, estimated before it is "
        "decoded. Large pictures lie in temporary files.",
    )
    max_seconds: float = Field(
        default=600.0,
        gt=0.0,
        allow_inf_nan=False,
        description="Longest that reading one file may take, in seconds. One that takes longer is told as an error, "
        "and the others go on. A scan of 200 megapixels takes about five.",
    )
