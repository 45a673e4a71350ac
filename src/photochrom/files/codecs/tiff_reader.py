"""TIFF and BigTIFF: pixels by libvips, and what the tags of a page say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.errors import UnreadablePhotoError, UnsupportedPhotoError
from photochrom.files.codecs import iptc, tiff
from photochrom.files.codecs.decoded import Decoded, Wanted
from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.resolution import plausible_dpi
from photochrom.files.codecs.vips_readers import load_with_vips

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource


def read_tiff(source: PhotoSource, wanted: Wanted) -> Decoded:
    reader = tiff.TiffReader(source)
    pages = [found for found in reader.pages() if found.is_picture] or reader.pages()
    page = wanted.page
    if not 0 <= page < len(pages):
        raise UnreadablePhotoError(f"there is no page {page + 1}: it has {len(pages)}", where=source.name)
    tags = pages[page]
    _refuse_odd_samples(tags, source.name)
    reader.check_pixels_present(tags)
    decoded = load_with_vips(source, "tiffload_source", wanted, page=tags.index, **_strip_limit(tags))
    decoded.blocks = blocks_of_page(reader, tags)
    orientation = tags.number(tiff.ORIENTATION) or 1
    decoded.orientation = orientation if 1 <= orientation <= 8 else 1
    decoded.dpi = plausible_dpi(tiff.dpi_of(tags))
    decoded.page_count = len(pages)
    decoded.notes += dict.fromkeys(reader.notes)
    if len(pages) > 1:
        decoded.notes.append(f"page {page + 1} of {len(pages)}")
    return decoded


def _strip_limit(page: tiff.Page) -> dict[str, Any]:
    """Return the option that lets libtiff read strips of over 50 MB, as in files of a single one.

    Not where tiles claim to be larger than the picture: the limits have been held against that, not against them.
    """
    area, tile = (
        (page.number(width) or 0) * (page.number(height) or 0)
        for width, height in ((tiff.WIDTH, tiff.HEIGHT), (tiff.TILE_WIDTH, tiff.TILE_HEIGHT))
    )
    known = "unlimited" in libvips().Introspect.get("tiffload_source").optional_input
    return {"unlimited": True} if known and tile <= area else {}


def blocks_of_page(reader: tiff.TiffReader, page: tiff.Page) -> dict[str, bytes]:
    raw = {tag: page.tags[tag].data for tag in (tiff.XMP, tiff.IPTC, tiff.PHOTOSHOP, tiff.ICC) if tag in page.tags}
    # Photoshop pads the records to whole words.
    records = raw.get(tiff.IPTC, b"").rstrip(b"\x00") or iptc.records_from_resources(raw.get(tiff.PHOTOSHOP, b""))
    blocks = {
        "exif": tiff.exif_of_page(reader, page),
        "icc": raw.get(tiff.ICC),
        "xmp": raw.get(tiff.XMP),
        "iptc": records if records and records[0] == iptc.MARKER else None,
    }
    return {name: block for name, block in blocks.items() if block}


def _refuse_odd_samples(page: tiff.Page, name: str) -> None:
    """Raise for the sample sizes that libtiff's reader does not know; it would call the file damaged."""
    bits = page.first_number(tiff.BITS_PER_SAMPLE, 1)
    floating = page.first_number(tiff.SAMPLE_FORMAT, 1) == tiff.FLOATING
    if bits not in (1, 2, 4, 8, 16, 32) or (floating and bits != 32):
        raise UnsupportedPhotoError(
            f"{'floating-point ' if floating else ''}samples of {bits} bits",
            where=name,
            next_step="Save it with 8 or 16 bits per channel",
        )
