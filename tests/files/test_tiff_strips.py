"""Strips of JPEG and JPEG 2000 in a TIFF are compared with each other: what one alone says or shows was changed."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from skimage import data as samples

from photochrom.errors import UnreadablePhotoError
from photochrom.files.codecs import tiff, tiff_heads
from photochrom.files.codecs.source import open_source
from photochrom.files.reading import open_photo
from photochrom.options import ReadingOptions
from tests.files.makers import pillow_bytes

ROWS = 32
CAMERA = np.ascontiguousarray(samples.camera()[180:340, 150:310])
COLOUR = np.ascontiguousarray(samples.astronaut()[:160, 150:310])
READ = ReadingOptions(damaged_files="read")


def in_strips(pixels: np.ndarray, compression: str, level: int | None = None) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, pixels, compression=compression, rowsperstrip=ROWS, metadata=None,
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        compressionargs={"level": level} if level else None,
    )  # fmt: skip
    return buffer.getvalue()


def strips_of(data: bytes) -> list[tuple[int, int]]:
    with open_source(data, 10**9) as source:
        offsets, lengths = tiff.TiffReader(source).pages()[0].segments()
    return [(int(at), int(size)) for at, size in zip(offsets, lengths, strict=True)]


def changed(data: bytes, number: int, marker: bytes, behind: int, bit: int) -> bytes:
    """The file with a bit turned in a segment of one strip's headers."""
    at = data.index(marker, strips_of(data)[number][0]) + behind
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("compression", "marker", "behind"),
    [("jpeg", b"\xff\xdb", 15), ("jpeg", b"\xff\xda", 6), ("jpeg2000", b"\xff\x52", 12), ("jpeg2000", b"\xff\x5c", 5)],
)
@pytest.mark.parametrize("pixels", [CAMERA, COLOUR], ids=["grey", "colour"])
def test_a_strip_whose_headers_were_changed_is_lost_and_the_others_are_not(
    compression: str, marker: bytes, behind: int, pixels: np.ndarray
) -> None:
    good = in_strips(pixels, compression)
    whole = open_photo(good)
    harmed = changed(good, 2, marker, behind, 0x10 if compression == "jpeg" else 0x08)
    with pytest.raises(UnreadablePhotoError, match="coded in another way than all others"):
        open_photo(harmed)
    photo = open_photo(harmed, reading=READ)
    assert photo.holes is not None
    assert photo.holes[2 * ROWS : 3 * ROWS].all()
    assert not photo.holes[: 2 * ROWS].any()
    assert not photo.holes[3 * ROWS :].any()
    assert np.abs(photo.pixels.astype(int) - whole.pixels)[~photo.holes].max() <= 2  # of another decoder of libjpeg's


@pytest.mark.parametrize("behind", [9, 13])
def test_a_strip_that_claims_another_size_is_refused(behind: int) -> None:
    good = in_strips(CAMERA, "jpeg2000")
    harmed = changed(good, 1, b"\xff\x51", behind, 0x10)
    with pytest.raises(UnreadablePhotoError, match=r"claims \d+ x \d+ pixels"):
        open_photo(harmed)


def test_tiles_and_strips_cut_at_the_pictures_sides_are_read() -> None:
    pixels = CAMERA[:150, :130]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, compression="jpeg2000", tile=(64, 64), metadata=None)
    for data in (buffer.getvalue(), in_strips(pixels, "jpeg2000")):
        assert np.array_equal(open_photo(data).pixels[..., 0], pixels)


def test_programs_that_choose_anew_for_each_strip_are_believed() -> None:
    heads = [
        pillow_bytes(COLOUR[:ROWS], "JPEG", quality=quality, optimize=True) for quality in (60, 75, 75, 90, 75, 75)
    ]
    assert len({tiff_heads.telling(head) for head in heads}) == 3
    assert not tiff_heads.strays(heads)
    heads[1] = heads[1][:30] + bytes([heads[1][30] ^ 4]) + heads[1][31:]
    assert not tiff_heads.strays(heads), "half of them are no rule"
    heads.append(heads[2])
    assert tiff_heads.strays(heads) == {1}


@pytest.mark.parametrize("heads", [[], [b""] * 9, [b"\xff\xd8"] * 9, [b"\xff\x4f\xff\x51"] * 9, [b"rubbish"] * 9])
def test_heads_that_say_nothing_are_believed(heads: list[bytes]) -> None:
    assert not tiff_heads.strays(heads)
    assert not tiff_heads.strays([*heads, b"\xff\xd8\xff\xdb\x00\x04\x00\x01"])


def test_a_shift_that_begins_in_a_strips_first_row_is_noticed() -> None:
    """A wrong difference of means, 8 rows of a block: to the right of it, and all of the strip's rows below."""
    pixels = np.clip(samples.camera()[300:460, 150:310] // 2 + 40, 0, 255).astype(np.uint8)
    assert open_photo(in_strips(pixels, "jpeg", 92)).height == 160
    pixels[64:72, 80:] += 45
    pixels[72:96] += 45
    harmed = in_strips(pixels, "jpeg", 92)
    with pytest.raises(UnreadablePhotoError, match="from the middle of row 65 on every block is shifted"):
        open_photo(harmed)
    assert any("every block is shifted" in note for note in open_photo(harmed, reading=READ).notes)
    pixels[72:96] -= 45
    harmed = io.BytesIO()
    tifffile.imwrite(harmed, pixels, compression="jpeg", rowsperstrip=8, metadata=None)
    with pytest.raises(UnreadablePhotoError, match="from the middle of row 65 on every block is shifted"):
        open_photo(harmed.getvalue())


def test_a_band_beside_an_edge_of_the_scene_is_noticed() -> None:
    """Between two restarts every block is shifted; on the left, the scene has an edge where the band would end."""
    pixels = np.clip(samples.camera()[300:460, 150:310] // 2 + 40, 0, 255).astype(np.uint8)
    pixels[72:, :40] -= 35
    data = pillow_bytes(pixels, "JPEG", quality=92, restart_marker_rows=1)
    assert open_photo(data).height == 160
    pixels[64:72, 40:] += 45
    data = pillow_bytes(pixels, "JPEG", quality=92, restart_marker_rows=1)
    with pytest.raises(UnreadablePhotoError, match="from the middle of row 65 on every block is shifted"):
        open_photo(data)
