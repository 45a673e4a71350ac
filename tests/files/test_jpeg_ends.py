"""Codes that no block uses, before a restart marker and at the end of a progressive scan: bits before were changed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as samples

from photochrom.errors import UnreadablePhotoError
from photochrom.files.codecs import jpeg_ends
from photochrom.files.codecs.jpeg_ends import RESTARTS, _parts, _scans, leaves_codes_unused
from photochrom.files.codecs.jpeg_frame import Frame, frame_of
from photochrom.files.reading import open_photo
from photochrom.options import ReadingOptions

ASTRONAUT = np.ascontiguousarray(samples.astronaut()[20:139, 60:233])
CAMERA = np.ascontiguousarray(samples.camera()[20:139, 60:233])
KINDS: dict[str, dict] = {
    "restarts by row": {"restart_marker_rows": 1},
    "restarts by block": {"restart_marker_blocks": 1},
    "restarts by many": {"restart_marker_blocks": 37, "subsampling": 0},
    "restarts, 4:2:2": {"restart_marker_blocks": 5, "subsampling": "4:2:2"},
    "progressive": {"progressive": True},
    "progressive, 4:4:4": {"progressive": True, "subsampling": 0, "quality": 98},
    "progressive, restarts": {"progressive": True, "restart_marker_rows": 1},
    "one interval": {"restart_marker_rows": 500},
    "plain": {},
}


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert("CMYK") if picture.mode == "RGBA" else picture).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def frame(data: bytes) -> Frame:
    found = frame_of(data)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pixels", [ASTRONAUT, CAMERA, ASTRONAUT[:8, :8], CAMERA[:80, :1], np.full_like(CAMERA, 255)])
def test_whole_files_use_their_codes_up(kind: str, pixels: np.ndarray) -> None:
    data = jpeg(pixels, **KINDS[kind])
    assert not leaves_codes_unused(data, frame(data))
    if pixels.shape[0] > 8:
        open_photo(data)


@pytest.mark.parametrize("kind", ["restarts by row", "restarts by block", "restarts by many", "restarts, 4:2:2"])
@pytest.mark.parametrize("pixels", [ASTRONAUT, CAMERA, np.dstack([CAMERA] * 4)])
def test_a_byte_before_any_restart_marker_is_told(kind: str, pixels: np.ndarray) -> None:
    good = jpeg(pixels, **KINDS[kind])
    parts, _ = _parts(good, frame(good).scan_at)
    at, told = frame(good).scan_at, 0
    for part in parts[:3]:
        at += len(part)
        assert good[at] == 0xFF
        assert good[at + 1] in RESTARTS
        told += leaves_codes_unused(good[:at] + b"\x5a" + good[at:], frame(good))
        at += 2
    assert told >= 2  # a last byte of ones alone looks like padding


def test_bytes_at_the_end_of_any_scan_are_told() -> None:
    good = jpeg(ASTRONAUT, progressive=True)
    scans = list(_scans(good))
    assert len(scans) >= 8
    for scan in scans:
        assert leaves_codes_unused(good[: scan.end] + b"\x5a\x3c" + good[scan.end :], frame(good))


@pytest.mark.parametrize("kind", ["restarts by row", "progressive"])
def test_such_a_file_is_refused_in_one_line_and_read_where_wanted(kind: str) -> None:
    good = jpeg(ASTRONAUT, **KINDS[kind])
    parts, _ = _parts(good, frame(good).scan_at)
    at = frame(good).scan_at + len(parts[0])
    wrong = good[:at] + b"\x5a\x3c" + good[at:]
    with pytest.raises(UnreadablePhotoError, match="left over where a part of it ends"):
        open_photo(wrong)
    photo = open_photo(wrong, reading=ReadingOptions(damaged_files="read"))
    assert (photo.width, photo.height) == (173, 119)
    assert any("left over where a part of it ends" in note for note in photo.notes)


def test_what_cannot_be_followed_is_left_to_the_decoder() -> None:
    """Markers missing, intervals of another number, and headers that end early."""
    good = jpeg(ASTRONAUT, restart_marker_rows=1)
    parts, end = _parts(good, frame(good).scan_at)
    without = good[: frame(good).scan_at] + b"".join(parts) + good[end:]
    assert not leaves_codes_unused(without, frame(without))
    progressive = jpeg(ASTRONAUT, progressive=True)
    first, second, *_ = _scans(progressive)
    cut = progressive[: second.header_at + 6] + b"\xff\xd9"
    assert len(list(_scans(cut))) == 1
    assert not leaves_codes_unused(cut, frame(cut))
    assert first.codes_at == frame(progressive).scan_at


def test_what_takes_too_long_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    good = jpeg(ASTRONAUT, progressive=True)
    end = list(_scans(good))[-1].end
    wrong = good[:end] + b"\x5a\x3c" + good[end:]
    assert leaves_codes_unused(wrong, frame(wrong))
    for name, most in (("MOST_WORK", 173 * 119), ("MOST_SCANS", 5)):
        with monkeypatch.context() as patch:
            patch.setattr(jpeg_ends, name, most)
            assert not leaves_codes_unused(wrong, frame(wrong))


def test_what_pillow_cannot_read_is_left_to_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    good = jpeg(ASTRONAUT, restart_marker_rows=1)
    at = frame(good).scan_at + len(_parts(good, frame(good).scan_at)[0][0])
    wrong = good[:at] + b"\x5a\x3c" + good[at:]
    assert leaves_codes_unused(wrong, frame(wrong))

    def refuse(data: bytes) -> None:
        raise SyntaxError("cannot handle 2-layer images")

    monkeypatch.setattr(jpeg_ends, "JpegImageFile", refuse)
    assert not leaves_codes_unused(wrong, frame(wrong))
