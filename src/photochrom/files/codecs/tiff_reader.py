"""TIFF and BigTIFF: which page is the photograph, what its channels mean, and who can decode it."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from photochrom.color import BLUE_PER_CB, GREEN_PER_CB, GREEN_PER_CR, RED_PER_CR
from photochrom.errors import PhotochromError, UnreadablePhotoError, UnsupportedPhotoError
from photochrom.files.codecs import lab, tiff, tiff_directories
from photochrom.files.codecs.channels import ASSOCIATED, UNASSOCIATED, Channels, names_in_resources
from photochrom.files.codecs.decoded import Decoded, Wanted, damaged, refuse_or_tell
from photochrom.files.codecs.exif import DamagedExifError
from photochrom.files.codecs.imagecodecs_readers import image_of
from photochrom.files.codecs.jpeg_frame import Frame, frame_of
from photochrom.files.codecs.jpeg_steps import STEP, row_of_step
from photochrom.files.codecs.libvips import libvips, straightened
from photochrom.files.codecs.lost_rows import told
from photochrom.files.codecs.resolution import plausible_dpi
from photochrom.files.codecs.source import PhotoSource
from photochrom.files.codecs.tiff_blocks import blocks_of_page
from photochrom.files.codecs.tiff_checks import check_all, check_of, frame_of_strips, stores_chroma_in_full
from photochrom.files.codecs.tiff_exif import PLACES_ON_EARTH
from photochrom.files.codecs.tiff_layout import BLACK_IS_ZERO, BUILT_IN, WHITE_IS_ZERO, planes_of
from photochrom.files.codecs.tiff_pages import Photographs, photographs
from photochrom.files.codecs.tiff_segments import holds_rgb, keeps_premultiplied, read_by_segments
from photochrom.files.codecs.vips_readers import load_with_vips

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

JPEG = 7
RGB, PALETTE, SEPARATED, YCBCR = 2, 3, 5, 6
COLORS = {0: 1, 1: 1, RGB: 3, 4: 1, SEPARATED: 4, YCBCR: 3, lab.CIELAB: 3, lab.ICCLAB: 3, lab.ITULAB: 3}
"""Channels that belong to the picture, by PhotometricInterpretation; a palette's are made when it is expanded."""
OTHER_PICTURES = {32803: "a camera's mosaic", 34892: "a camera's linear samples", 32844: "logarithmic luminance",
                  32845: "logarithmic colours", 51177: "a depth map", 52527: "semantic masks"}  # fmt: skip
CMYK_INKS, FEW_PAGES = 1, 8
# TIFF writes the number of samples in 16 bits; where a file uses 32, it may claim more than memory holds.
MOST_SAMPLES = 0xFFFF
UNPLACED = "its place on the Earth (GeoTIFF) left out: that is said of the picture before it was turned upright"


def read_tiff(source: PhotoSource, wanted: Wanted) -> Decoded:
    """Return one page; see :data:`~photochrom.files.codecs.decoded.Reader`."""
    reader, found = _found_in(source)
    reader.notes.clear()  # of another page
    if not 0 <= wanted.page < len(found.pages):
        raise UnreadablePhotoError(f"there is no page {wanted.page + 1}: it has {len(found.pages)}", where=source.name)
    page = found.pages[wanted.page]
    _refuse_odd_samples(page, source.name)
    channels = _meaning(page, source.name)
    decoded = _Pixels(reader, page, wanted).decoded()
    if channels and channels.count == decoded.image.bands:
        decoded.channels = channels
    if page.index in found.infrared and not page.nested:
        _join_infrared(decoded, _Pixels(reader, found.infrared[page.index], wanted))
    photometric = page.first_number(tiff.PHOTOMETRIC, 1)
    decoded.lab = photometric if photometric in lab.STORED else None
    _describe(decoded, reader, page, found.pages_around[page.index])
    decoded.page_count = len(found.pages)
    decoded.notes += [*found.notes, *dict.fromkeys(reader.notes)]
    decoded.left_out += found.left_out
    if len(found.pages) > 1:
        decoded.notes.append(f"page {wanted.page + 1} of {len(found.pages)}")
    return decoded


def sizes_of_pages(source: PhotoSource) -> list[tuple[int, int, int]]:
    """Return width, height and bytes per pixel of the pages that :func:`read_tiff` knows, nothing decoded.

    Raises:
        DamagedExifError: not even the first directory can be read.
    """
    return [(*page.size, _pixel_bytes(page)) for page in _found_in(source)[1].pages]


