"""What a photograph says about itself besides its pixels, and what each file format can hold of it.

| | JPEG | PNG | TIFF | WebP | AVIF | BMP |
|---|---|---|---|---|---|---|
| EXIF, GPS | segment, 64 kB | chunk | tags | chunk | item | - |
| XMP | segments | chunk | tag | chunk | item | - |
| IPTC-IIM | segment, 64 kB | in XMP | tag | in XMP | in XMP | - |
| ICC profile | yes | yes | yes | yes | yes | - |
| comments | segments | chunks | in XMP | in XMP | in XMP | - |
| resolution | JFIF | chunk | tags | in EXIF | in EXIF | header |

What a format cannot hold is said in a note. IPTC records without a place are told in XMP by the IPTC's own mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from photochrom.files.codecs import exif, iptc, jpeg, xmp, xmp_document
from photochrom.files.codecs.formats import FORMATS
from photochrom.files.codecs.resolution import exif_dpi, with_dpi
from photochrom.files.codecs.xmp_extension import fits
from photochrom.files.provenance import own_properties

TEXTS = iptc.XmpProperty("photochrom", "Texts", "list")
XMP_OF_KEYWORD = {
    "Title": iptc.XmpProperty("dc", "title", "alternatives"),
    "Author": iptc.XmpProperty("dc", "creator", "list"),
    "Description": iptc.XmpProperty("dc", "description", "alternatives"),
    "Comment": iptc.XmpProperty("dc", "description", "alternatives"),
    "Copyright": iptc.XmpProperty("dc", "rights", "alternatives"),
}
"""PNG's keywords (third edition, section 11.3.3.1) in XMP's words."""
LARGEST_BLOCK = {"exif": 16_000_000, "xmp": 16_000_000, "iptc": 2_000_000}
MOST_NAMED = 8
NO_ROOM_FOR_IPTC = "IPTC records do not fit into the XMP: left out"
NO_ROOM_FOR_TEXTS = "comments do not fit into the XMP: left out"
EMPTY_EXIF = b"II*\x00\x08\x00\x00\x00" + bytes(6)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The blocks of a file, as read; kept as bytes, so that nothing is lost that we do not understand.

    Attributes:
        exif: EXIF block starting at its TIFF header, orientation set to upright, thumbnail removed; GPS included.
        icc: the colour profile of the *file*; the pixels of a :class:`~photochrom.files.photo.Photo` are sRGB already.
        xmp: XMP packet, XML.
        iptc: IPTC-IIM records.
        dpi: horizontal and vertical pixels per inch.
        texts: keyword and text of PNG's text chunks; of comments, the keyword is "Comment".
    """

    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    texts: tuple[tuple[str, str], ...] = ()


def made_upright(metadata: Metadata, width: int, height: int) -> tuple[Metadata, tuple[str, ...]]:
    """Return metadata true for an upright sRGB picture of this size without thumbnail, and notes on damaged blocks."""
    metadata, notes = _within_budgets(metadata)
    block, packet = metadata.exif, metadata.xmp
    if block:
        try:
            block = exif.describing(block, width, height)
        except exif.DamagedExifError:
            block = None
            notes.append("damaged EXIF left out")
    if packet:
        try:
            packet = xmp.without_outdated(packet)
        except xmp_document.DamagedXmpError as error:
            packet = None
            notes.append(f"damaged XMP left out ({error})")
    dpi = metadata.dpi or (exif_dpi(block) if block else None)
    records = iptc.without_outdated(metadata.iptc) if metadata.iptc else None
    return replace(metadata, exif=block, xmp=packet, iptc=records or None, dpi=dpi), tuple(notes)


def _within_budgets(metadata: Metadata) -> tuple[Metadata, list[str]]:
    large = [name for name, most in LARGEST_BLOCK.items() if len(getattr(metadata, name) or b"") > most]
    notes = [f"{name.upper()} of more than {LARGEST_BLOCK[name] / 1e6:.0f} MB left out" for name in large]
    dropped: dict[str, Any] = dict.fromkeys(large)
    return replace(metadata, **dropped), notes


