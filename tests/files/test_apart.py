"""What decodes a picture in one call does so in a process that can be ended, and gives the same picture."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photochrom.errors import EXIT_SOME_FAILED, PhotoTooLargeError, UnreadablePhotoError
from photochrom.files import apart, parcel, reader
from photochrom.files.codecs.leaving import Work
from photochrom.files.codecs.source import open_source
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.options import Limits, ReadingOptions
from tests.files.makers import dng_bytes, one_of_each, pillow_bytes, textured

RAW_STUB = """
import os, pathlib, signal
def imread(_):
    pathlib.Path({marker!r}).write_text(str(os.getpid()))
    {does}
"""
SPINS, CRASHES = "while True: pass", "os.kill(os.getpid(), signal.SIGSEGV)"
WAIT_S = 60.0


@pytest.fixture
def all_apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no picture be too small for a process, and leave none behind."""
    monkeypatch.setattr(apart, "SMALL_PIXELS", -1)
    apart._READERS.close()
    yield
    apart._READERS.close()


def decoder_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a decoder of raw files before the true one; return where it writes the number of its process."""
    folder.mkdir()
    marker = folder / "marker"
    (folder / "rawpy.py").write_text(RAW_STUB.format(marker=str(marker), does=does))
    monkeypatch.syspath_prepend(str(folder))
    return marker


def is_gone(process: int) -> bool:
    """Return whether a process works no more, or soon does not; one that nobody has asked for yet counts as gone."""
    if os.name != "posix":
        return True
    until, stat = time.monotonic() + WAIT_S, Path(f"/proc/{process}/stat")
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
            if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def same(one: Photo, other: Photo) -> bool:
    arrays = [(getattr(one, name), getattr(other, name)) for name in parcel.SAMPLES]
    rest = [(getattr(one, name), getattr(other, name)) for name in ("metadata", "format", "notes", "left_out")]
    return all(a == b for a, b in rest) and all(
        a is b is None or (a.dtype == b.dtype and np.array_equal(a, b)) for a, b in arrays
    )


def test_a_photograph_arrives_as_it_was_sent() -> None:
    rng, size = np.random.default_rng(3), (9, 12)
    metadata = Metadata(b"exif\n", b"icc", None, b"", (300.0, 72.5), (("Comment", "naïve \udc80"),))
    sent = Photo(
        rng.integers(0, 65536, (*size, 3), np.uint16), rng.integers(0, 65536, size, np.uint16), metadata, "tiff",
        ("a note",), 3, rng.integers(0, 65536, size, np.uint16), rng.random(size) < 0.5, ("2 other pages",),
    )  # fmt: skip
    stream = io.BytesIO()
    parcel.write_photo(stream, sent)
    received = io.BufferedReader(io.BytesIO(stream.getvalue()))  # type: ignore[arg-type]
    about = parcel.read_line(received)
    assert about
    assert same(parcel.read_photo(received, about), sent)
    assert parcel.read_line(received) is None
    for cut in (stream.tell() - 1, stream.tell() - 5 * 9 * 12 * 3 * 2):
        short = io.BufferedReader(io.BytesIO(stream.getvalue()[: max(cut, 900)]))  # type: ignore[arg-type]
        about = parcel.read_line(short)
        assert about
        with pytest.raises(EOFError):
            parcel.read_photo(short, about)


@pytest.mark.slow
def test_every_format_is_the_same_from_another_process(
    all_apart: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    used = 0
    for name, data in {**one_of_each(), "raw.dng": dng_bytes()}.items():
        (tmp_path / name).write_bytes(data)
        monkeypatch.setattr(apart, "SMALL_PIXELS", 10**9)
        here = open_photo(tmp_path / name)
        monkeypatch.setattr(apart, "SMALL_PIXELS", -1)
        before = [r._process.pid for r in apart._READERS._idle]
        assert same(open_photo(tmp_path / name), here), name
        monkeypatch.setattr(apart, "IN_MEMORY_BYTES", 0)
        assert same(open_photo(tmp_path / name), here), name
        monkeypatch.setattr(apart, "IN_MEMORY_BYTES", 10**9)
        after = [r._process.pid for r in apart._READERS._idle]
        assert len(after) <= 1
        assert not before or before == after, "the process is used again"
        used = len(after)
    assert used == 1


@pytest.mark.slow
def test_errors_come_through_and_the_process_goes_on(all_apart: None, tmp_path: Path) -> None:
    good = pillow_bytes(textured(), "JPEG2000")
    with pytest.raises(UnreadablePhotoError, match="JPEG2000 file is damaged or truncated") as raised:
        open_photo(good[: len(good) // 2])
    assert "\n" not in str(raised.value)
    assert raised.value.next_step
    (tmp_path / "a.jp2").write_bytes(good)
    with open_source(tmp_path / "a.jp2", 10**9) as source:
        os.utime(tmp_path / "a.jp2", ns=(0, 0))
        with pytest.raises(UnreadablePhotoError, match=r"a\.jp2: it was changed while it was read"):
            open_photo(source)
    with pytest.raises(PhotoTooLargeError, match="over the limit"):
        open_photo(good, limits=Limits(max_pixels=100))
    assert len(apart._READERS._idle) == 1
    assert open_photo(good).width == 64


@pytest.mark.slow
def test_a_decoder_that_never_returns_is_ended(
    all_apart: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    marker = decoder_that(SPINS, tmp_path / "stub", monkeypatch)
    work, told = Work(), list[str]()

    def read() -> None:
        with work, open_source(dng_bytes(), 10**9) as source:
            source.name = "a.dng"
            try:
                apart.page_of(source, Limits(), 0, ReadingOptions())
            except UnreadablePhotoError as error:
                told.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    until = time.monotonic() + WAIT_S
    while not (marker.exists() and marker.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    work.end()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert "ended" in told[0]
    assert not apart._READERS._idle
    assert is_gone(int(marker.read_text()))


@pytest.mark.slow
@pytest.mark.posix
def test_a_decoder_that_crashes_costs_its_own_file(
    all_apart: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    decoder_that(CRASHES, tmp_path / "stub", monkeypatch)
    path = tmp_path / "a.dng"
    path.write_bytes(dng_bytes())
    with pytest.raises(UnreadablePhotoError, match=r"a\.dng: this RAW file is damaged .*ended by signal 11"):
        open_photo(path)
    assert open_photo(pillow_bytes(textured(), "JPEG2000")).width == 64


def test_a_process_whose_asker_is_gone_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    alarms = list[float]()
    monkeypatch.setattr(reader.signal, "setitimer", lambda _, seconds: alarms.append(seconds), raising=False)
    monkeypatch.setattr(reader.signal, "ITIMER_REAL", 0, raising=False)
    data = pillow_bytes(textured(), "PNG")
    asked = {"name": "a.png", "path": None, "bytes": len(data), "identity": [], "page": 0}
    stream, answers = io.BytesIO(), io.BytesIO()
    parcel.write_line(stream, asked | {"limits": Limits(max_seconds=7).model_dump(), "reading": {}})
    assert reader.answer(io.BytesIO(stream.getvalue() + data), answers)
    assert alarms == [7 + reader.GRACE_S, 0]
    assert answers.tell() > 48 * 64
    assert not reader.answer(io.BytesIO(), answers)


ALBUM = """
import sys
from photochrom.cli import main
from photochrom.files import apart
apart.SMALL_PIXELS = -1
sys.argv = ["photochrom", "restore", sys.argv[1], "-o", sys.argv[2], "--max-seconds", "4",
            "--damage=never", "--noise=never"]
main()
"""


@pytest.mark.slow
def test_an_album_goes_on_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    marker = decoder_that(SPINS, tmp_path / "stub", monkeypatch)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.dng").write_bytes(dng_bytes())
    for name in ("a.png", "z.png"):
        (tmp_path / "in" / name).write_bytes(pillow_bytes(textured(), "PNG"))
    places = {**os.environ, "PYTHONPATH": os.pathsep.join([str(marker.parent), *filter(None, sys.path)])}
    run = [sys.executable, "-c", ALBUM, str(tmp_path / "in"), str(tmp_path / "out")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False, env=places)
    assert done.returncode == EXIT_SOME_FAILED, done.stderr
    assert done.stderr.count("\n") == 1
    assert "b.dng: it has not been read within 4 seconds" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir() if path.suffix != ".jsonl"} == {"a.png", "z.png"}
    assert not marker.exists() or is_gone(int(marker.read_text()))
