"""From bytes to samples: one loader per format, all of them giving a libvips image that has not been computed yet.

libvips reads a header without touching pixels, so limits are checked before memory is spent. Pillow, pi-heif and
rawpy decode what the libvips wheel cannot.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import (
    MissingExtraError,
    PhotochromError,
    PhotoTooLargeError,
    UnreadablePhotoError,
    UnsupportedPhotoError,
)
from photochrom.files.codecs import exif, gif, icc, iptc, jpeg, jpeg2000, png, tiff, xmp
from photochrom.files.codecs.libvips import image_from, libvips
from photochrom.files.codecs.resolution import plausible_dpi

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

CheckSize = Callable[[int, int, int], None]
"""Called with width, height and bytes per pixel before pixels are decoded; raises PhotoTooLargeError."""


@dataclass(slots=True)
class Decoded:
    """Samples as stored, and what was found beside them.

    Attributes:
        image: a ``pyvips.Image``; its pixels may not have been decoded yet.
        blocks: raw ``exif`` (from its TIFF header on), ``icc``, ``xmp`` and ``iptc`` blocks.
        dpi: resolution as the container states it.
        orientation: EXIF orientation that is still to be applied.
        implied_profile: profile for colours that the file describes by other means than an ICC profile.
        page_count: pages in the file, thumbnails and masks not counted.
        notes: what was decided.
    """

    image: Any
    blocks: dict[str, bytes] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    orientation: int = 1
    implied_profile: bytes | None = None
    page_count: int = 1
    notes: list[str] = field(default_factory=list)


RAW_NOTE = "camera raw developed with the camera's white balance"

Loader = Callable[["PhotoSource", int, CheckSize], Decoded]


def decode(source: PhotoSource, format: str, page: int, check_size: CheckSize) -> Decoded:
    """Return the samples of one page.

    Args:
        source: the file.
        format: what :func:`photochrom.files.codecs.signatures.photo_format` said it is.
        page: which page of a multi-page TIFF, from 0.
        check_size: see :data:`CheckSize`.

    Raises:
        UnreadablePhotoError: damaged or truncated.
        UnsupportedPhotoError: a kind of image that cannot be read without loss.
        MissingExtraError: an optional decoder is not installed.
    """
    return LOADERS[format](source, page, check_size)


def damaged(name: str, format: str, error: Exception) -> UnreadablePhotoError:
    """Return the error for a file that starts like a photograph and cannot be decoded."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = next((line for line in lines if not line.startswith("unable to ")), type(error).__name__)
    return UnreadablePhotoError(
        f"this {format.upper()} file is damaged or truncated ({reason[:120]})",
        where=name,
        next_step="Copy it again from its source",
    )


def decoder_errors(error: Exception, name: str, format: str) -> PhotochromError:
    """Return the one clear error for whatever a decoder raised."""
    if isinstance(error, MemoryError):
        return PhotoTooLargeError("not enough memory", where=name, next_step="Close other programs")
    return damaged(name, format, error)


def _load_with_vips(source: PhotoSource, loader: str, check_size: CheckSize, **options: object) -> Decoded:
    # Truncated files fail; odd but complete ones, which old scanners wrote, do not.
    load = getattr(libvips().Image, loader)
    image = load(source.for_vips(), access="sequential", fail_on="truncated", **options)
    check_size(image.width, image.height, image.bands * _sample_bytes(image))
    blocks = _vips_blocks(image)
    return Decoded(image, blocks, orientation=exif.orientation_of(blocks.get("exif", b"")))


