"""What the benchmark of harmed files may call the whole file of another picture: only what is beyond doubt."""

from __future__ import annotations

import numpy as np
from skimage import data as samples

from benchmarks.truths import is_whole, outcome, saved, tiff_bytes

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


def test_of_other_kinds_nothing_is_said() -> None:
    for good in (saved(CAMERA, "PNG"), saved(CAMERA, "JPEG"), tiff_bytes(CAMERA), tiff_bytes(CAMERA, "zlib")):
        assert not is_whole(good[:-30] + bytes(30), good)
    lossy = saved(CAMERA, "WEBP", quality=90)
    assert not is_whole(lossy, lossy)
