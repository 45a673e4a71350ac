"""IPTC-IIM records: found in the wrappings of JPEG and TIFF, wrapped again, and told in the words of XMP.

Sources: IPTC-NAA Information Interchange Model 4.2, chapters 1 and 6; Adobe Photoshop file formats, "Image
Resource Blocks"; IPTC Photo Metadata Standard, "mapping of IIM and XMP".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

JPEG_HEADER = b"Photoshop 3.0\x00"
RESOURCE_SIGNATURE = b"8BIM"
IPTC_RESOURCE, RESOLUTION_RESOURCE = 0x0404, 0x03ED
MARKER = 0x1C
"""The first byte of every dataset."""
OUTDATED_DATASETS = frozenset([(2, 130), (2, 200), (2, 201), (2, 202)])
"""ImageType, whose second letter says that it is monochrome; the preview and its format."""
OUTDATED_RECORDS = frozenset([3, 7, 8, 9])
"""Layout of the pixels, and the pixels themselves, in IIM's own transmission of pictures."""
MAX_DATASETS = 5_000
UTF8_MARK = b"\x1b%G"


class XmpProperty(NamedTuple):
    """Where a dataset goes in XMP; ``form`` is "text", "alternatives" (language), "list" (ordered) or "bag"."""

    prefix: str
    name: str
    form: str