def _found_in(source: PhotoSource) -> tuple[tiff.TiffReader, Photographs]:
    """Return what a file holds. Its directories are read once, however many pages are asked for."""

    def find() -> tuple[tiff.TiffReader, Photographs]:
        reader = tiff.TiffReader(source)
        return reader, photographs(reader)

    return source.known("photographs", find)


def _join_infrared(decoded: Decoded, of: _Pixels) -> None:
    """Add the infrared channel that stands on a page of its own, as if it were one of the picture's channels."""
    channels = decoded.channels or Channels.usual(decoded.image)
    if channels.infrared is not None:
        return
    band = of.decoded().image.extract_band(0)
    if band.format != decoded.image.format:
        return
    decoded.image = decoded.image.bandjoin(band)
    decoded.channels = replace(channels, infrared=decoded.image.bands - 1)
    decoded.notes.append("the infrared channel found on the page behind it")
    decoded.kept.append(of)  # its bytes have to outlive the image


def _describe(decoded: Decoded, reader: tiff.TiffReader, page: tiff.Page, around: tiff.Page) -> None:
    """Add what the page says of itself, and where it is nested, what the one around it says."""
    orientation = page.number(tiff.ORIENTATION) or around.number(tiff.ORIENTATION) or 1
    decoded.orientation = orientation if 1 <= orientation <= 8 else 1
    if decoded.orientation > 1 and PLACES_ON_EARTH & (page.tags.keys() | around.tags.keys()):
        page, around = (_without_places(described) for described in (page, around))
        decoded.notes.append(UNPLACED)
    own = blocks_of_page(reader, page)
    # A nested page's tags describe samples; what describes the photograph stands around it.
    outer = {k: v for k, v in blocks_of_page(reader, around).items() if k != "icc"} if page.nested else {}
    decoded.blocks = {**own, **outer}
    decoded.dpi = plausible_dpi(tiff.dpi_of(page)) or plausible_dpi(tiff.dpi_of(around))


def _without_places(page: tiff.Page) -> tiff.Page:
    return replace(page, tags={tag: field for tag, field in page.tags.items() if tag not in PLACES_ON_EARTH})


