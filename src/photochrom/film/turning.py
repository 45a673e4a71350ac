"""How players are to turn a film's pictures, and whether to mirror them: what its display matrix says."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import VideoFrame

# Nine 32-bit numbers, row by row: what x and y become, and where the origin goes.
MATRIX = "=9i"


def orientation_of(frame: VideoFrame) -> tuple[int, bool]:
    """Return degrees, 0..359 and counter-clockwise, by which players turn a frame, and whether they mirror it then.

    Source: ISO/IEC 14496-12, section 6.2.2 (the matrix).
    """
    side_data: Any = frame.side_data
    for data in side_data:
        if getattr(data.type, "name", "") == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = struct.unpack(MATRIX, bytes(data)[: struct.calcsize(MATRIX)])
            if a * d - b * c < 0:  # with its left and right exchanged again it is a turn
                return round(-math.degrees(math.atan2(b, -a))) % 360, True
    return int(frame.rotation) % 360, False
