"""The means of a JPEG's blocks, by which damage is found that libjpeg conceals: data left over, missing, out of range.

They come from a decoder that is told a taller picture and weaker contrasts than the file's. Of the row beyond its last
an undamaged file gives flat grey; and with contrasts halved, blocks that are darker than black or lighter than white
are seen as such, and not as black and white: a wrong difference of means makes them, and no encoder does.

Source: ISO 10918-1, annexes A.3.3 (the range of samples and means), B.2.4.1 (tables of quantisers) and K.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.jpeg import segment
from photochrom.files.codecs.jpeg_frame import (
    ADOBE,
    BLOCK,
    HEAD_BYTES,
    SOI_BYTES,
    Frame,
    is_all_there,
    segments,
    with_a_row_more,
    with_usual_header,
)
from photochrom.files.codecs.libvips import libvips

Means = npt.NDArray[np.float32]
DQT, APP0, APP14 = 0xDB, 0xE0, 0xEE
AS_CODED = segment(APP14, ADOBE + bytes([0, 100, 0, 0, 0, 0, 0]))
"""Adobe's segment that says of three channels that they are no luma and chroma: they come out as they are coded."""
GREY, WHITE = 128, 255
# By so many codes, and eighths of the quantiser, encoders may miss the range: rounding on both sides, and some more.
MISSED_CODES, MISSED_EIGHTHS = 4.0, 1.0


def means_of_blocks(data: bytes, frame: Frame) -> Means | None:
    """Return the means of blocks (h, w, channels) as coded; None if not told.

    In codes, not cut to 0..255 where the quantiser leaves room, so between -128 and 383 in most files. Channels are
    those of the file, luma and chroma mostly. Of pictures coded in one scan with a row of units more than there is.
    Cost: half of decoding. Memory: a 16th of the picture; of those in several scans all their coefficients.
    """
    longer = with_a_row_more(data, frame) if frame.in_one_scan else with_usual_header(data, frame)
    if longer is None or frame.width <= BLOCK * frame.blocks[0]:
        return None
    head, scan_at, tables = _weaker_head(longer)
    source = libvips().Source.new_from_memory(head + longer[scan_at:])
    image = libvips().Image.jpegload_source(source, access="sequential", fail_on="none", shrink=BLOCK)
    means = np.asarray(image.numpy(), np.float32).reshape(image.height, image.width, image.bands)
    shares = np.array([now / before for before, now in _quantisers(data, frame, tables)], np.float32)
    return means if shares.size != means.shape[2] else (means - GREY) / shares + GREY


def _weaker_head(data: bytes) -> tuple[bytes, int, dict[int, tuple[int, int]]]:
    """Return the headers with quantisers of means halved and channels as coded, and where the first scan begins.

    Then each table's quantiser, as it was and as it is now.
    """
    head, tables, end = bytearray(data[:SOI_BYTES] + AS_CODED), dict[int, tuple[int, int]](), SOI_BYTES
    for kind, at, end in segments(data):  # the last one's end is where the scan begins
        payload = bytearray(data[at:end])
        if kind == DQT:
            tables |= _halve_first(payload)
        if kind not in (APP0, APP14):
            head += data[at - HEAD_BYTES : at] + payload
    return bytes(head), end, tables


def _halve_first(tables: bytearray) -> dict[int, tuple[int, int]]:
    """Halve the quantiser of means in each table of a segment, in place; return what it was and is."""
    changed, at = dict[int, tuple[int, int]](), 0
    while at + 2 < len(tables):
        width = 2 if tables[at] >> 4 else 1
        before = int.from_bytes(tables[at + 1 : at + 1 + width], "big")
        now = -(-before // 2)
        tables[at + 1 : at + 1 + width] = now.to_bytes(width, "big")
        changed[tables[at] & 15] = (max(before, 1), max(now, 1))
        at += 1 + 64 * width
    return changed


def _quantisers(data: bytes, frame: Frame, tables: dict[int, tuple[int, int]]) -> list[tuple[int, int]]:
    chosen = [data[frame.height_at + 7 + 3 * i] for i in range(len(frame.sampling))]
    return [tables.get(table, (1, 1)) for table in chosen]


def first_out_of_range(means: Means, data: bytes, frame: Frame) -> int | None:
    """Return the first row of pixels with a mean that no encoder makes; None where there is none."""
    *_, tables = _weaker_head(data)
    across, down = frame.blocks
    inside = means[:-down] if frame.in_one_scan else means
    if inside.shape[2] != len(frame.sampling):
        return None
    first: list[int] = []
    for k, (before, _) in enumerate(_quantisers(data, frame, tables)):
        missed = MISSED_CODES + MISSED_EIGHTHS * before / 8
        # Channels of fewer blocks come with more detail than their means, by as many pixels as the others have blocks.
        height, width = (max(1, most // own) for most, own in zip((down, across), frame.sampling[k][::-1], strict=True))
        averaged = _averaged(inside[..., k], height, width)
        rows = np.flatnonzero(((averaged < -missed) | (averaged > WHITE + missed)).any(axis=1))
        first += [BLOCK * height * int(row) for row in rows[:1]]
    return min(first, default=None)


def _averaged(plane: Means, height: int, width: int) -> Means:
    """Return the means of so many rows and columns; what is left at the sides is left out."""
    rows, columns = plane.shape[0] // height, plane.shape[1] // width
    parts = plane[: rows * height, : columns * width].reshape(rows, height, columns, width)
    return np.asarray(parts.mean(axis=(1, 3)), np.float32)


def has_data_left_over(data: bytes, frame: Frame) -> bool:
    """Return whether more blocks are coded than the picture has: bits before were lost, or changed."""
    means = means_of_blocks(data, frame) if frame.in_one_scan else None
    return means is not None and is_followed_by_more(means, frame)


def is_followed_by_more(means: npt.NDArray[Any], frame: Frame) -> bool:
    """Return whether the row beyond the picture's last holds anything."""
    beyond = means[-1, frame.blocks[0] :]  # the first unit is what padding bits happen to mean
    return bool(beyond.size and np.ptp(beyond, axis=0).any())


def ends_early(means: npt.NDArray[Any], data: bytes, frame: Frame) -> bool:
    """Return whether the data ends before the last unit, which libjpeg fills as those around it.

    It warns of that, but nobody hears it where it is in the last strip. Where one unit alone is missing, the bits that
    pad the last byte are taken for it; those of a whole file begin the row beyond, which is flat from its start here.
    """
    across, down = frame.blocks
    last = means[-1 - down, -1]
    filled = any(bool((last == other).all()) for other in (means[-1, -1], means[-1 - down, -1 - across]))
    filled = filled or not np.ptp(means[-down:], axis=(0, 1)).any()
    return filled and not is_all_there(data, frame)
