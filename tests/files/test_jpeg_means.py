"""What the means of a JPEG's blocks tell of harm: shifts that pixels hide, a block too few, blocks out of range."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from photochrom.errors import UnreadablePhotoError
from photochrom.files.codecs.jpeg_frame import frame_of
from photochrom.files.codecs.jpeg_means import means_of_blocks
from photochrom.files.codecs.jpeg_steps import row_of_shift
from photochrom.files.reading import open_photo


def jpeg(pixels: np.ndarray | Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("channel", [1, 2])
def test_a_shift_of_colour_is_noticed_where_pixels_are_cut_and_smoothed(channel: int) -> None:
    """As a wrong difference of means makes it, in chroma of half the size."""
    pixels = samples.astronaut()[:256, :256]
    coded = np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(int)
    coded[96:112, 112:, channel] += 40
    coded[112:, :, channel] += 40
    shifted = Image.fromarray(np.clip(coded, 0, 255).astype(np.uint8), "YCbCr")
    for data, row in ((jpeg(pixels, quality=92), None), (jpeg(shifted, quality=92), 96)):
        frame = frame_of(data)
        assert frame is not None
        means = means_of_blocks(data, frame)
        assert means is not None
        assert row_of_shift(means, frame) == row


def test_one_block_that_is_missing_is_noticed() -> None:
    good = jpeg(np.ascontiguousarray(samples.camera()[:96, :96]), quality=90)
    frame = frame_of(good)
    assert frame is not None
    missing = [cut for cut in range(2, 40) if was_refused(good[: -2 - cut] + good[-2:])]
    assert missing == list(range(2, 40))


@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"optimize": True}])
def test_whole_files_are_not_suspected_where_a_grey_picture_has_factors_of_sampling(options: dict[str, object]) -> None:
    """Flat at their end, so that the last blocks are alike, or grey where padding would show."""
    camera = np.ascontiguousarray(samples.camera()[:150, :208])
    for tone in (0, 46, 128, 184, 255):
        for quality in (30, 75, 90):
            pixels = camera.copy()
            pixels[-24:, -40:] = tone
            data = jpeg(pixels, quality=quality, subsampling=2, **options)
            assert open_photo(data).width == 208


def was_refused(data: bytes) -> bool:
    try:
        open_photo(data)
    except UnreadablePhotoError:
        return True
    return False


@pytest.mark.slow
def test_progressive_pictures_are_looked_at_for_blocks_out_of_range_too() -> None:
    good = jpeg(samples.astronaut()[:224, :256], quality=90, progressive=True)
    random, wrong, told = np.random.default_rng(0), 0, 0
    truth = open_photo(good).pixels.astype(int)
    frame = frame_of(good)
    assert frame is not None
    for _ in range(30):
        at = int(random.integers(frame.scan_at, frame.scan_at + 1500))  # the means come first
        try:
            photo = open_photo(good[:at] + bytes(random.integers(0, 256, 6, np.uint8)) + good[at + 6 :])
        except UnreadablePhotoError as error:
            told += "darker than black or lighter than white" in str(error)
        else:
            wrong += float(np.abs(photo.pixels - truth).mean()) > 30
    assert told
    assert not wrong
