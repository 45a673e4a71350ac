"""A TIFF gives the same pixels whatever it is compressed with, and whoever decodes it: libtiff or imagecodecs."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile

from photochrom.files.reading import open_photo
from photochrom.options import ReadingOptions

ZSTD = "zstd"
DAMAGED = ReadingOptions(damaged_files="read")


def tiff_of(pixels: np.ndarray, compression: str | None, photometric: str, extra: list[str], planes: bool) -> bytes:
    """A TIFF of (H, W, channels) in strips of 16 rows."""
    apart = planes and pixels.shape[2] > 1
    samples = np.moveaxis(pixels, -1, 0).copy() if apart else pixels[..., 0] if pixels.shape[2] == 1 else pixels
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, samples, compression=compression, photometric=photometric, extrasamples=extra or None, metadata=None,
        planarconfig=("separate" if apart else "contig") if pixels.shape[2] > 1 else None, rowsperstrip=16,
    )  # fmt: skip
    return buffer.getvalue()


def packed(codes: np.ndarray, bits: int, compression: int, photometric: int) -> bytes:
    """A TIFF of one strip of codes (H, W) of so few bits, which no library compresses."""
    height, width = codes.shape
    raw = np.packbits((codes[..., None] >> np.arange(bits - 1, -1, -1)) & 1).tobytes()
    encode: Callable[[bytes], bytes] = {1: bytes, 34925: imagecodecs.lzma_encode, 50000: imagecodecs.zstd_encode}[
        compression
    ]
    data = bytes(encode(raw))
    tags = {256: width, 257: height, 258: bits, 259: compression, 262: photometric, 273: 8, 277: 1, 278: height,
            279: len(data)}  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHLL", t, 4, 1, v) for t, v in tags.items())
    odd = bytes(len(data) % 2)
    return b"II*\x00" + struct.pack("<L", 8 + len(data + odd)) + data + odd + directory + bytes(4)


@pytest.mark.parametrize("compression", [1, 34925, 50000])
@pytest.mark.parametrize(("bits", "step"), [(1, 255), (2, 85), (4, 17)])
def test_few_bits_are_spread_over_eight(bits: int, step: int, compression: int) -> None:
    codes = np.tile(np.arange(16, dtype=np.uint8) % 2**bits, (16, 1))
    black_is_zero = open_photo(packed(codes, bits, compression, 1))
    assert (black_is_zero.pixels[..., 0] == codes * step).all()
    white_is_zero = open_photo(packed(codes, bits, compression, 0))
    assert (white_is_zero.pixels[..., 0] == 255 - codes * step).all()


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib", ZSTD])
def test_alpha_of_a_picture_whose_zero_is_white_stays(compression: str | None, planes: bool) -> None:
    stored = np.full((32, 32, 2), (50, 200), np.uint8)
    photo = open_photo(tiff_of(stored, compression, "miniswhite", ["unassalpha"], planes))
    assert (photo.pixels == 205).all()
    assert photo.alpha is not None
    assert (photo.alpha == 200).all()


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib", ZSTD])
def test_colours_are_divided_by_the_alpha_that_they_were_multiplied_with(compression: str | None, planes: bool) -> None:
    stored = np.full((32, 32, 4), (50, 50, 50, 100), np.uint8)
    photo = open_photo(tiff_of(stored, compression, "rgb", ["assocalpha"], planes))
    assert (photo.pixels == 127).all()
    assert photo.alpha is not None
    assert (photo.alpha == 100).all()


@pytest.mark.parametrize("compression", ["zlib", ZSTD])
def test_inks_of_16_bits_are_divided_by_alpha_of_16_bits(compression: str) -> None:
    stored = np.full((32, 32, 5), (0, 0, 0, 0, 30000), np.uint16)
    photo = open_photo(tiff_of(stored, compression, "separated", ["assocalpha"], False))
    assert photo.alpha is not None
    assert (photo.alpha == 30000).all()
    assert photo.pixels.min() > 65000


@pytest.mark.parametrize("compression", [None, "zlib", ZSTD])
def test_grey_with_transparency_in_planes_is_read_in_its_place(compression: str | None) -> None:
    stored = np.random.default_rng(0).integers(1, 255, (64, 64, 2), dtype=np.uint8)
    photo = open_photo(tiff_of(stored, compression, "minisblack", ["unassalpha"], planes=True))
    assert (photo.pixels[..., 0] == stored[..., 0]).all()
    assert photo.alpha is not None
    assert (photo.alpha == stored[..., 1]).all()


def test_inks_in_floating_point_are_converted() -> None:
    stored = np.zeros((32, 32, 4), np.float32)
    photo = open_photo(tiff_of(stored, "zlib", "separated", [], False))
    assert photo.pixels.shape == (32, 32, 3)
    assert photo.pixels.min() > 65000


CASES = [
    ("minisblack", 1, []), ("miniswhite", 1, []), ("miniswhite", 2, ["unassalpha"]), ("miniswhite", 2, ["assocalpha"]),
    ("minisblack", 2, ["assocalpha"]), ("rgb", 3, []), ("rgb", 4, ["unassalpha"]), ("rgb", 4, ["assocalpha"]),
    ("rgb", 5, ["unspecified", "assocalpha"]), ("separated", 4, []), ("separated", 5, ["assocalpha"]),
    ("cielab", 3, []), ("cielab", 4, ["assocalpha"]), ("icclab", 3, []),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("photometric", "channels", "extra"), CASES)
def test_compression_and_damage_change_no_pixel(photometric: str, channels: int, extra: list[str], dtype: type) -> None:
    stored = np.random.default_rng(1).integers(1, np.iinfo(dtype).max, (64, 64, channels), dtype=dtype)
    for planes in [False, True] if channels > 1 else [False]:
        deflated = tiff_of(stored, "zlib", photometric, extra, planes)
        expected = open_photo(deflated)
        for compression in (None, ZSTD, "lzma"):
            photo = open_photo(tiff_of(stored, compression, photometric, extra, planes))
            assert (photo.pixels == expected.pixels).all()
            assert (photo.alpha is None) == (expected.alpha is None)
            assert photo.alpha is None or (photo.alpha == expected.alpha).all()
        left = open_photo(with_a_rotten_strip(deflated), reading=DAMAGED)
        assert left.notes[0] == "damaged file: rows 49-64 of 64 are lost"
        assert (left.pixels[:48] == expected.pixels[:48]).all()
        assert left.alpha is None or (left.alpha[:48] == expected.alpha[:48]).all()


def with_a_rotten_strip(data: bytes) -> bytes:
    page = tifffile.TiffFile(io.BytesIO(data)).pages.first
    begin, size = page.dataoffsets[-1], page.databytecounts[-1]
    changed = bytearray(data)
    changed[begin + 2 : begin + size - 2] = bytes(byte ^ 0x5A for byte in changed[begin + 2 : begin + size - 2])
    return bytes(changed)