# Dataset of record 2 -> XMP, as the IPTC's own mapping has it.
XMP_OF_DATASET = {
    4: XmpProperty("Iptc4xmpCore", "IntellectualGenre", "text"),
    5: XmpProperty("dc", "title", "alternatives"),
    10: XmpProperty("photoshop", "Urgency", "text"),
    12: XmpProperty("Iptc4xmpCore", "SubjectCode", "bag"),
    15: XmpProperty("photoshop", "Category", "text"),
    20: XmpProperty("photoshop", "SupplementalCategories", "bag"),
    25: XmpProperty("dc", "subject", "bag"),
    40: XmpProperty("photoshop", "Instructions", "text"),
    55: XmpProperty("photoshop", "DateCreated", "text"),
    62: XmpProperty("xmp", "CreateDate", "text"),
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
TIME_OF_DATE = {55: 60, 62: 63}
"""The dataset of a time, by that of its date: XMP has both in one."""
OF_THE_RECORDS = frozenset([0])
"""Datasets of record 2 that say nothing of the picture: the version of the records. Record 1 is of their transport."""
TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(?:([+-]\d\d)(\d\d))?", re.ASCII)
SUBJECT_CODE = re.compile(r"(?<!\d)\d{8}(?!\d)", re.ASCII)


def records_from_resources(data: bytes) -> bytes | None:
    """Return the IIM records inside Photoshop image resources (JPEG's APP13 segments or a TIFF tag), if any."""
    *earlier, last = [b"", *_resources(data, IPTC_RESOURCE)]
    return b"".join(found.rstrip(b"\x00") for found in earlier) + last or None


def dpi_from_resources(data: bytes) -> tuple[float, float] | None:
    """Return the resolution that Photoshop's resources state: pixels per inch, in 16.16 fixed point."""
    for found in _resources(data, RESOLUTION_RESOURCE):
        if len(found) >= 12:
            return int.from_bytes(found[:4], "big") / 65536, int.from_bytes(found[8:12], "big") / 65536
    return None


def _resources(data: bytes, wanted: int) -> Iterator[bytes]:
    data = data.removeprefix(JPEG_HEADER)
    at = 0
    while data[at : at + 4] == RESOURCE_SIGNATURE and at + 12 <= len(data):
        identity = int.from_bytes(data[at + 4 : at + 6], "big")
        size_at = at + 6 + (data[at + 6] + 2) // 2 * 2  # the name: a length byte and its letters, padded to even
        size = int.from_bytes(data[size_at : size_at + 4], "big")
        if identity == wanted:
            yield data[size_at + 4 : size_at + 4 + size]
        at = size_at + 4 + (size + 1) // 2 * 2


def jpeg_segment(records: bytes) -> bytes | None:
    """Return an APP13 segment that carries the records, or None where they exceed the 64 kB of a segment."""
    resource = (
        RESOURCE_SIGNATURE + IPTC_RESOURCE.to_bytes(2, "big") + bytes(2) + len(records).to_bytes(4, "big") + records
    )
    payload = JPEG_HEADER + resource + bytes(len(records) % 2)
    return b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload if len(payload) + 2 <= 0xFFFF else None


def xmp_properties(records: bytes) -> dict[XmpProperty, list[str]]:
    """Return what the records say, as XMP properties with their values; see :func:`without_place` for the rest."""
    datasets = _datasets(records)
    utf8 = any(key == (1, 90) and value == UTF8_MARK for key, value in datasets)
    texts = [(dataset, _text(value, utf8=utf8)) for (record, dataset), value in datasets if record == 2]
    first = dict(reversed(texts))
    found: dict[XmpProperty, list[str]] = {}
    for dataset, text in texts:
        target = XMP_OF_DATASET.get(dataset)
        if target and text:
            found.setdefault(target, []).append(_in_words_of_xmp(dataset, text, first))
    return found


def without_place(records: bytes) -> list[str]:
    """Return the numbers of the datasets that XMP has no word for, such as "2:118"; each once, in order."""
    keys = {key for key, value in _datasets(records) if key[0] != 1 and value}
    kept = {(2, dataset) for dataset in (*XMP_OF_DATASET, *OF_THE_RECORDS)}
    kept |= {(2, time) for date, time in TIME_OF_DATE.items() if (2, date) in keys}
    return [f"{record}:{dataset}" for record, dataset in sorted(keys - kept)]


def _in_words_of_xmp(dataset: int, text: str, first: dict[int, str]) -> str:
    """Return a dataset's text as XMP writes it; ``first`` are the first texts of all datasets."""
    if dataset in TIME_OF_DATE:
        return _iso_date(text) + _iso_time(first.get(TIME_OF_DATE[dataset], ""), _iso_date(text))
    if dataset == 12:  # "IPTC:01002000:name:..."
        return code[0] if (code := SUBJECT_CODE.search(text)) else text
    if dataset == 4:  # "001:Current"
        return text[4:] if text[:3].isdigit() and text[3:4] == ":" and text[4:] else text
    return text


def without_outdated(records: bytes) -> bytes:
    """Return the records without what describes the file's own pixels: type of image, layout, a small preview."""
    kept, whole = [], 0
    for key, begin, end in _positions(records):
        whole = end
        if key not in OUTDATED_DATASETS and key[0] not in OUTDATED_RECORDS:
            kept.append(records[begin:end])
    return b"".join(kept) + records[whole:]


def _positions(records: bytes) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Yield (record and dataset, where it begins, where it ends)."""
    at = 0
    while at + 5 <= len(records) and records[at] == MARKER:
        size = int.from_bytes(records[at + 3 : at + 5], "big")
        begins = at + 5
        if size & 0x8000:  # extended: this is the size of the size
            begins += size & 0x7FFF
            size = int.from_bytes(records[at + 5 : min(begins, at + 13)], "big")
        if begins + size > len(records):
            return
        yield (records[at + 1], records[at + 2]), at, begins + size
        at = begins + size


def has_more(records: bytes) -> bool:
    """Return whether there are more datasets than :func:`xmp_properties` looks at."""
    return len(_datasets(records)) >= MAX_DATASETS


def _datasets(records: bytes) -> list[tuple[tuple[int, int], bytes]]:
    found, at = list[tuple[tuple[int, int], bytes]](), 0
    while at + 5 <= len(records) and records[at] == MARKER and len(found) < MAX_DATASETS:
        key = (records[at + 1], records[at + 2])
        size = int.from_bytes(records[at + 3 : at + 5], "big")
        begins = at + 5
        if size & 0x8000:  # extended: this is the size of the size
            begins += size & 0x7FFF
            size = int.from_bytes(records[at + 5 : min(begins, at + 13)], "big")
        found.append((key, records[begins : begins + size]))
        at = begins + size
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


def _iso_time(text: str, date: str) -> str:
    """Return a time of day, "101500+0100", as what follows a whole date; nothing where either is none."""
    found = TIME.fullmatch(text)
    if not found or len(date) != 10:
        return ""
    hours, minutes, seconds, zone, zone_minutes = found.groups()
    return f"T{hours}:{minutes}:{seconds}" + (f"{zone}:{zone_minutes}" if zone else "")
