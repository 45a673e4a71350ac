"""What a Photo refuses: arrays that would end in a wrong picture, or in an error far away that names nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photochrom import Photo, UnreadablePhotoError

GREY = np.zeros((4, 6, 1), np.uint8)


@pytest.mark.parametrize(
    ("pixels", "told"),
    [
        (np.zeros((4, 6), np.uint8), r"shape \(4, 6\) and type uint8"),
        (np.zeros((4, 6, 4), np.uint8), r"shape \(4, 6, 4\)"),
        (np.zeros((0, 6, 3), np.uint8), r"shape \(0, 6, 3\)"),
        (np.zeros((4, 6, 3), np.float32), "type float32"),
        (np.zeros((4, 6, 3), np.int64), "type int64"),
        (np.zeros((4, 6, 3), ">u2"), "type >u2"),
        ([[1, 2]], r"shape \(1, 2\)"),
    ],
)
def test_pixels_that_are_no_photo(pixels: Any, told: str) -> None:
    with pytest.raises(UnreadablePhotoError, match=f"^Photo: pixels of .*{told}"):
        Photo(pixels)


@pytest.mark.parametrize(
    ("name", "plane"),
    [
        ("alpha", np.zeros((6, 4), np.uint8)),
        ("alpha", np.zeros((4, 6), np.uint16)),
        ("infrared", np.zeros((4, 6, 1), np.uint8)),
        ("holes", np.zeros((4, 6), np.uint8)),
        ("holes", [[True]]),
    ],
)
def test_planes_that_do_not_lie_on_it(name: str, plane: Any) -> None:
    with pytest.raises(UnreadablePhotoError, match=f"^Photo: {name} of shape"):
        Photo(GREY, **{name: plane})


def test_what_lies_on_it_is_taken() -> None:
    deep = np.zeros((4, 6, 3), np.uint16)
    photo = Photo(deep, alpha=deep[..., 0], infrared=deep[..., 1], holes=np.zeros((4, 6), bool))
    assert (photo.depth, photo.width, photo.height) == (16, 6, 4)
