"""THE TABLE OF FORMATS: one row says all that there is to know of one, and who reads and writes it.

A new format is a row here, its codec, and for one that is written its name in ``options.OutputFormat``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from photochrom.files.codecs import encoding, jxl, signatures
from photochrom.files.codecs.decoded import Reader
from photochrom.files.codecs.encoding import Writer
from photochrom.files.codecs.extra_readers import read_heic, read_raw
from photochrom.files.codecs.imagecodecs_readers import read_jxl, read_jxr
from photochrom.files.codecs.jpeg_reader import read_jpeg
from photochrom.files.codecs.pillow_readers import read_bmp, read_jpeg2000
from photochrom.files.codecs.signatures import RAW_SUFFIXES, starts_with
from photochrom.files.codecs.source import PhotoSource
from photochrom.files.codecs.tiff_reader import read_tiff, sizes_of_pages
from photochrom.files.codecs.tiff_writer import write_tiff
from photochrom.files.codecs.vips_readers import read_avif, read_gif, read_png, read_webp

ANY_SIDE = 2**31 - 1
EVERYTHING = frozenset(["exif", "xmp", "iptc", "icc"])
WITHOUT_IPTC = EVERYTHING - {"iptc"}
TEXTS = frozenset(["texts"])


@dataclass(frozen=True, slots=True)
class Format:
    """One file format.

    Attributes:
        name: what it is called everywhere, lower case.
        suffixes: of its files' names, the usual one first.
        media_type: its IANA name.
        is_this: told from the first :data:`~photochrom.files.codecs.signatures.HEAD_BYTES` bytes and the file's name.
        read: its reader.
        write: its writer; None where it is only read.
        written_as: the format that loses least of it, where it is not written itself.
        also_read: suffixes of files that are read as this format and never written.
        depth: most bits per channel that its writer keeps.
        alpha: whether its writer keeps transparency.
        gray: whether its writer keeps grey pixels as one channel; others make three of it.
        pages: whether its writer keeps several pages.
        sizes_of_pages: width, height and bytes per pixel of its pages, nothing decoded; None where there is but one.
        largest_side: in pixels.
        holds: metadata blocks that its writer keeps, beside the resolution, and "texts" for comments.
        dpi_in_exif: whether the resolution has no other place than EXIF.
        segmented: whether metadata is bound to JPEG's segments of 64 kB.
        signed: whether it can carry content credentials.
    """

    name: str
    suffixes: tuple[str, ...]
    media_type: str
    is_this: Callable[[bytes, str], bool] = field(repr=False)
    read: Reader = field(repr=False)
    write: Writer | None = field(default=None, repr=False)
    written_as: str = ""
    also_read: tuple[str, ...] = ()
    depth: int = 8
    alpha: bool = False
    gray: bool = False
    pages: bool = False
    sizes_of_pages: Callable[[PhotoSource], list[tuple[int, int, int]]] | None = field(default=None, repr=False)
    largest_side: int = ANY_SIDE
    holds: frozenset[str] = frozenset()
    dpi_in_exif: bool = False
    segmented: bool = False
    signed: bool = False


# In the order in which a file is looked at: camera files before TIFF, which many of them are inside.
FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format(
            "jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), "image/jpeg", starts_with(b"\xff\xd8\xff"), read_jpeg,
            encoding.write_jpeg, gray=True, largest_side=65500, holds=EVERYTHING | TEXTS, segmented=True, signed=True,
        ),
        Format(
            "png", (".png",), "image/png", starts_with(b"\x89PNG\r\n\x1a\n"), read_png,
            encoding.write_png, depth=16, alpha=True, gray=True, holds=WITHOUT_IPTC | TEXTS, signed=True,
        ),
        Format(
            "raw", tuple(sorted(RAW_SUFFIXES)), "image/x-adobe-dng", signatures.is_raw, read_raw, written_as="tiff",
        ),
        Format(
            "tiff", (".tif", ".tiff"), "image/tiff", starts_with(*signatures.TIFF_SIGNATURES), read_tiff,
            write_tiff, depth=16, alpha=True, gray=True, pages=True, holds=EVERYTHING, signed=True,
            sizes_of_pages=sizes_of_pages,
        ),
        Format(
            "webp", (".webp",), "image/webp", signatures.is_webp, read_webp,
            encoding.write_webp, alpha=True, largest_side=16383, holds=WITHOUT_IPTC, dpi_in_exif=True, signed=True,
        ),
        Format(
            "avif", (".avif",), "image/avif", signatures.is_avif, read_avif, encoding.write_avif, also_read=(".avifs",),
            alpha=True, largest_side=65535, holds=WITHOUT_IPTC, dpi_in_exif=True, signed=True,
        ),
        Format("bmp", (".bmp", ".dib"), "image/bmp", signatures.is_bmp, read_bmp, encoding.write_bmp, gray=True),
        Format("gif", (".gif",), "image/gif", starts_with(b"GIF87a", b"GIF89a"), read_gif, written_as="png"),
        Format(
            "heic", (".heic", ".heif", ".hif"), "image/heic", signatures.is_heic, read_heic, written_as="jpeg",
        ),
        Format(
            "jpeg2000", (".jp2", ".j2k", ".jpf", ".jpx", ".jpc"), "image/jp2",
            starts_with(*signatures.JPEG2000_SIGNATURES), read_jpeg2000, written_as="png",
        ),
        Format("jpegxl", (".jxl",), "image/jxl", starts_with(*jxl.SIGNATURES), read_jxl, written_as="png"),
        Format("jpegxr", (".jxr", ".wdp", ".hdp"), "image/jxr", starts_with(b"II\xbc"), read_jxr, written_as="tiff"),
    )
}  # fmt: skip
WRITABLE_FORMATS = tuple(row.name for row in FORMATS.values() if row.write)
SUFFIX_FORMATS = {suffix: name for name in WRITABLE_FORMATS for suffix in FORMATS[name].suffixes}
"""The format that is written to a file of a suffix."""
READABLE_SUFFIXES = frozenset(suffix for row in FORMATS.values() for suffix in (*row.suffixes, *row.also_read))


def photo_format(head: bytes, name: str = "") -> str | None:
    """Return the name of a format, or None when the bytes start like none of them.

    Args:
        head: the first :data:`~photochrom.files.codecs.signatures.HEAD_BYTES` bytes, or all there are.
        name: the file's name; only used to tell camera files that are TIFF inside from TIFF pictures.
    """
    return next((row.name for row in FORMATS.values() if row.is_this(head, name)), None)


def written_format(name: str) -> str:
    """Return the format that a photograph of this one is written in: its own, or the one that loses least of it."""
    return FORMATS[name].written_as or name


def usual_suffix(name: str) -> str:
    """Return what the names of a format's files end in."""
    return FORMATS[name].suffixes[0]
