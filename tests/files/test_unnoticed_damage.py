"""Damage that decoders pass over: wrong checksums, wrong lengths, wrong tables, and steps in a JPEG's brightness."""

from __future__ import annotations

import io
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data as samples

from photochrom.errors import PhotochromError, UnreadablePhotoError
from photochrom.files.codecs import tiff, webp_checks
from photochrom.files.codecs.jpeg_frame import frame_of
from photochrom.files.codecs.jpeg_means import first_out_of_range, means_of_blocks
from photochrom.files.codecs.jpeg_steps import row_of_step
from photochrom.files.codecs.source import open_source
from photochrom.files.codecs.tiff_checks import lzw_size
from photochrom.files.reading import open_photo
from photochrom.options import ReadingOptions

READ = ReadingOptions(damaged_files="read")
CAMERA = np.ascontiguousarray(samples.camera()[:256, :256])


def tiff_of(pixels: np.ndarray, compression: str | None, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, compression=compression, rowsperstrip=32, metadata=None, **options)
    return buffer.getvalue()


def strips(data: bytes) -> tuple[list[int], list[int]]:
    with open_source(data, 10**9) as source:
        offsets, lengths = tiff.TiffReader(source).pages()[0].segments()
    return [int(n) for n in offsets], [int(n) for n in lengths]


def with_bit_turned(data: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)


@pytest.mark.parametrize("predictor", [None, 2])
def test_every_bit_of_deflate_is_vouched_for_by_its_checksum(predictor: int | None) -> None:
    good = tiff_of(CAMERA, "zlib", predictor=predictor)
    offsets, lengths = strips(good)
    random = np.random.default_rng(2)
    for _ in range(30):
        strip = int(random.integers(len(offsets)))
        at = offsets[strip] + int(random.integers(2, lengths[strip]))
        rotten = with_bit_turned(good, at, int(random.integers(8)))
        with pytest.raises(UnreadablePhotoError, match="damaged"):
            open_photo(rotten)
    photo = open_photo(rotten, reading=READ)
    assert photo.holes is not None
    assert photo.holes[32 * strip : 32 * strip + 32].all()
    assert (photo.pixels[..., 0] == CAMERA)[~photo.holes].all()


def test_wrong_codes_of_lzw_spoil_few_bytes_or_are_noticed() -> None:
    good = tiff_of(CAMERA, "lzw")
    offsets, lengths = strips(good)
    random, noticed = np.random.default_rng(3), 0
    for _ in range(30):
        strip = int(random.integers(len(offsets)))
        at = offsets[strip] + int(random.integers(2, lengths[strip] - 2))
        try:
            photo = open_photo(with_bit_turned(good, at, int(random.integers(8))))
        except PhotochromError:
            noticed += 1
            continue
        assert (photo.pixels[..., 0] != CAMERA).mean() < 0.01
    assert noticed >= 12


@pytest.mark.parametrize("size", [0, 1, 300, 5000, 70_000])
@pytest.mark.parametrize("kind", ["noise", "flat", "smooth"])
def test_the_size_of_an_lzw_stream_is_told_without_decoding_it(size: int, kind: str) -> None:
    random = np.random.default_rng(size)
    data = {
        "noise": random.integers(0, 256, size),
        "flat": np.arange(size) % 7,
        "smooth": np.clip(128 + np.cumsum(random.normal(0, 2, size)), 0, 255),
    }[kind].astype(np.uint8)
    encoded = imagecodecs.lzw_encode(data.tobytes())
    assert lzw_size(encoded, 10**9) == size
    assert lzw_size(encoded, size // 2) > size // 2 or not size


def with_numbers(data: bytes, tag: int, numbers: list[int]) -> bytes:
    """A little-endian TIFF with other values of a LONG tag that stand outside its entry."""
    at = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[at : at + 2], "little")
    changed = bytearray(data)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if int.from_bytes(data[entry : entry + 2], "little") == tag:
            kind = int.from_bytes(data[entry + 2 : entry + 4], "little")
            place = int.from_bytes(data[entry + 8 : entry + 12], "little")
            size = {3: 2, 4: 4}[kind]
            changed[place : place + size * len(numbers)] = b"".join(n.to_bytes(size, "little") for n in numbers)
    return bytes(changed)


def test_strips_that_are_cut_or_share_bytes_are_refused_and_wanted_holes() -> None:
    good = with_strip_tables(CAMERA)
    offsets, lengths = strips(good)
    cut = with_numbers(good, tiff.STRIP_LENGTHS, [*lengths[:2], 100, *lengths[3:]])
    with pytest.raises(UnreadablePhotoError, match="100 bytes instead of 8192"):
        open_photo(cut)
    photo = open_photo(cut, reading=READ)
    assert photo.holes is not None
    assert photo.holes[64:96].all()
    assert not photo.holes[:64].any()
    shifted = with_numbers(good, tiff.STRIP_OFFSETS, [*offsets[:4], offsets[4] + 77, *offsets[5:]])
    with pytest.raises(UnreadablePhotoError, match="share some of their bytes"):
        open_photo(shifted)


