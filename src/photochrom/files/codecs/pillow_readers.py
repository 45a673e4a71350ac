"""BMP and JPEG 2000, which the libvips wheel cannot read, by Pillow."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs import exif, jpeg2000
from photochrom.files.codecs.decoded import Decoded, Wanted, refuse_or_tell
from photochrom.files.codecs.jpeg2000_checks import SOC_SIZ, wrong_block
from photochrom.files.codecs.libvips import image_from
from photochrom.files.codecs.resolution import plausible_dpi
from photochrom.files.codecs.vips_readers import take_stated_colors

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource

PLAIN_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "I;16": 1}
RUN_LENGTHS = (1, 2)
FILE_HEADER_BYTES, V5_BYTES, EMBEDDED = 14, 124, b"DEBM"


def read_bmp(source: PhotoSource, wanted: Wanted) -> Decoded:
    """Return the picture of a BMP file; see :data:`~photochrom.files.codecs.decoded.Reader`."""
    with _opened(source, "BmpImagePlugin", "BmpImageFile", wanted) as picture:
        if picture.info.get("compression") in RUN_LENGTHS:  # which Pillow counts in Python
            wanted.begin_call(picture.width * picture.height)
        decoded = _decoded(picture)
    if profile := _profile_of_bmp(source):
        decoded.blocks["icc"] = profile
    return decoded


def _profile_of_bmp(source: PhotoSource) -> bytes | None:
    """Return the profile that a BMP of version 5 embeds (BITMAPV5HEADER)."""
    header = source.read_at(FILE_HEADER_BYTES, V5_BYTES)
    if len(header) < V5_BYTES or int.from_bytes(header[:4], "little") < V5_BYTES or header[56:60] != EMBEDDED:
        return None
    begin, size = (int.from_bytes(header[at : at + 4], "little") for at in (112, 116))
    return source.read_at(FILE_HEADER_BYTES + begin, min(size, jpeg2000.LARGEST_BLOCK)) or None


def read_jpeg2000(source: PhotoSource, wanted: Wanted) -> Decoded:
    """Return the picture of a JPEG 2000 file; see ``Reader``.

    Pillow's decoder keeps Python's own lock for as long as it works.
    """
    with _opened(source, "Jpeg2KImagePlugin", "Jpeg2KImageFile", wanted) as picture:
        depths = _depths(source)
        _refuse_cut_depth(source, picture, depths)
        wanted.begin_call(picture.width * picture.height)
        decoded = _decoded(picture)
    decoded.image = _spread(decoded.image, depths)
    wrong = wrong_block(source.read_all())
    if wrong:
        refuse_or_tell(decoded, wanted, source.name, "jpeg2000", wrong)
    decoded.blocks |= jpeg2000.blocks_of(source)
    take_stated_colors(decoded, jpeg2000.colors_of(source))
    decoded.orientation = exif.orientation_of(decoded.blocks.get("exif", b""))
    return decoded


def _opened(source: PhotoSource, plugin: str, image_class: str, wanted: Wanted) -> Any:
    # The class itself rather than Image.open: no other plugin gets a try, and the limits are ours.
    opener = getattr(importlib.import_module(f"PIL.{plugin}"), image_class)
    picture = opener(io.BytesIO(source.read_all()))
    wanted.check_size(picture.width, picture.height, 8 if "16" in picture.mode else 4)
    return picture


def _decoded(picture: Any) -> Decoded:
    profile, dpi = picture.info.get("icc_profile"), picture.info.get("dpi")
    mode, samples = _plain(picture)
    image = image_from(samples, cmyk=mode == "CMYK")
    return Decoded(image, {"icc": profile} if profile else {}, plausible_dpi(dpi))


def _plain(picture: Any) -> tuple[str, npt.NDArray[Any]]:
    """Return the mode and samples (H, W, channels) of a Pillow image, brought to a mode that means what it says."""
    if picture.mode in ("I;16", "I;16B", "I;16L"):
        return "I;16", np.asarray(picture).astype(np.uint16)[..., None]
    if picture.mode not in PLAIN_MODES:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L" if picture.mode == "1" else "RGB")
    samples = np.asarray(picture)
    return picture.mode, samples if samples.ndim == 3 else samples[..., None]


def _depths(source: PhotoSource) -> list[int]:
    """Return the bits of each component of a JPEG 2000 (ISO 15444-1, annex A.5.1); none where it does not say."""
    codestream = source.read_all()
    start = codestream.find(SOC_SIZ)
    count = int.from_bytes(codestream[start + 40 : start + 42], "big")
    sizes = codestream[start + 42 : start + 42 + 3 * min(count, 4) : 3] if start >= 0 else b""
    return [(size & 0x7F) + 1 for size in sizes]


def _refuse_cut_depth(source: PhotoSource, picture: Any, depths: list[int]) -> None:
    """Raise for a JPEG 2000 of more than 8 bits that Pillow would silently cut: all but single-channel ones."""
    if picture.mode == "I;16":
        return
    if max(depths, default=9) > 8:
        raise UnsupportedPhotoError(
            f"a colour JPEG 2000 of {max(depths, default=0)} bits per channel, which would be cut to 8",
            where=source.name,
            next_step="Convert it to a 16-bit TIFF first",
        )


def _spread(image: Any, depths: list[int]) -> Any:
    """Return samples of fewer bits than their type, which Pillow puts into the upper ones, spread so that white is."""
    width, white = (16, 65535) if image.format == "ushort" else (8, 255)
    if len(depths) != image.bands or min(depths) >= width:
        return image
    highest = [(2**bits - 1) << (width - bits) if bits < width else white for bits in depths]
    return (
        (image * [white / high for high in highest]).rint().cast(image.format).copy(interpretation=image.interpretation)
    )
