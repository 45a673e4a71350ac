"""Hostile files: each is a picture or one clear line, in bounded memory and time, and never a crash.

The corpus is made here at a fixed seed: small valid files of every format, mutated in the ways that decoders get
wrong, and things that only look like photographs. A decoder that crashes would take the test run with it, so every
slice of the corpus is opened in a process of its own with a bound on memory.

Run as a program, this fuzzes on with fresh seeds: ``python -m tests.files.test_hostile 600`` for ten minutes.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photochrom.errors import PhotochromError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.files.codecs.png import SIGNATURE, chunk
from photochrom.files.reading import open_photo
from photochrom.options import Limits
from tests.files.makers import one_of_each, textured, tiff_bytes

SEED = 20_261_122
MUTANTS_PER_FILE = 60
# The corpus's pictures have 3072 pixels; a mutant may claim more, and is told how much it may have.
LIMITS = Limits(max_pixels=4_000_000, max_memory_bytes=200_000_000)
MEMORY_BYTES = 3_000_000_000
"""Address space of a child: libraries and threads' stacks take about half of it."""
TIME_LIMIT_S = 120


def mutants(data: bytes, random_: random.Random) -> Iterator[bytes]:
    """Yield damaged versions of a file without end."""
    while True:
        damaged = bytearray(data)
        for _ in range(random_.choice((1, 1, 2, 4, 16))):
            at = (
                random_.randrange(len(damaged)) if random_.random() < 0.5 else random_.randrange(min(len(damaged), 400))
            )
            kind = random_.randrange(7)
            if kind == 0:
                damaged[at] ^= 1 << random_.randrange(8)
            elif kind == 1:
                damaged[at] = random_.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
            elif kind == 2:
                damaged[at : at + 4] = random_.choice(
                    (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4), b"\x80\0\0\0")
                )
            elif kind == 3:
                del damaged[at : at + random_.randrange(1, 40)]
            elif kind == 4:
                damaged[at:at] = random_.randbytes(random_.randrange(1, 40))
            elif kind == 5:
                other = random_.randrange(len(damaged))
                damaged[at : at + 16] = damaged[other : other + 16]
            else:
                del damaged[max(at, 8) :]
            if len(damaged) < 12:
                damaged = bytearray(data)
        yield bytes(damaged)


def outcome(data: bytes) -> str:
    """Open a file and return "picture" or the error's class; anything but a PhotochromError is raised."""
    try:
        photo = open_photo(data, limits=LIMITS)
    except PhotochromError as error:
        assert "\n" not in str(error), repr(str(error))
        assert len(str(error)) < 400, str(error)
        return type(error).__name__
    assert photo.width * photo.height <= LIMITS.max_pixels
    assert photo.pixels.dtype in (np.uint8, np.uint16)
    return "picture"


def fuzz(name: str, seed: int, count: int) -> dict[str, int]:
    """Open ``count`` mutants of one file and return how often each outcome came."""
    outcomes: dict[str, int] = {}
    stream = mutants(one_of_each()[name], random.Random(f"{name} {seed}"))
    for _ in range(count):
        found = outcome(next(stream))
        outcomes[found] = outcomes.get(found, 0) + 1
    return outcomes


CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
from tests.files.test_hostile import fuzz
for name in {names!r}:
    print(name, fuzz(name, {seed}, {count}), flush=True)
