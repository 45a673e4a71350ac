"""PNG, WebP, GIF and AVIF by libvips, which reads headers without pixels: limits hold before memory is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.files.codecs import exif, gif, iptc, jpeg, png
from photochrom.files.codecs.decoded import Decoded, Wanted
from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.resolution import plausible_dpi

if TYPE_CHECKING:
    from photochrom.files.codecs.source import PhotoSource


def read_png(source: PhotoSource, wanted: Wanted) -> Decoded:
    decoded = load_with_vips(source, "pngload_source", wanted)
    decoded.dpi = plausible_dpi(png.dpi_of(source))
    decoded.implied_profile = png.profile_of(source, gray=decoded.image.bands < 3)
    return decoded


def read_webp(source: PhotoSource, wanted: Wanted) -> Decoded:
    return _noting_frames(load_with_vips(source, "webpload_source", wanted))


def read_gif(source: PhotoSource, wanted: Wanted) -> Decoded:
    decoded = _noting_frames(load_with_vips(source, "gifload_source", wanted))
    packet = gif.xmp_of(source)
    if packet:
        decoded.blocks["xmp"] = packet
    return decoded


def read_avif(source: PhotoSource, wanted: Wanted) -> Decoded:
    decoded = _noting_frames(load_with_vips(source, "heifload_source", wanted))
    decoded.orientation = 1  # the container's own rotation, which libvips applies, is the one that counts
    bits = decoded.image.get("bits-per-sample") if decoded.image.get_typeof("bits-per-sample") else 8
    decoded.image = spread(decoded.image, bits)
    return decoded


def load_with_vips(source: PhotoSource, loader: str, wanted: Wanted, **options: object) -> Decoded:
    # Truncated files fail; odd but complete ones, which old scanners wrote, do not.
    load = getattr(libvips().Image, loader)
    image = load(source.for_vips(), access="sequential", fail_on="truncated", **options)
    wanted.check_size(image.width, image.height, image.bands * _sample_bytes(image))
    blocks = _vips_blocks(image)
    return Decoded(image, blocks, orientation=exif.orientation_of(blocks.get("exif", b"")))


def spread(image: Any, bits: int) -> Any:
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
