"""HEIC and camera raw, whose decoders are extras."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from photochrom.files.codecs import exif, jpeg, tiff
from photochrom.files.codecs.decoded import Decoded, Wanted, extra_module
from photochrom.files.codecs.item_blocks import colors_of_items
from photochrom.files.codecs.libvips import image_from
from photochrom.files.codecs.tiff_blocks import blocks_of_page
from photochrom.files.codecs.vips_readers import spread, take_stated_colors

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

RAW_NOTE = "camera raw developed with the camera's white balance"


def read_heic(source: PhotoSource, wanted: Wanted) -> Decoded:
    pi_heif = extra_module("pi_heif", "HEIC pictures", "heic", source.name)
    container = pi_heif.open_heif(source.read_all(), convert_hdr_to_8bit=False)
    picture = container[container.primary_index]
    width, height = picture.size
    wanted.check_size(width, height, 8)
    wanted.begin_call(width * height)
    # A copy, for pi-heif frees its memory with the container; rows may be longer than the picture is wide.
    samples = np.array(picture)[:, :width]
    samples = np.ascontiguousarray(samples if samples.ndim == 3 else samples[..., None])
    blocks = {"exif": picture.info.get("exif"), "xmp": picture.info.get("xmp"), "icc": picture.info.get("icc_profile")}
    found = {name: block for name, block in blocks.items() if block}
    if "exif" in found:
        found["exif"] = found["exif"].removeprefix(jpeg.EXIF_HEADER)
    image = spread(image_from(samples), int(picture.info.get("bit_depth", 8)))
    decoded = Decoded(image, found)  # pi-heif has applied the container's rotation
    take_stated_colors(decoded, colors_of_items(source, gray=image.bands < 3, format="HEIC"))
    return decoded


def read_raw(source: PhotoSource, wanted: Wanted) -> Decoded:
    rawpy = extra_module("rawpy", "camera raw files", "raw", source.name)
    wanted.begin_call(0)  # a large file's headers may take long as well
    with rawpy.imread(io.BytesIO(source.read_all())) as raw:
        wanted.check_size(raw.sizes.raw_width, raw.sizes.raw_height, 16)
        wanted.begin_call(raw.sizes.raw_width * raw.sizes.raw_height)
        # LibRaw turns it upright.
        samples = raw.postprocess(output_bps=16, use_camera_wb=True, output_color=rawpy.ColorSpace.sRGB)
    return Decoded(image_from(samples), _blocks_of_raw(source), notes=[RAW_NOTE])


def _blocks_of_raw(source: PhotoSource) -> dict[str, bytes]:
    """Return the metadata of a camera file that is TIFF inside, as most are; its profile is not that of our pixels."""
    try:
        reader = tiff.TiffReader(source)
        blocks = blocks_of_page(reader, reader.pages()[0])
    except (exif.DamagedExifError, IndexError):
        return {}
    return {name: block for name, block in blocks.items() if name != "icc"}
