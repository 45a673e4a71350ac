"""JPEG XL, JPEG XR, and the JPEGs that libjpeg does not know, by the imagecodecs library: the `codecs` extra."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.errors import UnreadablePhotoError
from photochrom.files.codecs import jxl, jxr, tiff
from photochrom.files.codecs.decoded import Decoded, Wanted, extra_module
from photochrom.files.codecs.jpeg_frame import JPEG_LS, LOSSLESS, Frame
from photochrom.files.codecs.libvips import image_from, libvips, straightened
from photochrom.files.codecs.tiff_blocks import blocks_of_page
from photochrom.files.codecs.vips_readers import load_with_vips

if TYPE_CHECKING:
    from photochrom.files.codecs.source import Patch, PhotoSource

EXTRA = "codecs"
LARGEST_UNPACKED = 16_000_000
"""Of a block of metadata: what :mod:`photochrom.files.metadata` takes."""


def imagecodecs(what: str, where: str) -> Any:
    """Return the library, or raise MissingExtraError saying what needs it."""
    return extra_module("imagecodecs", what, EXTRA, where)


def read_jxl(source: PhotoSource, wanted: Wanted) -> Decoded:
    """Return the picture of a JPEG XL file; see :data:`~photochrom.files.codecs.decoded.Reader`."""
    library = imagecodecs("JPEG XL pictures", source.name)
    data = source.read_all()
    header = jxl.header_of(data)
    if header is None:
        raise UnreadablePhotoError(
            "this JPEG XL file is damaged or truncated (no header)",
            where=source.name,
            next_step="Copy it again from its source",
        )
    wanted.check_size(header.width, header.height, 8)
    wanted.begin_call(header.width * header.height)
    samples = np.asarray(library.jpegxl_decode(data, index=0))
    if header.bits and samples.dtype.kind == "u":  # libjxl gives codes of as many bits as the file has
        samples = spread_to_full(samples, header.bits)
    notes = [] if header.is_srgb else ["the colour space inside JPEG XL is not read: taken as sRGB"]
    blocks, told = jxl.blocks_of(data, lambda packed: bytes(library.brotli_decode(packed, out=LARGEST_UNPACKED)))
    return Decoded(image_of(samples), blocks, notes=notes + told)  # libjxl turns it upright


def read_jxr(source: PhotoSource, wanted: Wanted) -> Decoded:
    """Return the picture of a JPEG XR file, which is TIFF outside; see ``Reader``."""
    library = imagecodecs("JPEG XR pictures", source.name)
    reader = tiff.TiffReader(source)
    page = reader.pages()[0]
    width, height = page.number(jxr.WIDTH), page.number(jxr.HEIGHT)
    if not width or not height:
        raise UnreadablePhotoError(
            "this JPEG XR file does not say its size", where=source.name, next_step="Copy it again from its source"
        )
    format = jxr.pixel_format(page)
    channels = jxr.meaning_of(format, source.name)
    wanted.check_size(width, height, max(8, 2 * channels.count))
    wanted.begin_call(width * height)
    samples = np.asarray(library.jpegxr_decode(source.read_all()))
    if format in jxr.BLACK_OR_WHITE:
        samples = samples.astype(np.uint8) * np.uint8(255)
    image = image_of(samples, cmyk=channels.colors == 4)
    if format in jxr.RGB_PREMULTIPLIED:
        image = straightened(image, 3)
    return Decoded(image, blocks_of_page(reader, page), channels=channels)


def read_unusual_jpeg(source: PhotoSource, wanted: Wanted, frame: Frame, hidden: Sequence[Patch]) -> Decoded:
    """Return the picture of a JPEG of more than 8 bits, of a lossless one, or of JPEG-LS."""
    bits = f" of {frame.precision} bits per channel" if frame.precision != 8 else ""
    kind = "JPEG-LS pictures" if frame.kind == JPEG_LS else "lossless JPEGs" if frame.is_lossless else "JPEGs"
    library = imagecodecs(kind + bits, source.name)
    wanted.check_size(frame.width, frame.height, 2 * len(frame.sampling))
    wanted.begin_call(frame.width * frame.height)
    data = source.read_all()
    decode = (
        library.jpegls_decode
        if frame.kind == JPEG_LS
        else library.ljpeg_decode
        if frame.kind in LOSSLESS
        else library.jpeg8_decode
    )
    samples = spread_to_full(np.asarray(decode(data)), frame.precision)
    return Decoded(image_of(samples), _profile_of_unusual(source, data, frame, wanted, hidden))


def image_of(samples: np.ndarray[Any, Any], *, cmyk: bool = False) -> Any:
    """Return a libvips image over decoded samples (H, W) or (H, W, bands), of 8 or 16 bits or floating point."""
    if samples.dtype.kind == "f":
        planes = samples if samples.ndim == 3 else samples[..., None]
        return libvips().Image.new_from_array(np.ascontiguousarray(planes.astype(np.float32)))
    return image_from(samples, cmyk=cmyk)


def spread_to_full(samples: np.ndarray[Any, Any], bits: int) -> np.ndarray[Any, Any]:
    """Return samples of fewer bits than their type spread over 8 or 16, so that white is white."""
    if bits == 8 * samples.dtype.itemsize:
        return samples
    dtype: Any = np.uint8 if bits < 8 else np.uint16
    white = float(np.iinfo(dtype).max)
    codes = np.minimum(np.arange(2 ** (8 * samples.dtype.itemsize)), 2**bits - 1)
    return np.asarray(np.rint(codes * (white / (2**bits - 1))).astype(dtype)[samples])


def _profile_of_unusual(
    source: PhotoSource, data: bytes, frame: Frame, wanted: Wanted, hidden: Sequence[Patch]
) -> dict[str, bytes]:
    """Return the profile of a JPEG that libjpeg does not decode: it reads the header of one that says it is usual."""
    usual = bytearray(data[: frame.scan_at])
    usual[frame.height_at - 1] = 8
    usual[frame.height_at - 4] = 0xC0
    head = replace(source, data=bytes(usual), size=len(usual), handle=io.BytesIO(usual))
    try:
        return load_with_vips(head, "jpegload_source", wanted, hidden=hidden).blocks
    except libvips().Error:
        return {}
