"""What libtiff decodes without complaint and is damaged all the same: strips and tiles checked by their own arithmetic.

libtiff stops as soon as a strip is full. So it never comes to deflate's checksum, and does not see that wrong codes
of LZW or PackBits make more bytes, or fewer, than a strip has. Here both are looked at, and with them the table of
strips: two that share some of their bytes cannot both be right.

Sources: TIFF 6.0, sections 9 (PackBits) and 13 (LZW: codes of 9 to 12 bits, widened one early, 256 clears, 257 ends);
RFC 1950 (Adler-32 at the end of a zlib stream).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from photochrom.computer.cores import usable_cores
from photochrom.files.codecs import tiff, tiff_heads
from photochrom.files.codecs.jpeg_frame import BLOCK, EOI, Frame, frame_of
from photochrom.files.codecs.jpeg_steps import STEP, row_of_step, wrong_blocks
from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.tiff import Page, TiffReader
from photochrom.files.codecs.tiff_layout import COMPRESSION_NAMES, JPEG_2000, Segment, planes_of, segments_of

NONE, LZW, JPEG, DEFLATE, ADOBE_DEFLATE, PACKBITS = 1, 5, 7, 32946, 8, 32773
JPEG_TABLES = 347
KINDS_OF_JPEG_2000 = frozenset(code for code, name in COMPRESSION_NAMES.items() if name == JPEG_2000)
CLEAR, END, FIRST_FREE, WIDEST = 256, 257, 258, 12
MOST_CODES = 1 << 13
"""Looked at between two codes that clear the table: it is full after 3838, and some programs go on with a full one."""
AT_A_TIME = 64
YCBCR, FILL_ORDER = 6, 266
# No compression makes of samples more than so many times their bytes, and some more.
LONGEST, SLACK, PIECE = 2, 4096, 1 << 20
MOST_PADDED = 1.3
Check = Callable[[Segment, bytes], None]


def check_of(reader: TiffReader, page: Page) -> Check:
    """Return a function that raises ValueError for a strip or tile whose data cannot be right."""
    compression = page.first_number(tiff.COMPRESSION, 1)
    if compression == JPEG or compression in KINDS_OF_JPEG_2000:
        changed = tiff_heads.strays(_heads(reader, page))

        def check_stream(segment: Segment, data: bytes) -> None:
            if segment.index in changed:
                raise ValueError(tiff_heads.CHANGED)
            if compression == JPEG:
                _check_jpeg(page, data)

        return check_stream
    check = BY_LENGTH.get(compression)
    if check is None or page.first_number(FILL_ORDER, 1) != 1:
        return lambda *_: None

    def checked(segment: Segment, data: bytes) -> None:
        size, full = sizes_of(page, segment)
        if page.first_number(tiff.PHOTOMETRIC, 1) == YCBCR and not _fits(check, data, size, full):
            size, full = _sizes_with_less_chroma(page, segment)
            if compression == NONE and len(data) > MOST_PADDED * full:
                raise ValueError("its strips do not fit the chroma that it says it has")
        check(data[: LONGEST * full + SLACK], size, full)

    return checked


def _heads(reader: TiffReader, page: Page) -> Iterator[bytes]:
    offsets, lengths = page.segments()
    for at, size in zip(offsets.tolist(), lengths.tolist(), strict=True):
        yield reader.source.read_at(at, min(size, tiff_heads.HEAD_BYTES))


def stores_chroma_in_full(reader: TiffReader, page: Page) -> bool:
    """Return whether the first strip or tile of a YCbCr page has chroma for every pixel, whatever its tags say."""
    check = BY_LENGTH.get(page.first_number(tiff.COMPRESSION, 1))
    offsets, lengths = page.segments()
    if check is None or not offsets.size:
        return page.numbers(tiff.SUBSAMPLING) == [1, 1]
    first = next(iter(segments_of(page, len(offsets), reader.source.name)))
    size, full = sizes_of(page, first)
    return _fits(
        check, reader.source.read_at(int(offsets[0]), min(int(lengths[0]), LONGEST * full + SLACK)), size, full
    )


def _fits(check: Callable[[bytes, int, int], None], data: bytes, size: int, full: int) -> bool:
    try:
        check(data[: LONGEST * full + SLACK], size, full)
    except ValueError:
        return False
    return True


def _sizes_with_less_chroma(page: Page, segment: Segment) -> tuple[int, int]:
    """Return the same as :func:`sizes_of` where several pixels share their chroma (TIFF 6.0, section 21)."""
    across, down = (page.numbers(tiff.SUBSAMPLING) or [2, 2])[:2]
    rows = min(page.number(tiff.ROWS_PER_STRIP) or 0, page.number(tiff.HEIGHT) or 0)
    if not across or not down:
        raise ValueError("its chroma is said to have no size")
    unit = (across * down + 2) * -(-segment.width // across)
    return unit * -(-segment.height // down), unit * -(-max(rows, segment.height) // down)


def sizes_of(page: Page, segment: Segment) -> tuple[int, int]:
    """Return how many bytes the samples of a strip or tile take, and of one with all its rows."""
    bits = page.first_number(tiff.BITS_PER_SAMPLE, 1)
    samples = 1 if planes_of(page) > 1 else page.first_number(tiff.SAMPLES_PER_PIXEL, 1)
    row = -(-segment.width * samples * bits // 8)
    rows = min(page.number(tiff.ROWS_PER_STRIP) or 0, page.number(tiff.HEIGHT) or 0)
    return row * segment.height, row * max(rows, segment.height)


def check_all(reader: TiffReader, page: Page) -> None:
    """Raise ValueError where any strip or tile of a page cannot be right.

    Cost: of deflate and LZW about as much as decoding, on all cores; of the others next to nothing. No strip is
    looked at further than its samples could possibly reach.
    """
    offsets, lengths = page.segments()
    check_apart(offsets, lengths)
    check = check_of(reader, page)

    def checked(segment: Segment) -> None:
        at, size = int(offsets[segment.index]), int(lengths[segment.index])
        if size:
            most = LONGEST * sizes_of(page, segment)[1] + SLACK
            check(segment, reader.source.read_at(at, min(size, most)))

    with ThreadPoolExecutor(max_workers=usable_cores()) as pool:
        waiting = segments_of(page, len(offsets), reader.source.name)
        while few := list(islice(waiting, AT_A_TIME)):
            for _ in pool.map(checked, few):
                pass


def check_apart(offsets: npt.NDArray[np.uint64], lengths: npt.NDArray[np.uint64]) -> None:
    """Raise ValueError where strips share part of their bytes; programs that save room let them share all."""
    if offsets.size != lengths.size or offsets.size < 2:
        return
    order = np.lexsort((lengths, offsets))
    begin, end = offsets[order].astype(np.int64), (offsets[order] + lengths[order]).astype(np.int64)
    same = (begin[1:] == begin[:-1]) & (end[1:] == end[:-1])
    if ((begin[1:] < np.maximum.accumulate(end)[:-1]) & ~same & (end[1:] > begin[1:])).any():
        raise ValueError("two of its strips share some of their bytes: its table of strips is wrong")


def _check_plain(data: bytes, size: int, full: int) -> None:
    if len(data) < size:
        raise ValueError(f"a strip has {len(data)} bytes instead of {size}")


def _check_deflate(data: bytes, size: int, full: int) -> None:
    """Raise where the stream is wrong, too short, or its checksum is; one without a checksum is let pass."""
    stream, rest, found = zlib.decompressobj(), data, 0
    try:
        while not stream.eof and rest and found <= full:
            found += len(stream.decompress(rest, PIECE))
            rest = stream.unconsumed_tail
    except zlib.error as error:
        raise ValueError(f"its deflated data is wrong ({error})") from None
    if not size <= found <= full:
        raise ValueError(f"a strip has {found} bytes and more instead of {size}")


def _check_packbits(data: bytes, size: int, full: int) -> None:
    at, found = 0, 0
    while at < len(data) and found < full:
        count = data[at]
        run = count >= 129
        at += 1 + (0 if count == 128 else 1 if run else count + 1)
        found += 0 if count == 128 else 257 - count if run else count + 1
    if found not in (size, full) or len(data) - at > 1:
        raise ValueError("a strip's packed data does not fit its size")


def _check_lzw(data: bytes, size: int, full: int) -> None:
    if data[:1] == b"\x00" and len(data) > 1 and data[1] & 1:  # an older kind, with its bits the other way round
        return
    found = lzw_size(data, full)
    if found not in (size, full):
        raise ValueError(f"its LZW data makes {found} bytes of a strip of {size}")


BY_LENGTH = {NONE: _check_plain, LZW: _check_lzw, PACKBITS: _check_packbits}
BY_LENGTH |= dict.fromkeys((DEFLATE, ADOBE_DEFLATE), _check_deflate)


def lzw_size(data: bytes, limit: int) -> int:
    """Return how many bytes an LZW stream makes, without making them; counting ends beyond ``limit``.

    A code that names no entry counts as more than any limit.
    """
    total = 0
    for codes in _runs(data):
        fresh = codes - FIRST_FREE
        if (fresh >= np.arange(len(codes))).any():  # the newest entry at a code is that of the code before it
            return limit + 1
        lengths, parent = np.ones(len(codes), np.int64), np.where(fresh >= 0, fresh, -1)
        # An entry is its code's string and one byte more: lengths add up along the chain of entries, by doubling.
        while (linked := parent >= 0).any():
            lengths[linked] += lengths[parent[linked]]
            parent = np.where(linked, parent[np.maximum(parent, 0)], -1)
        total += int(lengths.sum())
        if total > limit:
            break
    return total


def _runs(data: bytes) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the codes between those that clear the table."""
    padded = np.frombuffer(data + bytes(4), np.uint8).astype(np.int64)
    # The width of a code follows from its place behind the last clearing: 9 bits for the first 254, and so on.
    widths = np.concatenate([np.full(254, 9), np.full(512, 10), np.full(1024, 11), np.full(MOST_CODES - 1790, 12)])
    places = np.concatenate([[0], np.cumsum(widths)])
    at, bits = 0, 8 * len(data)
    while at < bits:
        count = int(np.searchsorted(places[1:], bits - at, side="right"))
        if not count:
            return
        start = at + places[:count]
        byte, width = start >> 3, widths[:count]
        three = (padded[byte] << 16) | (padded[byte + 1] << 8) | padded[byte + 2]
        codes = (three >> (24 - (start & 7) - width)) & ((1 << width) - 1)
        stops = np.flatnonzero((codes == CLEAR) | (codes == END))
        if not stops.size:
            yield codes
            return
        yield codes[: stops[0]]
        if codes[stops[0]] == END:
            return
        at = int(start[stops[0]] + width[stops[0]])


