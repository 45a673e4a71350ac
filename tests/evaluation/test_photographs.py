"""Finding and reading photographs, labels and pairs; bad folders get one clear line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.transform
from PIL import Image

from photochrom import color
from photochrom.errors import OptionError, PhotoNotFoundError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.evaluation import photographs as subject
from photochrom.options import Limits
from tests.evaluation.conftest import samples, write_pictures


def test_photographs_are_found_sorted_with_their_subfolders(photo_folder: Path) -> None:
    (photo_folder / "notes.txt").write_text("not a picture")
    (photo_folder / ".hidden.png").write_bytes(b"")
    found = subject.find_photographs(photo_folder)
    assert [photo.key for photo in found] == ["astronaut.png", "coffee.png", "spoon.png", "sub/cat.png", "suit.png"]
    assert all(photo.label is None for photo in found)


def test_a_missing_an_empty_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PhotoNotFoundError, match="no such folder"):
        subject.find_photographs(tmp_path / "nowhere")
    with pytest.raises(PhotoNotFoundError, match="holds no pictures"):
        subject.find_photographs(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(PhotoNotFoundError, match="not a folder"):
        subject.find_photographs(tmp_path / "a.txt")


def test_folder_names_are_labels_where_they_are_imagenet_classes(tmp_path: Path) -> None:
    cat = samples()["sub/cat.png"]
    write_pictures(tmp_path, {"n02123045/a.png": cat, "285/b.png": cat, "cats/c.png": cat, "1000/d.png": cat})
    labels = {photo.key: photo.label for photo in subject.find_photographs(tmp_path)}
    assert labels == {"n02123045/a.png": 281, "285/b.png": 285, "cats/c.png": None, "1000/d.png": None}


def test_known_synsets_have_their_customary_indices() -> None:
    # tench, goldfish, tabby cat, espresso, toilet tissue: first, second, well known, last
    known = {"n01440764": 0, "n01443537": 1, "n02123045": 281, "n07920052": 967, "n15075141": 999}
    assert {synset: subject.class_index(synset) for synset in known} == known


def test_labels_come_from_a_file_and_bad_lines_are_named(photo_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("path,class\nsub/cat.png,n02123045\ncoffee.png,967\n")
    labels = {photo.key: photo.label for photo in subject.find_photographs(photo_folder, file)}
    assert labels["sub/cat.png"] == 281
    assert labels["coffee.png"] == 967
    assert labels["suit.png"] is None
    file.write_text("path,class\nsub/cat.png,tabby\n")
    with pytest.raises(OptionError, match="line 2"):
        subject.find_photographs(photo_folder, file)
    file.write_text("coffee.png,967\nsub/cat.png,281\n", encoding="utf-8-sig")  # as spreadsheets write it
    assert {p.key: p.label for p in subject.find_photographs(photo_folder, file)}["coffee.png"] == 967
    file.write_text("coffee.png,967\ncoffee.png,281\n")
    with pytest.raises(OptionError, match=r"line 2 gives coffee\.png another class"):
        subject.find_photographs(photo_folder, file)
    file.write_text("other.png,3\n")
    with pytest.raises(OptionError, match="no line names a picture"):
        subject.find_photographs(photo_folder, file)
    with pytest.raises(OptionError, match="cannot be read"):
        subject.find_photographs(photo_folder, tmp_path / "absent.csv")


def test_pictures_are_read_upright_as_rgb(tmp_path: Path) -> None:
    picture = samples()["sub/cat.png"]
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees
    Image.fromarray(picture).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(subject.read_rgb(tmp_path / "turned.png"), np.rot90(picture, -1))
    Image.fromarray(picture).convert("RGBA").save(tmp_path / "alpha.webp", lossless=True)
    assert subject.read_rgb(tmp_path / "alpha.webp").shape == picture.shape


def test_damaged_and_huge_pictures_are_refused(tmp_path: Path) -> None:
    Image.fromarray(samples()["coffee.png"]).save(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.png").write_text("hello")
    for name in ("half.jpg", "text.png"):
        with pytest.raises(UnreadablePhotoError, match=name):
            subject.read_rgb(tmp_path / name)
    with pytest.raises(PhotoTooLargeError, match="80 x 90 pixels are over the limit of 100"):
        subject.read_rgb(tmp_path / "whole.jpg", Limits(max_pixels=100))


def test_grey_means_pillows_luma_and_grey_pictures_are_known() -> None:
    picture = samples()["astronaut.png"]
    grey = subject.greyed(picture)
    np.testing.assert_array_equal(grey[..., 0], np.asarray(Image.fromarray(picture).convert("L")))
    assert subject.is_grey(grey)
    assert not subject.is_grey(picture)


def test_squash_samples_as_published_without_antialiasing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 600, 3), dtype=np.uint8)
    rows, columns = np.meshgrid((np.arange(256) + 0.5) * 40 / 256 - 0.5, (np.arange(256) + 0.5) * 600 / 256 - 0.5)
    expected = np.stack(
        [
            skimage.transform.warp(picture[..., k] / 255, np.stack([rows.T, columns.T]), order=1, mode="edge")
            for k in range(3)
        ],
        -1,
    )
    np.testing.assert_allclose(subject.squashed(picture) / 255, expected, atol=1.5 / 255)


def test_jpeg_chroma_keeps_the_luma_and_changes_a_little_colour() -> None:
    picture = samples()["coffee.png"]
    changed = subject.with_jpeg_chroma(picture)
    assert abs(color.luma(changed / 255) - color.luma(picture / 255)).max() < 1.1 / 255
    assert 0 < np.abs(changed.astype(int) - picture).mean() < 6


def test_pairs_match_by_name_whatever_the_suffix(photo_folder: Path, tmp_path: Path) -> None:
    truths = subject.find_photographs(photo_folder)
    other = write_pictures(tmp_path / "tool", {name.replace(".png", ".webp"): p for name, p in samples().items()})
    matched = subject.match_pairs(truths, other)
    assert matched["sub/cat.png"] == other / "sub" / "cat.webp"
    (other / "suit.webp").rename(other / "dress.webp")
    with pytest.raises(OptionError, match=r"1 missing \(suit\), 1 without a truth \(dress\)"):
        subject.match_pairs(truths, other)
    with pytest.raises(OptionError, match="1 missing"):
        subject.match_pairs(truths, other, subset=True)
    (other / "dress.webp").rename(other / "suit.webp")
    assert set(subject.match_pairs(truths[:2], other, subset=True)) == {"astronaut.png", "coffee.png"}
    (other / "coffee.jpg").write_bytes((other / "coffee.webp").read_bytes())
    with pytest.raises(OptionError, match="two pictures are called coffee"):
        subject.match_pairs(truths, other)
    (photo_folder / "coffee.jpg").write_bytes((photo_folder / "coffee.png").read_bytes())
    with pytest.raises(OptionError, match=r"coffee\.png: two photographs are called coffee.*Rename one"):
        subject.match_pairs(subject.find_photographs(photo_folder), other)