"""


def run_child(names: list[str], seed: int, count: int) -> subprocess.CompletedProcess[str]:
    program = CHILD.format(memory=MEMORY_BYTES, names=names, seed=seed, count=count)
    command = [sys.executable, "-W", "error", "-c", program]
    # Threads reserve address space; on a computer of many cores they alone would reach the bound.
    few_threads = {**os.environ, "VIPS_CONCURRENCY": "2", "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False, env=few_threads)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no bound on memory there")
@pytest.mark.parametrize("part", range(3))
def test_mutants_of_every_format_are_pictures_or_one_line(part: int) -> None:
    names = list(one_of_each())[part::3]
    done = run_child(names, SEED, MUTANTS_PER_FILE)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.splitlines()) == len(names)
    assert "Error" in done.stdout, "no mutant was refused: they are too tame"
    assert done.stderr == "", "nothing may be printed by the library"


def png_of(width: int, height: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def lying_tiff(tag: int, value: int) -> bytes:
    data = bytearray(tiff_bytes(textured()))
    at = struct.unpack_from("<L", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, at)[0]):
        entry = at + 2 + 12 * i
        if struct.unpack_from("<H", data, entry)[0] == tag:
            struct.pack_into("<HLL", data, entry + 2, 4, 1, value)
    return bytes(data)


def circular_tiff() -> bytes:
    data = bytearray(tiff_bytes(textured()))
    at = struct.unpack_from("<L", data, 4)[0]
    struct.pack_into("<L", data, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], at)
    return bytes(data)


def avif_of(width: int) -> bytes:
    """An AVIF whose `ispe` box claims a width beyond what libvips can count."""
    data = bytearray(one_of_each()["avif"])
    struct.pack_into(">I", data, data.find(b"ispe") + 8, width)
    return bytes(data)


BOMBS = {
    "avif two thousand million wide": avif_of(2_130_706_496),
    "png that claims 4 gigapixels": png_of(65_000, 65_000, zlib.compress(bytes(1000))),
    "png that unpacks to a gigabyte": png_of(20_000, 17_000, zlib.compress(bytes(10_000_000)) * 1),
    "gif of 65535 squared": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6) + b",\0\0\0\0"
    + struct.pack("<HHB", 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00;",
    "bmp of 2 gigapixels": b"BM" + struct.pack("<IHHI", 1000, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, 46_000, 46_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(100),
    "webp of 16383 squared": b"RIFF\x20\0\0\0WEBPVP8L\x0d\0\0\0\x2f"
    + struct.pack("<I", 16382 | 16382 << 14) + bytes(9),
    "tiff that claims a huge width": lying_tiff(256, 2_000_000_000),
    "tiff that claims a huge height": lying_tiff(257, 2_000_000_000),
    "jpeg of 65500 squared": b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x11\0\x02\x11\0\x03\x11\0"
    b"\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0" + bytes(50),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BOMBS))
def test_bombs_are_refused_before_they_are_unpacked(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((PhotoTooLargeError, UnreadablePhotoError)) as caught:
        open_photo(BOMBS[name])
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["png that claims 4 gigapixels", "bmp of 2 gigapixels", "jpeg of 65500 squared"])
def test_claims_of_size_are_answered_with_the_limit(name: str) -> None:
    with pytest.raises(PhotoTooLargeError, match="megapixels") as caught:
        open_photo(BOMBS[name])
    assert caught.value.__cause__ is None, "an error that is its own cause keeps the picture in memory"


@pytest.mark.parametrize("tag", [258, 259, 262, 273, 277, 278, 279])
@pytest.mark.parametrize("value", [0, 1, 77, 0x7FFFFFFF, 0xFFFFFFFF])
def test_lying_tiff_headers(tag: int, value: int) -> None:
    outcome(lying_tiff(tag, value))


def test_a_tiff_whose_pages_run_in_a_circle_ends() -> None:
    assert open_photo(circular_tiff()).page_count == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04" + bytes(40), "ZIP"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"  \n<HTML>", "web page"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
        (b"8BPS\0\1" + bytes(30), "Photoshop"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"\0\0\0\x18ftypisom" + bytes(20), "film"),
        (bytes(5000), "zero bytes"),
        (b"hello, this is text", "not an image"),
        (b"\xff\xd8", "not an image"),
        (b"B", "not an image"),
        (b"BM is how this text starts, as a BMP would", "not an image"),
    ],
)
def test_things_named_like_photographs(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadablePhotoError, match=words):
        open_photo(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(one_of_each()))
def test_every_truncation_is_refused_or_still_whole(name: str) -> None:
    data = one_of_each()[name]
    whole = open_photo(data).pixels
    for part in (1, 9, 20, 40, 60, 80, 95):
        cut = data[: max(1, len(data) * part // 100)]
        try:
            photo = open_photo(cut)
        except PhotochromError:
            continue
        # Only bytes that carry no pixels may be missing.
        assert photo.pixels.shape == whole.shape, part
        assert (photo.pixels == whole).all(), part


def test_a_sparse_endless_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "endless.jpg"
    with path.open("wb") as handle:
        handle.write(one_of_each()["jpeg"])
        handle.truncate(10**13)
    with pytest.raises(PhotoTooLargeError, match="over the limit of 4,000 MB"):
        open_photo(path)


def main(seconds: float) -> None:
    """Fuzz with fresh seeds until the time is over; print what came out and stop at the first crash."""
    end, seed, total = time.monotonic() + seconds, int(time.time()), 0
    names = list(one_of_each())
    while time.monotonic() < end:
        for name in names:
            done = run_child([name], seed, 400)
            total += 400
            if done.returncode or done.stderr:
                print(f"{name}, seed {seed}: exit {done.returncode}\n{done.stderr[-3000:]}")
                return
        seed += 1
        print(f"{total} files, all pictures or one line", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 600)
