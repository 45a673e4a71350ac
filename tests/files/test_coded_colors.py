"""Colours that AVIF and HEIC state in the coded picture alone: read as stated, in whatever way the picture is kept."""

from __future__ import annotations

import io
import re
import struct

import av
import imagecodecs
import numpy as np
import pytest

from photochrom.files.codecs.coded_colors import points_of_av1, points_of_hevc
from photochrom.files.codecs.item_blocks import colors_of_items, exif_of_avif
from photochrom.files.codecs.source import open_source
from photochrom.files.reading import open_photo
from tests.files.makers import textured
from tests.files.test_code_points import CONVERTED, PLAIN, box, heic


def stated_in_the_stream(primaries: int, transfer: int) -> bytes:
    data: bytes = imagecodecs.avif_encode(PLAIN, level=100, primaries=primaries, transfer=transfer)
    return data.replace(b"colrnclx", b"freenclx")


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 1), (12, 13), (1, 8)])
def test_avif_is_read_as_its_stream_states(primaries: int, transfer: int) -> None:
    data = stated_in_the_stream(primaries, transfer)
    with_box = imagecodecs.avif_encode(PLAIN, level=100, primaries=primaries, transfer=transfer)
    photo = open_photo(data)
    assert (photo.pixels == open_photo(with_box).pixels).all()
    assert photo.notes == CONVERTED


def test_light_that_srgb_has_no_codes_for_is_told() -> None:
    assert open_photo(stated_in_the_stream(9, 16)).notes == (
        "the colour space inside AVIF (PQ) is not read: taken as sRGB",
    )


def test_a_box_counts_before_the_stream() -> None:
    data = imagecodecs.avif_encode(PLAIN, level=100, primaries=9, transfer=16)
    assert open_photo(data.replace(b"nclx\0\x09\0\x10", b"nclx\0\x01\0\x0d")).notes == ()


def hevc(primaries: int, transfer: int, options: str, pixel_format: str) -> bytes:
    """Return the ``hvcC`` box's contents of a film that x265 made."""
    made = io.BytesIO()
    with av.open(made, "w", format="hevc") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": f"{options}log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, pixel_format
        stream.codec_context.color_primaries, stream.codec_context.color_trc = primaries, transfer
        frame = av.VideoFrame.from_ndarray(textured(64, 64), format="rgb24").reformat(format=pixel_format)
        frame.color_primaries, frame.color_trc, frame.pts = primaries, transfer, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    units = [unit for unit in re.split(b"\0\0\0\1|\0\0\1", made.getvalue()) if unit and unit[0] >> 1 in (32, 33, 34)]
    arrays = [struct.pack(">BHH", unit[0] >> 1, 1, len(unit)) + unit for unit in units]
    return bytes(22) + bytes([len(arrays)]) + b"".join(arrays)


@pytest.mark.parametrize(
    ("options", "pixel_format"),
    [
        ("", "yuv420p"), ("scaling-list=default:temporal-layers=3:", "yuv444p"), ("bframes=4:ref=4:", "yuv420p10le"),
        ("sar=10:11:overscan=show:hrd=1:vbv-maxrate=500:vbv-bufsize=500:", "yuv422p"),
    ],
)  # fmt: skip
def test_hevc_says_its_colours_in_its_parameters(options: str, pixel_format: str) -> None:
    configuration = hevc(9, 16, options, pixel_format)
    assert points_of_hevc(configuration) == (9, 16)
    assert points_of_hevc(configuration[: configuration.index(b"B\x01") + 20]) is None


def test_heic_is_read_as_its_stream_states() -> None:
    assert open_photo(heic(1, 13).replace(b"colrnclx", b"freenclx")).notes == ()
    configured = box(b"ipco", box(b"hvcC", hevc(12, 13, "", "yuv420p")))
    properties = configured + box(b"ipma", bytes(4), struct.pack(">LHBB", 1, 1, 1, 1))
    assert of_items(whole(box(b"pitm", bytes(4), b"\0\1"), box(b"iprp", properties)), "HEIC")


def test_a_grid_is_as_its_first_tile_states() -> None:
    stream = stated_in_the_stream(9, 1).split(b"mdat")[1]
    properties = box(b"ipco", box(b"av1C", bytes(4))) + box(b"ipma", bytes(4), struct.pack(">LHBB", 1, 2, 1, 1))
    tiles = box(b"iref", bytes(4), box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 3)))
    kept = box(b"idat", stream)
    places = struct.pack(">BBHHHHHLL", 0x44, 0, 1, 2, 1, 0, 1, 0, len(stream))
    located = box(b"iloc", b"\1\0\0\0", places)
    children = (box(b"pitm", bytes(4), b"\0\1"), tiles, box(b"iprp", properties), located, kept)
    assert of_items(whole(*children), "AVIF")
    assert not of_items(whole(*children[:-1]), "AVIF")


def test_exif_is_found_among_the_boxes_themselves() -> None:
    block = bytes(4) + b"MM\0*" + bytes(8)
    entry = box(b"infe", b"\2\0\0\0", struct.pack(">HH", 1, 0), b"Exif\0")
    places = struct.pack(">BBHHHHHLL", 0x44, 0, 1, 1, 1, 0, 1, 0, len(block))
    boxes = box(b"iinf", bytes(4), b"\0\1", entry), box(b"iloc", b"\1\0\0\0", places), box(b"idat", block)
    with open_source(whole(*boxes), 10_000) as source:
        assert exif_of_avif(source)[0] == block[4:]


def whole(*children: bytes) -> bytes:
    return box(b"ftyp", b"avif", bytes(4)) + box(b"meta", bytes(4), *children)


def of_items(data: bytes, format: str) -> bool:
    with open_source(data, 100_000) as source:
        return colors_of_items(source, gray=False, format=format).profile is not None


@pytest.mark.parametrize("broken", [b"", b"\x0a", b"\x0a\xff" * 20, b"\x12\x00" * 300, bytes(200), b"\xff" * 200])
def test_what_is_no_stream_says_nothing(broken: bytes) -> None:
    assert points_of_av1(broken) is None
    assert points_of_hevc(bytes(22) + broken) is None


def test_every_cut_of_a_stream_is_taken_calmly() -> None:
    stream = stated_in_the_stream(9, 1).split(b"mdat")[1]
    assert points_of_av1(stream) == (9, 1)
    assert {points_of_av1(stream[:end]) for end in range(len(stream))} == {None, (9, 1)}
    assert np.all([points_of_hevc(bytes(22) + b"\1\x21\0\1\1\0" + stream[:end]) is None for end in range(60)])