def with_strip_tables(pixels: np.ndarray) -> bytes:
    """An uncompressed TIFF whose strips stand in tables, which tifffile would join into one."""
    return tiff_of(pixels, None)


def test_strips_that_share_all_their_bytes_are_one_said_twice() -> None:
    good = with_strip_tables(np.tile(CAMERA[:32], (8, 1)))
    offsets, _ = strips(good)
    shared = with_numbers(good, tiff.STRIP_OFFSETS, [offsets[0]] * len(offsets))
    assert (open_photo(shared).pixels == open_photo(good).pixels).all()


def jpeg_with_shift(pixels: np.ndarray, subsampling: int) -> tuple[bytes, np.ndarray]:
    """A JPEG in which one bit of a difference of means is another, and what decoders make of it."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88, subsampling=subsampling)
    good = buffer.getvalue()
    frame = frame_of(good)
    assert frame is not None
    whole, random = np.asarray(Image.open(io.BytesIO(good))).astype(int), np.random.default_rng(1)
    for _ in range(2000):
        at = int(random.integers(frame.scan_at, len(good) - 4))
        rotten = with_bit_turned(good, at, int(random.integers(8)))
        found = np.asarray(Image.open(io.BytesIO(rotten))).astype(int)
        difference = found - whole
        last = difference[-40:, :]
        first = int(np.argmax((difference != 0).reshape(len(difference), -1).any(axis=1)))
        if abs(np.median(last)) > 20 and last.std() < 6 and 60 < first < len(pixels) - 100:
            column = np.flatnonzero((difference[first] != 0).reshape(len(pixels[0]), -1).any(axis=1))[0]
            if 120 < column < len(pixels[0]) - 120:
                return rotten, difference
    raise AssertionError("no bit that shifts")


def test_a_bit_that_shifts_all_that_follows_is_noticed() -> None:
    rotten, _ = jpeg_with_shift(np.clip(samples.camera() // 2 + 60, 0, 255).astype(np.uint8), 0)
    with pytest.raises(UnreadablePhotoError, match="every block is shifted by as much"):
        open_photo(rotten)
    assert any("every block is shifted" in note for note in open_photo(rotten, reading=READ).notes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["astronaut", "camera", "chelsea", "coffee", "rocket", "horizon", "leaning", "steps"])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_scenes_have_no_such_steps(name: str, subsampling: int) -> None:
    rows, columns = np.mgrid[:320, :480]
    drawn = {
        "horizon": np.where(rows < 160, 200, 60),
        "leaning": np.where(rows + columns / 30 < 168, 200, 60),
        "steps": np.where(rows < 160 + columns // 100 * 4, 200, 60),
    }
    pixels = drawn[name].astype(np.uint8) if name in drawn else getattr(samples, name)()
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(buffer, "JPEG", quality=85, subsampling=subsampling)
    frame = frame_of(buffer.getvalue())
    assert frame is not None
    assert row_of_step(np.asarray(Image.open(buffer)), frame) is None
    assert row_of_step(np.asarray(Image.open(buffer)), replace(frame, restarts=True)) is None


@pytest.mark.parametrize("options", [{}, {"subsampling": 2}, {"restart_marker_rows": 1}, {"progressive": True}])
def test_an_edge_along_the_blocks_is_no_damage_and_one_that_begins_in_their_middle_is(options: dict) -> None:
    step = 16 if "subsampling" in options else 8
    pixels = np.repeat(CAMERA[..., None] // 3 + 40, 3, axis=2)
    edge, stair, band = pixels.copy(), pixels.copy(), pixels.copy()
    edge[12 * step :] += 60
    stair[12 * step : 13 * step, 6 * step :] += 60
    stair[13 * step :] += 60
    band[12 * step : 13 * step, 6 * step :] += 60
    damaged = band if "restart_marker_rows" in options else stair
    options = {"quality": 92, "subsampling": 0, **options}
    assert open_photo(jpeg_of(edge, **options)).width == 256
    with pytest.raises(UnreadablePhotoError, match=f"middle of row {12 * step + 1} on"):
        open_photo(jpeg_of(damaged, **options))


def jpeg_of(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("is_grey", [True, False])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_blocks_darker_than_black_or_lighter_than_white_are_noticed(is_grey: bool, subsampling: int) -> None:
    pixels = samples.astronaut()[:256, :256]
    pixels = pixels[..., 1] if is_grey else pixels
    good = jpeg_of(pixels, quality=90, subsampling=subsampling)
    frame, random, told = frame_of(good), np.random.default_rng(4), set[bool]()
    assert frame is not None
    means = means_of_blocks(good, frame)
    assert means is not None
    assert first_out_of_range(means, good, frame) is None
    for _ in range(40):
        rotten = with_bit_turned(good, int(random.integers(frame.scan_at, len(good) // 2)), int(random.integers(8)))
        try:
            open_photo(rotten)
        except UnreadablePhotoError as error:
            told.add("darker than black or lighter than white" in str(error))
    assert True in told
    assert first_out_of_range(means + 140, good, frame) == 0
    assert first_out_of_range(means - 140, good, frame) == 0


@pytest.mark.parametrize("quality", [20, 75, 100])
def test_black_white_and_pure_colours_are_in_range(quality: int) -> None:
    corners = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], np.uint8)
    pixels = corners[np.random.default_rng(0).integers(0, 8, (24, 24))].repeat(7, 0).repeat(7, 1)
    for options in ({"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"progressive": True}):
        assert open_photo(jpeg_of(pixels, quality=quality, **options)).width == 168
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("CMYK").save(buffer, "JPEG", quality=quality)
    assert open_photo(buffer.getvalue()).width == 168


@pytest.mark.parametrize("is_grey", [True, False])
def test_red_green_and_blue_in_a_jpeg_that_is_said_to_be_ycbcr_keep_their_colours(is_grey: bool) -> None:
    picture = samples.astronaut()[:128, :160]
    pixels = np.repeat(picture[..., 1:2], 3, axis=2) if is_grey else picture
    plain = imagecodecs.jpeg8_encode(
        np.ascontiguousarray(pixels), level=95, colorspace="YCBCR", outcolorspace="YCBCR", subsampling="444"
    )
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, iter([plain]), shape=pixels.shape, dtype=np.uint8, compression="jpeg", photometric="ycbcr",
        rowsperstrip=128, metadata=None, subsampling=(2, 2),
    )  # fmt: skip
    difference = np.abs(open_photo(buffer.getvalue()).pixels.astype(int) - pixels)
    assert difference.mean() < 4


def silverfast(software: str, *, named: str = "") -> tuple[bytes, np.ndarray, np.ndarray]:
    picture = samples.astronaut()[:200, :256].astype(np.uint16) * 257
    infrared = np.full((200, 256), 50_000, np.uint16)
    infrared[60:63, 20:200] = 9_000
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(picture, photometric="rgb", software=software, metadata=None)
        writer.write(infrared, photometric="minisblack", software=software, metadata=None, description=named)
    return buffer.getvalue(), picture, infrared


@pytest.mark.parametrize(("software", "named"), [("SilverFast 9.2", ""), ("Scan", "Infrared")])
def test_infrared_on_the_page_behind_is_a_channel(software: str, named: str) -> None:
    data, picture, infrared = silverfast(software, named=named)
    photo = open_photo(data)
    assert photo.page_count == 1
    assert (photo.pixels == picture).all()
    assert photo.infrared is not None
    assert (photo.infrared == infrared).all()
    assert "the infrared channel found on the page behind it" in photo.notes


def test_a_grey_page_behind_that_nobody_calls_infrared_is_a_page() -> None:
    photo = open_photo(silverfast("Scan")[0])
    assert photo.page_count == 2
    assert photo.infrared is None


@pytest.mark.parametrize("is_grey", [True, False])
def test_lossless_webp_with_data_behind_its_last_pixel_is_refused(is_grey: bool) -> None:
    picture = Image.fromarray(CAMERA[:64, :80] if is_grey else samples.astronaut()[:64, :80])
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", lossless=True)
    good = buffer.getvalue()
    begin, noticed = 60, 0
    assert open_photo(good).notes == ()
    for at in range(begin, len(good) - 60, (len(good) - 120) // 12):
        rotten = good[:at] + bytes(60) + good[at + 60 :]
        try:
            photo = open_photo(rotten)
        except UnreadablePhotoError as error:
            noticed += "left over after its last pixel" in str(error)
            if "left over" in str(error):
                assert any("left over" in note for note in open_photo(rotten, reading=READ).notes)
        else:
            assert photo.width == 80
    assert noticed >= 4


@pytest.mark.parametrize("method", [0, 3, 6])
def test_whole_lossless_webp_is_not_suspected(method: int) -> None:
    drawn = np.zeros((40, 61, 4), np.uint8)
    drawn[5:20, 7:30] = 255
    # Of the last, bytes can be taken from the end: zeros, as what is missing is read, do for its last pixels.
    photograph = np.ascontiguousarray(samples.astronaut()[203:427, 96:352])
    for pixels in (CAMERA[:50, :61], samples.astronaut()[:37, :50], drawn, drawn * 0, CAMERA[:1, :1], photograph):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, method=method, quality=100)
        with open_source(buffer.getvalue(), 10**9) as source:
            assert not webp_checks.is_followed_by_more(source)
