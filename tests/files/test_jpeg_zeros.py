"""Zeros in a JPEG's compressed data: what a disk lost is told from codes of a flat picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from photochrom.errors import UnreadablePhotoError
from photochrom.files.codecs.jpeg_frame import frame_of
from photochrom.files.codecs.jpeg_zeros import LEAST_ZEROS, has_lost_stretch
from photochrom.files.reading import open_photo
from photochrom.options import ReadingOptions

FLAT = np.full((600, 600, 3), 255, np.uint8)
PIECE = np.ascontiguousarray(samples.astronaut()[:160, :200])


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def suspected(data: bytes) -> bool:
    frame = frame_of(data)
    assert frame is not None
    return has_lost_stretch(data, frame)


@pytest.mark.parametrize("options", [{}, {"subsampling": 2}, {"restart_marker_rows": 1}])
def test_a_lost_stretch_is_refused_and_read_where_wanted(options: dict) -> None:
    for pixels in (PIECE, PIECE[..., 0]):
        good = jpeg(pixels, quality=90, **options)
        frame = frame_of(good)
        assert frame is not None
        at = (frame.scan_at + len(good)) // 2
        lost = good[:at] + bytes(100) + good[at + 100 :]
        assert not suspected(good)
        assert suspected(lost)
        with pytest.raises(UnreadablePhotoError, match="damaged"):
            open_photo(lost)
        assert any("damaged" in note for note in open_photo(lost, reading=ReadingOptions(damaged_files="read")).notes)


@pytest.mark.parametrize("options", [{"optimize": True}, {"optimize": True, "quality": 10}, {"quality": 100}, {}])
def test_flat_pictures_are_whole(options: dict) -> None:
    """With codes made for them, a white page is little but zeros."""
    mixed = FLAT.copy()
    mixed[:160, :200] = PIECE
    for pixels in (FLAT, mixed, FLAT // 2, FLAT[..., 0]):
        data = jpeg(pixels, **options)
        assert not suspected(data)
        assert open_photo(data).width == 600
    if options.get("optimize"):
        assert bytes(LEAST_ZEROS) in jpeg(FLAT, **options)


def test_zeros_at_the_end_and_scans_in_several_passes_are_left_to_others() -> None:
    good = jpeg(PIECE)
    assert not suspected(good[:-2] + bytes(200) + good[-2:])
    progressive = jpeg(PIECE, progressive=True)
    frame = frame_of(progressive)
    assert frame is not None
    at = frame.scan_at + 40
    assert not suspected(progressive[:at] + bytes(80) + progressive[at + 80 :])
