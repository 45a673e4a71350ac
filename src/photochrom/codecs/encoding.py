"""From samples and metadata blocks to the bytes of a file.

Pixels are encoded bare and the blocks put in afterwards, byte for byte as they are: encoders that handle metadata
themselves drop what they do not know. The same input gives the same bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from photochrom.codecs import iptc, jpeg, png, tiff
from photochrom.codecs.libvips import image_from, libvips, with_block
from photochrom.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.metadata import Metadata

SUFFIX_FORMATS = {
    ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".jfif": "jpeg", ".png": "png", ".tif": "tiff", ".tiff": "tiff",
    ".webp": "webp", ".avif": "avif", ".bmp": "bmp", ".dib": "bmp",
}  # fmt: skip
WRITABLE_FORMATS = ("jpeg", "png", "tiff", "webp", "avif", "bmp")
DEEP_FORMATS = ("png", "tiff")
"""Formats that keep 16 bits per channel."""
ALPHA_FORMATS = ("png", "tiff", "webp", "avif")
"""Formats that keep an alpha channel."""
LARGEST_SIDE = {"jpeg": 65500, "webp": 16383, "avif": 65535, "bmp": 2**31 - 1, "png": 2**31 - 1, "tiff": 2**31 - 1}
# On scans the higher levels save nothing and take twice the time.
DEFLATE_LEVEL = 3
# Beyond this a TIFF needs 64-bit offsets, which our tag writer leaves to libvips.
LARGEST_CLASSIC_TIFF = 3_900_000_000

Samples = npt.NDArray[Any]


def encode_samples(samples: Samples, format: str, quality: int, metadata: Metadata) -> bytes | bytearray:
    """Return a file.

    Args:
        samples: (H, W, 1 to 4) uint8, or uint16 for :data:`DEEP_FORMATS`; the last of 2 or 4 channels is alpha.
        format: one of :data:`WRITABLE_FORMATS`.
        quality: 1 to 100, for the lossy formats.
        metadata: as :func:`photochrom.metadata.fitted_to` made it for the format.

    Raises:
        OutputError: the encoder failed.
    """
    try:
        if format == "jpeg":
            return _encode_jpeg(samples, quality, metadata)
        if format == "png":
            return _encode_png(samples, metadata)
        if format == "tiff":
            return _encode_tiff(samples, metadata)
        return _encode_with_pillow(samples, format, quality, metadata)
    except (libvips().Error, OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OutputError(
            f"the {format.upper()} encoder failed ({reason[:120]})", next_step="Choose another format"
        ) from error


def encode_pages(pages: Sequence[Samples], metadata: Sequence[Metadata]) -> bytearray:
    """Return one TIFF of several pages, each with its own metadata."""
    files = [_bare_tiff(samples, block) for samples, block in zip(pages, metadata, strict=True)]
    return _with_exif(tiff.joined(files), metadata[0])


def _encode_jpeg(samples: Samples, quality: int, metadata: Metadata) -> bytes:
    # Chroma at full resolution: it is what this program made. Optimised Huffman tables would save 4 % of the bytes and
    # cost three times the time.
    data = bytes(image_from(samples).jpegsave_buffer(Q=quality, subsample_mode="off", keep="none"))
    segments = [jpeg.jfif_segment(metadata.dpi)]
    if metadata.exif:
        segments.append(jpeg.segment(jpeg.APP1, jpeg.EXIF_HEADER + metadata.exif))
    if metadata.xmp:
        segments.append(jpeg.segment(jpeg.APP1, jpeg.XMP_HEADER + metadata.xmp))
    if metadata.icc:
        segments += jpeg.icc_segments(metadata.icc)
    segments.append((iptc.jpeg_segment(metadata.iptc) if metadata.iptc else None) or b"")
    return jpeg.with_segments(data, segments)


def _encode_png(samples: Samples, metadata: Metadata) -> bytes:
    data = bytes(image_from(samples).pngsave_buffer(compression=DEFLATE_LEVEL, filter="up", keep="none"))
    return png.with_chunks(data, png.describing_chunks(metadata.icc, metadata.exif, metadata.xmp, metadata.dpi))


def _encode_tiff(samples: Samples, metadata: Metadata) -> bytearray:
    return _with_exif(_bare_tiff(samples, metadata), metadata)


def _bare_tiff(samples: Samples, metadata: Metadata) -> bytearray:
    """Return a single-page TIFF with everything but its EXIF directories, whose offsets do not bear moving."""
    image = image_from(samples)
    if metadata.dpi:
        image = image.copy(xres=metadata.dpi[0] / 25.4, yres=metadata.dpi[1] / 25.4)
    large = samples.nbytes > LARGEST_CLASSIC_TIFF
    if large and metadata.icc:
        image = with_block(image, "icc-profile-data", metadata.icc)
    data = bytearray(
        image.tiffsave_buffer(
            compression="deflate",
            level=DEFLATE_LEVEL,
            predictor="horizontal",
            resunit="inch",
            bigtiff=large,
            keep="icc" if large else "none",
        )
    )
    if large:
        return data
    # libvips rounds IPTC lengths and drops profiles it finds odd, so these tags are written here.
    blocks = {tiff.XMP: metadata.xmp, tiff.IPTC: metadata.iptc, tiff.ICC: metadata.icc}
    tags = {tag: tiff.bytes_field(tag, block) for tag, block in blocks.items() if block}
    if not metadata.dpi:  # libvips makes one up
        tags[tiff.RESOLUTION_UNIT] = tiff.no_resolution_unit(tiff.byte_order(data))
    tiff.add_tags(data, tags, {})
    return data


def _with_exif(data: bytearray, metadata: Metadata) -> bytearray:
    if metadata.exif and bytes(data[2:4]) in (b"*\x00", b"\x00*"):
        tiff.add_tags(data, *tiff.tags_of_exif(metadata.exif))
    return data


def _encode_with_pillow(samples: Samples, format: str, quality: int, metadata: Metadata) -> bytes:
    from PIL import Image

    picture = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    options: dict[str, Any] = (
        {"dpi": metadata.dpi}
        if format == "bmp"
        else {
            "quality": quality,
            "exif": jpeg.EXIF_HEADER + metadata.exif if metadata.exif else b"",
            "xmp": metadata.xmp or b"",
            "icc_profile": metadata.icc,
        }
    )
    if format == "avif":
        options["subsampling"] = "4:4:4"
    buffer = io.BytesIO()
    picture.save(buffer, format.upper(), **{key: value for key, value in options.items() if value is not None})
    return buffer.getvalue()
