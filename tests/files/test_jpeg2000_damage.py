"""Wrong bits in JPEG 2000, which has no checksum: its blocks use more or fewer bytes than they have."""

from __future__ import annotations

import io
import logging

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data as samples

from photochrom.errors import UnreadablePhotoError
from photochrom.files import apart
from photochrom.files.codecs import jpeg2000_checks
from photochrom.files.reading import open_photo
from photochrom.options import ReadingOptions

READ = ReadingOptions(damaged_files="read")
CAMERA = np.ascontiguousarray(samples.camera()[100:228, 100:260])
KINDS: dict[str, dict] = {
    "lossless": {},
    "lossy": {"irreversible": True, "quality_mode": "rates", "quality_layers": [10]},
    "layers": {"quality_mode": "rates", "quality_layers": [40, 20, 8]},
    "tiles": {"tile_size": (64, 60), "progression": "RPCL", "precinct_size": (64, 64)},
    "small blocks": {"codeblock_size": (16, 16), "num_resolutions": 3},
}


def jp2(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG2000", **options)
    return buffer.getvalue()


def rotten(good: bytes, at: int) -> bytes:
    """The file with bytes of zero in the middle of its data."""
    return good[:at] + bytes(40) + good[at + 40 :]


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_not_suspected_and_most_harm_is_told(kind: str) -> None:
    good = jp2(CAMERA, **KINDS[kind])
    assert open_photo(good).width == 160
    begin, told = good.index(b"\xff\x93") + 200, 0
    for at in range(begin, len(good) - 100, max(1, (len(good) - begin) // 8)):
        try:
            open_photo(rotten(good, at))
        except UnreadablePhotoError as error:
            told += 1
            assert "\n" not in str(error)
    assert told >= 5


def test_a_turned_bit_is_refused_and_read_with_a_note_where_wanted() -> None:
    good = jp2(np.dstack([CAMERA, CAMERA // 2, CAMERA]))
    changed = bytearray(good)
    changed[len(good) // 3] ^= 4
    with pytest.raises(UnreadablePhotoError, match=r"a block (leaves|lacks) [0-9]+ bytes"):
        open_photo(bytes(changed))
    photo = open_photo(bytes(changed), reading=READ)
    assert photo.width == 160
    assert any("which rows are wrong cannot be told: a block" in note for note in photo.notes)


def test_in_tiff_the_strip_is_lost_and_the_others_are_not() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, CAMERA, compression="jpeg2000", rowsperstrip=32, metadata=None)
    good = buffer.getvalue()
    at = good.index(b"\xff\x93", good.index(b"\xff\x93") + 2) + 700  # in the second of four
    with pytest.raises(UnreadablePhotoError, match=r"a block (leaves|lacks)"):
        open_photo(rotten(good, at))
    photo = open_photo(rotten(good, at), reading=READ)
    assert photo.holes is not None
    assert photo.holes[32:64].all()
    assert (photo.pixels[..., 0] == CAMERA)[~photo.holes].all()
    assert photo.holes.sum() == 32 * 160


@pytest.mark.slow
def test_a_decoder_apart_looks_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    good = jp2(CAMERA)
    wrong = rotten(good, len(good) // 2)
    monkeypatch.setattr(apart, "SMALL_PIXELS", 0)
    with pytest.raises(UnreadablePhotoError, match=r"a block (leaves|lacks)"):
        open_photo(wrong)
    assert not open_photo(good).notes


def test_what_cannot_be_looked_at_is_not_suspected(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = jp2(CAMERA)
    style = good.index(b"\xff\x52") + 12
    assert list(jpeg2000_checks._styles(good)) == [style]
    for bits in (jpeg2000_checks.BYPASSED, jpeg2000_checks.HIGH_THROUGHPUT):
        assert jpeg2000_checks._ending_predictably(good[:style] + bytes([bits]) + good[style + 1 :]) is None
    siz = good.index(b"\xff\x4f\xff\x51")
    assert jpeg2000_checks._ending_predictably(good[: siz + 43] + b"\x02" + good[siz + 44 :]) is None
    assert jpeg2000_checks._ending_predictably(b"") is None
    assert jpeg2000_checks._ending_predictably(good[: style - 3]) is None
    with caplog.at_level(logging.DEBUG):
        assert jpeg2000_checks.wrong_block(rotten(good, len(good) // 2)) is not None
    assert caplog.records == []
    monkeypatch.setattr(jpeg2000_checks, "LIBRARY", "no_such_library")
    assert jpeg2000_checks.wrong_block(rotten(good, len(good) // 2)) is None


def test_styles_of_single_components_count() -> None:
    """A main header may name another style for one of them (COC)."""
    header = jpeg2000_checks.SOC_SIZ + bytes.fromhex("002f") + bytes(34) + b"\x00\x03" + b"\x07\x01\x01" * 3
    cod = b"\xff\x52" + bytes.fromhex("000c") + bytes(10)
    coc = b"\xff\x53" + bytes.fromhex("0009") + b"\x02" + bytes(6)
    both = header + cod + coc + b"\xff\x90"
    assert list(jpeg2000_checks._styles(both)) == [len(header) + 12, len(header) + len(cod) + 9]
    changed = jpeg2000_checks._ending_predictably(both)
    assert changed is not None
    assert sum(a != b for a, b in zip(both, changed, strict=True)) == 2
