"""What a photograph says about itself is found wherever it stands, goes along, and is corrected where it got untrue."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from photochrom.files.codecs import exif, iptc, jpeg
from photochrom.files.codecs.jpeg import APP1, EXIF_HEADER, XMP_HEADER, jfif_segment, segment, with_segments
from photochrom.files.codecs.png import SIGNATURE, chunk
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import encode_photo
from tests.files.makers import pillow_bytes, textured

APP13, COM = 0xED, 0xFE
RECORDS = b"\x1c\x01Z\x00\x03\x1b%G" + b"\x1c\x02\x78\x00\x0d" + "Köln, Bastei".encode() + b"\x1c\x02\x19\x00\x03cat"
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Köln"{}>{}'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def block(tags: list[tuple[int, int, int]], order: str = "<") -> bytes:
    """An EXIF block of SHORT values, in this order and as often as given."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    entries = b"".join(struct.pack(order + "HHLHH", tag, kind, 1, value, 0) for tag, kind, value in tags)
    return head + struct.pack(order + "LH", 8, len(tags)) + entries + bytes(4)


EXIF = block([(271, 2, 0x41), (274, 3, 1)])


def jpeg_of(*segments: bytes, pixels: np.ndarray | None = None) -> bytes:
    data = pillow_bytes(textured(channels=1) if pixels is None else pixels, "JPEG")
    return with_segments(data, list(segments))


def png_of(before: list[bytes], behind: list[bytes]) -> bytes:
    header, pixels = struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0), zlib.compress(bytes(20))
    parts = [chunk(b"IHDR", header), *before, chunk(b"IDAT", pixels), *behind, chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(parts)


def resource(identity: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHL", identity, 0, len(data)) + data + bytes(len(data) % 2)


def app13(data: bytes) -> bytes:
    return segment(APP13, b"Photoshop 3.0\0" + data)


RESOLUTION = struct.pack(">LHHLHH", 600 << 16, 1, 1, 400 << 16, 1, 1)
LONG_RECORDS = RECORDS + (b"\x1c\x02\x19\x20\x00" + b"k" * 0x2000) * 12


@pytest.mark.parametrize("format", ["jpeg", "tiff"])
@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([app13(resource(0x0404, RECORDS))], RECORDS),
        ([app13(resource(1000, b"else")), app13(resource(0x0404, RECORDS))], RECORDS),
        ([app13(resource(0x0404, RECORDS)[:31]), app13(resource(0x0404, RECORDS)[31:])], RECORDS),
        ([app13(resource(0x0404, RECORDS)), app13(resource(0x0404, RECORDS[7:]))], RECORDS + RECORDS[7:]),
        ([segment(COM, b"words"), app13(resource(0x0404, RECORDS))], RECORDS),
    ],
    ids=["one", "second", "split", "two", "behind a comment"],
)
def test_iptc_in_whichever_segments(segments: list[bytes], expected: bytes, format: str) -> None:
    photo = open_photo(jpeg_of(jfif_segment(None), *segments))
    assert photo.metadata.iptc == expected
    assert open_photo(encode_photo(photo, format)).metadata.iptc == expected


def test_iptc_longer_than_a_segment_is_read_and_goes_into_a_tiff() -> None:
    whole = resource(0x0404, LONG_RECORDS)
    photo = open_photo(jpeg_of(*(app13(whole[at : at + 60_000]) for at in range(0, len(whole), 60_000))))
    assert photo.metadata.iptc == LONG_RECORDS
    assert open_photo(encode_photo(photo, "tiff")).metadata.iptc == LONG_RECORDS


@pytest.mark.parametrize(
    ("segments", "dpi"),
    [
        ([app13(resource(0x03ED, RESOLUTION))], (600.0, 400.0)),
        ([jfif_segment(None), app13(resource(0x03ED, RESOLUTION))], (600.0, 400.0)),
        ([segment(APP1, EXIF_HEADER + EXIF), jfif_segment((1200, 1200))], (1200.0, 1200.0)),
        ([segment(COM, b"first"), jfif_segment((300, 200)), app13(resource(0x03ED, RESOLUTION))], (300.0, 200.0)),
        ([jfif_segment((0, 0))], None),
    ],
)
@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp"])
def test_resolution_wherever_it_is_stated(segments: list[bytes], dpi: tuple[float, float] | None, format: str) -> None:
    photo = open_photo(jpeg_of(*segments))
    assert photo.metadata.dpi == dpi
    assert open_photo(encode_photo(photo, format)).metadata.dpi == pytest.approx(dpi)


