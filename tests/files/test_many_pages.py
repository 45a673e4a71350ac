"""Files of many pages: each costs its own reading, and limits are of all of them together."""

from __future__ import annotations

import io
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from photochrom.errors import PhotoTooLargeError
from photochrom.files import patience, reading
from photochrom.files.codecs import tiff, tiff_directories
from photochrom.files.codecs.source import PhotoSource, open_source
from photochrom.files.reading import open_pages, open_photo, read_pages_for
from photochrom.options import Limits


def pages_of(pages: list[np.ndarray], **options: object) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in pages:
            writer.write(page, metadata=None, contiguous=False, **options)
    return buffer.getvalue()


def of_one_tone(tone: int) -> np.ndarray:
    return np.full((24, 32), tone, np.uint8)


def test_directories_are_read_once_however_many_pages_are(monkeypatch: pytest.MonkeyPatch) -> None:
    walks, pages = list[int](), tiff.TiffReader.pages
    monkeypatch.setattr(tiff.TiffReader, "pages", lambda self: walks.append(1) or pages(self))
    data = pages_of([of_one_tone(tone) for tone in range(20)], photometric="minisblack")
    assert [int(page.pixels[0, 0, 0]) for page in open_pages(data)] == list(range(20))
    assert len(walks) == 1


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_of_many_pages_the_decoder_sees_one_alone(compression: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, for_vips = list[int](), PhotoSource.for_vips

    def noting(self: PhotoSource, patches: object = (), *, in_pieces: bool = False) -> object:
        asked.append(len(patches))  # type: ignore[arg-type]
        return for_vips(self, patches, in_pieces=in_pieces)  # type: ignore[arg-type]

    monkeypatch.setattr(PhotoSource, "for_vips", noting)
    for big in (False, True):
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer, bigtiff=big, byteorder=">" if big else "<") as writer:
            for tone in range(12):
                writer.write(of_one_tone(tone), metadata=None, contiguous=False, compression=compression)
        assert [int(page.pixels[5, 5, 0]) for page in open_pages(buffer.getvalue())] == list(range(12))
    assert asked == 2 * [*[0] * 8, *[2] * 4]


@pytest.mark.parametrize("big", [False, True])
def test_a_page_whose_tags_are_corrected_is_copied_and_no_other(big: bool) -> None:
    lab = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=big) as writer:
        for shift in range(4):
            writer.write(lab + np.uint8(shift), photometric="cielab", metadata=None, contiguous=False, rowsperstrip=16)
    data = buffer.getvalue()
    with open_source(data, 10**9) as source:
        reader = tiff.TiffReader(source)
        copy = tiff_directories.file_of_page(reader, reader.pages()[2], {})
    assert 12_288 < len(copy) < 13_000
    assert (tifffile.imread(io.BytesIO(copy)) == lab + np.uint8(2)).all()
    pages = list(open_pages(data))
    alone = [open_photo(pages_of([lab + np.uint8(shift)], photometric="cielab")) for shift in range(4)]
    assert all((page.pixels == other.pixels).all() for page, other in zip(pages, alone, strict=True))


def test_strips_that_share_their_bytes_are_copied_once() -> None:
    with open_source(pages_of([of_one_tone(9)], photometric="minisblack", rowsperstrip=8), 10**9) as source:
        reader = tiff.TiffReader(source)
        [page] = reader.pages()
        offsets, lengths = page.segments()
        shared = {
            tiff.STRIP_OFFSETS: tiff.Field(4, 3, np.full(3, offsets[0], "<u4").tobytes()),
            tiff.STRIP_LENGTHS: tiff.Field(4, 3, np.full(3, lengths[0], "<u4").tobytes()),
        }
        page = tiff.Page(0, "<", {**page.tags, **shared}, page.at)
        copy = tiff_directories.file_of_page(reader, page, {})
    assert len(copy) < 8 + 32 * 8 + 300
    assert (tifffile.imread(io.BytesIO(copy)) == 9).all()


def test_what_all_pages_need_is_added_up_before_the_first_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pages_of([np.zeros((1000, 1000), np.uint8)] * 30, photometric="minisblack", compression="zlib")
    limits = Limits(max_memory_bytes=4_000_000)
    assert open_photo(data, limits=limits, page=29).width == 1000
    monkeypatch.setattr(reading.apart, "page_of", None)
    with pytest.raises(PhotoTooLargeError, match="its 30 pages need about 61 MB together, over the limit of 4 MB"):
        list(read_pages_for(data, "tiff", limits=limits))


def test_of_pages_in_colour_the_results_are_held_alone() -> None:
    data = pages_of([np.zeros((1000, 1000, 3), np.uint8)] * 30, photometric="rgb", compression="zlib")
    assert sum(1 for _ in read_pages_for(data, "tiff", limits=Limits(max_memory_bytes=96_000_000))) == 30
    with pytest.raises(PhotoTooLargeError, match="its 30 pages need about 96 MB together, over the limit of 95 MB"):
        next(read_pages_for(data, "tiff", limits=Limits(max_memory_bytes=95_000_000)))


def test_one_page_needs_what_it_needs_alone() -> None:
    data = pages_of([np.zeros((1000, 1000), np.uint8)], photometric="minisblack")
    assert len(list(read_pages_for(data, "tiff", limits=Limits(max_memory_bytes=3_000_000)))) == 1


def test_seconds_are_of_all_pages_together(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(0, 4)
    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    waiting = patience.Patience(10, "scan.tif")
    assert [waiting.spend_on(lambda: 7) for _ in range(3)] == [7, 7, 7]
    with pytest.raises(PhotoTooLargeError, match=r"scan\.tif: it has not been read within 10 seconds"):
        waiting.spend_on(lambda: 7)


def test_pages_that_take_too_long_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(0, 4)
    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    pages = open_pages(pages_of([of_one_tone(9)] * 5, photometric="minisblack"), limits=Limits(max_seconds=10))
    next(pages)
    next(pages)
    with pytest.raises(PhotoTooLargeError, match="it has not been read within 10 seconds"):
        next(pages)
