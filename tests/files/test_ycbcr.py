"""TIFFs of luma and chroma that are not JPEG: true colours, whatever the tags leave out, or one clear line."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from photochrom.errors import UnreadablePhotoError
from photochrom.files.codecs import tiff
from photochrom.files.codecs.tiff_directories import file_of_segment, number_field, shorts_field
from photochrom.files.reading import open_photo

PICTURE = np.ascontiguousarray(samples.astronaut()[:60, :80])


def stored(across: int, down: int) -> bytes:
    """The samples of the picture, of each few pixels the lumas and then their common chroma."""
    ycbcr = np.asarray(Image.fromarray(PICTURE).convert("YCbCr")).astype(float)
    rows, columns = ycbcr.shape[0] // down, ycbcr.shape[1] // across
    units = ycbcr.reshape(rows, down, columns, across, 3).transpose(0, 2, 1, 3, 4)
    luma, chroma = units[..., 0].reshape(rows, columns, -1), units[..., 1:].mean(axis=(2, 3))
    return np.rint(np.concatenate([luma, chroma], axis=2)).astype(np.uint8).tobytes()


def ycbcr_tiff(samples_as_stored: bytes, said: tuple[int, int] | None, compression: int = 1) -> bytes:
    numbers = {
        tiff.WIDTH: 80, tiff.HEIGHT: 60, tiff.COMPRESSION: compression, tiff.PHOTOMETRIC: 6,
        tiff.SAMPLES_PER_PIXEL: 3, tiff.ROWS_PER_STRIP: 60,
    }  # fmt: skip
    tags = {tag: number_field(number, "<") for tag, number in numbers.items()}
    tags[tiff.BITS_PER_SAMPLE] = shorts_field((8, 8, 8), "<")
    if said:
        tags[tiff.SUBSAMPLING] = shorts_field(said, "<")
    content = zlib.compress(samples_as_stored) if compression == 8 else samples_as_stored
    return file_of_segment("<", tags, content)


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize(
    ("chroma", "said"),
    [((1, 1), (1, 1)), ((1, 1), None), ((1, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), None), ((2, 1), (2, 1))],
)
def test_luma_and_chroma_become_true_colours(
    chroma: tuple[int, int], said: tuple[int, int] | None, compression: int
) -> None:
    photo = open_photo(ycbcr_tiff(stored(*chroma), said, compression))
    difference = np.abs(photo.pixels.astype(int) - PICTURE)
    assert difference.mean() < (1 if chroma == (1, 1) else 4)


@pytest.mark.parametrize(("chroma", "said"), [((2, 2), (2, 1)), ((2, 1), (2, 2)), ((2, 1), None)])
@pytest.mark.parametrize("compression", [1, 8])
def test_chroma_of_another_size_than_is_said_is_refused(
    chroma: tuple[int, int], said: tuple[int, int] | None, compression: int
) -> None:
    with pytest.raises(UnreadablePhotoError, match="damaged"):
        open_photo(ycbcr_tiff(stored(*chroma), said, compression))


def test_what_pillow_writes_without_a_word_on_chroma_is_read() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).convert("YCbCr").save(buffer, "TIFF")
    assert np.abs(open_photo(buffer.getvalue()).pixels.astype(int) - PICTURE).mean() < 1