def test_blocks_behind_rubbish_and_fill_bytes_are_found_as_decoders_find_them() -> None:
    rubbish = b"\x00\x17\xff\xff\xff\x00"
    photo = open_photo(jpeg_of(jfif_segment(None), rubbish + segment(APP1, EXIF_HEADER + EXIF)))
    assert photo.metadata.exif is not None


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp", "avif"])
def test_png_blocks_before_and_behind_the_pixels(place: str, format: str) -> None:
    packet = PACKET.format("", "").encode()
    chunks = [chunk(b"eXIf", EXIF), chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + packet)]
    photo = open_photo(png_of(*((chunks, []) if place == "before" else ([], chunks))))
    again = open_photo(encode_photo(photo, format))
    assert again.metadata.exif is not None
    assert "Köln" in (again.metadata.xmp or b"").decode()


@pytest.mark.parametrize("packed", [False, True])
def test_profiles_that_image_magick_tells_as_text(packed: bool) -> None:
    def told(kind: str, data: bytes) -> bytes:
        text = f"\n{kind}\n{len(data):8}\n{data.hex()}\n".encode()
        name = f"Raw profile type {kind}".encode()
        return chunk(b"zTXt", name + b"\0\0" + zlib.compress(text)) if packed else chunk(b"tEXt", name + b"\0" + text)

    packet = PACKET.format("", "").encode()
    chunks = [told("exif", EXIF_HEADER + EXIF), told("iptc", resource(0x0404, RECORDS)), told("xmp", packet)]
    found = open_photo(png_of(chunks, [])).metadata
    assert (found.exif, found.iptc, found.xmp) == (EXIF, RECORDS, packet)
    assert open_photo(png_of([told("APP1", XMP_HEADER + packet)], [])).metadata.xmp == packet
    assert open_photo(png_of([chunk(b"eXIf", EXIF), told("exif", b"II*\0zz")], [])).metadata.exif == EXIF


TEXTS = (("Title", "Grandmother"), ("Comment", "Плёнка 12"), ("Copyright", "© the family"), ("Inventory", "A 17"))


@pytest.mark.parametrize("place", ["before", "behind"])
def test_png_texts_go_on_into_every_format(place: str) -> None:
    chunks = [
        chunk(b"tEXt", b"Title\0Grandmother"),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress("Плёнка 12".encode())),
        chunk(b"zTXt", b"Copyright\0\0" + zlib.compress("© the family".encode("latin-1"))),
        chunk(b"tEXt", b"Inventory\0A 17"),
        chunk(b"tEXt", b"Thumb::Size\0" + b"9"),
    ]
    photo = open_photo(png_of(*((chunks, []) if place == "before" else ([], chunks))))
    assert photo.metadata.texts == TEXTS
    assert open_photo(encode_photo(photo, "png")).metadata.texts == TEXTS
    with Image.open(io.BytesIO(encode_photo(photo, "png"))) as other:
        assert {key: str(value) for key, value in other.info.items()} == dict(TEXTS)  # type: ignore[attr-defined]
    in_jpeg = [text for _, text in open_photo(encode_photo(photo, "jpeg")).metadata.texts]
    assert in_jpeg == ["Title: Grandmother", "Плёнка 12", "Copyright: © the family", "Inventory: A 17"]
    for format in ("tiff", "webp", "avif"):
        packet = (open_photo(encode_photo(photo, format)).metadata.xmp or b"").decode()
        assert all(text in packet for _, text in TEXTS), format


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_jpeg_comments_go_on(encoding: str) -> None:
    data = jpeg_of(segment(COM, "Glass plate, Köln".encode(encoding)), segment(COM, b"box 3\0"))
    photo = open_photo(data)
    assert photo.metadata.texts == (("Comment", "Glass plate, Köln"), ("Comment", "box 3"))
    with Image.open(io.BytesIO(encode_photo(photo, "jpeg"))) as other:
        assert other.info["comment"] in ("Glass plate, Köln".encode(), b"box 3")
    assert open_photo(encode_photo(photo, "png")).metadata.texts == photo.metadata.texts


