"""Which pages of a TIFF are photographs, and which are thumbnails, masks and smaller copies of them.

Programs mark a thumbnail by NewSubfileType, or by the old SubfileType, or not at all; and some put it first and hang
the photograph on it as a SubIFD (TIFF/EP, DNG).
"""

from __future__ import annotations

from dataclasses import dataclass

from photochrom.files.codecs.channels import is_called_infrared
from photochrom.files.codecs.tiff import DESCRIPTION, PAGE_NAME, SAMPLES_PER_PIXEL, Page, TiffReader

# A page this many times smaller than another of the same shape, and no larger, is its thumbnail.
TIMES_SMALLER, LARGEST_THUMBNAIL_PX, SAME_SHAPE = 2, 640, 0.03

SOFTWARE, SILVERFAST = 305, "silverfast"


@dataclass(frozen=True, slots=True)
class Photographs:
    """What there is to read in a file.

    Attributes:
        pages: the photographs, in order.
        infrared: the page with a photograph's infrared channel, by the photograph's place in the chain.
        pages_around: the chain of pages, for a nested one to find what it hangs on.
        notes: what was decided.
    """

    pages: list[Page]
    pages_around: list[Page]
    notes: list[str]
    infrared: dict[int, Page]


def photographs(reader: TiffReader) -> Photographs:
    """Return the photographs of a file, at least one if there is any page.

    Raises:
        DamagedExifError: not even the first directory can be read.
    """
    chain = reader.pages()
    notes = ["what its directory points to next is not there: left out"] if reader.chain_is_broken else []
    pages = [_best_of(page, reader) for page in chain]
    infrared = _infrared_pages(pages)
    channels = [page.index for page in infrared.values()]
    kept = [page for page in pages if page.is_picture and page.index not in channels] or pages
    kept = [page for page in kept if not any(_is_thumbnail_of(page, other) for other in kept)]
    if any(page.nested for page in kept):
        notes.append("the photograph was found behind its thumbnail")
    return Photographs(kept, chain, notes, infrared)


def _infrared_pages(pages: list[Page]) -> dict[int, Page]:
    """Return pages that are the infrared channel of the one before: grey, of its size, and said or known to be that.

    SilverFast writes them behind each photograph (its HDRi format), and does not say what they are.
    """
    found: dict[int, Page] = {}
    for page, following in zip(pages, pages[1:], strict=False):
        is_fitting = (
            following.size == page.size and all(page.size) and page.index not in [p.index for p in found.values()]
        )
        if is_fitting and following.first_number(SAMPLES_PER_PIXEL, 1) == 1:
            said = f"{following.text(DESCRIPTION)} {following.text(PAGE_NAME)}"
            by_silverfast = SILVERFAST in f"{page.text(SOFTWARE)} {following.text(SOFTWARE)}".lower()
            if is_called_infrared(said) or (by_silverfast and page.first_number(SAMPLES_PER_PIXEL, 1) == 3):
                found[page.index] = following
    return found


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
