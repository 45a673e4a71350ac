"""What hints may say, the files they are kept in, and how they are refused."""

from __future__ import annotations

import base64
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom import FakeEngine, Hint, HintSheet, OptionError, Photo
from photochrom.color import lab_from_srgb
from photochrom.errors import EXIT_SOME_FAILED
from photochrom.hints.drawing import draw
from photochrom.hints.painted import painted_from_picture, painted_pixels
from photochrom.hints.sheet import read_hints
from photochrom.hints.words import ab_of

GREEN = {"point": [0.5, 0.5], "color": "green"}
ROOT = Path(__file__).parents[2]
HUGE = json.dumps(
    {
        "photochrom_hints": 1,
        "photo": {"width": 1, "height": 10**400, "fingerprint": "0" * 60},
        "hints": [{"point": [0.5, 0.5], "color": "red"}],
    }
)


def picture(seed: int = 0, shape: tuple[int, int] = (96, 128)) -> Photo:
    """Return a grey picture of smooth blobs, another for each seed."""
    small = np.random.default_rng(seed).integers(30, 220, (6, 8), dtype=np.uint8)
    return Photo(np.asarray(Image.fromarray(small).resize(shape[::-1], Image.Resampling.BICUBIC))[..., None])


@pytest.mark.parametrize("color", ["olivedrab", "#6b8e23", "rgb(107, 142, 35)", "rgb(107 142 35)", "OliveDrab "])
def test_a_colour_may_be_written_in_any_way_that_css_knows(color: str) -> None:
    expected = lab_from_srgb(np.array([107, 142, 35]) / 255)[1:]
    assert np.allclose(ab_of(color), expected, atol=0.01)


@pytest.mark.parametrize(
    ("hint", "line"),
    [
        ({"point": [0.5, 0.5], "color": "grene"}, "no colour is called 'grene'. Did you mean 'green'?"),
        ({"point": [0.5, 0.5], "color": "qqqqqq"}, "Use a CSS colour word, #rrggbb"),
        ({"point": [0.5, 0.5], "color": [500, 0]}, "a*, b* are numbers of at most 128"),
        ({"point": [1.5, 0.5], "color": "red"}, "(1.5, 0.5) lies outside the picture"),
        ({"color": "red"}, "a hint is one of point, stroke, region, painted, not none"),
        ({"point": [0, 0], "region": [[0, 0], [1, 0], [1, 1]], "color": "red"}, "not point and region"),
        ({"stroke": [[0, 0]], "color": "red"}, "a stroke has at least 2 corners"),
        ({"point": [0.5, 0.5]}, "a hint has a color"),
        ({"point": [0.5, 0.5], "color": "red", "weight": 2}, "weight should be less than or equal to 1"),
        ({"point": [0.5, 0.5], "color": "red", "colour": 1}, "unknown option"),
        ({"point": [float("nan"), 0.5], "color": "red"}, "lies outside the picture"),
        ({"point": [0.5, 0.5], "color": "hsl(0, 150%, 10%)"}, "goes beyond 255"),
        ({"painted": "aGVsbG8="}, "painted is no PNG in base64, or a large one. Give the picture itself"),
    ],
)
def test_what_is_wrong_with_a_hint_is_one_line(hint: dict[str, Any], line: str) -> None:
    with pytest.raises(OptionError) as caught:
        Hint.checked(**hint)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_thousands_of_hints_are_refused_with_a_way_out() -> None:
    with pytest.raises(OptionError, match=r"2000 hints are more than the 1000.*Give a picture of hints"):
        HintSheet.for_photo(picture(), [GREEN] * 2000)


def test_a_file_of_hints_comes_back_as_it_was_written(tmp_path: Path) -> None:
    hints = [GREEN, {"stroke": [[0.1, 0.2], [0.3, 0.2]], "color": [12.5, -3.0], "width": 0.02, "weight": 0.5}]
    sheet = HintSheet.for_photo(picture(), [*hints, {"region": [[0, 0], [1, 0], [0, 1]], "color": "navy", "reach": 0}])
    path = tmp_path / "photo.hints.json"
    path.write_bytes(sheet.as_json())
    assert read_hints(path, picture()) == sheet


def test_the_schema_in_the_documents_is_that_of_the_code() -> None:
    written = json.loads((ROOT / "docs/hints.schema.json").read_text())
    assert written == HintSheet.model_json_schema()


def test_hints_of_another_photograph_are_refused_and_those_of_a_copy_are_not(tmp_path: Path) -> None:
    path = tmp_path / "photo.hints.json"
    path.write_bytes(HintSheet.for_photo(picture(), [GREEN]).as_json())
    smaller = Photo(np.asarray(Image.fromarray(picture().pixels[..., 0]).resize((64, 48)))[..., None])
    assert read_hints(path, smaller).hints == (Hint(**GREEN),)
    with pytest.raises(OptionError, match=r"made for another photograph .by its fingerprint"):
        read_hints(path, picture(1))
    with pytest.raises(OptionError, match=r"another photograph .128 x 96, and this is 96 x 128"):
        read_hints(path, picture(0, (128, 96)))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"hints": []}',
        '{"photochrom_hints": 1, "hints": [3]}',
        '{"photochrom_hints": 1, "hints": []}',
        '{"photochrom_hints": 1, "hints": [{"painted": "AA=="}]}',
        HUGE,
    ],
)
def test_what_is_no_file_of_hints_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text)
    with pytest.raises(photochrom.PhotochromError, match=r"wrong\.json") as caught:
        read_hints(path, picture())
    assert "\n" not in str(caught.value)


