"""The metadata blocks that the tags of a TIFF page hold."""

from __future__ import annotations

from photochrom.files.codecs import iptc, tiff, tiff_exif


def blocks_of_page(reader: tiff.TiffReader, page: tiff.Page) -> dict[str, bytes]:
    raw = {tag: page.tags[tag].data for tag in (tiff.XMP, tiff.IPTC, tiff.PHOTOSHOP, tiff.ICC) if tag in page.tags}
    # Photoshop pads the records to whole words.
    records = raw.get(tiff.IPTC, b"").rstrip(b"\x00") or iptc.records_from_resources(raw.get(tiff.PHOTOSHOP, b""))
    blocks = {
        "exif": tiff_exif.exif_of_page(reader, page),
        "icc": raw.get(tiff.ICC),
        "xmp": raw.get(tiff.XMP),
        "iptc": records if records and records[0] == iptc.MARKER else None,
    }
    return {name: block for name, block in blocks.items() if block}
