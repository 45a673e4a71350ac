"""From bytes to samples: one loader per format, all of them giving a libvips image that has not been computed yet.

libvips reads a header without touching pixels, so limits are checked before memory is spent. Pillow, pi-heif and
rawpy decode what the libvips wheel cannot.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from photochrom.codecs.libvips import image_from, libvips
from photochrom.errors import (
    MissingExtraError,
    PhotochromError,
    PhotoTooLargeError,
    UnreadablePhotoError,
    UnsupportedPhotoError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochrom.codecs.source import PhotoSource


@dataclass(slots=True)
class Decoded:
    """Samples as stored, and the metadata blocks found beside them."""

    image: Any
    """A ``pyvips.Image``; its pixels may not have been decoded yet."""
    blocks: dict[str, bytes] = field(default_factory=dict)
    """Raw ``exif`` (from its TIFF header on), ``icc``, ``xmp`` and ``iptc`` blocks."""
    dpi: tuple[float, float] | None = None
    upright: bool = False
    """Whether the decoder has applied the orientation already."""
    page_count: int = 1
    notes: list[str] = field(default_factory=list)


def decode(source: PhotoSource, format: str, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:  # noqa: A002
    """Return the samples of one page.

    Args:
        source: the file.
        format: what :func:`photochrom.codecs.signatures.photo_format` said it is.
        page: which page of a multi-page TIFF, from 0.
        check_size: called with width, height and bytes per pixel before pixels are decoded.

    Raises:
        UnreadablePhotoError: damaged or truncated.
        UnsupportedPhotoError: a kind of image that cannot be read without loss.
        MissingExtraError: an optional decoder is not installed.
    """
    try:
        return LOADERS[format](source, page, check_size)
    except PhotochromError:
        raise
    except MemoryError as error:
        raise PhotoTooLargeError("not enough memory", where=source.name, next_step="Close other programs") from error
    except Exception as error:  # decoders raise anything at all on hostile input; every case is one clear line
        raise damaged(source.name, format, error) from error


def damaged(name: str, format: str, error: Exception) -> UnreadablePhotoError:  # noqa: A002
    """Return the error for a file that starts like a photograph and cannot be decoded."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = next((line for line in lines if "unable to write to memory" not in line), type(error).__name__)
    return UnreadablePhotoError(
        f"this {format.upper()} file is damaged or truncated ({reason[:120]})",
        where=name,
        next_step="Copy it again from its source",
    )