def fitted_to(metadata: Metadata, format: str) -> tuple[Metadata, tuple[str, ...]]:
    """Return the metadata as a format can hold it, and notes on what it cannot."""
    row, notes = FORMATS[format], []
    if not row.holds:
        lost = [name.upper() for name in ("exif", "xmp", "iptc", "icc", "texts") if getattr(metadata, name)]
        told = (f"{format.upper()} holds no {', '.join(lost)}: left out",) if lost else ()
        return Metadata(dpi=metadata.dpi), told
    if metadata.iptc and "iptc" not in row.holds:
        if iptc.has_more(metadata.iptc):
            notes.append(f"IPTC records beyond the first {iptc.MAX_DATASETS:,} left out")
        if placeless := iptc.without_place(metadata.iptc):
            more = ", ..." if len(placeless) > MOST_NAMED else ""
            notes.append(f"IPTC records that XMP has no word for left out: {', '.join(placeless[:MOST_NAMED])}{more}")
        metadata, is_told = _told_in_xmp(metadata, _iptc_told_in_xmp, "iptc", None)
        notes.append(f"IPTC records written as XMP, which {format.upper()} can hold" if is_told else NO_ROOM_FOR_IPTC)
    if metadata.texts and "texts" not in row.holds:
        metadata, is_told = _told_in_xmp(metadata, _texts_told_in_xmp, "texts", ())
        notes.append(f"comments written as XMP, which {format.upper()} can hold" if is_told else NO_ROOM_FOR_TEXTS)
    if metadata.dpi and row.dpi_in_exif:
        metadata = replace(metadata, exif=with_dpi(metadata.exif or EMPTY_EXIF, metadata.dpi))
    if row.segmented:
        metadata, lost = _fitted_to_segments(metadata)
        notes += [f"{name} too large for JPEG: left out" for name in lost]
    return metadata, tuple(notes)


def _told_in_xmp(
    metadata: Metadata, tell: Callable[[Metadata], Metadata], name: str, nothing: Any
) -> tuple[Metadata, bool]:
    """Return metadata with a block told in XMP, or without it where that would be more than a packet may be."""
    try:
        told = tell(metadata)
    except xmp_document.DamagedXmpError:
        told = None
    if told is None or len(told.xmp or b"") > LARGEST_BLOCK["xmp"]:
        return replace(metadata, **{name: nothing}), False
    return told, True


def _iptc_told_in_xmp(metadata: Metadata) -> Metadata:
    properties = iptc.xmp_properties(metadata.iptc or b"")
    packet = xmp.with_properties(metadata.xmp, properties, replace=False) if properties else metadata.xmp
    return replace(metadata, xmp=packet, iptc=None)


def _texts_told_in_xmp(metadata: Metadata) -> Metadata:
    """Return metadata with the texts in a list of our own, and under their usual names where these are free."""
    usual: dict[iptc.XmpProperty, list[str]] = {}
    for keyword, text in metadata.texts:
        if keyword in XMP_OF_KEYWORD:
            usual.setdefault(XMP_OF_KEYWORD[keyword], [xmp.allowed(text)])
    packet = xmp.with_properties(metadata.xmp, usual, replace=False) if usual else metadata.xmp
    texts = [xmp.allowed(f"{keyword}: {text}") for keyword, text in metadata.texts]
    return replace(metadata, xmp=xmp.with_properties(packet, {TEXTS: texts}, replace=True), texts=())


def _fitted_to_segments(metadata: Metadata) -> tuple[Metadata, list[str]]:
    lost: list[str] = []
    if metadata.exif and len(metadata.exif) > jpeg.LARGEST_EXIF:
        metadata, lost = replace(metadata, exif=None), [*lost, "EXIF"]
    if metadata.xmp and not fits(metadata.xmp):
        metadata, lost = replace(metadata, xmp=own_properties(metadata.xmp)), [*lost, "XMP"]
    if metadata.iptc and iptc.jpeg_segment(metadata.iptc) is None:
        metadata, lost = replace(metadata, iptc=None), [*lost, "IPTC"]
    if metadata.icc and len(metadata.icc) > jpeg.LARGEST_ICC:
        metadata, lost = replace(metadata, icc=None), [*lost, "ICC profile"]
    return metadata, lost