def _load_jpeg(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    decoded = _load_with_vips(source, "jpegload_source", check_size)
    decoded.dpi = plausible_dpi(jpeg.dpi_of(source.read_at(0, 20)))
    if xmp.EXTENSION[1].encode() in decoded.blocks.get("xmp", b""):
        decoded.notes.append("the second part of a long XMP packet left out")
    # DCF's "optional colour space" is Adobe RGB without a profile; old cameras wrote it.
    if decoded.image.bands == 3 and exif.names_adobe_rgb(decoded.blocks.get("exif", b"")):
        decoded.implied_profile = icc.adobe_rgb_profile()
    return decoded


def _load_png(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    decoded = _load_with_vips(source, "pngload_source", check_size)
    decoded.dpi = plausible_dpi(png.dpi_of(source))
    decoded.implied_profile = png.profile_of(source, gray=decoded.image.bands < 3)
    return decoded


def _load_webp(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    return _noting_frames(_load_with_vips(source, "webpload_source", check_size))


def _load_gif(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    decoded = _noting_frames(_load_with_vips(source, "gifload_source", check_size))
    packet = gif.xmp_of(source)
    if packet:
        decoded.blocks["xmp"] = packet
    return decoded


def _load_avif(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    decoded = _noting_frames(_load_with_vips(source, "heifload_source", check_size))
    decoded.orientation = 1  # the container's own rotation, which libvips applies, is the one that counts
    bits = decoded.image.get("bits-per-sample") if decoded.image.get_typeof("bits-per-sample") else 8
    decoded.image = _spread(decoded.image, bits)
    return decoded


def _load_tiff(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    reader = tiff.TiffReader(source)
    pages = [found for found in reader.pages() if found.is_picture] or reader.pages()
    if not 0 <= page < len(pages):
        raise UnreadablePhotoError(f"there is no page {page + 1}: it has {len(pages)}", where=source.name)
    tags = pages[page]
    _refuse_odd_samples(tags, source.name)
    reader.check_pixels_present(tags)
    decoded = _load_with_vips(source, "tiffload_source", check_size, page=tags.index, **_strip_limit(tags))
    decoded.blocks = _tiff_blocks(reader, tags)
    orientation = tags.number(tiff.ORIENTATION) or 1
    decoded.orientation = orientation if 1 <= orientation <= 8 else 1
    decoded.dpi = plausible_dpi(tiff.dpi_of(tags))
    decoded.page_count = len(pages)
    if len(pages) > 1:
        decoded.notes.append(f"page {page + 1} of {len(pages)}")
    return decoded


def _strip_limit(page: tiff.Page) -> dict[str, bool]:
    """Return the option that lets libtiff read strips of over 50 MB, as in files of a single one.

    Not where tiles claim to be larger than the picture: the limits have been held against that, not against them.
    """
    area, tile = (
        (page.number(width) or 0) * (page.number(height) or 0)
        for width, height in ((tiff.WIDTH, tiff.HEIGHT), (tiff.TILE_WIDTH, tiff.TILE_HEIGHT))
    )
    known = "unlimited" in libvips().Introspect.get("tiffload_source").optional_input
    return {"unlimited": True} if known and tile <= area else {}


def _tiff_blocks(reader: tiff.TiffReader, page: tiff.Page) -> dict[str, bytes]:
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


def _load_bmp(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    return _load_with_pillow(source, "BmpImagePlugin", "BmpImageFile", check_size)


def _load_jpeg2000(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    decoded = _load_with_pillow(source, "Jpeg2KImagePlugin", "Jpeg2KImageFile", check_size)
    decoded.blocks |= jpeg2000.blocks_of(source)
    decoded.orientation = exif.orientation_of(decoded.blocks.get("exif", b""))
    return decoded


def _load_with_pillow(source: PhotoSource, plugin: str, image_class: str, check_size: CheckSize) -> Decoded:
    # The class itself rather than Image.open: no other plugin gets a try, and the limits are ours.
    opener = getattr(importlib.import_module(f"PIL.{plugin}"), image_class)
    with opener(io.BytesIO(source.read_all())) as picture:
        _refuse_cut_depth(source, picture)
        check_size(picture.width, picture.height, 8 if "16" in picture.mode else 4)
        profile = picture.info.get("icc_profile")
        dpi = picture.info.get("dpi")
        return Decoded(_vips_from_pillow(picture), {"icc": profile} if profile else {}, plausible_dpi(dpi))


def _refuse_cut_depth(source: PhotoSource, picture: Any) -> None:
    """Raise for a JPEG 2000 of more than 8 bits that Pillow would silently cut: all but single-channel ones."""
    if picture.format != "JPEG2000" or picture.mode == "I;16":
        return
    codestream = source.read_all()
    start = codestream.find(b"\xff\x4f\xff\x51")  # SOC and SIZ: ISO 15444-1 annex A.5.1
    count = int.from_bytes(codestream[start + 40 : start + 42], "big")
    depths = [(ssiz & 0x7F) + 1 for ssiz in codestream[start + 42 : start + 42 + 3 * min(count, 4) : 3]]
    if start < 0 or max(depths, default=8) > 8:
        raise UnsupportedPhotoError(
            f"a colour JPEG 2000 of {max(depths, default=0)} bits per channel, which would be cut to 8",
            where=source.name,
            next_step="Convert it to a 16-bit TIFF first",
        )


def _vips_from_pillow(picture: Any) -> Any:
    if picture.mode in ("I;16", "I;16B", "I;16L"):
        return image_from(np.asarray(picture).astype(np.uint16))
    if picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L" if picture.mode == "1" else "RGB")
    return image_from(np.asarray(picture), cmyk=picture.mode == "CMYK")


def _load_heic(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    pi_heif = _extra("pi_heif", "HEIC pictures", "heic", source.name)
    container = pi_heif.open_heif(source.read_all(), convert_hdr_to_8bit=False)
    picture = container[container.primary_index]
    width, height = picture.size
    check_size(width, height, 8)
    # A copy, for pi-heif frees its memory with the container; rows may be longer than the picture is wide.
    samples = np.array(picture)[:, :width]
    samples = np.ascontiguousarray(samples if samples.ndim == 3 else samples[..., None])
    blocks = {"exif": picture.info.get("exif"), "xmp": picture.info.get("xmp"), "icc": picture.info.get("icc_profile")}
    found = {name: block for name, block in blocks.items() if block}
    if "exif" in found:
        found["exif"] = found["exif"].removeprefix(jpeg.EXIF_HEADER)
    image = _spread(image_from(samples), int(picture.info.get("bit_depth", 8)))
    return Decoded(image, found)  # pi-heif has applied the container's rotation


def _load_raw(source: PhotoSource, page: int, check_size: CheckSize) -> Decoded:
    rawpy = _extra("rawpy", "camera raw files", "raw", source.name)
    with rawpy.imread(io.BytesIO(source.read_all())) as raw:
        check_size(raw.sizes.raw_width, raw.sizes.raw_height, 16)
        # LibRaw turns it upright.
        samples = raw.postprocess(output_bps=16, use_camera_wb=True, output_color=rawpy.ColorSpace.sRGB)
    return Decoded(image_from(samples), _blocks_of_raw(source), notes=[RAW_NOTE])


def _blocks_of_raw(source: PhotoSource) -> dict[str, bytes]:
    """Return the metadata of a camera file that is TIFF inside, as most are; its profile is not that of our pixels."""
    try:
        reader = tiff.TiffReader(source)
        blocks = _tiff_blocks(reader, reader.pages()[0])
    except (exif.DamagedExifError, IndexError):
        return {}
    return {name: block for name, block in blocks.items() if name != "icc"}


def _extra(module: str, what: str, extra: str, where: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{what} need the {extra} extra", where=where, next_step=f"Run: pip install 'photochrom[{extra}]'"
        ) from error


LOADERS: dict[str, Loader] = {
    "jpeg": _load_jpeg,
    "png": _load_png,
    "webp": _load_webp,
    "tiff": _load_tiff,
    "avif": _load_avif,
    "gif": _load_gif,
    "bmp": _load_bmp,
    "jpeg2000": _load_jpeg2000,
    "heic": _load_heic,
    "raw": _load_raw,
}


def _spread(image: Any, bits: int) -> Any:
    """Return 10 or 12 bit samples, which decoders put into the upper bits of 16, spread so that white is 65535."""
    if image.format != "ushort" or not 8 < bits < 16:
        return image
    white = (2**bits - 1) << (16 - bits)
    return (image * (65535 / white)).rint().cast("ushort").copy(interpretation=image.interpretation)


def _noting_frames(decoded: Decoded) -> Decoded:
    frames = decoded.image.get("n-pages") if decoded.image.get_typeof("n-pages") else 1
    if frames > 1:
        decoded.notes.append(f"first frame of {frames} taken")
    return decoded


def _vips_blocks(image: Any) -> dict[str, bytes]:
    names = {"exif": "exif-data", "icc": "icc-profile-data", "xmp": "xmp-data", "iptc": "iptc-data"}
    blocks = {key: bytes(image.get(name)) for key, name in names.items() if image.get_typeof(name)}
    if "exif" in blocks:
        blocks["exif"] = blocks["exif"].removeprefix(jpeg.EXIF_HEADER)
    records = blocks.pop("iptc", b"")
    if records[:1] != bytes([iptc.MARKER]):
        records = iptc.records_from_resources(records) or b""
    return {key: block for key, block in {**blocks, "iptc": records}.items() if block}


def _sample_bytes(image: Any) -> int:
    return {"uchar": 1, "char": 1, "ushort": 2, "short": 2}.get(image.format, 8 if image.format == "double" else 4)
