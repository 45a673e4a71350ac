"""Files of several pictures, and formats by the imagecodecs library: the photograph is found, the rest is named."""

from __future__ import annotations

import io
import struct
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from photochrom.errors import MissingExtraError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.files.codecs import jxl
from photochrom.files.reading import open_photo, read_pages_for
from photochrom.options import Limits, ReadingOptions
from tests.files.makers import pillow_bytes, pillow_tiff_pages, textured

SMALL = textured(12, 16)


def thumbnail_first(photograph: np.ndarray, *, marked: bool, nested: bool) -> bytes:
    """A TIFF whose first directory is a thumbnail, and whose photograph hangs on it or follows it."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        kind = {"subfiletype": 1 if marked else 0, "subifds": 1 if nested else 0}
        writer.write(SMALL, photometric="rgb", metadata=None, description="Summer 1932", **kind)
        writer.write(photograph, photometric="rgb", metadata=None)
    return buffer.getvalue()


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_photograph_is_found_behind_its_thumbnail(marked: bool, nested: bool, dtype: type) -> None:
    pixels = textured(dtype=dtype)
    photo = open_photo(thumbnail_first(pixels, marked=marked, nested=nested))
    assert (photo.pixels == pixels).all()
    assert photo.page_count == 1
    if nested:
        assert "the photograph was found behind its thumbnail" in photo.notes
        assert photo.metadata.exif is not None
        assert b"Summer 1932" in photo.metadata.exif


def pages_of(*pages: np.ndarray, **options: object) -> bytes:
    """A TIFF of grey pages in this order."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in pages:
            writer.write(page, photometric="minisblack", metadata=None, contiguous=False, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "said", [{"subfiletype": 2}, {"extratags": [(297, 3, 2, (0, 2), True)]}, {"extratags": [(255, 3, 1, 3, True)]}]
)
def test_a_page_that_says_that_it_is_one_is_no_thumbnail(said: dict[str, object]) -> None:
    small, large = np.full((40, 60), 10, np.uint8), np.full((80, 120), 200, np.uint8)
    pages = read_pages_for(pages_of(small, large, **said), "tiff")
    assert [(page.width, page.height, page.left_out) for page in pages] == [(60, 40, ()), (120, 80, ())]


def test_a_page_is_no_thumbnail_of_one_that_is_not_beside_it() -> None:
    small, large = np.full((40, 60), 10, np.uint8), np.full((80, 120), 200, np.uint8)
    between = np.full((80, 80), 100, np.uint8)
    assert [page.width for page in read_pages_for(pages_of(large, between, small), "tiff")] == [120, 80, 60]


def test_a_page_that_is_taken_for_a_thumbnail_is_told() -> None:
    small, large = np.full((40, 60), 10, np.uint8), np.full((80, 120), 200, np.uint8)
    photo = open_photo(pages_of(large, small, small[::2, ::2].copy()))
    assert photo.page_count == 1
    assert photo.left_out == ("2 pages taken for thumbnails by their size",)
    assert photo.notes == ("2 pages taken for thumbnails by their size: left out",)


def test_a_page_stays_though_a_larger_picture_hangs_on_it() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(SMALL, photometric="rgb", metadata=None, subfiletype=2, subifds=1)
        writer.write(textured(), photometric="rgb", metadata=None)
    photo = open_photo(buffer.getvalue())
    assert (photo.pixels == SMALL).all()
    assert photo.left_out == ("1 further picture (SubIFD)",)


def test_pages_of_one_size_are_all_photographs() -> None:
    assert open_photo(pillow_tiff_pages([textured(), textured()[::-1].copy()])).page_count == 2


def test_pages_without_a_place_are_left_out_by_number() -> None:
    data = pillow_tiff_pages([textured(), textured()[::-1].copy(), textured()])
    [photo] = read_pages_for(data, "jpeg")
    assert photo.left_out == ("2 other pages",)
    assert len(list(read_pages_for(data, "tiff"))) == 3
    [second] = read_pages_for(data, "tiff", reading=ReadingOptions(page=2))
    assert (second.pixels == textured()[::-1]).all()
    assert second.left_out == ("2 other pages",)
    with pytest.raises(UnreadablePhotoError, match="there is no page 4: it has 3"):
        next(read_pages_for(data, "jpeg", reading=ReadingOptions(page=4)))


