"""What looks like a negative in black and white is told, in one line, and nothing else is done about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photochrom import Colorizer, FakeEngine, RestoreOptions, Restorer
from photochrom.cli.app import run
from photochrom.errors import EXIT_OK
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.hints.hint import Hint
from photochrom.luma import luma_codes
from photochrom.options import ReadingOptions
from photochrom.restoration import polarity
from photochrom.restoration.polarity import NEGATIVE, TURNED_WRONGLY, note_of_negative, positive_probability, seen_luma

PHOTOGRAPHS = {"camera": data.camera, "chelsea": data.chelsea, "astronaut": data.astronaut}
# The network is not sure enough of these, and says nothing, whichever way round.
UNSURE = {"rocket": data.rocket, "coffee": data.coffee}
# And of these nothing can be said.
OTHERS = {"page": data.page, "text": data.text, "moon": data.moon}
OTHERS |= {"brick": data.brick, "grass": data.grass, "gravel": data.gravel}
OTHERS |= UNSURE
LOOKING = RestoreOptions(damage="never", noise="never")


def grey(make: Callable[[], np.ndarray], scale: int = 2) -> np.ndarray:
    picture = make()[::scale, ::scale]
    return np.ascontiguousarray(luma_codes(picture[..., :3])[..., None] if picture.ndim == 3 else picture[..., None])


def colored(photo: Photo) -> tuple[str, ...]:
    return Colorizer(engine=FakeEngine()).run(photo).notes


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_negative_is_told_and_its_positive_is_not(name: str) -> None:
    positive = grey(PHOTOGRAPHS[name])
    assert note_of_negative(Photo(255 - positive)) == NEGATIVE
    assert note_of_negative(Photo(positive)) == ""


@pytest.mark.parametrize("name", OTHERS)
def test_where_it_is_unsure_nothing_is_said_either_way_round(name: str) -> None:
    picture = grey(OTHERS[name], 1)
    assert [note_of_negative(Photo(one)) for one in (picture, 255 - picture)] == ["", ""]


def test_a_negative_of_any_depth_contrast_and_toning_is_told() -> None:
    negative = 255 - grey(data.camera).astype(np.float32)
    pale = np.rint(90 + 0.3 * negative).astype(np.uint8)
    deep = np.rint(negative * 257).astype(np.uint16)
    toned = np.rint(255 * (negative / 255) ** np.array([0.9, 1.0, 1.2], np.float32)).astype(np.uint8)
    for picture in (pale, deep, toned):
        assert NEGATIVE in colored(Photo(picture))


def test_colouring_and_restoring_tell_it_once_each_and_go_on() -> None:
    photo = Photo(255 - grey(data.camera))
    result = Colorizer(engine=FakeEngine()).run(photo)
    assert result.notes.count(NEGATIVE) == 1
    assert result.photo.pixels.shape == (*photo.pixels.shape[:2], 3)
    with Restorer(LOOKING) as restorer:
        assert f"toning: {NEGATIVE}" in restorer.run(photo).notes
        both = Colorizer(engine=FakeEngine(), restore=restorer).run(photo).notes
        assert sum(NEGATIVE in note for note in both) == 1
        assert not any("negative" in note for note in restorer.run(Photo(grey(data.camera))).notes)


def test_who_gives_hints_has_looked_at_the_photograph() -> None:
    photo = Photo(255 - grey(data.camera))
    hinted = Colorizer(engine=FakeEngine(hears=True)).run(photo, [Hint(point=(0.5, 0.5), color="red")])
    assert NEGATIVE not in hinted.notes


def test_a_positive_that_was_turned_by_mistake_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    Image.fromarray(grey(data.camera)[..., 0]).save(path)
    turned = open_photo(path, reading=ReadingOptions(negative=True))
    assert note_of_negative(turned) == TURNED_WRONGLY
    Image.fromarray(255 - grey(data.camera)[..., 0]).save(path)
    assert note_of_negative(open_photo(path, reading=ReadingOptions(negative=True))) == ""


def test_of_blank_and_tiny_pictures_nothing_is_said() -> None:
    assert note_of_negative(Photo(np.full((200, 200, 1), 40, np.uint8))) == ""
    assert note_of_negative(Photo(255 - grey(data.camera, 16))) == ""


def test_an_inverse_is_as_probable_as_the_picture_is_not() -> None:
    luma = seen_luma(grey(data.gravel))  # the corners have a say either way
    assert luma.shape == (192, 192)
    assert positive_probability(luma) + positive_probability(1 - luma) == pytest.approx(1, abs=1e-4)


def test_corners_are_looked_at_unless_the_whole_is_clearly_a_positive() -> None:
    class Counting:
        spec = polarity.polarity_engine().spec
        asked = 0

        def run(self, rgb: np.ndarray) -> dict[str, np.ndarray]:
            self.asked += 1
            return {"positive": np.full((1, 1), 0.9 if rgb.mean() > 0.5 else 0.4, np.float32)}

    light = np.full((192, 192), 0.8, np.float32)
    engine = Counting()
    assert positive_probability(light, engine) == pytest.approx(0.9)
    assert engine.asked == 1
    light_corner = np.full((192, 192), 0.3, np.float32)
    light_corner[:96, :96] = 1  # of 0.9 to one corner, of 0.4 to the three others and to the whole
    logits = [math.log(p / (1 - p)) for p in (0.9, 0.4, 0.4, 0.4, 0.4)]
    assert positive_probability(light_corner, engine) == pytest.approx(1 / (1 + math.exp(-np.mean(logits))), abs=1e-5)
    assert engine.asked == 6


def test_the_limit_is_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unsure:
        spec = polarity.polarity_engine().spec.model_copy(update={"negative": 1.0})
        run = staticmethod(polarity.polarity_engine().run)

    monkeypatch.setattr(polarity, "polarity_engine", Unsure)
    assert note_of_negative(Photo(grey(data.camera))) == NEGATIVE


@pytest.mark.slow
def test_the_command_line_tells_it_and_exits_as_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan = tmp_path / "scan.png"
    Image.fromarray(255 - grey(data.camera)[..., 0]).save(scan)
    assert (
        run(["colorize", str(scan), "-o", str(tmp_path / "out"), "--report", str(tmp_path / "report.json")]) == EXIT_OK
    )
    told = capsys.readouterr()
    assert NEGATIVE in told.out + told.err
    assert NEGATIVE in (tmp_path / "report.json").read_text(encoding="utf-8")
