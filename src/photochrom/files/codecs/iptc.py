"""IPTC-IIM records: found in the wrappings of JPEG and TIFF, wrapped again, and told in the words of XMP.

Sources: IPTC-NAA Information Interchange Model 4.2, chapters 1 and 6; Adobe Photoshop file formats, "Image
Resource Blocks"; IPTC Photo Metadata Standard, "mapping of IIM and XMP".
"""

from __future__ import annotations

from typing import NamedTuple

JPEG_HEADER = b"Photoshop 3.0\x00"
RESOURCE_SIGNATURE = b"8BIM"
IPTC_RESOURCE = 0x0404
MARKER = 0x1C
"""The first byte of every dataset."""
UTF8_MARK = b"\x1b%G"


class XmpProperty(NamedTuple):
    """Where a dataset goes in XMP; ``form`` is "text", "alternatives" (language), "list" (ordered) or "bag"."""

    prefix: str
    name: str
    form: str


# Dataset of record 2 -> XMP, as the IPTC's own mapping has it.
XMP_OF_DATASET = {
    5: XmpProperty("dc", "title", "alternatives"),
    25: XmpProperty("dc", "subject", "bag"),
    40: XmpProperty("photoshop", "Instructions", "text"),
    55: XmpProperty("photoshop", "DateCreated", "text"),
    80: XmpProperty("dc", "creator", "list"),
    85: XmpProperty("photoshop", "AuthorsPosition", "text"),
    90: XmpProperty("photoshop", "City", "text"),
    92: XmpProperty("Iptc4xmpCore", "Location", "text"),
    95: XmpProperty("photoshop", "State", "text"),
    100: XmpProperty("Iptc4xmpCore", "CountryCode", "text"),
    101: XmpProperty("photoshop", "Country", "text"),
    103: XmpProperty("photoshop", "TransmissionReference", "text"),
    105: XmpProperty("photoshop", "Headline", "text"),
    110: XmpProperty("photoshop", "Credit", "text"),
    115: XmpProperty("photoshop", "Source", "text"),
    116: XmpProperty("dc", "rights", "alternatives"),
    120: XmpProperty("dc", "description", "alternatives"),
    122: XmpProperty("photoshop", "CaptionWriter", "text"),
}


def records_from_resources(data: bytes) -> bytes | None:
    """Return the IIM records inside Photoshop image resources (a JPEG APP13 segment or a TIFF tag), if any."""
    data = data.removeprefix(JPEG_HEADER)
    at = 0
    while data[at : at + 4] == RESOURCE_SIGNATURE and at + 12 <= len(data):
        identity = int.from_bytes(data[at + 4 : at + 6], "big")
        size_at = at + 6 + (data[at + 6] + 2) // 2 * 2  # the name: a length byte and its letters, padded to even
        size = int.from_bytes(data[size_at : size_at + 4], "big")
        if identity == IPTC_RESOURCE:
            return data[size_at + 4 : size_at + 4 + size] or None
        at = size_at + 4 + (size + 1) // 2 * 2
    return None


def jpeg_segment(records: bytes) -> bytes | None:
    """Return an APP13 segment that carries the records, or None where they exceed the 64 kB of a segment."""
    resource = (
        RESOURCE_SIGNATURE + IPTC_RESOURCE.to_bytes(2, "big") + bytes(2) + len(records).to_bytes(4, "big") + records
    )
    payload = JPEG_HEADER + resource + bytes(len(records) % 2)
    return b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload if len(payload) + 2 <= 0xFFFF else None


def xmp_properties(records: bytes) -> dict[XmpProperty, list[str]]:
    """Return what the records say, as XMP properties with their values; what XMP has no word for is left out."""
    datasets = _datasets(records)
    utf8 = any(key == (1, 90) and value == UTF8_MARK for key, value in datasets)
    found: dict[XmpProperty, list[str]] = {}
    for (record, dataset), value in datasets:
        target = XMP_OF_DATASET.get(dataset) if record == 2 else None
        text = _text(value, utf8=utf8) if target else ""
        if target and text:
            text = _iso_date(text) if target.name == "DateCreated" else text
            found.setdefault(target, []).append(text)
    return found


def _datasets(records: bytes) -> list[tuple[tuple[int, int], bytes]]:
    found, at = [], 0
    while at + 5 <= len(records) and records[at] == MARKER:
        key = (records[at + 1], records[at + 2])
        size = int.from_bytes(records[at + 3 : at + 5], "big")
        if size & 0x8000:  # extended: the size of the size; nothing we map is that long
            break
        found.append((key, records[at + 5 : at + 5 + size]))
        at += 5 + size
    return found


def _text(value: bytes, *, utf8: bool) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8" if utf8 else "latin-1", errors="replace")
    # XML 1.0 allows no other control characters.
    return "".join(letter for letter in text if letter >= " " or letter in "\t\n\r").strip()


def _iso_date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else text