class _Pixels:
    """The samples of one page: by libvips in one pass, or strip by strip where that is not possible."""

    def __init__(self, reader: tiff.TiffReader, page: tiff.Page, wanted: Wanted) -> None:
        self.has_ycbcr = _is_plain_ycbcr(page) and stores_chroma_in_full(reader, page)
        if self.has_ycbcr:  # some programs do not say so, which would mean one chroma for four pixels
            whole = tiff_directories.shorts_field((1, 1), page.order)
            page = replace(page, tags={**page.tags, tiff.SUBSAMPLING: whole})
        self.reader, self.page, self.wanted = reader, page, wanted
        self.name = reader.source.name
        self.opened = reader.source

    def decoded(self) -> Decoded:
        """Return the samples; where computing them fails, a second look follows."""
        if self.page.first_number(tiff.COMPRESSION, 1) not in BUILT_IN:
            return self._by_segments()
        self._check_size()
        try:
            self.reader.check_pixels_present(self.page)
            check_all(self.reader, self.page)
        except (DamagedExifError, ValueError) as error:
            if not self.wanted.read_damaged:
                raise damaged(self.name, "tiff", error) from error
            return self._by_segments()
        if planes_of(self.page) > 1 and self.page.first_number(tiff.PHOTOMETRIC, 1) in (WHITE_IS_ZERO, BLACK_IS_ZERO):
            return self._by_segments()  # libvips takes planes of grey and more for pixels
        source, how = self._file()
        self.opened = source  # its bytes have to outlive the image
        decoded = load_with_vips(source, "tiffload_source", self.wanted, **how, **_strip_limit(self.page))
        decoded.second_look = self._second_look
        if frame := frame_of_strips(self.reader, self.page):
            decoded.look = partial(self._look_for_steps, decoded, frame)
        decoded.image = self._as_rgb(self._straight(decoded.image, divided=_is_divided_by_libvips(self.page)))
        return decoded

    def _straight(self, image: Any, *, divided: bool) -> Any:
        """Return colours that are not multiplied with their opacity, which the decoder may have divided already."""
        alpha = _associated_alpha(self.page)
        return image if alpha is None or divided or alpha >= image.bands else straightened(image, alpha)

    def _as_rgb(self, image: Any) -> Any:
        """Return red, green and blue of what libvips takes for them: luma, and chroma of every pixel."""
        if not self.has_ycbcr:
            return image
        white = 65535 if image.format == "ushort" else 255
        centred = image.extract_band(0, n=3) - [0, (white + 1) / 2, (white + 1) / 2]
        rgb = centred.recomb([[1, 0, RED_PER_CR], [1, GREEN_PER_CB, GREEN_PER_CR], [1, BLUE_PER_CB, 0]])
        rgb = rgb.rint().cast(image.format)
        return rgb.bandjoin(image.extract_band(3, n=image.bands - 3)) if image.bands > 3 else rgb

    def _file(self) -> tuple[PhotoSource, dict[str, Any]]:
        """Return what libvips can read, and how: the file, or a copy of the page in which the tags are true.

        Of many pages libvips would go through all directories for each; so the page is made the only one.
        """
        source = self.reader.source
        if changes := _corrected_tags(self.reader, self.page):
            data = tiff_directories.file_of_page(self.reader, self.page, changes)
            return replace(source, data=data, size=len(data), handle=io.BytesIO(data)), {"page": 0}
        if self.page.nested or self.reader.chain_is_broken or self.page.index >= FEW_PAGES:
            return source, {"page": 0, "hidden": self.reader.alone(self.page), "in_pieces": True}
        return source, {"page": self.page.index}

    def _look_for_steps(self, decoded: Decoded, frame: Frame, pixels: npt.NDArray[Any]) -> None:
        """Refuse pixels that are shifted from the middle of a strip's first row on, or note it; see :mod:`.jpeg_steps`.

        Strips alone do not show it, for it begins between two of them.
        """
        row = row_of_step(pixels[..., : len(frame.sampling)], frame)
        if row is not None:
            refuse_or_tell(decoded, self.wanted, self.name, "tiff", STEP.format(row=row + 1))

    def _second_look(self, decoded: Decoded, error: Exception) -> None:
        if not self.wanted.read_damaged:
            raise damaged(self.name, "tiff", error)
        again = self._by_segments()
        decoded.image, decoded.holes, decoded.look = again.image, again.holes, None
        decoded.notes += again.notes

    def _by_segments(self) -> Decoded:
        self._check_size()
        if self.page.first_number(tiff.COMPRESSION, 1) not in BUILT_IN:  # a strip may be the whole picture
            width, height = self.page.size
            self.wanted.begin_call(width * height)
        page = replace(self.page, tags={**self.page.tags, **_corrected_tags(self.reader, self.page)})
        try:
            check, wanted = check_of(self.reader, page), self.wanted
            found, holes = read_by_segments(self.reader, page, read_damaged=wanted.read_damaged, check=check)
        except PhotochromError:
            raise
        except Exception as error:
            raise damaged(self.name, "tiff", error) from error
        cmyk = self.page.first_number(tiff.PHOTOMETRIC, 1) == SEPARATED
        divided = _is_divided_by_libvips(self.page) and not keeps_premultiplied(self.page)
        image = self._as_rgb(self._straight(image_of(found, cmyk=cmyk), divided=divided))
        if not holes.any():
            return Decoded(image)
        return Decoded(image, notes=[told(holes)], holes=holes)

    def _check_size(self) -> None:
        self.wanted.check_size(*self.page.size, _pixel_bytes(self.page))