def _check_jpeg(page: Page, data: bytes) -> None:
    """Raise where a strip's stream has data left over after its last row, or too little."""
    whole = _stream_of(page, data)
    frame = frame_of(whole)
    if frame is None or frame.precision != 8 or frame.is_lossless:
        return
    if said := wrong_blocks(whole, frame):
        raise ValueError(said)
    image = libvips().Image.jpegload_source(libvips().Source.new_from_memory(whole), fail_on="none")
    if (row := row_of_step(image.numpy().reshape(image.height, image.width, -1), frame)) is not None:
        raise ValueError(STEP.format(row=row + 1))


def _stream_of(page: Page, data: bytes) -> bytes:
    """Return the JPEG of a strip, with the tables that all strips have in common."""
    tables = page.tags.get(JPEG_TABLES)
    return tables.data[:-2] + data[2:] if tables and tables.data[-2:] == EOI else data


def frame_of_strips(reader: TiffReader, page: Page) -> Frame | None:
    """Return the frame that a page in strips of JPEG would have as a whole; None where its blocks are no such frame's.

    Each strip is coded from anew, as after a restart; that matters where it is a single row of blocks.
    """
    offsets, lengths = page.segments()
    if page.first_number(tiff.COMPRESSION, 1) != JPEG or planes_of(page) > 1 or tiff.TILE_OFFSETS in page.tags:
        return None
    width, height = page.size
    rows = min(page.number(tiff.ROWS_PER_STRIP) or height, height)
    frame = (
        frame_of(_stream_of(page, reader.source.read_at(int(offsets[0]), int(lengths[0])))) if offsets.size else None
    )
    if (
        frame is None
        or frame.precision != 8
        or frame.is_lossless
        or not frame.blocks[1]
        or rows % (BLOCK * frame.blocks[1])
    ):
        return None
    restarts = frame.restarts or rows == BLOCK * frame.blocks[1]
    return replace(frame, width=width, height=height, restarts=restarts) if rows < height else None
