"""What a file really is, told by its first bytes; the name of a file proves nothing.

Sources: the formats' own specifications (ISO 10918-1, PNG third edition, TIFF 6.0, RFC 9649, GIF89a,
ISO 14496-12 for the `ftyp` family, ISO 15444-1).
"""

from __future__ import annotations

from collections.abc import Callable

HEAD_BYTES = 64
"""How many first bytes the table of formats and :func:`describe_other` want to see."""

TIFF_SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
JPEG2000_SIGNATURES = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
# Brands of the ISO base media `ftyp` box; "mif1" and "msf1" say only "some HEIF" and are looked up further on.
AVIF_BRANDS = {b"avif", b"avis"}
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
HEIF_BRANDS = {b"mif1", b"msf1", b"mif2"}

# Camera files whose signature is their own; DNG, NEF, ARW and others look like TIFF and go by their name.
RAW_SIGNATURES = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00", b"FOVb", b"\x00MRM")
RAW_SUFFIXES = frozenset(
    [
        ".3fr",
        ".arw",
        ".cr2",
        ".cr3",
        ".crw",
        ".dcr",
        ".dng",
        ".erf",
        ".fff",
        ".iiq",
        ".kdc",
        ".mef",
        ".mos",
        ".mrw",
        ".nef",
        ".nrw",
        ".orf",
        ".pef",
        ".raf",
        ".raw",
        ".rw2",
        ".rwl",
        ".sr2",
        ".srf",
        ".srw",
        ".x3f",
    ],
)

OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "an icon file"),
    (b"\x1aE\xdf\xa3", "a Matroska film"),
    (b"OggS", "an Ogg film or sound"),
    (b"FLV\x01", "a Flash film"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media film or sound"),
    (b"\x00\x00\x01\xba", "an MPEG film"),
    (b"ID3", "an MP3 sound"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"version https://git-lfs", "a Git LFS pointer, not the picture itself"),
)


FILM_BOXES = (b"ftyp", b"moov", b"mdat", b"wide")
"""With one of which MP4 and QuickTime begin; before 2001 there was no ``ftyp``."""


def is_bmp(head: bytes, name: str = "") -> bool:
    """Return whether a file starts like a BMP: two letters would be a word of any text."""
    return head.startswith(b"BM") and len(head) >= 26 and head[15:18] == b"\x00\x00\x00"


def is_raw(head: bytes, name: str) -> bool:
    """Return whether a file is a camera's; those that are TIFF inside are told by a mark of Canon's, or by the name."""
    if head.startswith(TIFF_SIGNATURES):
        return head[8:10] == b"CR" or _suffix(name) in RAW_SUFFIXES
    return head.startswith(RAW_SIGNATURES) or (head[4:8] == b"ftyp" and head[8:12] == b"crx ")


def describe_other(head: bytes) -> str:
    """Return in words what a file that is no readable photograph seems to be, for an error message."""
    for signature, kind in OTHER_KINDS:
        if head.startswith(signature):
            return kind
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return "a web page"
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"svg" in text):
        return "a vector drawing (SVG)"
    if head[4:8] in FILM_BOXES:
        return "a film"
    if head.startswith(b"RIFF"):
        return "a film or sound"
    if not head.strip(b"\x00"):
        return "nothing but zero bytes"
    return "not an image of a known format"


def is_film(head: bytes) -> bool:
    """Return whether a file that is no photograph begins like a film, or like sound of the same kinds of file."""
    return "film" in describe_other(head)


def _suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix.lower() if stem else ""


def is_webp(head: bytes, name: str = "") -> bool:
    """Return whether a file starts like a WebP."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def is_avif(head: bytes, name: str = "") -> bool:
    """Return whether the first brand that says something is AVIF's."""
    return _iso_brand(head) == "avif"


def is_heic(head: bytes, name: str = "") -> bool:
    """Return whether the first brand that says something is HEIC's, or none does and it is some HEIF."""
    return _iso_brand(head) == "heic"


def starts_with(*signatures: bytes) -> Callable[[bytes, str], bool]:
    """Return a function that tells whether a file starts with one of these."""
    return lambda head, _: head.startswith(signatures)


def _iso_brand(head: bytes) -> str | None:
    """Return "avif" or "heic" for a file of the ISO base media family that is one, or None."""
    if head[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))]
    for brand in brands:
        if brand in AVIF_BRANDS:
            return "avif"
        if brand in HEIC_BRANDS:
            return "heic"
    return "heic" if any(brand in HEIF_BRANDS for brand in brands) else None
