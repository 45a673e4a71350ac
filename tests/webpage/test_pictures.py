"""What the page saves is what Python makes of one view: luma exact, chroma within a code value, in a real Chromium."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import photochrom
from photochrom.color import chroma
from photochrom.engines.catalog import find_card
from photochrom.files.provenance import read_provenance
from tests.webpage.photographs import RNG, as_png, photograph


@pytest.fixture(scope="module")
def colorizer() -> Iterator[photochrom.Colorizer]:
    with photochrom.Colorizer(options=photochrom.ColorizeOptions(size=224)) as made:
        yield made


PICTURES = {
    "grey, wide": photograph(300, 640),
    "narrow": photograph(640, 40),
    "tiny": photograph(9, 5),
    "faded": photograph(200, 200, 100, 190),
    "dark": photograph(220, 260, 0, 40),
    "sepia": np.clip(photograph(240, 320)[..., None] * np.array([1.0, 0.86, 0.65]), 0, 255).astype(np.uint8),
    "blank": np.full((50, 60), 200, dtype=np.uint8),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_pythons_for_one_view(
    name: str, develop: Callable[..., dict[str, Any]], colorizer: photochrom.Colorizer
) -> None:
    pixels = PICTURES[name]
    same_as_python(np.asarray(Image.open(io.BytesIO(develop(as_png(pixels))["saved"]))), pixels, colorizer)


@pytest.mark.parametrize("look", [(0.5, 0.0), (1.6, 30.0)])
def test_looks_are_pythons_too(
    look: tuple[float, float], develop: Callable[..., dict[str, Any]], colorizer: photochrom.Colorizer
) -> None:
    pixels = PICTURES["grey, wide"]
    found = np.asarray(Image.open(io.BytesIO(develop(as_png(pixels), look)["saved"])))
    options = photochrom.ColorizeOptions(size=224, vividness=look[0], warmth=look[1])
    same_as_python(found, pixels, photochrom.Colorizer(options=options, engine=colorizer.engine))


HINTS = ({"point": [0.3, 0.8], "color": "#a03030"}, {"point": [0.72, 0.25], "color": "#2040a0"})


# In the narrow one, hints and their edges are a large part of the picture.
@pytest.mark.parametrize(("name", "within_one"), [("grey, wide", 0.999), ("narrow", 0.98)])
def test_hints_are_followed_as_in_python(
    name: str, within_one: float, develop: Callable[..., dict[str, Any]], colorizer: photochrom.Colorizer
) -> None:
    pixels = PICTURES[name]
    found = np.asarray(Image.open(io.BytesIO(develop(as_png(pixels), hints=HINTS)["saved"])))
    given = [photochrom.Hint(**hint) for hint in HINTS]
    expected = colorizer.run(photochrom.Photo(pixels[..., None]), given).photo.pixels
    same_luma(found, pixels)
    apart = chroma_apart(found, expected)
    assert apart.max() <= 3  # at the edges that stop a hint, where a little rounding is a step
    assert (apart <= 1).mean() > within_one


def test_a_file_says_that_a_person_gave_colours(develop: Callable[..., dict[str, Any]]) -> None:
    saved = develop(as_png(PICTURES["faded"]), hints=HINTS)["saved"]
    provenance = read_provenance(photochrom.open_photo(saved).metadata.xmp)
    assert provenance is not None
    assert provenance.settings["hints"] == {"count": 2, "by_person": 2, "colors": ["#a03030", "#2040a0"]}
    assert provenance.colors_given == ["#a03030", "#2040a0"]


def same_as_python(found: np.ndarray, pixels: np.ndarray, colorizer: photochrom.Colorizer) -> None:
    """Luma exact, chroma within one code value."""
    same_luma(found, pixels)
    assert chroma_apart(found, colorizer(pixels)).max() <= 1


def same_luma(found: np.ndarray, pixels: np.ndarray) -> None:
    assert (np.asarray(Image.fromarray(found).convert("L")) == np.asarray(Image.fromarray(pixels).convert("L"))).all()


def chroma_apart(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How far each pixel's Cb and Cr are apart, in code values."""
    assert found.shape == expected.shape
    return np.abs(chroma(found / 255.0) - chroma(expected / 255.0)) * 255


def test_transparency_is_kept(develop: Callable[..., dict[str, Any]]) -> None:
    grey, alpha = photograph(60, 80), np.full((60, 80), 255, dtype=np.uint8)
    alpha[:, :20] = 0
    found = np.asarray(Image.open(io.BytesIO(develop(as_png(np.dstack([grey, grey, grey, alpha])))["saved"])))
    assert (found[..., 3] == alpha).all()
    opaque = np.ascontiguousarray(found[:, 20:, :3])
    assert (np.asarray(Image.fromarray(opaque).convert("L")) == grey[:, 20:]).all()


def test_photographs_stand_upright(develop: Callable[..., dict[str, Any]]) -> None:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    grey = photograph(80, 120)
    Image.fromarray(grey).save(stream, "JPEG", quality=95, exif=exif)
    saved = Image.open(io.BytesIO(develop(stream.getvalue())["saved"]))
    assert saved.size == (80, 120)
    apart = np.asarray(saved.convert("L")).astype(int) - np.rot90(grey, -1).astype(int)
    assert np.abs(apart).mean() < 3


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
def test_webp_stands_upright_though_the_browser_does_not_turn_it(
    orientation: int, develop: Callable[..., dict[str, Any]]
) -> None:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(photograph(40, 64)).save(stream, "WEBP", lossless=True, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(stream)).convert("L")
    saved = Image.open(io.BytesIO(develop(stream.getvalue())["saved"]))
    assert (np.asarray(saved.convert("L")) == np.asarray(expected)).all()


def test_a_picture_wider_than_any_canvas_is_read(develop: Callable[..., dict[str, Any]]) -> None:
    grey = np.tile(photograph(6, 70), (1, 1000))
    found = np.asarray(Image.open(io.BytesIO(develop(as_png(grey))["saved"])))
    same_luma(found, grey)


def test_jpeg_says_too_that_a_model_made_its_colours(develop: Callable[..., dict[str, Any]]) -> None:
    for format in ("png", "jpeg"):
        saved = develop(as_png(photograph(64, 64)), (1.5, 0.0), format)["saved"]
        provenance = read_provenance(photochrom.open_photo(saved).metadata.xmp)
        assert provenance is not None
        assert provenance.model_sha256 == find_card("photochrom-color").sha256
        assert provenance.settings["vividness"] == 1.5
        assert provenance.source_type.endswith("compositeWithTrainedAlgorithmicMedia")


def test_what_to_know_of_a_photograph_is_noted(develop: Callable[..., dict[str, Any]]) -> None:
    colored = RNG.integers(0, 255, (12, 16, 3), dtype=np.uint8).repeat(6, axis=0).repeat(6, axis=1)
    deep = (photograph(40, 40).astype(np.uint16) * 257).astype(np.uint16)
    assert develop(as_png(colored))["notes"] == ["colored"]
    assert develop(as_png(deep))["notes"] == ["depth"]
    assert develop(as_png(PICTURES["blank"]))["blank"]
    for format in ("GIF", "PNG", "WEBP"):
        stream, frames = io.BytesIO(), [Image.fromarray(photograph(30, 40)) for _ in range(2)]
        frames[0].save(stream, format, save_all=True, append_images=frames[1:])
        assert develop(stream.getvalue())["notes"] == ["moves"], format
        frames[0].save(still := io.BytesIO(), format)
        assert develop(still.getvalue())["notes"] == [], format
