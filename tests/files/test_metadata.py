"""What a photograph says about itself survives every pair of formats that can hold it; what is stale does not."""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, IptcImagePlugin, PngImagePlugin

from photochrom.errors import PhotochromError
from photochrom.files.codecs import exif, gif, iptc, jpeg, jpeg2000, tiff, tiff_exif, tiff_writer, xmp
from photochrom.files.codecs.iptc import XmpProperty
from photochrom.files.codecs.resolution import exif_dpi
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.provenance import (
    AI_SYSTEM_USED,
    COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
    DIGITAL_SOURCE_TYPE,
    Provenance,
    read_provenance,
    with_provenance,
)
from photochrom.files.reading import open_pages, open_photo
from photochrom.files.writing import encode_photo, save_photo
from photochrom.options import OutputOptions
from tests.files.makers import DATA, pillow_bytes, textured

HOLDERS = ("jpeg", "png", "tiff", "webp", "avif")
MAKER_NOTE = b"PhotochromTestNote\0" + bytes(range(60))
THUMBNAIL = b"\xff\xd8" + b"THUMBNAIL" * 20 + b"\xff\xd9"
PACKET = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:my="urn:mine:" my:note="kept" xmlns:tiff='
    b'"http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">Grandmother '
    b"&amp; gr\xc3\xa4nddad</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
)
PROVENANCE = Provenance("photochrom-color", "ab" * 32, "1.2.3", {"vividness": 1.0, "size": None})
TITLE = XmpProperty("dc", "title", "alternatives")


def records(*values: tuple[int, bytes]) -> bytes:
    """IPTC-IIM records of record 2, UTF-8."""
    head = b"\x1c\x01\x5a\x00\x03\x1b%G"
    return head + b"".join(b"\x1c\x02" + bytes([key]) + len(text).to_bytes(2, "big") + text for key, text in values)


RECORDS = records(
    (120, "Gruß aus Köln".encode()), (25, b"family"), (25, b"1931"), (80, b"A. Photographer"), (90, b"K\xc3\xb6ln")
)


