"""A decoder that does not return costs its own file, and not the run."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.errors import EXIT_SOME_FAILED, PhotoTooLargeError
from photochrom.files import patience
from photochrom.files.codecs.decoded import Wanted
from photochrom.files.codecs.libvips import computed, image_from, libvips
from photochrom.files.codecs.source import _Pieces, open_source
from photochrom.files.codecs.vips_readers import load_with_vips
from photochrom.files.reading import open_photo
from photochrom.options import Limits
from tests.files.makers import pillow_bytes, textured


def test_what_does_not_return_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr("photochrom.files.apart.page_of", lambda *_: done.wait(60))
    with pytest.raises(PhotoTooLargeError, match=r"not been read within 0\.05 seconds.*--max-seconds"):
        open_photo(pillow_bytes(textured(), "PNG"), limits=Limits(max_seconds=0.05))
    assert patience.is_anything_left()
    done.set()
    for thread in patience._left:
        thread.join(60)
    assert not patience.is_anything_left()


def test_answers_and_errors_come_through() -> None:
    assert patience.within(5, lambda: 7, "a") == 7
    with pytest.raises(KeyError):
        patience.within(5, lambda: {}["a"], "a")


def test_what_libvips_says_meanwhile_runs_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message within a message would end the process, and each operation of libvips ends with one."""
    heard: list[object] = []
    monkeypatch.setattr(libvips().logger, "log", lambda *message: heard.append(message))
    image = image_from(np.zeros((300, 300, 3), np.uint8)).gaussblur(2)
    assert computed(image).shape == (300, 300, 3)
    assert heard == []


def test_libvips_is_asked_for_in_one_place() -> None:
    package = Path(patience.__file__).parents[1]
    found = {path.name for path in package.rglob("*.py") if "import pyvips" in path.read_text(encoding="utf-8")}
    assert found == {"libvips.py"}  # where it is kept quiet


@pytest.mark.parametrize("is_loaded_before", [True, False])
def test_libvips_is_ended_when_nobody_waits_any_more(is_loaded_before: bool) -> None:
    data, told = pillow_bytes(textured(), "PNG"), list[str]()
    loaded, left = threading.Event(), threading.Event()

    def read() -> None:
        if not is_loaded_before:
            assert left.wait(60)
        with open_source(data, 10**9) as source:
            image = load_with_vips(source, "pngload_source", Wanted(0, lambda *_: None)).image
            loaded.set()
            assert left.wait(60)
            try:
                computed(image)
            except libvips().Error as error:
                told.append(str(error))

    with pytest.raises(PhotoTooLargeError):
        patience.within(0.05, read, "a.png")
    assert not is_loaded_before or loaded.wait(60)
    left.set()
    for thread in patience._left:
        thread.join(60)
    assert "killed" in told[0]


def test_a_progressive_jpeg_gets_no_more_of_its_file_then() -> None:
    data, told = pillow_bytes(textured(), "JPEG", progressive=True), list[str]()
    left = threading.Event()

    def read() -> None:
        with open_source(data, 10**9) as source:
            pieces = source.for_vips(in_pieces=True)
            assert left.wait(60)
            try:
                libvips().Image.new_from_source(pieces, "")
            except libvips().Error as error:
                told.append(str(error))

    with pytest.raises(PhotoTooLargeError):
        patience.within(0.05, read, "a.jpg")
    left.set()
    for thread in patience._left:
        thread.join(60)
    assert told


@pytest.mark.parametrize("progressive", [False, True])
def test_a_progressive_jpeg_alone_asks_for_its_bytes(monkeypatch: pytest.MonkeyPatch, progressive: bool) -> None:
    asked, read = list[int](), _Pieces.read
    monkeypatch.setattr(_Pieces, "read", lambda self, count: asked.append(count) or read(self, count))
    data = pillow_bytes(textured(), "JPEG", progressive=progressive)
    pixels = open_photo(data).pixels
    assert bool(asked) == progressive
    assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(data))).reshape(pixels.shape))


HANGS = """
import sys, threading
from photochrom.cli import main
from photochrom.files import apart
page_of = apart.page_of
def hang(source, *rest):
    return threading.Event().wait(100) if "hangs" in source.name else page_of(source, *rest)
apart.page_of = hang
sys.argv = ["photochrom", "restore", sys.argv[1], "-o", sys.argv[2], "--max-seconds", "0.5",
            "--damage=never", "--noise=never"]
main()
"""


@pytest.mark.slow
def test_the_other_photographs_are_done_and_the_run_ends(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "hangs.png", "z.png"):
        (tmp_path / "in" / name).write_bytes(pillow_bytes(textured(), "PNG"))
    run = [sys.executable, "-c", HANGS, str(tmp_path / "in"), str(tmp_path / "out")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == EXIT_SOME_FAILED, done.stderr
    assert done.stderr.count("\n") == 1
    assert "hangs.png: it has not been read within 0.5 seconds" in done.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"a.png", "z.png"}
