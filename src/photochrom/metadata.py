"""What a file says about its picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metadata:
    exif: bytes = b""
    icc: bytes = b""
