"""Pixels beyond the budget lie in temporary files: the same pixels, the same files, and nothing left behind."""

from __future__ import annotations

import errno
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photochrom.coloring.pipeline import colorize_photo
from photochrom.computer import room
from photochrom.engines.base import FakeEngine
from photochrom.errors import PhotoTooLargeError
from photochrom.files.codecs import icc, tiff, tiff_exif
from photochrom.files.codecs.formats import WRITABLE_FORMATS
from photochrom.files.codecs.libvips import computed, image_from
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import encode_photo
from photochrom.options import ColorizeOptions, OutputOptions
from tests.files.makers import one_of_each, textured, tiff_bytes


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """No room in memory: even the smallest picture is cut into strips that lie in files."""
    monkeypatch.setattr(room, "BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(room, "STRIP_BYTES", 2000)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(room.tempfile, "tempdir", None)
    yield tmp_path
    assert list(tmp_path.iterdir()) == [], "temporary files have no names"


@pytest.mark.slow
def test_the_budget_is_shared_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    free = 3_000_000
    monkeypatch.setattr(room, "STRIP_BYTES", 1000)
    monkeypatch.setattr(room, "BYTES_IN_MEMORY", room._BUDGET._held + free)
    first = room.empty_pixels((1000, 1000, 2), np.uint8)
    second = room.empty_pixels((1000, 1000, 2), np.uint8)
    assert [room.is_in_file(array) for array in (first, second)] == [False, True]
    view = first[5:, :, 0]
    del first
    gc.collect()
    assert room.is_in_file(room.empty_pixels((1000, 1000, 2), np.uint8)), "a view holds the memory"
    del view
    gc.collect()
    third = computed(image_from(textured(1000, 1000)[..., :2]))
    assert not room.is_in_file(third)


def test_what_cannot_be_computed_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STRIP_BYTES", 10)
    held = room._BUDGET._held

    def fail() -> np.ndarray:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        room.pixels_from((10, 10), np.uint8, made=fail, to_file=lambda descriptor: None)
    assert room._BUDGET._held == held


@pytest.mark.slow
@pytest.mark.parametrize("name", list(one_of_each()))
def test_every_format_is_read_the_same_from_files(name: str, no_memory: Path) -> None:
    data = one_of_each()[name]
    in_file = open_photo(data)
    assert room.is_in_file(in_file.pixels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "BYTES_IN_MEMORY", 10**9)
        patch.setattr(room, "STRIP_BYTES", 10**9)
        in_memory = open_photo(data)
    assert not room.is_in_file(in_memory.pixels)
    assert np.array_equal(in_file.pixels, in_memory.pixels)
    assert (in_file.alpha is None) == (in_memory.alpha is None)
    assert in_file.alpha is None or np.array_equal(in_file.alpha, in_memory.alpha)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_in_files(orientation: int, no_memory: Path) -> None:
    data = tiff_bytes(textured(50, 70, dtype=np.uint16))
    turned = open_photo(with_orientation(data, orientation))
    assert room.is_in_file(turned.pixels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "STRIP_BYTES", 10**9)
        assert np.array_equal(turned.pixels, open_photo(with_orientation(data, orientation)).pixels)


def with_orientation(data: bytes, orientation: int) -> bytes:
    return tiff_exif.with_tags(data, {tiff.ORIENTATION: tiff.Field(3, 1, orientation.to_bytes(2, "little"))}, {})


@pytest.mark.slow
@pytest.mark.parametrize("format", WRITABLE_FORMATS)
@pytest.mark.parametrize(("dtype", "with_alpha"), [(np.uint8, False), (np.uint16, True)])
def test_colouring_and_writing_give_the_same_bytes(format: str, dtype: type, with_alpha: bool, no_memory: Path) -> None:
    """16 bits cut to 8, alpha on white, a mark and another profile are all worked through in strips."""
    deep = textured(60, 40, dtype=dtype)
    photo = Photo(deep, deep[..., 0].copy() if with_alpha else None, Metadata(icc=icc.adobe_rgb_profile()))
    options = OutputOptions(profile="original", mark="made")

    def made() -> bytes:
        coloured = colorize_photo(photo, FakeEngine(ab=(20, 30)), ColorizeOptions(), threads=2).photo
        return encode_photo(coloured, format, options=options)

    in_files = made()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "BYTES_IN_MEMORY", 10**9)
        patch.setattr(room, "STRIP_BYTES", 10**9)
        assert made() == in_files


def test_no_room_anywhere_is_one_line(no_memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(PhotoTooLargeError, match=r"of temporary room are needed .* set TMPDIR"):
        open_photo(one_of_each()["png"])
    monkeypatch.setattr(room, "temporary_folder", lambda: no_memory / "missing")
    with pytest.raises(PhotoTooLargeError, match="temporary room"):
        open_photo(one_of_each()["png"])


def test_without_a_way_to_reserve_blocks_zeros_are_written(no_memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    array = room.empty_pixels((100, 100), np.uint16)
    array[:] = 7
    room.let_go(array)
    assert room.is_in_file(array)
    assert (array == 7).all()
    assert (open_photo(one_of_each()["deep.png"]).pixels == textured(dtype=np.uint16)).all()


FLAT = """
import sys
import numpy as np
from photochrom.computer import room
from photochrom.engines.base import FakeEngine
from photochrom.options import ColorizeOptions
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import save_photo
from photochrom.coloring.pipeline import colorize_photo

room.BYTES_IN_MEMORY, room.STRIP_BYTES = 0, 1_000_000
folder, suffix, dtype = sys.argv[1:4]

def peak():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["VmHWM"].split()[0]) // 1024

def color(height):
    pixels = np.broadcast_to(np.arange(500, dtype=dtype)[:, None], (height, 500, 1))
    source, target = f"{folder}/in{suffix}", f"{folder}/out{suffix}"
    save_photo(Photo(pixels), source)
    del pixels
    save_photo(colorize_photo(open_photo(source), FakeEngine(), ColorizeOptions(), threads=1).photo, target)

color(4_000)
before = peak()
color(16_000)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(("suffix", "dtype"), [(".jpg", "uint8"), (".tif", "uint16")])
def test_memory_does_not_grow_with_the_picture(suffix: str, dtype: str, tmp_path: Path) -> None:
    """Four times the pixels: 24 or 48 MB more before and after, and nearly none of it in memory."""
    few = {**os.environ, "VIPS_CONCURRENCY": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", FLAT, str(tmp_path), suffix, dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=few, timeout=200)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16, f"{done.stdout} MB more"