def exif_block(order: str = ">", *, orientation: int = 6, thumbnail: bytes = THUMBNAIL) -> bytes:
    """An EXIF block as a camera writes it: main, EXIF with a maker's note, GPS, and a thumbnail directory."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8) + bytes(6)

    def short(number: int) -> tiff.Field:
        return tiff.Field(3, 1, struct.pack(order + "H", number))

    main = {
        271: tiff.Field(2, 7, b"Camera\0"),
        274: short(orientation),
        256: tiff.Field(4, 1, struct.pack(order + "L", 64)),
        257: tiff.Field(4, 1, struct.pack(order + "L", 48)),
        315: tiff.Field(2, 8, b"An Anna\0"),
    }
    children = {
        exif.EXIF_POINTER: {
            0x9003: tiff.Field(2, 20, b"1931:05:04 12:30:00\0"),
            0x829A: tiff.Field(5, 1, struct.pack(order + "LL", 1, 125)),
            0x927C: tiff.Field(7, len(MAKER_NOTE), MAKER_NOTE),
            0xA002: tiff.Field(4, 1, struct.pack(order + "L", 64)),
            0xA003: tiff.Field(3, 1, struct.pack(order + "H", 48)),
            0xA001: short(65535),
        },
        exif.GPS_POINTER: {
            1: tiff.Field(2, 2, b"N\0"),
            2: tiff.Field(5, 3, struct.pack(order + "6L", 50, 1, 56, 1, 28, 1)),
        },
    }
    block = tiff_exif.with_tags(head, main, children)
    at = len(block) + 2 + 24 + 4
    small = struct.pack(order + "H", 2)
    small += struct.pack(order + "HHLL", 0x201, 4, 1, at) + struct.pack(order + "HHLL", 0x202, 4, 1, len(thumbnail))
    link = exif.ExifBlock(block).main.next_at
    linked = bytearray(block)
    struct.pack_into(order + "L", linked, link, len(block))
    return bytes(linked) + small + bytes(4) + thumbnail


def with_everything(format: str, order: str = ">") -> bytes:
    """A file in a format, written by Pillow (TIFF: by hand), that says everything it can."""
    pixels = textured()
    block = exif_block(order)
    if format == "tiff":
        main, children, _ = tiff_exif.tags_of_exif(block)
        swapped = tiff_exif.with_tags(pillow_bytes(pixels, "TIFF", dpi=(300, 200)), main, children, order)
        extra = {700: tiff.Field(1, len(PACKET), PACKET), 33723: tiff.Field(7, len(RECORDS), RECORDS)}
        extra[274] = tiff.Field(3, 1, struct.pack("<H", 6))
        return tiff_exif.with_tags(swapped, extra, {})
    options: dict[str, object] = {"exif": b"Exif\0\0" + block, "xmp": PACKET}
    if format == "png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", PACKET.decode())
        return pillow_bytes(pixels, "PNG", exif=options["exif"], dpi=(300, 200), pnginfo=text)
    if format == "jpeg":
        options |= {"dpi": (300, 200), "extra": iptc.jpeg_segment(RECORDS)}
    return pillow_bytes(pixels, format.upper(), **options)


@pytest.mark.parametrize("order", ["<", pytest.param(">", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("source", "target"), list(product(HOLDERS, HOLDERS)))
def test_everything_is_carried_between(source: str, target: str, order: str) -> None:
    photo = open_photo(with_everything(source, order))
    data = encode_photo(photo, target, provenance=PROVENANCE)
    with Image.open(io.BytesIO(data)) as picture:  # an independent reader
        read = picture.getexif()
        assert read[271] == "Camera"
        assert read[315] == "An Anna"
        assert read.get(274, 1) == 1
        assert read.get_ifd(0x8769)[0x9003] == "1931:05:04 12:30:00"
        assert read.get_ifd(0x8769)[0x829A] == pytest.approx(1 / 125)
        assert read.get_ifd(0x8769)[0x927C] == MAKER_NOTE
        assert read.get_ifd(0x8825)[2] == (50.0, 56.0, 28.0)
    again = open_photo(data)
    packet = again.metadata.xmp
    assert packet is not None
    assert xmp.read_property(packet, TITLE) == ["Grandmother & gränddad"]
    assert b'my:note="kept"' in packet
    assert b"Orientation" not in packet
    assert read_provenance(packet) == PROVENANCE
    if source in ("jpeg", "png", "tiff"):
        expected = (300, 200) if source == "avif" else (200, 300)  # it was lying on its side
        assert again.metadata.dpi == pytest.approx(expected, abs=0.02)
    if source in ("jpeg", "tiff"):
        if target in ("jpeg", "tiff"):
            assert again.metadata.iptc == RECORDS
        else:
            assert xmp.read_property(packet, iptc.XMP_OF_DATASET[120]) == ["Gruß aus Köln"]
            assert xmp.read_property(packet, iptc.XMP_OF_DATASET[25]) == ["family", "1931"]
            assert xmp.read_property(packet, iptc.XMP_OF_DATASET[90]) == ["Köln"]
    assert b"THUMBNAIL" not in data


@pytest.mark.parametrize("format", HOLDERS)
def test_sixteen_bit_and_gray_files_carry_it_too(format: str) -> None:
    photo = open_photo(with_everything("jpeg"))
    for pixels in (textured(dtype=np.uint16), textured(channels=1)):
        again = open_photo(encode_photo(replace(photo, pixels=pixels), format))
        assert again.metadata.exif is not None
        assert b"An Anna" in again.metadata.exif
        assert again.metadata.xmp


def test_iptc_is_read_by_an_independent_reader() -> None:
    data = encode_photo(open_photo(with_everything("jpeg")), "jpeg")
    with Image.open(io.BytesIO(data)) as picture:
        found = IptcImagePlugin.getiptcinfo(picture)
    assert found is not None
    assert found[(2, 25)] == [b"family", b"1931"]


def test_nothing_is_kept_where_nothing_is_wanted() -> None:
    photo = open_photo(with_everything("jpeg"))
    again = open_photo(encode_photo(photo, "jpeg", options=OutputOptions(keep_metadata=False)))
    assert again.metadata == Metadata()
    labelled = encode_photo(photo, "jpeg", options=OutputOptions(keep_metadata=False), provenance=PROVENANCE)
    assert b"An Anna" not in labelled
    assert read_provenance(open_photo(labelled).metadata.xmp) == PROVENANCE


def test_bmp_says_what_it_loses(tmp_path: Path) -> None:
    notes = save_photo(open_photo(with_everything("jpeg")), tmp_path / "a.bmp")
    assert notes == ("BMP holds no EXIF, XMP, IPTC: left out",)
    assert open_photo(tmp_path / "a.bmp").metadata.dpi == pytest.approx((200, 300), abs=0.1)


def test_blocks_too_large_for_jpeg_are_told(tmp_path: Path) -> None:
    large = b"\x1c\x02\x78\x7f\xff" + b"x" * 0x7FFF
    photo = Photo(textured(), metadata=Metadata(xmp=PACKET.replace(b"kept", b"k" * 70_000), iptc=large * 3))
    notes = save_photo(photo, tmp_path / "a.jpg")
    assert notes == ("IPTC too large for JPEG: left out",)
    again = open_photo(encode_photo(photo, "tiff"))
    assert len(again.metadata.xmp or b"") > 70_000


@pytest.mark.parametrize("order", "<>")
def test_exif_is_made_true_where_it_stands(order: str) -> None:
    block = exif_block(order)
    result = exif.describing(block, 4800, 70_000)
    parsed = exif.ExifBlock(result)
    directory = parsed.directory(exif.EXIF_POINTER)
    assert directory is not None
    assert parsed.number(parsed.main, 274) == 1
    assert parsed.number(parsed.main, 256) == 4800
    assert parsed.number(directory, 0xA002) == 4800
    assert parsed.number(directory, 0xA003) == 70_000  # was a SHORT, which has no room for it
    assert parsed.number(directory, 0xA001) == 1
    assert result.find(MAKER_NOTE) == block.find(MAKER_NOTE), "offsets inside a maker's note must stay true"
    assert b"THUMBNAIL" not in result
    assert len(result) < len(block)


def test_a_thumbnail_in_the_middle_is_erased_without_moving_anything() -> None:
    block = exif_block("<") + b"something behind it"
    result = exif.describing(block, 64, 48)
    assert b"THUMBNAIL" not in result
    assert result.find(MAKER_NOTE) == block.find(MAKER_NOTE)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_exif_is_an_error_or_a_block(data: st.DataObject) -> None:
    block = bytearray(exif_block(data.draw(st.sampled_from("<>"))))
    for _ in range(data.draw(st.integers(1, 8))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(block[: data.draw(st.integers(0, len(block)))])
    exif.orientation_of(cut)
    exif.names_adobe_rgb(cut)
    exif_dpi(cut)
    try:
        result = exif.describing(cut, 10, 10)
    except exif.DamagedExifError:
        return
    assert exif.orientation_of(result) == 1 or exif.orientation_of(cut) == 1
    tiff_exif.with_tags(result, {}, {})


def test_damaged_exif_and_xmp_are_told(tmp_path: Path) -> None:
    data = pillow_bytes(textured(), "WEBP", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", xmp=b"<x:xmpmeta <<<")
    photo = open_photo(data)
    assert photo.metadata.exif is None
    assert photo.metadata.xmp is None
    assert photo.notes == ("damaged EXIF left out", "damaged XMP left out (not well-formed XML)")


def test_adobe_rgb_named_by_interoperability_alone() -> None:
    inner = {1: tiff.Field(2, 4, b"R03\0")}
    block = tiff_exif.with_tags(
        b"II*\0\x08\0\0\0" + bytes(6),
        {271: tiff.Field(2, 2, b"C\0")},
        {exif.EXIF_POINTER: {0xA001: tiff.Field(3, 1, b"\xff\xff"), exif.INTEROP_POINTER: tiff.Field(4, 1, bytes(4))}},
    )
    at = len(block)
    interop = struct.pack("<H", 1) + struct.pack("<HHL4s", 1, 2, 4, b"R03\0") + bytes(4)
    parsed = exif.ExifBlock(block)
    parsed.set_number(parsed.directory(exif.EXIF_POINTER), exif.INTEROP_POINTER, at)
    whole = bytes(parsed.data) + interop
    assert inner
    assert exif.names_adobe_rgb(whole)
    photo = open_photo(pillow_bytes(textured(), "JPEG", exif=b"Exif\0\0" + whole))
    assert "converted from its colour profile to sRGB" in photo.notes
    assert not exif.names_adobe_rgb(photo.metadata.exif or b"")


def test_provenance_replaces_what_is_no_longer_true_and_keeps_the_rest() -> None:
    before = PACKET.replace(
        b'my:note="kept"',
        b'my:note="kept" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType='
        b'"http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm"',
    )
    once, notes = with_provenance(before, PROVENANCE)
    twice, _ = with_provenance(once, replace(PROVENANCE, model="another"))
    assert notes == ()
    assert xmp.read_property(twice, DIGITAL_SOURCE_TYPE) == [COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA]
    assert xmp.read_property(twice, AI_SYSTEM_USED) == ["photochrom, model another"]
    assert xmp.read_property(twice, TITLE) == ["Grandmother & gränddad"]
    assert twice.count(b"DigitalSourceType>") == 2
    found = read_provenance(twice)
    assert found is not None
    assert found.model == "another"
    assert COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA.startswith("http://cv.iptc.org/newscodes/digitalsourcetype/")


@pytest.mark.parametrize(
    "packet",
    [
        b"not xml",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>',
        b"<a>" * 5000,
        b"\xff\xfe\x00",
        b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        + b"<a>" * 3000
        + b"</a>" * 3000
        + b"</rdf:RDF>",
    ],
    ids=["text", "other xml", "entities", "unclosed", "binary", "deep"],
)
def test_damaged_xmp_gives_a_new_packet_and_a_note(packet: bytes) -> None:
    result, notes = with_provenance(packet, PROVENANCE)
    assert len(notes) == 1
    assert notes[0].startswith("damaged XMP left out")
    assert read_provenance(result) == PROVENANCE


def test_no_provenance_where_photochrom_was_not_at_work() -> None:
    assert read_provenance(None) is None
    assert read_provenance(PACKET) is None
    assert read_provenance(b"junk") is None


def test_settings_of_any_text_survive() -> None:
    made = Provenance('a "model" <&> ü', "00", "1", {"text": "ü\"<&>'\n", "list": [1, None, True]})
    packet, _ = with_provenance(None, made)
    assert read_provenance(packet) == made


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_records_are_told_in_words_xml_allows(data: bytes) -> None:
    found = iptc.xmp_properties(records((120, data)) + data)
    packet = xmp.with_properties(None, found, replace=False)
    for key, texts in found.items():
        expected = texts[:1] if key.form in ("text", "alternatives") else texts
        normal = [text.replace("\r\n", "\n").replace("\r", "\n") for text in expected]
        assert xmp.read_property(packet, key) == normal


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_photoshop_resources_are_read_safely(data: bytes) -> None:
    iptc.records_from_resources(b"Photoshop 3.0\0" + data)
    iptc.records_from_resources(b"8BIM" + data)
    segment = iptc.jpeg_segment(data)
    assert segment is not None
    assert (iptc.records_from_resources(segment[4:]) or b"") == data


def test_heic_metadata_goes_on() -> None:
    photo = open_photo(DATA / "turned.heic")
    again = open_photo(encode_photo(photo, "jpeg"))
    assert b"photochrom test" in (again.metadata.exif or b"")


def jpeg2000_with(**blocks: bytes) -> bytes:
    data = pillow_bytes(textured(), "JPEG2000")
    boxes = b""
    for uuid, name in jpeg2000.BLOCK_OF_UUID.items():
        if name in blocks:
            boxes += struct.pack(">I4s", 24 + len(blocks[name]), b"uuid") + uuid + blocks[name]
    at = data.find(b"jp2c") - 4
    return data[:at] + boxes + data[at:]


def gif_with(packet: bytes) -> bytes:
    data = pillow_bytes(textured(channels=1), "GIF")
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)  # behind the header and the table of colours
    return data[:at] + gif.XMP_EXTENSION + packet + trailer + data[at:]


def read_texts(photo: Photo, key: XmpProperty) -> list[str]:
    return xmp.read_property(photo.metadata.xmp or b"", key)


@pytest.mark.parametrize("target", HOLDERS)
def test_jpeg2000_says_everything_on(target: str) -> None:
    data = jpeg2000_with(exif=exif_block(">"), xmp=PACKET, iptc=RECORDS)
    photo = open_photo(encode_photo(open_photo(data), target))
    assert (photo.width, photo.height) == (48, 64), "the EXIF block says that it lies on its side"
    assert photo.metadata.exif is not None
    assert b"Camera" in photo.metadata.exif
    assert exif.orientation_of(photo.metadata.exif) == 1
    assert read_texts(photo, TITLE) == ["Grandmother & gränddad"]
    assert photo.metadata.iptc == RECORDS or target not in ("jpeg", "tiff")


def test_hostile_boxes_cost_the_metadata_and_not_the_photograph() -> None:
    data = jpeg2000_with(exif=b"II*\0broken", xmp=b"<not xml", iptc=b"\0")
    assert open_photo(data).width == 64
    for size in (1, 2, 7, 2**32 - 1):
        damaged = data.replace(struct.pack(">I4s", 35, b"uuid"), struct.pack(">I4s", size, b"uuid"))
        with contextlib.suppress(PhotochromError):
            open_photo(damaged)


def test_a_gif_hands_its_packet_on() -> None:
    data = gif_with(PACKET)
    name, at = Image.open(io.BytesIO(data)).info["extension"]
    assert name == b"XMP DataXMP", "where an independent reader finds it"
    assert data[at:].startswith(PACKET)
    assert read_texts(open_photo(encode_photo(open_photo(data), "png")), TITLE) == ["Grandmother & gränddad"]


def test_every_page_of_a_tiff_keeps_what_it_says(tmp_path: Path) -> None:
    pages = [
        open_photo(with_everything("tiff", "<")),
        Photo(textured(channels=1), metadata=Metadata(xmp=PACKET, dpi=(72, 72))),
        open_photo(with_everything("jpeg", ">")),
    ]
    save_photo(pages, tmp_path / "pages.tif")
    found = list(open_pages(tmp_path / "pages.tif"))
    assert [page.metadata.dpi for page in found] == [page.metadata.dpi for page in pages]
    for page in (found[0], found[2]):
        block = exif.ExifBlock(page.metadata.exif or b"")
        assert block.value(block.main, 271) == b"Camera\0"
        assert block.value(block.directory(exif.GPS_POINTER), 1) == b"N\0"
    assert found[1].metadata.exif is None
    assert [page.metadata.xmp is not None for page in found] == [True, True, True]


@pytest.mark.parametrize("order", "<>")
def test_files_over_four_gigabytes_keep_everything_too(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layout with 64-bit offsets, on a small file."""
    photo = open_photo(with_everything("jpeg", order))
    classic = open_photo(encode_photo(photo, "tiff"))
    monkeypatch.setattr(tiff_writer, "LARGEST_CLASSIC_TIFF", 0)
    data = encode_photo(photo, "tiff")
    assert data[:4] == b"II+\0"
    big = open_photo(data)
    assert (big.pixels == photo.pixels).all()
    assert big.metadata == classic.metadata
    assert Image.open(io.BytesIO(data)).getexif()[271] == "Camera"


