"""XMP packets that are too large for where they are to go: told, never an error, and what was done stays stated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photochrom.files import metadata as metadata_module
from photochrom.files.codecs import xmp
from photochrom.files.codecs.iptc import XmpProperty
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.provenance import Provenance, read_provenance
from photochrom.files.reading import open_photo
from photochrom.files.writing import save_photo

PIXELS = np.full((8, 8, 3), 90, np.uint8)
SOURCE, DESCRIPTION = XmpProperty("dc", "source", "text"), XmpProperty("dc", "description", "text")
PROVENANCE = Provenance("model", "0" * 64, "1.0", {"vividness": 1.0})
RECORD = b"\x1c\x02\x78" + (3_000).to_bytes(2, "big") + b"c" * 3_000
TOO_LARGE = "XMP too large for JPEG: left out"


def packet(inner: str) -> bytes:
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}">{inner}</rdf:RDF></x:xmpmeta>'.encode()


def description(*, about: str = "", inside: str = "", declared: str = "") -> str:
    return (
        f'<rdf:Description rdf:about="{about}" xmlns:dc="http://purl.org/dc/elements/1.1/" {declared} dc:source="a">'
        f"{inside}</rdf:Description>"
    )


def saved(xmp_packet: bytes, path: Path, provenance: Provenance | None = None) -> tuple[bytes | None, tuple[str, ...]]:
    """The packet that a JPEG then has, and the notes."""
    notes = save_photo(Photo(PIXELS, metadata=Metadata(xmp=xmp_packet)), path, provenance=provenance)
    return open_photo(path).metadata.xmp, notes


@pytest.mark.parametrize(
    "inner",
    [
        description(inside=" " * 70_000),
        f"<!--{'x' * 70_000}-->" + description(),
        description(inside=f"<?note {'x' * 70_000}?>\n<dc:title> </dc:title>"),
    ],
    ids=["white space", "comment", "instruction"],
)
def test_white_space_and_comments_go_before_any_property_does(inner: str, tmp_path: Path) -> None:
    found, notes = saved(packet(inner), tmp_path / "a.jpg")
    assert notes == ()
    assert found is not None
    assert len(found) < 1_000
    assert xmp.read_property(found, SOURCE) == ["a"]


def test_a_long_subject_is_said_once(tmp_path: Path) -> None:
    inner = description(about="u" * 40_000, inside=f"<dc:description>{'d' * 30_000}</dc:description>")
    found, notes = saved(packet(inner), tmp_path / "a.jpg")
    assert notes == ()
    assert found is not None
    assert xmp.read_property(found, DESCRIPTION) == ["d" * 30_000]


@pytest.mark.parametrize(
    "inner", [description(about="u" * 70_000), description(declared=f'xmlns:long="urn:{"n" * 70_000}"')],
    ids=["subject", "namespace"],
)  # fmt: skip
def test_what_cannot_be_parted_is_left_out_and_what_was_done_stays(inner: str, tmp_path: Path) -> None:
    found, notes = saved(packet(inner), tmp_path / "a.jpg")
    assert notes == (TOO_LARGE,)
    assert found is None
    found, notes = saved(packet(inner), tmp_path / "b.jpg", PROVENANCE)
    assert notes == (TOO_LARGE,)
    assert found is not None
    assert read_provenance(found) == PROVENANCE
    assert xmp.read_property(found, SOURCE) == []


def test_a_long_packet_that_is_no_xml_is_left_out(tmp_path: Path) -> None:
    assert saved(b"<no xml" * 20_000, tmp_path / "a.jpg") == (None, (TOO_LARGE,))


@pytest.mark.parametrize(
    ("block", "note"),
    [
        ({"texts": (("Comment", "c" * 3_000),)}, "comments do not fit into the XMP: left out"),
        ({"iptc": RECORD}, "IPTC records do not fit into the XMP: left out"),
    ],
)  # fmt: skip
def test_what_does_not_fit_into_a_packet_is_left_out(
    block: dict[str, object], note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(metadata_module.LARGEST_BLOCK, "xmp", 2_000)
    photo = Photo(PIXELS, metadata=Metadata(xmp=packet(description()), **block))  # type: ignore[arg-type]
    assert save_photo(photo, tmp_path / "a.webp") == (note,)
    assert xmp.read_property(open_photo(tmp_path / "a.webp").metadata.xmp or b"", SOURCE) == ["a"]


@pytest.mark.parametrize("block", [{"texts": (("Comment", "c"),)}, {"iptc": b"\x1c\x02\x78\x00\x01c"}])
def test_a_packet_that_cannot_be_added_to_costs_the_others(block: dict[str, object], tmp_path: Path) -> None:
    photo = Photo(PIXELS, metadata=Metadata(xmp=b"<no xml", **block))  # type: ignore[arg-type]
    [note] = save_photo(photo, tmp_path / "a.webp")
    assert note.endswith("do not fit into the XMP: left out")