def painted(size: tuple[int, int], box: tuple[int, int, int, int] | None, path: Path) -> Path:
    image = Image.new("RGBA", size)
    if box:
        image.paste((0, 128, 0, 255), box)
    image.save(path)
    return path


def test_a_painted_picture_covers_what_was_painted_in_its_colour(tmp_path: Path) -> None:
    path = painted((64, 48), (16, 12, 32, 24), tmp_path / "photo.hints.png")
    drawn = draw(read_hints(path, picture()).hints, picture().pixels[..., 0] / np.float32(255))
    rows, columns = np.nonzero(drawn.number == 0)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (24, 47, 32, 63)
    assert np.allclose(drawn.ab[:, 30, 40], ab_of("green"), atol=0.1)
    assert not drawn.ab[:, drawn.number < 0].any()


@pytest.mark.parametrize(
    ("size", "box", "line"),
    [((64, 64), (0, 0, 9, 9), "another aspect"), ((64, 48), None, "empty"), ((64, 48), (0, 0, 64, 48), "transparent")],
)
def test_a_painted_picture_that_cannot_be_meant_is_refused(
    tmp_path: Path, size: tuple[int, int], box: tuple[int, int, int, int] | None, line: str
) -> None:
    with pytest.raises(OptionError, match=line):
        read_hints(painted(size, box, tmp_path / "p.png"), picture())


def test_a_model_that_cannot_hear_says_so() -> None:
    with pytest.raises(photochrom.ModelError, match=r"cannot take hints .*color/1"):
        photochrom.Colorizer(engine=FakeEngine()).run(picture(), [Hint(**GREEN)])


def test_on_the_command_line_nothing_is_written_where_hints_are_wrong(
    tmp_path: Path, make_photo: Callable[..., Path], hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from photochrom.cli.app import run

    photo, out = make_photo(), tmp_path / "out.png"
    sheet = tmp_path / "h.json"
    for text in ('{"photochrom_hints": 1, "hints": [{"point": [2, 0], "color": "red"}]}', "nonsense"):
        sheet.write_text(text)
        code = run(["colorize", str(photo), "-o", str(out), "--hints", str(sheet), "--model", str(hearing_model)])
        assert code in {1, 2}
    assert run(["colorize", str(photo), "-o", str(out), "--hints", str(tmp_path / "no.json")]) == EXIT_SOME_FAILED
    assert not out.exists()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "outside the picture" in lines[0]
    assert "no.json" in lines[2]


def test_an_unknown_key_of_a_file_is_told_beside_those_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.hints.json"
    path.write_text('{"photochrom_hints": 1, "author": "me", "hints": [{"point": [0.5, 0.5], "color": "red"}]}')
    with pytest.raises(OptionError, match=r"author unknown option. Known: hints, photo, photochrom_hints\."):
        read_hints(path)


def in_base64(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_painted_hints_are_looked_at_when_they_are_read_and_some_are_enough() -> None:
    green = Image.new("RGBA", (4, 3), (0, 128, 0, 255))
    for image in (Image.new("RGBA", (4, 3)), Image.new("RGBA", (2000, 4), "red")):
        with pytest.raises(OptionError, match=r"hint 1: .*(empty|no PNG in base64)"):
            HintSheet.for_photo(picture(), [{"painted": in_base64(image)}])
    with pytest.raises(OptionError, match="21 painted hints are more than the 20"):
        HintSheet.for_photo(picture(), [{"painted": in_base64(green)}] * 21)
    blue = Image.new("RGBA", (4, 3))
    blue.putpixel((1, 1), (0, 0, 255, 255))
    sheet = HintSheet.for_photo(picture(), [{"painted": in_base64(one)} for one in (green, blue)])
    drawn = draw(sheet.hints, picture().pixels[..., 0] / np.float32(255))
    assert (drawn.number >= 0).all()
    assert np.allclose(drawn.ab[:, 48, 48], ab_of("blue"), atol=0.1)
    assert np.allclose(drawn.ab[:, 5, 5], ab_of("green"), atol=0.1)


@pytest.mark.parametrize("grid", [(3, 20), (20, 3), (2, 2), (40, 40)])
def test_a_painted_dot_is_lost_on_no_grid(grid: tuple[int, int]) -> None:
    for place in np.ndindex(9, 9):
        image = Image.new("RGBA", (9, 9))
        image.putpixel(place, (0, 128, 0, 255))
        assert (draw([Hint(painted=in_base64(image))], np.zeros(grid, np.float32)).number == 0).any()


def test_a_layer_of_a_large_scan_is_worked_through_in_strips() -> None:
    height, width = 1536, 2048
    layer = np.zeros((height, width, 3), np.uint16)
    layer[..., 1] = 128 * 257
    layer[:, : width // 2, 1] += 257 * 20 * (np.arange(width // 2) % 2).astype(np.uint16)  # on the mean 138
    photo = Photo(layer, alpha=np.full((height, width), 65535, np.uint16))
    photo.alpha[: height // 4] = 0
    tracemalloc.start()
    try:
        kept = painted_from_picture(photo, width, height, "p.png")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * height * width  # a copy of doubles alone takes 24 bytes a pixel, and places of all 16 more
    small = painted_pixels(kept)
    assert small.shape == (192, 256, 4)
    assert not small[:48, :, 3].any()
    assert (small[48:, :128] == [0, 138, 0, 255]).all()
    assert (small[48:, 128:] == [0, 128, 0, 255]).all()
