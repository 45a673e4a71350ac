"""What files say of themselves in places that are easily passed over: GIF's comments, packed boxes, IPTC, the Earth."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from photochrom.files.codecs import gif, iptc, jxl, xmp
from photochrom.files.codecs.source import open_source
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import save_photo
from tests.files.makers import pillow_bytes, textured

PIXELS = np.full((16, 16, 3), 90, np.uint8)


@pytest.mark.parametrize(
    ("comment", "text"),
    [(b"Caf\xe9 1950", "Café 1950"), ("Köln".encode(), "Köln"), (b"long " * 200, "long " * 200), (b" ", None)],
)
def test_comments_of_a_gif_go_on(comment: bytes, text: str | None, tmp_path: Path) -> None:
    photo = open_photo(pillow_bytes(textured(channels=1), "GIF", comment=comment))
    expected = () if text is None else (("Comment", text),)
    assert photo.metadata.texts == expected
    save_photo(photo, tmp_path / "a.png")
    assert open_photo(tmp_path / "a.png").metadata.texts == expected


def test_comments_behind_the_pixels_of_a_gif_are_found() -> None:
    frames = [Image.new("P", (8, 8), tone) for tone in (1, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    data = buffer.getvalue()[:-1] + b"\x21\xfe\x05later\x00\x3b"
    assert open_photo(data).metadata.texts == (("Comment", "later"),)


def test_comments_of_a_gif_have_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pillow_bytes(textured(channels=1), "GIF", comment=b"c" * 300)
    monkeypatch.setattr(gif, "MAX_COMMENT_BYTES", 299)
    assert open_photo(data).notes == ("comments too far behind, or too long, left out",)
    monkeypatch.undo()
    monkeypatch.setattr(gif, "MAX_BLOCKS", 1)
    assert open_photo(data).notes == ("comments too far behind, or too long, left out",)


CUT = [b"GIF89a", b"GIF89a" + bytes(4) + b"\xff" + bytes(2), b"GIF89a" + bytes(7) + b"!\xfe\x09ab"]


@pytest.mark.parametrize("data", CUT)
def test_a_cut_gif_has_no_end_to_look_for(data: bytes) -> None:
    with open_source(data, 1000) as source:
        assert gif.comments_of(source)[1] == []


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", 8 + len(data)) + kind + data


def packed_jxl(exif: bytes, packet: bytes) -> bytes:
    bare = imagecodecs.jpegxl_encode(PIXELS, lossless=True, usecontainer=False)
    head = jxl.CONTAINER + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return head + box(b"brob", b"Exif" + exif) + box(b"brob", b"xml " + packet) + box(b"jxlc", bare)


EXIF = struct.pack("<2sHLHHHLLL", b"II", 42, 8, 1, 270, 2, 6, 26, 0) + b"hello\0"
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="archive"/></rdf:RDF>'
    b"</x:xmpmeta>"
)


def test_packed_boxes_of_jpeg_xl_are_read() -> None:
    pack = imagecodecs.brotli_encode
    photo = open_photo(packed_jxl(pack(bytes(4) + EXIF), pack(PACKET)))
    assert b"hello" in (photo.metadata.exif or b"")
    assert xmp.read_property(photo.metadata.xmp or b"", iptc.XmpProperty("dc", "source", "text")) == ["archive"]
    assert photo.notes == ()


@pytest.mark.parametrize("packed", [b"no brotli", imagecodecs.brotli_encode(bytes(16_000_001))])
def test_packed_boxes_that_cannot_be_read_are_told(packed: bytes) -> None:
    photo = open_photo(packed_jxl(imagecodecs.brotli_encode(bytes(4) + EXIF), packed))
    assert b"hello" in (photo.metadata.exif or b"")
    assert photo.metadata.xmp is None
    assert photo.notes == ("packed EXIF or XMP that is damaged or too large left out",)


def dataset(number: int, value: bytes, *, extended: bool = False) -> bytes:
    size = b"\x80\x04" + struct.pack(">L", len(value)) if extended else struct.pack(">H", len(value))
    return bytes([0x1C, 2, number]) + size + value


RECORDS = b"".join(
    [
        dataset(0, b"\x00\x04"), dataset(4, b"001:Current"), dataset(5, b"Title", extended=True), dataset(10, b"1"),
        dataset(12, b"IPTC:01002000:arts"), dataset(15, b"ACE"), dataset(20, b"Theatre"), dataset(20, b"Opera"),
        dataset(26, b"DEU"), dataset(55, b"19500102"), dataset(60, b"101500+0100"), dataset(62, b"20010203"),
        dataset(63, b"040506"), dataset(118, b"Mr X"), dataset(118, b"Mrs Y"),
    ]
)  # fmt: skip


def test_iptc_records_have_the_iptcs_own_places_in_xmp(tmp_path: Path) -> None:
    notes = save_photo(Photo(PIXELS, metadata=Metadata(iptc=RECORDS)), tmp_path / "a.png")
    assert notes == (
        "IPTC records that XMP has no word for left out: 2:26, 2:118",
        "IPTC records written as XMP, which PNG can hold",
    )
    packet = open_photo(tmp_path / "a.png").metadata.xmp or b""
    told = {number: xmp.read_property(packet, iptc.XMP_OF_DATASET[number]) for number in (4, 5, 10, 12, 15, 20, 55, 62)}
    assert told == {
        4: ["Current"], 5: ["Title"], 10: ["1"], 12: ["01002000"], 15: ["ACE"], 20: ["Theatre", "Opera"],
        55: ["1950-01-02T10:15:00+01:00"], 62: ["2001-02-03T04:05:06"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        (b"19500102", b"nine", "1950-01-02"), (b"19500102", b"101500", "1950-01-02T10:15:00"),
        (b"1950", b"101500+0100", "1950"), (b"19500102", b"", "1950-01-02"),
    ],
)  # fmt: skip
def test_a_time_follows_a_whole_date_only(date: bytes, time: bytes, expected: str) -> None:
    found = iptc.xmp_properties(dataset(60, time) + dataset(55, date))
    assert found == {iptc.XMP_OF_DATASET[55]: [expected]}
    assert iptc.without_place(dataset(60, b"101500")) == ["2:60"]


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_part_of_the_earth_it_shows_goes_from_tiff_to_tiff(order: str, tmp_path: Path) -> None:
    tags = {
        297: (3, 2, (1, 4)), 33550: (12, 3, (1.5, 2.5, 0.0)), 33922: (12, 6, (0.0, 0.0, 0.0, 4e5, 5e6, 0.0)),
        34735: (3, 8, (1, 1, 0, 1, 1024, 0, 1, 1)), 34736: (12, 2, (6378137.0, 298.25)), 34737: (2, 0, "WGS84|"),
        42112: (2, 0, "<GDALMetadata/>"), 42113: (2, 0, "0"),
    }  # fmt: skip
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, PIXELS, photometric="rgb", metadata=None, byteorder=order,
        extratags=[(tag, kind, count, value, True) for tag, (kind, count, value) in tags.items()],
    )  # fmt: skip
    assert save_photo(open_photo(buffer.getvalue()), tmp_path / "a.tif") == ()
    with tifffile.TiffFile(tmp_path / "a.tif") as written:
        assert {tag: written.pages.first.tags[tag].value for tag in tags} == {
            tag: value for tag, (_, _, value) in tags.items()
        }


@pytest.mark.parametrize("orientation", [2, 6])
def test_what_was_said_of_a_picture_before_it_was_turned_upright_is_left_out_and_told(
    orientation: int, tmp_path: Path
) -> None:
    tags = {
        274: (3, 1, orientation), 33550: (12, 3, (1.5, 2.5, 0.0)), 33922: (12, 6, (0.0, 0.0, 0.0, 4e5, 5e6, 0.0)),
        34264: (12, 16, tuple(map(float, range(16)))), 34735: (3, 4, (1, 1, 0, 0)), 34737: (2, 0, "WGS84|"),
    }  # fmt: skip
    buffer = io.BytesIO()
    extra = [(tag, kind, count, value, True) for tag, (kind, count, value) in tags.items()]
    tifffile.imwrite(buffer, PIXELS, photometric="rgb", metadata=None, extratags=extra)
    photo = open_photo(buffer.getvalue())
    assert photo.notes == (
        "its place on the Earth (GeoTIFF) left out: that is said of the picture before it was turned upright",
    )
    save_photo(photo, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as written:
        assert {tag for tag in tags if tag in written.pages.first.tags} - {274} == {34735, 34737}
