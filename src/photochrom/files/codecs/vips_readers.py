"""PNG, WebP, GIF and AVIF by libvips, which reads headers without pixels: limits hold before memory is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.files.codecs import exif, gif, png, png_blocks, webp_checks
from photochrom.files.codecs.decoded import Decoded, Wanted, refuse_or_tell
from photochrom.files.codecs.item_blocks import colors_of_items, exif_of_avif, exif_of_webp
from photochrom.files.codecs.leaving import endable
from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.resolution import plausible_dpi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from photochrom.files.codecs.code_points import StatedColors
    from photochrom.files.codecs.source import Patch, PhotoSource


def read_png(source: PhotoSource, wanted: Wanted) -> Decoded:
    found = png_blocks.blocks_of(source)
    decoded = add_blocks(load_with_vips(source, "pngload_source", wanted, hidden=found.hidden), found.blocks)
    decoded.texts, decoded.notes = found.texts, found.notes
    decoded.dpi = plausible_dpi(png.dpi_of(source))
    take_stated_colors(decoded, png.colors_of(source, gray=decoded.image.bands < 3))
    return _noting_frames(decoded, found.frames)


def read_webp(source: PhotoSource, wanted: Wanted) -> Decoded:
    exif, hidden = exif_of_webp(source)
    decoded = load_with_vips(source, "webpload_source", wanted, hidden=hidden)
    if webp_checks.is_followed_by_more(source):
        refuse_or_tell(decoded, wanted, source.name, "webp", webp_checks.LEFT_OVER)
    return _noting_frames(add_blocks(decoded, {"exif": exif}))


def read_gif(source: PhotoSource, wanted: Wanted) -> Decoded:
    decoded = _noting_frames(load_with_vips(source, "gifload_source", wanted))
    comments, notes = gif.comments_of(source)
    decoded.texts = [("Comment", comment) for comment in comments]
    decoded.notes += notes
    return add_blocks(decoded, {"xmp": gif.xmp_of(source), "icc": gif.profile_of(source)})


def read_avif(source: PhotoSource, wanted: Wanted) -> Decoded:
    exif, hidden = exif_of_avif(source)
    decoded = load_with_vips(source, "heifload_source", wanted, hidden=hidden)
    wanted.begin_call(decoded.image.width * decoded.image.height)
    decoded = _noting_frames(add_blocks(decoded, {"exif": exif}))
    take_stated_colors(decoded, colors_of_items(source, gray=decoded.image.bands < 3, format="AVIF"))
    decoded.orientation = 1  # the container's own rotation, which libvips applies, is the one that counts
    bits = decoded.image.get("bits-per-sample") if decoded.image.get_typeof("bits-per-sample") else 8
    decoded.image = spread(decoded.image, bits)
    return decoded


def load_with_vips(
    source: PhotoSource, loader: str, wanted: Wanted, *, hidden: Sequence[Patch] = (), in_pieces: bool = False,
    **options: object,
) -> Decoded:  # fmt: skip
    """Return the picture, not computed yet; see :meth:`.PhotoSource.for_vips` for ``hidden`` and ``in_pieces``."""
    # Errors of the decoder fail; odd but complete files, which old scanners wrote, do not.
    load = getattr(libvips().Image, loader)
    how = {"access": "sequential", "fail_on": "error", **options}
    image = endable(load(source.for_vips(hidden, in_pieces=in_pieces), **how))
    wanted.check_size(image.width, image.height, image.bands * _sample_bytes(image))
    return Decoded(image, _vips_blocks(image))


def add_blocks(decoded: Decoded, blocks: Mapping[str, bytes | None]) -> Decoded:
    """Return what was decoded, with blocks that were read from the container, and the orientation they state."""
    decoded.blocks = {**{name: block for name, block in blocks.items() if block}, **decoded.blocks}
    decoded.orientation = exif.orientation_of(decoded.blocks.get("exif", b""))
    return decoded


def take_stated_colors(decoded: Decoded, stated: StatedColors) -> None:
    """Let what a file says of its colours by other means count where it has no profile."""
    if "icc" not in decoded.blocks:
        decoded.implied_profile = stated.profile
        decoded.notes += [stated.note] if stated.note else []


def spread(image: Any, bits: int) -> Any:
    """Return 10 or 12 bit samples, which decoders put into the upper bits of 16, spread so that white is 65535."""
    if image.format != "ushort" or not 8 < bits < 16:
        return image
    white = (2**bits - 1) << (16 - bits)
    return (image * (65535 / white)).rint().cast("ushort").copy(interpretation=image.interpretation)


def _noting_frames(decoded: Decoded, frames: int = 1) -> Decoded:
    if decoded.image.get_typeof("n-pages"):
        frames = decoded.image.get("n-pages")
    if frames > 1:
        decoded.notes.append(f"first frame of {frames} taken")
        decoded.left_out.append(f"{frames - 1} further frame{'s' if frames > 2 else ''}")
    return decoded


def _vips_blocks(image: Any) -> dict[str, bytes]:
    names = {"icc": "icc-profile-data", "xmp": "xmp-data"}
    return {key: bytes(image.get(name)) for key, name in names.items() if image.get_typeof(name)}


def _sample_bytes(image: Any) -> int:
    return {"uchar": 1, "char": 1, "ushort": 2, "short": 2}.get(image.format, 8 if image.format == "double" else 4)
