"""Photographs that are in colour already, negatives, and arrays of another computer's byte order."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from photochrom import ColorizeOptions, Colorizer, FakeEngine, Hint
from photochrom.files.photo import Photo
from photochrom.files.provenance import read_provenance
from photochrom.files.reading import open_photo
from photochrom.restoration.tone import squash
from photochrom.restoration.toning import classify, looks_like_color_negative


def colored_photo(scale: int = 3) -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[::scale, ::scale])


def sepia_photo() -> np.ndarray:
    gray = data.camera()[::3, ::3].astype(float)[..., None] / 255
    return np.rint(255 * gray ** np.array([0.8, 1.0, 1.35])).astype(np.uint8)


def hand_tinted_photo() -> np.ndarray:
    """Grey, with a rosy and a bluish wash over parts of it."""
    tinted = np.repeat(data.camera()[::3, ::3, None], 3, axis=2).astype(float)
    tinted[60:140, 20:90] *= [1.15, 0.85, 0.8]
    tinted[:50] *= [0.8, 0.95, 1.2]
    return np.clip(tinted, 0, 255).astype(np.uint8)


def session(colored: str | None = None) -> Colorizer:
    options = ColorizeOptions() if colored is None else ColorizeOptions(colored=colored)
    return Colorizer(options=options, engine=FakeEngine())


@pytest.mark.parametrize("picture", [colored_photo(), hand_tinted_photo()], ids=["colour", "tinted"])
def test_colours_are_kept_skipped_or_replaced_and_that_is_said(picture: np.ndarray) -> None:
    photo = Photo(picture)
    kept, skipped, anew = (session(how).run(photo) for how in ("keep", "skip", "recolor"))
    assert (kept.photo.pixels == picture).all()
    assert any("in colour already: its colours kept" in note for note in kept.notes)
    assert kept.source_type == ""
    assert not kept.is_skipped
    assert skipped.is_skipped
    assert any("in colour already: coloured anew" in note for note in anew.notes)
    assert (anew.photo.pixels != picture).any()
    assert session().options.colored == "keep"


@pytest.mark.parametrize("picture", [sepia_photo(), data.camera()[::3, ::3, None]], ids=["sepia", "grey"])
def test_toned_and_grey_photographs_are_coloured_without_a_word(picture: np.ndarray) -> None:
    result = session().run(Photo(np.ascontiguousarray(picture)))
    assert not result.kept
    assert not any("in colour already" in note for note in result.notes)


@pytest.mark.parametrize(("by", "kept"), [("person", False), ("reference", True)])
def test_a_person_asks_for_other_colours_and_a_reference_of_a_whole_album_does_not(by: str, *, kept: bool) -> None:
    photo, told = Photo(colored_photo()), [Hint(point=(0.5, 0.5), color="navy", by=by)]
    result = Colorizer(engine=FakeEngine(hears=True)).run(photo, told)
    assert result.kept is kept
    assert any(("its colours kept" if kept else "coloured anew") in note for note in result.notes)
    recolor = ColorizeOptions(colored="recolor")
    assert not Colorizer(engine=FakeEngine(hears=True), options=recolor).run(photo, told).kept


def test_versions_of_a_photograph_that_keeps_its_colours_state_no_model() -> None:
    buffer = io.BytesIO()
    Image.fromarray(colored_photo()).save(buffer, "PNG")
    [version] = session().alternatives(buffer.getvalue(), 3)
    kept = open_photo(version)
    assert (kept.pixels == colored_photo()).all()
    assert read_provenance(kept.metadata.xmp) is None
    [version] = session("recolor").alternatives(buffer.getvalue(), 1)
    assert read_provenance(open_photo(version).metadata.xmp) is not None


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    Image.fromarray(colored_photo()).save(folder / "new.png")
    Image.fromarray(data.camera()[::3, ::3]).save(folder / "old.png")
    return folder


def run(album: Path, output: Path, how: str) -> dict[str, str]:
    from photochrom.albums.batch import run_batch
    from photochrom.albums.plan import plan
    from photochrom.albums.results import BatchSettings

    colorizer, became = session(how), dict[str, str]()
    summary = run_batch(
        plan([album], output, format=None).jobs,
        colorizer.run,
        BatchSettings(colorizer.provenance),
        on_report=lambda report: became.update({Path(report.source).name: report.status}),
    )
    assert summary.unwanted == (1 if how == "skip" else 0)
    return became


def test_an_album_of_both_kinds_comes_out_right(album: Path, tmp_path: Path) -> None:
    assert run(album, tmp_path / "kept", "keep") == {"new.png": "done", "old.png": "done"}
    new, old = (open_photo(tmp_path / "kept" / name) for name in ("new.png", "old.png"))
    assert (new.pixels == colored_photo()).all()
    assert read_provenance(new.metadata.xmp) is None  # no model had a part in it
    assert old.pixels.shape[2] == 3
    assert read_provenance(old.metadata.xmp) is not None
    assert run(album, tmp_path / "skipped", "skip") == {"new.png": "unwanted", "old.png": "done"}
    assert [path.name for path in (tmp_path / "skipped").iterdir()] == ["old.png"]


def test_a_colour_negative_is_noticed_and_told() -> None:
    base = np.array([0.95, 0.62, 0.38])
    for picture in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket()):
        positive = picture[::3, ::3].astype(np.float64) / 255
        negative = np.rint(255 * (1 - 0.85 * positive) * base).astype(np.uint8)
        assert looks_like_color_negative(squash(negative))
        assert not looks_like_color_negative(squash(np.ascontiguousarray(picture[::3, ::3])))
        result = session().run(Photo(negative))
        assert any("looks like a colour negative" in note for note in result.notes)
    assert not looks_like_color_negative(squash(sepia_photo()))


def test_tinting_is_colour_and_toning_is_not() -> None:
    assert classify(squash(hand_tinted_photo())).is_colored
    assert not classify(squash(sepia_photo())).is_colored


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_arrays_of_either_byte_order_come_back_as_they_were(order: str, kind: str) -> None:
    codes = data.camera()[::4, ::4].astype(np.uint16) * 257
    given = codes.astype(order + kind) / (np.float32(65535) if kind == "f4" else 1)
    given = given.astype(order + kind)
    made = session()(given)
    plain = session()(given.astype("=" + kind))
    assert made.dtype == given.dtype
    assert (made.astype("=" + kind) == plain).all()
