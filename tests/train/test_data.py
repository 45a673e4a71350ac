from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.degradation.ageing import AgeOptions
from photochrom.errors import TrainingError
from photochrom.train.config import Stage
from photochrom.train.data import BatchSource, PhotoSet, crop_square, open_photo_sets
from photochrom.train.index import find_photos
from photochrom.train.sections import DataSection, TaskSection
from tests.train.conftest import encode, make_photo

STAGE = Stage(name="tiny", size_px=32, batch=4, photos_seen=40, lr_decoder=1e-3, lr_backbone=0.0)


def photo_set(path: Path) -> PhotoSet:
    return PhotoSet(find_photos((str(path),)), short_side_px=48, min_chroma=4.0, cache_gb=0.1)


def test_corrupt_and_grey_photographs_are_skipped_and_named(shard: Path) -> None:
    photos = photo_set(shard)
    usable = [number for number in range(len(photos)) if photos.photo(number) is not None]
    assert len(photos) == 24
    assert usable == [n for n in range(24) if n not in (5, 7)]
    assert [name.split(":")[-1] for name in photos.corrupt] == ["photo-005.webp"]
    assert [name.split(":")[-1] for name in photos.grey] == ["photo-007.webp"]


def test_photographs_are_learnt_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn, as a camera held upright writes it
    make_photo(1, (64, 40)).save(tmp_path / "a.jpg", exif=exif)
    (pixels,) = (photo_set(tmp_path).photo(0),)
    assert pixels is not None
    assert pixels.shape == (64, 40, 3)


def test_batches_are_a_pure_function_of_seed_stage_and_step(shard: Path) -> None:
    first = BatchSource(photo_set(shard), 1.4, TaskSection(), AgeOptions(), seed=3)
    again = BatchSource(photo_set(shard), 1.4, TaskSection(), AgeOptions(), seed=3)
    again.batch(STAGE, 0, 0)
    one, two = first.batch(STAGE, 0, 7), again.batch(STAGE, 0, 7)
    np.testing.assert_array_equal(one.photo, two.photo)
    np.testing.assert_array_equal(one.ab, two.ab)
    other = BatchSource(photo_set(shard), 1.4, TaskSection(), AgeOptions(), seed=4).batch(STAGE, 0, 7)
    assert not np.array_equal(one.photo, other.photo)
    assert one.photo.shape == (4, 1, 32, 32)
    assert one.ab.shape == (4, 2, 16, 16)
    assert one.photo.dtype == one.ab.dtype == np.float32


def test_prepared_ahead_equals_prepared_at_once(shard: Path) -> None:
    source = BatchSource(photo_set(shard), 1.4, TaskSection(), AgeOptions(), seed=3)
    ahead = list(source.batches(STAGE, 0, first_step=6, workers=2))
    assert len(ahead) == 4
    np.testing.assert_array_equal(ahead[1].photo, source.batch(STAGE, 0, 7).photo)


def test_crops_are_enlarged_or_not() -> None:
    """Stripes of a pixel stay stripes where a crop has as many pixels as the input; enlarged, they are grey."""
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2] = 255

    def contrast(size_px: int, *, enlarges: bool) -> float:
        crops = [crop_square(stripes, size_px, 2.0, np.random.default_rng(n), enlarges=enlarges) for n in range(20)]
        return float(np.mean([np.abs(np.diff(np.asarray(crop, np.float32)[..., 0], axis=1)).mean() for crop in crops]))

    assert contrast(40, enlarges=False) > 250
    assert contrast(40, enlarges=True) < 200
    assert crop_square(stripes, 64, 2.0, np.random.default_rng(0), enlarges=False).size == (64, 64)


def test_folders_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.png").write_bytes(encode(make_photo(1), "PNG"))
    (tmp_path / "notes.txt").write_text("not a photograph")
    assert len(find_photos((str(tmp_path),))) == 1


def test_missing_and_empty_places_say_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such file"):
        find_photos((str(tmp_path / "absent-*.tar"),))
    with pytest.raises(TrainingError, match="no photographs"):
        find_photos((str(tmp_path),))


def test_nothing_usable_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    photos = photo_set(tmp_path)
    with pytest.raises(TrainingError, match="1 corrupt"):
        photos.usable_photo(0)


def test_an_epoch_visits_some_photographs_more_often(shard: Path) -> None:
    plain, held_out = open_photo_sets(DataSection(photos=(str(shard),), validation_photos=4), 32)
    repeats = {"*photo-00*": 3, "*photo-001*": 2}
    training, held_out_again = open_photo_sets(
        DataSection(photos=(str(shard),), validation_photos=4, repeats=repeats), 32
    )
    assert [place.name for place in held_out_again.places] == [place.name for place in held_out.places]
    names = [place.name for place in training.places]
    for place in plain.places:
        assert names.count(place.name) == (3 if "photo-00" in place.name else 1)
    numbers = [number for number, name in enumerate(names) if name.endswith("photo-001.webp")]
    first, *others = (training.photo(number) for number in numbers)
    assert all(other is first for other in others), "decoded once, however often it is visited"


def test_batches_of_a_stage_are_drawn_from_its_sizes_the_same_on_every_process(shard: Path) -> None:
    stage = STAGE.model_copy(update={"size_px": 64, "sizes_px": (32, 64)})
    first, second = (
        BatchSource(photo_set(shard), 1.4, TaskSection(), AgeOptions(), seed=3, rank=rank, processes=2)
        for rank in (0, 1)
    )
    sides = [
        (first.batch(stage, 0, step).photo.shape[-1], second.batch(stage, 0, step).photo.shape[-1]) for step in range(8)
    ]
    assert set(sides) == {(32, 32), (64, 64)}


def test_photographs_are_not_shown_larger_than_their_pattern_allows(shard: Path) -> None:
    data = DataSection(photos=(str(shard),), validation_photos=0, largest_px={"*photo-00*": 32, "*photo-000*": 64})
    photos, _ = open_photo_sets(data, 64)
    source = BatchSource(photos, 1.4, TaskSection(), AgeOptions(), seed=3)
    shown = {name for step in range(20) for name in source.at(64, 0, range(4 * step, 4 * step + 4)).names}
    assert shown
    assert not any("photo-00" in name for name in shown), "the smallest of several fitting patterns counts"
    with pytest.raises(TrainingError, match="no photographs are shown at 64 px"):
        open_photo_sets(data.model_copy(update={"largest_px": {"*": 32}}), 64)[0].shown_at(64)
