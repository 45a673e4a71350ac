"""Which pages of a TIFF are photographs, and which are thumbnails, masks and smaller copies of them.

Programs mark a thumbnail by NewSubfileType, or by the old SubfileType, or not at all; and some put it first and hang
the photograph on it as a SubIFD (TIFF/EP, DNG). So size alone has to tell some of them: never where a page says that it
is one of several, only beside the page that it is a copy of, and never without a word.
"""

from __future__ import annotations

from dataclasses import dataclass

from photochrom.files.codecs.channels import is_called_infrared
from photochrom.files.codecs.tiff import DESCRIPTION, PAGE_NAME, SAMPLES_PER_PIXEL, Page, TiffReader

# A page this many times smaller than the one beside it of the same shape, and no larger, is its thumbnail.
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
        left_out: pictures that are neither pages nor said to be copies of them, in words.
    """

    pages: list[Page]
    pages_around: list[Page]
    notes: list[str]
    infrared: dict[int, Page]
    left_out: list[str]


def photographs(reader: TiffReader) -> Photographs:
    """Return the photographs of a file, at least one if there is any page.

    Raises:
        DamagedExifError: not even the first directory can be read.
    """
    chain = reader.pages()
    notes = ["what its directory points to next is not there: left out"] if reader.chain_is_broken else []
    found = [_best_of(page, reader) for page in chain]
    pages = [best for best, _ in found]
    infrared = _infrared_pages(pages)
    channels = {page.index for page in infrared.values()}
    kept = [page for page in pages if page.is_picture and page.index not in channels] or pages
    copies = _thumbnails(kept)
    kept = [page for page in kept if page.index not in copies]
    if any(page.nested for page in kept):
        notes.append("the photograph was found behind its thumbnail")
    left_out = []
    if copies:
        pages_in_words = "1 page" if len(copies) == 1 else f"{len(copies)} pages"
        left_out.append(f"{pages_in_words} taken for thumbnails by their size")
        notes.append(f"{pages_in_words} taken for thumbnails by their size: left out")
    if further := sum(others for _, others in found):
        left_out.append(f"{further} further picture{'s' if further > 1 else ''} (SubIFD)")
    return Photographs(kept, chain, notes, infrared, left_out)


def _thumbnails(pages: list[Page]) -> frozenset[int]:
    """Return the places in the chain of pages that are known by their size to be thumbnails of a page beside them."""
    beside = zip(pages, [None, *pages[:-1]], [*pages[1:], None], strict=True)
    return frozenset(
        page.index for page, *others in beside if any(other and _is_thumbnail_of(page, other) for other in others)
    )


def _infrared_pages(pages: list[Page]) -> dict[int, Page]:
    """Return pages that are the infrared channel of the one before: grey, of its size, and said or known to be that.

    SilverFast writes them behind each photograph (its HDRi format), and does not say what they are.
    """
    found, channels = dict[int, Page](), set[int]()
    for page, following in zip(pages, pages[1:], strict=False):
        is_fitting = following.size == page.size and all(page.size) and page.index not in channels
        if is_fitting and following.first_number(SAMPLES_PER_PIXEL, 1) == 1:
            said = f"{following.text(DESCRIPTION)} {following.text(PAGE_NAME)}"
            by_silverfast = SILVERFAST in f"{page.text(SOFTWARE)} {following.text(SOFTWARE)}".lower()
            if is_called_infrared(said) or (by_silverfast and page.first_number(SAMPLES_PER_PIXEL, 1) == 3):
                found[page.index] = following
                channels.add(following.index)
    return found


def _best_of(page: Page, reader: TiffReader) -> tuple[Page, int]:
    """Return a page, or the photograph nested in it where the page is the thumbnail; and how many others are nested.

    Of these, copies of smaller size do not count.
    """
    nested = [inner for inner in reader.nested_pages(page) if inner.is_picture and all(inner.size)]
    largest = max(nested, key=lambda inner: inner.size[0] * inner.size[1], default=page)
    is_nested = bool(nested) and (not page.is_picture or _is_thumbnail_of(page, largest))
    best = largest if is_nested else page
    others = [inner for inner in nested if inner is not best and not _has_its_shape(inner, best)]
    return best, len(others)


def _is_thumbnail_of(small: Page, large: Page) -> bool:
    (width, height), (other_width, other_height) = small.size, large.size
    if not width or not height or max(width, height) > LARGEST_THUMBNAIL_PX or small.is_one_of_several:
        return False
    return min(other_width / width, other_height / height) >= TIMES_SMALLER and _has_its_shape(small, large)


def _has_its_shape(small: Page, large: Page) -> bool:
    """Return whether a page is no larger than another, and as wide for its height."""
    (width, height), (other_width, other_height) = small.size, large.size
    across, down = other_width / width, other_height / height
    return min(across, down) >= 1 and abs(across / down - 1) <= SAME_SHAPE
