"""What the benchmark of harmed files may call the whole file of another picture: only what is beyond doubt."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data as samples

from benchmarks.truths import is_whole, outcome, saved, tiff_bytes, where_pixels_are

CAMERA = np.ascontiguousarray(samples.camera()[:64, :96])


def test_a_changed_literal_of_lossless_webp_may_make_another_picture_and_lost_bytes_do_not() -> None:
    good = saved(CAMERA, "WEBP", lossless=True)
    other = saved(CAMERA[::-1], "WEBP", lossless=True)
    assert is_whole(good, good)
    assert not is_whole(good[:-40] + bytes(40), good)
    assert not is_whole(good[:-9], good)
    assert not is_whole(other[:-40], good)


def test_zstandard_is_whole_without_a_checksum_alone() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 96), np.uint8)
    good = tiff_bytes(noise, "zstd")
    at = good.index(b"\x28\xb5\x2f\xfd")
    changed = bytearray(good)
    changed[at + 600] ^= 4  # noise cannot be compressed: a byte there is a pixel
    assert is_whole(bytes(changed), good)
    assert outcome(bytes(changed), noise, good) in {"right", "slightly off"}
    changed[at + 4] |= 4  # says that a checksum follows
    assert not is_whole(bytes(changed), good)


KINDS_OF_JPEG = {
    "plain": {},
    "halved colours": {"subsampling": "4:2:0"},
    "colours halved across": {"subsampling": "4:2:2"},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 5},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}


@pytest.mark.parametrize("options", KINDS_OF_JPEG.values(), ids=KINDS_OF_JPEG)
def test_a_jpeg_is_whole_where_every_bit_of_its_scans_is_used(options: dict[str, object]) -> None:
    piece = np.ascontiguousarray(samples.astronaut()[:61, :91])
    good = saved(piece, "JPEG", **options)
    assert is_whole(good, good)
    begin, end = where_pixels_are(good)
    # A stretch, for behind a single lost byte codes find into step again, with as many blocks as there were.
    middle = (begin + end) // 2
    assert not is_whole(good[:middle] + good[middle + 60 :], good)
    assert not is_whole(good[:-2] + b"\x55" + good[-2:], good)
    assert not is_whole(good[:-4], good)


def test_a_turned_bit_of_a_coefficient_makes_another_whole_jpeg() -> None:
    """So that the benchmark does not ask for what nobody can see."""
    good = saved(CAMERA, "JPEG", quality=90)
    begin, end = where_pixels_are(good)
    turned = (good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(begin, end - 2))
    assert sum(is_whole(harmed, good) for harmed in turned) > 10


def test_of_other_kinds_nothing_is_said() -> None:
    for good in (saved(CAMERA, "PNG"), tiff_bytes(CAMERA), tiff_bytes(CAMERA, "zlib")):
        assert not is_whole(good[:-30] + bytes(30), good)
    lossy = saved(CAMERA, "WEBP", quality=90)
    assert not is_whole(lossy, lossy)