def test_a_chain_of_directories_that_leads_nowhere_costs_nothing() -> None:
    data = bytearray(pillow_bytes(textured(), "TIFF"))
    first = struct.unpack_from("<L", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<L", data, first + 2 + 12 * count, 0x7FFFFFFF)
    photo = open_photo(bytes(data))
    assert (photo.pixels == textured()).all()
    assert any("points to next is not there" in note for note in photo.notes)


def test_the_other_pictures_of_a_multi_picture_file_are_counted() -> None:
    buffer = io.BytesIO()
    others = [Image.fromarray(textured()[::-1]), Image.fromarray(textured()[:, ::-1])]
    Image.fromarray(textured()).save(buffer, "MPO", save_all=True, append_images=others)
    photo = open_photo(buffer.getvalue())
    assert photo.left_out == ("2 further pictures (MPO)",)
    assert "the first of 3 pictures taken" in photo.notes
    assert open_photo(pillow_bytes(textured(), "JPEG")).left_out == ()


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_frames_are_counted(format: str) -> None:
    buffer = io.BytesIO()
    Image.new("L", (8, 8), 9).save(buffer, format, save_all=True, append_images=[Image.new("L", (8, 8), 90)])
    assert open_photo(buffer.getvalue()).left_out == ("1 further frame",)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("format", ["jpegxl", "jpegxr"])
def test_jpeg_xl_and_xr_are_read_exactly(format: str, channels: int, dtype: type) -> None:
    pixels = textured(channels=channels, dtype=dtype)
    samples = pixels[..., 0] if channels == 1 else pixels
    if format == "jpegxl":
        data = imagecodecs.jpegxl_encode(samples, lossless=True)
    else:
        data = imagecodecs.jpegxr_encode(samples, level=1.0)
    photo = open_photo(data)
    assert photo.format == format
    assert photo.depth == 8 * np.dtype(dtype).itemsize
    assert (photo.pixels == pixels).all()
    with pytest.raises(PhotoTooLargeError):
        open_photo(data, limits=Limits(max_pixels=100))


@pytest.mark.parametrize("size", [(48, 64), (256, 256), (8, 1000), (300, 450), (1, 1)])
def test_the_header_of_jpeg_xl_says_its_size(size: tuple[int, int]) -> None:
    for container in (False, True):
        data = imagecodecs.jpegxl_encode(np.zeros(size, np.uint8), lossless=True, usecontainer=container)
        header = jxl.header_of(data)
        assert header is not None
        assert (header.height, header.width) == size


def test_jpegs_that_libjpeg_does_not_know_are_read() -> None:
    gray = textured(channels=1)[..., 0]
    deep = (textured(channels=1, dtype=np.uint16)[..., 0] >> 4).astype(np.uint16)
    twelve = open_photo(imagecodecs.jpeg8_encode(deep, level=100, bitspersample=12))
    assert twelve.depth == 16
    assert np.abs(twelve.pixels[..., 0] / 65535 - deep / 4095).max() < 0.005
    assert (open_photo(imagecodecs.jpegls_encode(gray)).pixels[..., 0] == gray).all()
    assert (open_photo(imagecodecs.ljpeg_encode(deep, bitspersample=12)).pixels[..., 0] >> 4 == deep).all()


def test_without_the_extra_each_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = (textured(channels=1, dtype=np.uint16)[..., 0] >> 4).astype(np.uint16)
    files = {
        "JPEG XL pictures": imagecodecs.jpegxl_encode(deep),
        "JPEG XR pictures": imagecodecs.jpegxr_encode(deep),
        "JPEGs of 12 bits per channel": imagecodecs.jpeg8_encode(deep, bitspersample=12),
        "JPEG-LS pictures": imagecodecs.jpegls_encode(textured(channels=1)[..., 0]),
    }
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    for name, data in files.items():
        with pytest.raises(MissingExtraError, match=rf"{name} need the codecs extra.*photochrom\[codecs\]"):
            open_photo(data)
