"""Colours that a file states by code points: converted where that can be done, told where it cannot."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from photochrom.color import srgb_from_linear
from photochrom.files.codecs import icc
from photochrom.files.codecs.item_blocks import colors_of_items
from photochrom.files.codecs.png import chunk, with_chunks
from photochrom.files.codecs.source import open_source
from photochrom.files.reading import open_photo
from tests.files.makers import pillow_bytes

CONVERTED = ("converted from its colour profile to sRGB",)
PLAIN = np.full((16, 16, 3), (200, 60, 40), np.uint8)
GRAY = np.full((16, 16, 1), 128, np.uint8)


def png(pixels: np.ndarray, *points: int, icc_profile: bytes | None = None) -> bytes:
    return with_chunks(pillow_bytes(pixels, "PNG", icc_profile=icc_profile), [chunk(b"cICP", bytes(points))])


def avif(pixels: np.ndarray, primaries: int, transfer: int) -> bytes:
    return restated(pillow_bytes(pixels, "AVIF", quality=100, subsampling="4:4:4"), primaries, transfer)


def heic(primaries: int, transfer: int) -> bytes:
    return restated((Path(__file__).parent / "data" / "turned.heic").read_bytes(), primaries, transfer)


def restated(data: bytes, primaries: int, transfer: int) -> bytes:
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.parametrize(
    ("primaries", "transfer", "expected"),
    [
        (1, 13, [200, 60, 40]), (2, 2, [200, 60, 40]), (12, 13, [217, 42, 23]), (1, 8, [229, 133, 110]),
        (1, 1, [206, 75, 56]), (9, 14, [252, 11, 44]), (1, 4, [201, 57, 35]),
    ],
)  # fmt: skip
def test_colours_by_code_points_become_srgb(primaries: int, transfer: int, expected: list[int]) -> None:
    photo = open_photo(png(PLAIN, primaries, transfer, 0, 1))
    assert photo.pixels[5, 5].tolist() == expected
    assert photo.notes == (() if expected == [200, 60, 40] else CONVERTED)
    of_items = open_photo(avif(PLAIN, primaries, transfer))
    assert np.abs(of_items.pixels[5, 5].astype(int) - expected).max() <= 6  # AVIF itself has 61 for 60
    assert of_items.notes == photo.notes


def test_bt_2020_agrees_with_its_definition() -> None:
    linear = ((PLAIN[0, 0] / 255 + 0.099) / 1.099) ** (1 / 0.45)
    # BT.2087-0, table 2: from BT.2020 to BT.709.
    matrix = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    expected = np.clip(srgb_from_linear(np.clip(matrix @ linear, 0, 1)), 0, 1) * 255
    assert np.abs(open_photo(png(PLAIN, 9, 14, 0, 1)).pixels[5, 5] - expected).max() <= 1


def test_greys_have_a_curve_and_no_primaries() -> None:
    assert open_photo(png(GRAY, 1, 8, 0, 1)).pixels[0, 0, 0] == 188
    assert open_photo(png(GRAY, 9, 13, 0, 1)).notes == ()
    assert open_photo(png(GRAY, 10, 1, 0, 1)).pixels[0, 0, 0] == 140


@pytest.mark.parametrize(
    ("primaries", "transfer", "named"),
    [(9, 16, "PQ"), (9, 18, "HLG"), (10, 13, "code points 10, 13"), (1, 9, "code points 1, 9")],
)
def test_colours_that_nobody_converts_are_told(primaries: int, transfer: int, named: str) -> None:
    for format, data in (
        ("PNG", png(PLAIN, primaries, transfer, 0, 1)), ("AVIF", avif(PLAIN, primaries, transfer)),
        ("HEIC", heic(primaries, transfer)),
    ):  # fmt: skip
        assert open_photo(data).notes == (f"the colour space inside {format} ({named}) is not read: taken as sRGB",)


def test_heic_by_code_points_becomes_srgb() -> None:
    plain, wide = open_photo(heic(1, 13)), open_photo(heic(12, 13))
    assert plain.notes == ()
    assert wide.notes == CONVERTED
    assert (plain.pixels != wide.pixels).any()


def test_codes_of_video_in_a_png_are_told() -> None:
    assert open_photo(png(PLAIN, 1, 13, 0, 0)).notes == (
        "the colour space inside PNG (a matrix or a range of video) is not read: taken as sRGB",
    )


def test_a_profile_counts_before_code_points() -> None:
    photo = open_photo(png(PLAIN, 9, 16, 0, 1, icc_profile=icc.srgb_profile()))
    assert (photo.pixels == PLAIN).all()
    assert photo.notes == ()


def box(name: bytes, *contents: bytes) -> bytes:
    return struct.pack(">L", 8 + sum(map(len, contents))) + name + b"".join(contents)


@pytest.mark.parametrize(("primary", "transfer"), [(1, 13), (2, 8), (3, 13)])
def test_the_colours_of_the_primary_item_count(primary: int, transfer: int) -> None:
    first, second = (box(b"colr", b"nclx", struct.pack(">HHHB", 1, code, 0, 128)) for code in (13, 8))
    of_items = b"".join(struct.pack(">HBB", item, 1, number) for item, number in ((1, 2), (2, 3), (3, 1)))
    properties = box(b"ipco", box(b"pixi", bytes(8)), first, second)
    associations = box(b"ipma", bytes(4), struct.pack(">L", 3), of_items)
    primary_box = box(b"pitm", bytes(4), struct.pack(">H", primary))
    data = box(b"ftyp", b"avif", bytes(4)) + box(b"meta", bytes(4), primary_box, box(b"iprp", properties, associations))
    with open_source(data, 10_000) as source:
        stated = colors_of_items(source, gray=False, format="AVIF")
    assert (stated.profile is None) == (transfer == 13)
