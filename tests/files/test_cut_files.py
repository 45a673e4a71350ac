"""Files that are cut while they are read, as when a stick is pulled: one line each, and the process lives on."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from photochrom.albums.batch import source_hash
from photochrom.errors import PhotochromError, UnreadablePhotoError
from photochrom.files.codecs import source as sources
from photochrom.files.codecs.source import open_source
from photochrom.files.reading import open_photo
from photochrom.options import Limits
from tests.files.makers import one_of_each, pillow_bytes, textured, tiff_bytes

CUTS = 100
"""Some formats at some places, each once given to decoders whole and once piece by piece."""

CHILD = """
import os, sys
from pathlib import Path
from tests.files.test_cut_files import cut_all
print(cut_all(Path(sys.argv[1]), piecewise=sys.argv[2] == "piecewise"))
"""


def noisy() -> dict[str, bytes]:
    """One file of each format that libvips decodes, large enough that no decoder has it whole after its header."""
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (160, 200, 3)).astype(np.uint8)
    options = {"jpeg": {"quality": 95}, "webp": {"lossless": True}, "gif": {}, "png": {}, "avif": {"quality": 90}}
    found = {name: pillow_bytes(pixels, name.upper(), **chosen) for name, chosen in options.items()}
    found["progressive"] = pillow_bytes(pixels, "JPEG", quality=95, progressive=True)
    found["tiff"] = tiff_bytes(pixels)
    found["tiled"] = tiff_bytes(pixels, tile=True, compression="deflate")
    return found


def cut_all(folder: Path, *, piecewise: bool) -> int:
    """Cut files after their header has been read and before their pixels are; return how many were refused."""
    from photochrom.files import pages

    if piecewise:
        sources.IN_MEMORY_BYTES = 0
    path, refused = folder / "cut", 0
    for number in range(CUTS // 2):
        data = list(noisy_files.values())[number % len(noisy_files)]
        path.write_bytes(data)
        limits_checked = pages._check_limits
        pages._check_limits = lambda *_: os.truncate(path, len(data) * (number % 7) // 8)  # noqa: B023
        try:
            open_photo(path)
        except PhotochromError as error:
            assert "changed while it was read" in str(error), error
            refused += 1
        finally:
            pages._check_limits = limits_checked
    return refused


noisy_files = noisy()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["whole", "piecewise"])
def test_files_cut_between_header_and_pixels_are_one_line_each(tmp_path: Path, how: str) -> None:
    child = [sys.executable, "-c", CHILD, str(tmp_path), how]
    done = subprocess.run(child, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) == CUTS // 2
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(one_of_each()))
def test_a_file_cut_or_written_to_after_opening_is_told_about(tmp_path: Path, name: str) -> None:
    path = tmp_path / "photo"
    for change in ("cut", "written"):
        path.write_bytes(one_of_each()[name])
        with open_source(path, 10**9) as source:
            if change == "cut":
                os.truncate(path, path.stat().st_size // 2)
            else:
                os.utime(path, ns=(0, 0))
            with pytest.raises(UnreadablePhotoError, match="changed while it was read"):
                open_photo(source)


def test_pieces_give_the_same_pixels_as_the_whole_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, data in {**one_of_each(), **noisy_files}.items():
        (tmp_path / name).write_bytes(data)
        whole = open_photo(tmp_path / name).pixels
        monkeypatch.setattr(sources, "IN_MEMORY_BYTES", 0)
        assert np.array_equal(open_photo(tmp_path / name).pixels, whole), name
        monkeypatch.undo()


class Failing(io.BytesIO):
    """A disk that is gone."""

    def read(self, *_: object) -> bytes:
        raise OSError(5, "Input/output error")


def test_a_disk_that_is_gone_is_one_line() -> None:
    source = sources.PhotoSource("scan.png", 5000, Failing())
    with pytest.raises(UnreadablePhotoError, match=r"scan.png: cannot be read \(Input/output error\)"):
        open_photo(source)


def test_a_photograph_cut_while_it_is_hashed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(tiff_bytes(textured(400, 500)))
    monkeypatch.setattr(sources, "PIECE_BYTES", 1000)
    read_at = sources.PhotoSource.read_at

    def cut_midway(self: sources.PhotoSource, offset: int, count: int) -> bytes:
        if offset == 100_000:
            os.truncate(path, 5000)
        return read_at(self, offset, count)

    monkeypatch.setattr(sources.PhotoSource, "read_at", cut_midway)
    with pytest.raises(UnreadablePhotoError, match="changed while it was read"):
        source_hash(path, Limits())