def in_two_parts(properties: bytes) -> tuple[bytes, bytes, bytes]:
    """A packet that says it has an extension, the extension, and its GUID."""
    extension = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:far="urn:far">' + properties + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    guid = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    note = b'my:note="kept"'
    said = note + b' xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="' + guid + b'"'
    return PACKET.replace(note, said), extension, guid


def jpeg_with(packet: bytes, segments: list[bytes]) -> bytes:
    data = pillow_bytes(textured(), "JPEG", xmp=packet)
    return data[:2] + b"".join(segments) + data[2:]


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_packet_in_two_parts_is_one_and_goes_along(is_reversed: bool) -> None:
    packet, extension, guid = in_two_parts(b"<far:history>" + b"h" * 150_000 + b"</far:history>")
    segments = jpeg.extended_xmp_segments(extension, guid)
    assert len(segments) == 3
    photo = open_photo(jpeg_with(packet, segments[::-1] if is_reversed else segments))
    assert not any("long XMP" in note for note in photo.notes)
    for format in ("jpeg", "png", "tiff", "webp"):
        kept = open_photo(encode_photo(photo, format)).metadata.xmp or b""
        assert kept.count(b"h" * 150_000) == 1
        assert b'my:note="kept"' in kept
        assert b"HasExtendedXMP" not in kept
    ours = encode_photo(photo, "jpeg", provenance=PROVENANCE)
    main = Image.open(io.BytesIO(ours)).info["xmp"]
    assert b"HasExtendedXMP" in main
    assert read_provenance(main) == PROVENANCE  # what matters is in the part that everybody reads