def _load_with_vips(loader: str, **options: object) -> Callable[..., Decoded]:
    def load(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
        # Truncated files fail; odd but complete ones, which old scanners wrote, do not.
        image = getattr(libvips().Image, loader)(
            source.for_vips(), access="sequential", fail_on="truncated", **options
        )
        check_size(image.width, image.height, image.bands * _sample_bytes(image))
        return Decoded(image, _vips_blocks(image), _vips_dpi(image))

    return load


def _load_jpeg(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
    decoded = _load_with_vips("jpegload_source")(source, page, check_size)
    head = source.read_at(0, 20)
    decoded.dpi = _jfif_dpi(head)
    return decoded


def _load_gif(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
    decoded = _load_with_vips("gifload_source")(source, page, check_size)
    frames = _field(decoded.image, "n-pages", 1)
    decoded.dpi = None
    if frames > 1:
        decoded.notes.append(f"first frame of {frames} taken")
    return decoded


def _load_avif(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
    decoded = _load_with_vips("heifload_source")(source, page, check_size)
    decoded.upright, decoded.dpi = True, None
    return decoded


def _load_tiff(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
    decoded = _load_with_vips("tiffload_source", page=page)(source, page, check_size)
    decoded.page_count = _field(decoded.image, "n-pages", 1)
    return decoded


def _load_with_pillow(plugin: str, image_class: str) -> Callable[..., Decoded]:
    def load(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
        import importlib

        # The class itself rather than Image.open: no other plugin gets a try, and the limits are ours.
        opener = getattr(importlib.import_module(f"PIL.{plugin}"), image_class)
        with opener(io.BytesIO(source.read_all())) as picture:
            _refuse_cut_depth(source, picture)
            check_size(picture.width, picture.height, 8 if "16" in picture.mode else 4)
            icc = picture.info.get("icc_profile")
            dpi = picture.info.get("dpi")
            return Decoded(_vips_from_pillow(picture), {"icc": icc} if icc else {}, _plausible_dpi(dpi))

    return load


def _refuse_cut_depth(source: PhotoSource, picture: Any) -> None:
    """Raise for a JPEG 2000 of more than 8 bits that Pillow would silently cut: all but single-channel ones."""
    if picture.format != "JPEG2000" or picture.mode == "I;16":
        return
    codestream = source.read_all()
    start = codestream.find(b"\xff\x4f\xff\x51")  # SOC and SIZ: ISO 15444-1 annex A.5.1
    depths = [(codestream[start + 42 + 3 * i] & 0x7F) + 1 for i in range(len(picture.getbands()))]
    if max(depths) > 8:
        raise UnsupportedPhotoError(
            f"a colour JPEG 2000 of {max(depths)} bits per channel, which would be cut to 8",
            where=source.name,
            next_step="Convert it to a 16-bit TIFF first",
        )


def _vips_from_pillow(picture: Any) -> Any:
    import numpy as np

    if picture.mode == "I;16":
        return image_from(np.asarray(picture))
    if picture.mode in ("1", "P", "PA") or picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L" if picture.mode == "1" else "RGB")
    return image_from(np.asarray(picture), cmyk=picture.mode == "CMYK")


def _load_heic(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
    try:
        import pi_heif
    except ImportError as error:
        raise MissingExtraError(
            "HEIC pictures need the heic extra", where=source.name, next_step="Run: pip install 'photochrom[heic]'"
        ) from error
    import numpy as np

    container = pi_heif.open_heif(source.read_all(), convert_hdr_to_8bit=False)
    picture = container[container.primary_index]
    check_size(*picture.size, 8)
    samples = np.asarray(picture)
    samples = samples if samples.ndim == 3 else samples[..., None]
    blocks = {"exif": picture.info.get("exif"), "xmp": picture.info.get("xmp"), "icc": picture.info.get("icc_profile")}
    found = {name: _without_exif_prefix(block) if name == "exif" else block for name, block in blocks.items() if block}
    return Decoded(image_from(samples), found, upright=True)


def _load_raw(source: PhotoSource, page: int, check_size: Callable[[int, int, int], None]) -> Decoded:
    try:
        import rawpy
    except ImportError as error:
        raise MissingExtraError(
            "camera raw files need the raw extra", where=source.name, next_step="Run: pip install 'photochrom[raw]'"
        ) from error
    with rawpy.imread(io.BytesIO(source.read_all())) as raw:
        check_size(raw.sizes.raw_width, raw.sizes.raw_height, 16)
        samples = raw.postprocess(output_bps=16, use_camera_wb=True, output_color=rawpy.ColorSpace.sRGB)
    return Decoded(image_from(samples), upright=True, notes=["camera raw developed with the camera's white balance"])


LOADERS: dict[str, Callable[..., Decoded]] = {
    "jpeg": _load_jpeg,
    "png": _load_with_vips("pngload_source"),
    "webp": _load_with_vips("webpload_source"),
    "tiff": _load_tiff,
    "avif": _load_avif,
    "gif": _load_gif,
    "bmp": _load_with_pillow("BmpImagePlugin", "BmpImageFile"),
    "jpeg2000": _load_with_pillow("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "heic": _load_heic,
    "raw": _load_raw,
}


def _field(image: Any, name: str, default: Any) -> Any:
    return image.get(name) if image.get_typeof(name) else default


def _vips_blocks(image: Any) -> dict[str, bytes]:
    names = {"exif": "exif-data", "icc": "icc-profile-data", "xmp": "xmp-data", "iptc": "iptc-data"}
    blocks = {key: bytes(image.get(name)) for key, name in names.items() if image.get_typeof(name)}
    if "exif" in blocks:
        blocks["exif"] = _without_exif_prefix(blocks["exif"])
    return {key: block for key, block in blocks.items() if block}


def _without_exif_prefix(block: bytes) -> bytes:
    return block.removeprefix(b"Exif\x00\x00")


def _vips_dpi(image: Any) -> tuple[float, float] | None:
    # libvips counts pixels per millimetre, and 1.0 is its word for "not said".
    if image.xres == 1.0 and image.yres == 1.0:
        return None
    return _plausible_dpi((image.xres * 25.4, image.yres * 25.4))


def _jfif_dpi(head: bytes) -> tuple[float, float] | None:
    if head[6:11] != b"JFIF\x00" or head[13] not in (1, 2):
        return None
    per_unit = 1.0 if head[13] == 1 else 2.54
    return _plausible_dpi((int.from_bytes(head[14:16], "big") * per_unit, int.from_bytes(head[16:18], "big") * per_unit))


def _plausible_dpi(dpi: Any) -> tuple[float, float] | None:
    if dpi is None:
        return None
    x, y = (round(float(number), 2) for number in dpi)
    return (x, y) if 1 <= x <= 100_000 and 1 <= y <= 100_000 else None


def _sample_bytes(image: Any) -> int:
    return {"uchar": 1, "char": 1, "ushort": 2, "short": 2}.get(image.format, 8 if image.format == "double" else 4)
