"""Samples of other depths than 8 and 16 bits: white is white; and what the channels of JPEG XR mean."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs import jxl
from photochrom.files.reading import open_photo

STRAIGHT = bytes.fromhex("2dadc7f58d6add43a7a8a29935261ae9")
PREMULTIPLIED = bytes.fromhex("50a6c43c27a5374da9163142c7ebedba")


def half_white(bits: int, channels: int) -> np.ndarray:
    """A picture whose upper half is black and whose lower half is white."""
    picture = np.full((16, 16, channels), 2**bits - 1, np.uint8 if bits <= 8 else np.uint16)
    picture[:8] = 0
    return picture[..., 0] if channels == 1 else picture


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("bits", "white"), [(2, 255), (4, 255), (7, 255), (8, 255), (10, 65535), (12, 65535)])
def test_jpeg_xl_of_any_depth_is_spread_over_all_codes(bits: int, white: int, channels: int) -> None:
    photo = open_photo(imagecodecs.jpegxl_encode(half_white(bits, channels), bitspersample=bits, lossless=True))
    assert (photo.pixels[:8] == 0).all()
    assert (photo.pixels[8:] == white).all()
    assert channels < 4 or (photo.alpha is not None and photo.alpha.max() == white)


def test_the_tones_between_are_spread_evenly() -> None:
    ramp = np.tile(np.arange(16, dtype=np.uint8), (4, 1))
    photo = open_photo(imagecodecs.jpegxl_encode(ramp, bitspersample=4, lossless=True))
    assert photo.pixels[0, :, 0].tolist() == list(range(0, 256, 17))


@pytest.mark.parametrize("bits", [2, 8, 10, 12, 16])
def test_the_header_of_jpeg_xl_says_its_depth(bits: int) -> None:
    header = jxl.header_of(imagecodecs.jpegxl_encode(half_white(bits, 3), bitspersample=bits, lossless=True))
    assert header is not None
    assert header.bits == bits


def test_the_depth_is_read_behind_an_animation_too() -> None:
    frames = np.stack([half_white(10, 3)] * 2)
    data = imagecodecs.jpegxl_encode(frames, bitspersample=10, lossless=True)
    header = jxl.header_of(data)
    assert header is not None
    assert header.bits == 10
    assert open_photo(data).pixels.max() == 65535


@pytest.mark.parametrize(
    ("bits", "channels", "white"),
    [(2, 1, 255), (4, 1, 255), (4, 3, 255), (6, 4, 255), (8, 3, 255), (10, 1, 65535), (12, 1, 65535), (16, 1, 65535)],
)
def test_jpeg_2000_of_any_depth_is_spread_over_all_codes(bits: int, channels: int, white: int) -> None:
    data = imagecodecs.jpeg2k_encode(half_white(bits, channels), bitspersample=bits, level=0, codecformat="jp2")
    photo = open_photo(data)
    assert (photo.pixels[:8] == 0).all()
    assert (photo.pixels[8:] == white).all()


def test_cmyk_in_jpeg_xr_is_no_rgb_with_transparency() -> None:
    inks = np.full((16, 16, 4), (10, 20, 30, 40), np.uint8)
    photo = open_photo(imagecodecs.jpegxr_encode(inks, photometric="cmyk", level=1.0))
    assert photo.alpha is None
    assert photo.pixels[0, 0].tolist() == [205, 194, 185]
    assert photo.notes == ("CMYK without a usable profile converted by a generic one",)


def test_what_jpeg_xr_calls_alpha_is_alpha() -> None:
    rgba = np.full((16, 16, 4), (10, 20, 30, 40), np.uint8)
    straight = imagecodecs.jpegxr_encode(rgba, photometric="rgb", level=1.0)
    photo = open_photo(straight)
    assert photo.pixels[0, 0].tolist() == [10, 20, 30]
    assert photo.alpha is not None
    assert photo.alpha[0, 0] == 40
    photo = open_photo(straight.replace(STRAIGHT, PREMULTIPLIED))
    assert photo.pixels[0, 0].tolist() == [63, 127, 191]
    assert photo.alpha is not None
    assert photo.alpha[0, 0] == 40
    inked = np.full((16, 16, 5), (10, 20, 30, 40, 77), np.uint8)
    photo = open_photo(imagecodecs.jpegxr_encode(inked, photometric="cmyk", level=1.0))
    assert photo.alpha is not None
    assert photo.alpha[0, 0] == 77


def test_black_and_white_in_jpeg_xr_is_white() -> None:
    photo = open_photo(imagecodecs.jpegxr_encode(np.eye(16, dtype=bool)))
    assert photo.pixels[:2, :2, 0].tolist() == [[255, 0], [0, 255]]


def test_channels_of_no_stated_meaning_in_jpeg_xr_are_refused() -> None:
    data = imagecodecs.jpegxr_encode(np.zeros((16, 16, 3), np.uint8), photometric="minisblack")
    with pytest.raises(UnsupportedPhotoError, match="a JPEG XR of another kind than grey, RGB and CMYK"):
        open_photo(data)
