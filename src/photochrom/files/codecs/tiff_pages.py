"""Which pages of a TIFF are photographs, and which are thumbnails, masks and smaller copies of them.

Programs mark a thumbnail by NewSubfileType, or by the old SubfileType, or not at all; and some put it first and hang
the photograph on it as a SubIFD (TIFF/EP, DNG).
"""

from __future__ import annotations

from dataclasses import dataclass

from photochrom.files.codecs.tiff import Page, TiffReader

# A page this many times smaller than another of the same shape, and no larger, is its thumbnail.
TIMES_SMALLER, LARGEST_THUMBNAIL_PX, SAME_SHAPE = 2, 640, 0.03


@dataclass(frozen=True, slots=True)
class Photographs:
    """What there is to read in a file.

    Attributes:
        pages: the photographs, in order.
        pages_around: the chain of pages, for a nested one to find what it hangs on.
        notes: what was decided.
    """

    pages: list[Page]
    pages_around: list[Page]
    notes: list[str]


def photographs(reader: TiffReader) -> Photographs:
    """Return the photographs of a file, at least one if there is any page.

    Raises:
        DamagedExifError: not even the first directory can be read.
    """
    chain = reader.pages()
    notes = ["what its directory points to next is not there: left out"] if reader.chain_is_broken else []
    pages = [_best_of(page, reader) for page in chain]
    kept = [page for page in pages if page.is_picture] or pages
    kept = [page for page in kept if not any(_is_thumbnail_of(page, other) for other in kept)]
    if any(page.nested for page in kept):
        notes.append("the photograph was found behind its thumbnail")
    return Photographs(kept, chain, notes)


def _best_of(page: Page, reader: TiffReader) -> Page:
    """Return a page, or the photograph nested in it where the page is the thumbnail."""
    nested = [inner for inner in reader.nested_pages(page) if inner.is_picture and all(inner.size)]
    largest = max(nested, key=lambda inner: inner.size[0] * inner.size[1], default=page)
    if nested and (not page.is_picture or _is_thumbnail_of(page, largest)):
        return largest
    return page


def _is_thumbnail_of(small: Page, large: Page) -> bool:
    (width, height), (other_width, other_height) = small.size, large.size
    if not width or not height or max(width, height) > LARGEST_THUMBNAIL_PX:
        return False
    across, down = other_width / width, other_height / height
    return min(across, down) >= TIMES_SMALLER and abs(across / down - 1) <= SAME_SHAPE
