"""What an album holds besides its photographs is passed over, counted and named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.albums.album import look_through
from photochrom.albums.foreign_folders import holds_no_originals
from photochrom.albums.plan import plan
from photochrom.errors import PhotoNotFoundError
from photochrom.options import ReadingOptions
from tests.files.makers import pillow_tiff_pages, textured


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(textured()[..., 0]).save(path)
    return path


COPIES = (
    "@eaDir/SYNOPHOTO_THUMB.jpg", "#recycle/a.jpg", "$RECYCLE.BIN/b.jpg", "Catalog Previews.lrdata/0/c.jpg",
    "My.photoslibrary/resources/derivatives/d.jpg", "My.photoslibrary/resources/renders/e.jpg", "@Recycle/f.jpg",
    "System Volume Information/g.jpg", "Old.photolibrary/Thumbnails/h.jpg", "job/CaptureOne/Cache/i.jpg",
)  # fmt: skip
ORIGINALS = (
    "a.jpg",
    "1930/b.jpg",
    "My.photoslibrary/originals/3/c.jpg",
    "Old.photolibrary/Masters/d.jpg",
    "Cache/e.jpg",
)


def test_bins_and_photo_managers_copies_are_no_photographs(tmp_path: Path) -> None:
    for name in (*COPIES, *ORIGINALS):
        picture(tmp_path / name)
    found = look_through(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in found.photos} == set(ORIGINALS)
    assert len(found.passed_over) == 9  # two of the copies share a folder
    assert not holds_no_originals(tmp_path / "originals")


def test_a_folder_that_is_given_by_name_is_looked_into(tmp_path: Path) -> None:
    picture(tmp_path / "@eaDir" / "a.jpg")
    assert len(look_through(tmp_path / "@eaDir").photos) == 1


def test_pictures_that_are_not_read_are_counted_and_named(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    for name in ("b.psd", "c.PSB", "notes.txt"):
        (tmp_path / name).write_bytes(b"8BPS")
    planned = plan([tmp_path], tmp_path.parent / "out", format=None)
    assert planned.left_out == ["pictures of kinds that are not read: 2 (b.psd, c.PSB)"]
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(PhotoNotFoundError, match=r"no pictures that are read, but 2 \(b\.psd, c\.PSB\)"):
        look_through(tmp_path)


def test_pages_left_out_are_named_in_the_summary_and_the_report(tmp_path: Path) -> None:
    from photochrom.albums.batch import run_batch
    from photochrom.albums.recipe import read_recipe
    from photochrom.albums.results import BatchSettings
    from photochrom.files.provenance import Provenance
    from photochrom.files.reading import open_photo
    from tests.albums.test_batch import redden

    album, reports = tmp_path / "album", []
    album.mkdir()
    (album / "pages.tif").write_bytes(pillow_tiff_pages([textured(), textured()[:, ::-1].copy(), textured()]))
    settings = BatchSettings(Provenance("fake", "00", "1"), reading=ReadingOptions(page=2), keep_recipe=True)
    jobs = plan([album], tmp_path / "out", format="png").jobs
    summary = run_batch(jobs, redden, settings, on_report=reports.append)
    assert reports[0].left_out == ("2 other pages",)
    assert summary.left_out == (f"2 other pages of {album / 'pages.tif'}",)
    assert np.array_equal(open_photo(tmp_path / "out" / "pages.png").pixels[..., 0], textured()[:, ::-1, 0])
    assert read_recipe(tmp_path / "out" / "pages.png.recipe.json").reading == {"page": 2}
    assert settings.sha256 != BatchSettings(settings.provenance, keep_recipe=True).sha256