def test_texts_that_xml_cannot_hold_do_not_spoil_the_packet() -> None:
    photo = Photo(textured(), metadata=open_photo(png_of([chunk(b"tEXt", b"Title\0a\x01b\x0c<&>")], [])).metadata)
    packet = open_photo(encode_photo(photo, "tiff")).metadata.xmp or b""
    assert b"ab&lt;&amp;&gt;" in packet


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tags", [[6, 1], [1, 6], [6, 6, 3]])
def test_of_several_orientations_the_first_counts_and_none_is_left_to_turn_the_result(
    tags: list[int], order: str
) -> None:
    photo = open_photo(jpeg_of(segment(APP1, EXIF_HEADER + block([(274, 3, tag) for tag in tags], order))))
    assert (photo.width, photo.height) == ((48, 64) if tags[0] == 6 else (64, 48))
    result = exif.ExifBlock(photo.metadata.exif or b"")
    entries = [struct.unpack_from(order + "HHLH", result.data, at) for at in range(10, result.main.next_at, 12)]
    assert entries == [(274, 3, 1, 1)]


def test_tags_of_the_grey_file_are_gone_and_the_others_stay() -> None:
    layout = [(258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1), (284, 3, 1), (301, 3, 5)]
    kept = [(256, 3, 9), (257, 3, 9), (271, 2, 0x41), (274, 3, 1), (305, 2, 0x42)]
    for order in "<>":
        photo = open_photo(jpeg_of(segment(APP1, EXIF_HEADER + block(sorted(layout + kept), order))))
        found = exif.ExifBlock(photo.metadata.exif or b"").main.entries
        assert set(found) == {tag for tag, _, _ in kept}


UNTRUE = {
    "tiff": ("http://ns.adobe.com/tiff/1.0/", ["SamplesPerPixel", "PhotometricInterpretation", "BitsPerSample"]),
    "exif": ("http://ns.adobe.com/exif/1.0/", ["ColorSpace", "PixelXDimension"]),
    "photoshop": ("http://ns.adobe.com/photoshop/1.0/", ["ColorMode", "ICCProfile"]),
    "crs": ("http://ns.adobe.com/camera-raw-settings/1.0/", ["ConvertToGrayscale", "Treatment"]),
    "hdrgm": ("http://ns.adobe.com/hdr-gain-map/1.0/", ["Version", "GainMapMax"]),
    "Container": ("http://ns.google.com/photos/1.0/container/", ["Directory"]),
}


@pytest.mark.parametrize("form", ["attributes", "elements"])
def test_properties_of_the_grey_file_are_gone_and_the_others_stay(form: str) -> None:
    names = [f"{prefix}:{name}" for prefix, (_, names) in UNTRUE.items() for name in names]
    spaces = "".join(f' xmlns:{prefix}="{space}"' for prefix, (space, _) in UNTRUE.items() if prefix != "photoshop")
    if form == "attributes":
        packet = PACKET.format(spaces + "".join(f' {name}="1"' for name in names), "")
    else:
        packet = PACKET.format(spaces, "".join(f"<{name}>1</{name}>" for name in names) + "<tiff:Make>Acme</tiff:Make>")
    photo = open_photo(jpeg_of(segment(APP1, XMP_HEADER + packet.encode())))
    result = (photo.metadata.xmp or b"").decode()
    assert not [name for name in names if name in result]
    assert "hdrgm" not in result
    assert "Köln" in result
    assert ("Acme" in result) == (form == "elements")


def test_records_of_the_grey_file_are_gone_and_the_others_stay() -> None:
    monochrome = b"\x1c\x02\x82\x00\x021M" + b"\x1c\x02\xca\x80\x04\x00\x00\x00\x03abc" + b"\x1c\x03\x3c\x00\x01\x01"
    photo = open_photo(jpeg_of(app13(resource(0x0404, RECORDS + monochrome + RECORDS[7:]))))
    assert photo.metadata.iptc == RECORDS + RECORDS[7:]


def test_further_pictures_behind_a_jpeg_do_not_come_along() -> None:
    data = jpeg_of(jfif_segment(None))
    assert len(encode_photo(open_photo(data + data), "jpeg")) < 1.5 * len(data)


def test_records_in_several_resources_are_one_and_padding_does_not_end_them() -> None:
    two = resource(0x0404, RECORDS + b"\0\0") + resource(0x0404, RECORDS[7:])
    assert iptc.records_from_resources(two) == RECORDS + RECORDS[7:]


def test_jfif_is_read_as_others_write_it() -> None:
    data = pillow_bytes(textured(), "JPEG", dpi=(350, 350))
    assert open_photo(data).metadata.dpi == (350.0, 350.0)
    assert jpeg.dpi_of_jfif(data[6:20]) == (350.0, 350.0)
