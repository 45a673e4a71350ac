"""The caption: there when asked for, in its corner, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.errors import OptionError
from photochrom.files.caption import with_caption
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import encode_photo
from photochrom.options import OutputOptions
from tests.files.makers import textured

TEXT = "Colours added by a model"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_only_the_corner_changes(dtype: type, channels: int) -> None:
    pixels = textured(600, 900, channels, dtype)
    before = pixels.copy()
    marked = with_caption(pixels, TEXT)
    assert (pixels == before).all()
    assert marked.shape == pixels.shape
    assert marked.dtype == pixels.dtype
    rows, columns = np.nonzero((marked != pixels).any(axis=2))
    assert rows.min() > 540
    assert columns.max() < 400
    assert marked[560:, :400].max() > 0.9 * np.iinfo(dtype).max, "the letters are white"


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 5), (40, 60)])
def test_small_pictures_are_marked_as_far_as_they_go(shape: tuple[int, int]) -> None:
    pixels = textured(*shape)
    assert with_caption(pixels, TEXT).shape == pixels.shape


def test_it_is_written_only_when_asked_for() -> None:
    photo = Photo(textured(200, 300))
    plain, marked = (open_photo(encode_photo(photo, "png", options=OutputOptions(mark=mark))) for mark in (None, TEXT))
    assert (plain.pixels == photo.pixels).all()
    assert (marked.pixels[:150] == photo.pixels[:150]).all()
    assert (marked.pixels != photo.pixels).any()


def test_an_empty_mark_is_an_error() -> None:
    with pytest.raises(OptionError, match="mark"):
        OutputOptions.checked(mark="")