@pytest.mark.parametrize("harm", ["none", "cut", "other", "hole", "twice", "claims", "damaged"])
def test_a_second_part_that_is_not_whole_is_left_out_with_a_note(harm: str) -> None:
    packet, extension, guid = in_two_parts(b"<far:history>" + b"h" * 100_000 + b"</far:history>")
    if harm == "damaged":
        extension = b"<x" + extension[2:-9]
        packet = packet.replace(guid, hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode())
        guid = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    segments = jpeg.extended_xmp_segments(extension, guid)
    segments = {
        "none": [],
        "cut": segments[:1],
        "other": jpeg.extended_xmp_segments(extension.replace(b"hhh", b"xyz"), guid),
        "hole": segments[1:],
        "twice": [*segments, *jpeg.extended_xmp_segments(extension[:-1] + b"!", guid)],
        "claims": [segments[0][:71] + b"\xff\xff\xff\xff" + segments[0][75:]],
    }.get(harm, segments)
    photo = open_photo(jpeg_with(packet, segments))
    assert any(note.startswith("the second part of a long XMP packet left out") for note in photo.notes)
    assert b"HasExtendedXMP=" not in (photo.metadata.xmp or b"")
    assert b'my:note="kept"' in (photo.metadata.xmp or b"")
    assert b"hhh" not in (photo.metadata.xmp or b"")
