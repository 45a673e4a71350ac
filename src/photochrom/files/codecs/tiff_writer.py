"""TIFF files written strip by strip: deflate on all cores, any number of pages, each with its own metadata.

libvips and Pillow compress on one core, which for a 16-bit scan takes longer than everything else together, and put
no metadata of their own choosing into files over 4 GB.

Source: TIFF 6.0 (Adobe, 1992), sections 2, 8, 14 (horizontal differencing) and 18 (extra samples); Adobe's TIFF
technical note 2002 (deflate); the BigTIFF layout of libtiff.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy.typing as npt

from photochrom.computer.cores import usable_cores
from photochrom.computer.room import let_go
from photochrom.files.codecs import tiff, tiff_directories, tiff_exif
from photochrom.files.codecs.exif import LONG, SHORT
from photochrom.files.codecs.tiff import LONG8, RATIONAL, Field

if TYPE_CHECKING:
    from photochrom.files.metadata import Metadata

# Offsets of classic files have 32 bits; more than this, uncompressed, is written with 64.
LARGEST_CLASSIC_TIFF = 3_900_000_000
STRIP_BYTES = 1 << 20
LET_GO_EVERY = 16  # strips
DEFLATE, RGB, BLACK_IS_ZERO, CHUNKY, HORIZONTAL, STRAIGHT_ALPHA, INCH, NO_UNIT = 8, 2, 1, 1, 2, 2, 2, 1
DEFLATE_LEVEL = 3
# In grain there is nothing to be found again, and looking for it takes two thirds of the time. A strip's beginning
# tells: where plain Huffman codes and runs come within this share of what the search finds, they are enough.
PROBE_BYTES = 1 << 16
WORTH_SEARCHING = 0.94

Samples = npt.NDArray[Any]


def write_tiff(handle: BinaryIO, pages: Sequence[tuple[Samples, Metadata]], quality: int = 0) -> None:
    """Write a file.

    Args:
        handle: an empty file open for writing, able to seek.
        pages: samples (H, W, 1 to 4), uint8 or uint16, the last of 2 or 4 channels being alpha, and their metadata.
        quality: not looked at; nothing is lost.

    Memory: some strips of a megabyte.
    """
    writer = _Writer(handle, big=sum(samples.nbytes for samples, _ in pages) > LARGEST_CLASSIC_TIFF)
    with ThreadPoolExecutor(usable_cores()) as pool:
        for samples, metadata in pages:
            writer.add_page(samples, metadata, pool)


class _Writer:
    def __init__(self, handle: BinaryIO, *, big: bool) -> None:
        self.handle, self.big = handle, big
        self.offset_format, self.offset_type = ("<Q", LONG8) if big else ("<L", LONG)
        handle.write(b"II+\x00\x08\x00\x00\x00" if big else b"II*\x00")
        self._link_at = handle.tell()
        handle.write(bytes(8 if big else 4))

    def add_page(self, samples: Samples, metadata: Metadata, pool: ThreadPoolExecutor) -> None:
        """Write the strips of a page, then its directory, and link that to the page before."""
        rows = max(1, STRIP_BYTES // max(1, samples.nbytes // samples.shape[0]))
        offsets, lengths = [], []
        for strip in _compressed_strips(samples, rows, pool):
            offsets.append(self.handle.tell())
            lengths.append(len(strip))
            self.handle.write(strip)
        tags = _layout_tags(samples, rows) | _resolution_tags(metadata.dpi) | _block_tags(metadata)
        tags[tiff.STRIP_OFFSETS] = _numbers(self.offset_type, self.offset_format[1], offsets)
        tags[tiff.STRIP_LENGTHS] = _numbers(LONG, "L", lengths)
        described, children = _exif_tags(metadata.exif)
        for pointer, child in children.items():
            at = self._append_directory(child)
            tags[pointer] = _numbers(self.offset_type, self.offset_format[1], [at])
        at = self._append_directory(described | tags)
        self._link(at, following_at=at + tiff_directories.next_pointer_at(len(described | tags), big=self.big))

    def _append_directory(self, tags: dict[int, Field]) -> int:
        self.handle.write(bytes(self.handle.tell() % 2))
        at = self.handle.tell()
        self.handle.write(tiff_directories.directory_bytes(tags, "<", at, big=self.big))
        return at

    def _link(self, at: int, *, following_at: int) -> None:
        self.handle.seek(self._link_at)
        self.handle.write(struct.pack(self.offset_format, at))
        self.handle.seek(0, 2)
        self._link_at = following_at


def _compressed_strips(samples: Samples, rows: int, pool: ThreadPoolExecutor) -> Iterator[bytes]:
    """Yield strips in order; no more of them wait to be written than keep the cores busy."""
    waiting: deque[Future[bytes]] = deque()
    tops: Iterable[int] = range(0, samples.shape[0], rows)
    for number, top in enumerate(tops):
        waiting.append(pool.submit(_compressed, samples[top : top + rows]))
        if len(waiting) > 2 * usable_cores():
            yield waiting.popleft().result()
        if number % LET_GO_EVERY == 0:
            let_go(samples)
    for future in waiting:
        yield future.result()
    let_go(samples)


def _compressed(strip: Samples) -> bytes:
    """Return the strip as differences between neighbours, deflated."""
    differences = strip.astype(strip.dtype.newbyteorder("<"), order="C")
    differences[:, 1:] -= strip[:, :-1]
    data = differences.data.cast("B")
    probe = data[:PROBE_BYTES]
    search = len(_deflated(probe, zlib.Z_DEFAULT_STRATEGY)) < WORTH_SEARCHING * len(_deflated(probe, zlib.Z_RLE))
    return _deflated(data, zlib.Z_DEFAULT_STRATEGY if search else zlib.Z_RLE)


def _deflated(data: memoryview, strategy: int) -> bytes:
    packer = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    return packer.compress(data) + packer.flush()


def _layout_tags(samples: Samples, rows: int) -> dict[int, Field]:
    height, width, channels = samples.shape
    colors = 3 if channels >= 3 else 1
    shorts = {
        tiff.BITS_PER_SAMPLE: [8 * samples.dtype.itemsize] * channels,
        tiff.COMPRESSION: [DEFLATE],
        tiff.PHOTOMETRIC: [RGB if colors == 3 else BLACK_IS_ZERO],
        tiff.SAMPLES_PER_PIXEL: [channels],
        tiff.PLANAR: [CHUNKY],
        tiff.PREDICTOR: [HORIZONTAL],
        tiff.SAMPLE_FORMAT: [1] * channels,
    }
    if channels > colors:
        shorts[tiff.EXTRA_SAMPLES] = [STRAIGHT_ALPHA]
    longs = {tiff.SUBFILE_TYPE: 0, tiff.WIDTH: width, tiff.HEIGHT: height, tiff.ROWS_PER_STRIP: rows}
    return {tag: _numbers(SHORT, "H", numbers) for tag, numbers in shorts.items()} | {
        tag: _numbers(LONG, "L", [number]) for tag, number in longs.items()
    }


def _resolution_tags(dpi: tuple[float, float] | None) -> dict[int, Field]:
    x, y = dpi or (1, 1)
    return {
        tiff.X_RESOLUTION: Field(RATIONAL, 1, struct.pack("<LL", round(x * 100), 100)),
        tiff.Y_RESOLUTION: Field(RATIONAL, 1, struct.pack("<LL", round(y * 100), 100)),
        tiff.RESOLUTION_UNIT: _numbers(SHORT, "H", [INCH if dpi else NO_UNIT]),
    }


def _block_tags(metadata: Metadata) -> dict[int, Field]:
    blocks = {tiff.XMP: metadata.xmp, tiff.IPTC: metadata.iptc, tiff.ICC: metadata.icc}
    return {tag: tiff_directories.bytes_field(tag, block) for tag, block in blocks.items() if block}


def _exif_tags(block: bytes | None) -> tuple[dict[int, Field], dict[int, dict[int, Field]]]:
    """Return the descriptive tags of an EXIF block, and its EXIF and GPS directories, in our byte order."""
    if not block:
        return {}, {}
    main, children, order = tiff_exif.tags_of_exif(block)
    return tiff_directories.in_order(main, order, "<"), {
        tag: tiff_directories.in_order(child, order, "<") for tag, child in children.items()
    }


def _numbers(kind: int, letter: str, numbers: Sequence[int]) -> Field:
    return Field(kind, len(numbers), struct.pack(f"<{len(numbers)}{letter}", *numbers))