def _pixel_bytes(page: tiff.Page) -> int:
    return page.first_number(tiff.SAMPLES_PER_PIXEL, 1) * -(-page.first_number(tiff.BITS_PER_SAMPLE, 1) // 8)


def _corrected_tags(reader: tiff.TiffReader, page: tiff.Page) -> Mapping[int, tiff.Field]:
    """Return tags that have to be other than they are for libvips to give the samples as they are stored."""
    changes = {}
    photometric = page.first_number(tiff.PHOTOMETRIC, 1)
    if photometric in lab.STORED:  # its own reading of them knows 16 bits only, and takes ICC's for RGB
        changes[tiff.PHOTOMETRIC] = tiff_directories.number_field(RGB, page.order)
    if photometric == YCBCR and page.first_number(tiff.COMPRESSION, 1) == JPEG:
        stated = page.numbers(tiff.SUBSAMPLING) or [2, 2]
        offsets, lengths = page.segments()
        frame = frame_of(reader.source.read_at(int(offsets[0]), int(lengths[0]))) if offsets.size else None
        if frame and frame.sampling and list(frame.sampling[0]) != stated:
            changes[tiff.SUBSAMPLING] = tiff_directories.shorts_field(frame.sampling[0], page.order)
            if set(frame.sampling) == {(1, 1)} and holds_rgb(reader, page):
                changes[tiff.PHOTOMETRIC] = tiff_directories.number_field(RGB, page.order)
    if _is_plain_ycbcr(page) and page.numbers(tiff.SUBSAMPLING) == [1, 1]:
        changes[tiff.SUBSAMPLING] = page.tags[tiff.SUBSAMPLING]
    if _associated_alpha(page) is not None and not _is_divided_by_libvips(page):
        kinds = [UNASSOCIATED if kind == ASSOCIATED else kind for kind in page.numbers(tiff.EXTRA_SAMPLES)]
        changes[tiff.EXTRA_SAMPLES] = tiff_directories.shorts_field(kinds, page.order)
    return changes


def _is_plain_ycbcr(page: tiff.Page) -> bool:
    is_jpeg = page.first_number(tiff.COMPRESSION, 1) == JPEG
    return page.first_number(tiff.PHOTOMETRIC, 1) == YCBCR and not is_jpeg


def _meaning(page: tiff.Page, name: str) -> Channels | None:
    """Return what the channels mean, or None where libvips makes them anew; refuse pictures that are none."""
    count = page.first_number(tiff.SAMPLES_PER_PIXEL, 1)
    photometric = page.first_number(tiff.PHOTOMETRIC, RGB if count >= 3 else 1)
    if photometric in OTHER_PICTURES or (
        photometric == SEPARATED and page.first_number(tiff.INK_SET, CMYK_INKS) != CMYK_INKS
    ):
        raise UnsupportedPhotoError(
            f"a TIFF of {OTHER_PICTURES.get(photometric, 'inks other than CMYK')}",
            where=name,
            next_step="Save it as RGB or grey in a photo editor",
        )
    colors = COLORS.get(photometric)
    if colors is None or count < colors:
        return None
    names = names_in_resources(page.tags[tiff.PHOTOSHOP].data) if tiff.PHOTOSHOP in page.tags else []
    if not names and count == colors + 1:
        names = [f"{page.text(tiff.DESCRIPTION)} {page.text(tiff.PAGE_NAME)}"]
    return Channels.of_extra_samples(colors, count, page.numbers(tiff.EXTRA_SAMPLES), names)


def _associated_alpha(page: tiff.Page) -> int | None:
    """Return the channel that colours are multiplied with (TIFF 6.0, section 18); of several the last, as libvips."""
    kinds = page.numbers(tiff.EXTRA_SAMPLES)
    first = page.first_number(tiff.SAMPLES_PER_PIXEL, 1) - len(kinds)
    return max((first + k for k, kind in enumerate(kinds) if kind == ASSOCIATED), default=None)


def _is_divided_by_libvips(page: tiff.Page) -> bool:
    """Return whether libvips divides by associated alpha rightly: it takes 255 for full where it knows no better."""
    bits = page.first_number(tiff.BITS_PER_SAMPLE, 1)
    return bits <= 8 or (bits == 16 and page.first_number(tiff.PHOTOMETRIC, 1) != SEPARATED)


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


def _refuse_odd_samples(page: tiff.Page, name: str) -> None:
    """Raise for the sample sizes that libtiff's reader does not know; it would call the file damaged."""
    if (count := page.first_number(tiff.SAMPLES_PER_PIXEL, 1)) > MOST_SAMPLES:
        raise UnreadablePhotoError(f"the file is damaged: it claims {count:,} channels", where=name)
    bits = page.first_number(tiff.BITS_PER_SAMPLE, 1)
    floating = page.first_number(tiff.SAMPLE_FORMAT, 1) == tiff.FLOATING
    if bits not in (1, 2, 4, 8, 16, 32) or (floating and bits != 32):
        raise UnsupportedPhotoError(
            f"{'floating-point ' if floating else ''}samples of {bits} bits",
            where=name,
            next_step="Save it with 8 or 16 bits per channel",
        )
