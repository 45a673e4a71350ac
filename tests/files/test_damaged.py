"""Damaged files: refused in one line, or read as far as they go, and never a wrong picture without a word."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from photochrom.errors import MissingExtraError, PhotochromError, UnreadablePhotoError
from photochrom.files.codecs import tiff
from photochrom.files.codecs.jpeg_frame import completed, frame_of
from photochrom.files.codecs.jpeg_means import has_data_left_over
from photochrom.files.codecs.source import open_source
from photochrom.files.reading import open_photo
from photochrom.options import ReadingOptions
from tests.files.makers import pillow_bytes

READ = ReadingOptions(damaged_files="read")


def grainy(height: int = 96, width: int = 128, channels: int = 1) -> np.ndarray:
    """A picture in which each byte of a compressed file counts."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(3).integers(-20, 20, (height, width, channels))
    return np.clip(60 + rows[..., None] + columns[..., None] * 0.5 + noise, 0, 255).astype(np.uint8)


def tiff_in_strips(pixels: np.ndarray, compression: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    gray = pixels.shape[2] == 1
    tifffile.imwrite(
        buffer, pixels[..., 0] if gray else pixels, compression=compression, rowsperstrip=16,
        photometric="minisblack" if gray else "rgb", **options,
    )  # fmt: skip
    return buffer.getvalue()


def with_rotten_strip(data: bytes, number: int) -> bytes:
    """The same file with one strip overwritten."""
    with open_source(data, 10**9) as source:
        offsets, lengths = tiff.TiffReader(source).pages()[0].segments()
    rotten = bytearray(data)
    start, size = int(offsets[number]), int(lengths[number])
    rotten[start + 2 : start + size - 2] = bytes(255 - byte for byte in data[start + 2 : start + size - 2])
    return bytes(rotten)


@pytest.mark.slow
@pytest.mark.parametrize(
    "compression", ["zstd", "lzma", "lerc", "jpeg2000", "jpegxl", "webp", "png", "jpegxr", "lzw", "zlib", "packbits"]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_compression_of_tiff_is_decoded_exactly(compression: str, channels: int) -> None:
    if compression == "webp" and channels == 1:
        pytest.skip("WebP holds no grey")
    pixels = grainy(channels=channels)
    lossless = {"webp": {"lossless": True}, "jpegxr": {"level": 1.0}, "jpegxl": {"level": 100}}
    data = tiff_in_strips(pixels, compression, compressionargs=lossless.get(compression))
    difference = np.abs(open_photo(data).pixels.astype(int) - pixels)
    assert difference.max() <= (3 if compression in ("jpegxl", "jpegxr") else 0)


@pytest.mark.parametrize("tile", [(32, 32), (48, 64)])
def test_tiles_of_an_unusual_compression_come_to_their_places(tile: tuple[int, int]) -> None:
    pixels = grainy(100, 130, 3)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, compression="zstd", tile=tile, photometric="rgb", byteorder=">")
    assert (open_photo(buffer.getvalue()).pixels == pixels).all()


def test_planes_stored_apart_and_white_as_zero_keep_their_meaning() -> None:
    pixels = grainy(channels=3)
    apart, inverted = io.BytesIO(), io.BytesIO()
    tifffile.imwrite(apart, np.moveaxis(pixels, 2, 0), compression="zstd", planarconfig="separate", photometric="rgb")
    tifffile.imwrite(inverted, 255 - pixels[..., 0], compression="zstd", photometric="miniswhite")
    assert (open_photo(apart.getvalue()).pixels == pixels).all()
    assert (open_photo(inverted.getvalue()).pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("missing", ["imagecodecs", "tifffile"])
def test_without_the_extra_the_compression_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tiff_in_strips(grainy(), "zstd")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=r"Zstandard.*pip install 'photochrom\[codecs\]'"):
        open_photo(data)


@pytest.mark.parametrize("compression", ["zlib", "lzw", "zstd", "lzma"])
def test_a_rotten_strip_is_refused_and_wanted_a_hole(compression: str) -> None:
    pixels = grainy()
    data = with_rotten_strip(tiff_in_strips(pixels, compression), 2)
    with pytest.raises(UnreadablePhotoError, match="damaged"):
        open_photo(data)
    photo = open_photo(data, reading=READ)
    assert photo.holes is not None
    lost = np.flatnonzero(photo.holes.any(axis=1))
    assert lost.min() >= 32
    assert lost.max() == 47
    assert photo.holes[lost].all()
    assert (photo.pixels[~photo.holes] == pixels[~photo.holes]).all()
    assert any(f"rows {lost.min() + 1}-48 of 96 are lost" in note for note in photo.notes)
    assert abs(float(photo.pixels[photo.holes].mean()) - float(pixels.mean())) < 20  # not black


def test_a_rotten_fax_strip_is_refused_and_its_beginning_kept() -> None:
    picture = Image.fromarray(grainy(160, 128)[..., 0] > 128)
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF", compression="group4")
    data = bytearray(buffer.getvalue())
    with open_source(bytes(data), 10**9) as source:
        offsets, lengths = tiff.TiffReader(source).pages()[0].segments()
    middle = int(offsets[0]) + int(lengths[0]) // 2
    data[middle : middle + 40] = bytes(40)
    with pytest.raises(UnreadablePhotoError, match="damaged"):
        open_photo(bytes(data))
    photo = open_photo(bytes(data), reading=READ)
    assert photo.holes is not None
    first = int(np.flatnonzero(photo.holes.any(axis=1))[0])
    assert 40 < first < 120
    wrong = (photo.pixels[:first, :, 0] != 255 * np.asarray(picture)[:first]).any(axis=1)
    assert wrong.sum() <= 16  # rotten codes may mean something for a while


def test_holes_are_turned_with_the_picture() -> None:
    pixels = grainy()
    data = tiff_in_strips(pixels, "zlib", extratags=[(274, 3, 1, 6, True)])
    photo = open_photo(with_rotten_strip(data, 0), reading=READ)
    assert photo.holes is not None
    assert photo.holes.shape == photo.pixels.shape[:2] == (128, 96)
    assert photo.holes[:, -16:].all()
    assert not photo.holes[:, :-16].any()


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    return pillow_bytes(pixels, "JPEG", quality=90, **options)


@pytest.mark.slow
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_rot_that_leaves_data_over_is_noticed(subsampling: int, channels: int) -> None:
    """Wrong bytes make a decoder lose its place, and it says nothing of what is left at the end."""
    good = jpeg(grainy(channels=channels), subsampling=subsampling)
    frame = frame_of(good)
    assert frame is not None
    assert not has_data_left_over(good, frame)
    whole, noticed, wrong = open_photo(good).pixels.astype(int), 0, 0
    random = np.random.default_rng(0)
    for _ in range(40):
        rotten = bytearray(good)
        at = int(random.integers(frame.scan_at, len(good) - 40))
        rotten[at : at + 12] = bytes(random.integers(0, 255, 12, np.uint8))
        try:
            photo = open_photo(bytes(rotten))
        except PhotochromError:
            noticed += 1
        else:
            wrong += float(np.mean(np.abs(photo.pixels - whole) > 40)) > 0.1
    assert noticed >= 20
    assert wrong <= 2  # what changes a value and no length is beyond any decoder


def test_a_damaged_jpeg_that_is_wanted_says_which_rows_are_lost() -> None:
    good = jpeg(grainy())
    cut = good[: len(good) * 6 // 10]
    with pytest.raises(UnreadablePhotoError, match="damaged or truncated"):
        open_photo(cut)
    photo = open_photo(cut, reading=READ)
    assert photo.holes is not None
    first = int(np.flatnonzero(photo.holes.any(axis=1))[0])
    assert 24 < first < 80
    assert photo.holes[first:].all()
    assert (photo.pixels[:first] == open_photo(good).pixels[:first]).all()


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 2}, {"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}]
)
def test_a_jpeg_without_its_end_marker_is_whole(missing: int, options: dict[str, object]) -> None:
    good = jpeg(grainy(channels=3), **options)
    assert (open_photo(good[:-missing]).pixels == open_photo(good).pixels).all()


@pytest.mark.parametrize("size", [(8, 8), (17, 33), (96, 128), (7, 300)])
def test_undamaged_jpegs_are_not_suspected(size: tuple[int, int]) -> None:
    for channels in (1, 3):
        for options in ({}, {"subsampling": 0}, {"restart_marker_blocks": 5}, {"progressive": True}):
            data = jpeg(grainy(*size, channels), **options)
            frame = frame_of(data)
            assert frame is not None
            assert not has_data_left_over(data, frame)
            assert completed(data, frame) == data


def test_an_odd_header_and_padding_are_no_damage() -> None:
    good = bytearray(jpeg(grainy(channels=3)))
    good[11] = 7  # an unknown version of JFIF
    odd = good[:20] + b"\x00\x00\x00" + good[20:-2] + bytes(12) + good[-2:]
    assert (open_photo(bytes(odd)).pixels == open_photo(bytes(good)).pixels).all()


def test_a_subsampling_tag_that_contradicts_the_stream_is_not_believed() -> None:
    pixels = grainy(channels=3)
    data = tiff_in_strips(pixels, "jpeg", subsampling=(1, 1))
    told = data.replace(tiff_entry(530, 3, (1, 1)), tiff_entry(530, 3, (2, 2)))
    assert told != data
    assert np.abs(open_photo(told).pixels.astype(int) - open_photo(data).pixels).max() <= 2
    assert np.abs(open_photo(told).pixels.astype(int) - pixels).mean() < 8


def tiff_entry(tag: int, kind: int, numbers: tuple[int, ...]) -> bytes:
    packed = b"".join(number.to_bytes(2, "little") for number in numbers)
    return tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + len(numbers).to_bytes(4, "little") + packed


def test_pixels_beyond_the_end_are_refused_and_wanted_holes(tmp_path: Path) -> None:
    pixels = grainy()
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels[..., 0], rowsperstrip=16, photometric="minisblack")
    path = tmp_path / "cut.tif"
    path.write_bytes(buffer.getvalue()[:-1000])
    with pytest.raises(UnreadablePhotoError, match="missing at its end"):
        open_photo(path)
    photo = open_photo(path, reading=READ)
    assert photo.holes is not None
    assert not photo.holes[:80].any()
    assert photo.holes[-4:].all()
    assert (photo.pixels[~photo.holes] == pixels[~photo.holes]).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jpeg2000", "jpegxl", "png"])
def test_a_strip_that_claims_to_be_larger_than_its_picture_is_refused(kind: str) -> None:
    small, large = np.zeros((64, 64), np.uint8), np.zeros((1100, 1100), np.uint8)
    encode = {"jpeg2000": imagecodecs.jpeg2k_encode, "jpegxl": imagecodecs.jpegxl_encode, "png": imagecodecs.png_encode}
    honest, bomb = encode[kind](small), encode[kind](large)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, iter([bomb]), shape=(64, 64), dtype=np.uint8, compression=kind, rowsperstrip=64)
    with pytest.raises(UnreadablePhotoError, match="claims 1100 x 1100 pixels"):
        open_photo(buffer.getvalue())
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, iter([honest]), shape=(64, 64), dtype=np.uint8, compression=kind, rowsperstrip=64)
    assert not open_photo(buffer.getvalue()).pixels.any()
