"""Coverage-guided fuzzing of everything here that parses bytes in Python, run by hand.

    pip install atheris
    python -m tests.files.atheris_run -max_total_time=600

What the parsers may raise is their own error; anything else stops the run and is written to ``crash-*``. The decoders
in C are fuzzed by ``python -m tests.files.test_hostile``.
"""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["photochrom"]):
    from photochrom.albums.manifest import _entry_from
    from photochrom.errors import PhotochromError
    from photochrom.files.codecs import (
        exif,
        icc,
        iptc,
        jpeg,
        png,
        shaper,
        signatures,
        tiff,
        tiff_directories,
        tiff_exif,
        xmp,
        xmp_document,
    )
    from photochrom.files.codecs.resolution import exif_dpi
    from photochrom.files.codecs.source import open_source
    from photochrom.files.metadata import Metadata, fitted_to, made_upright
    from photochrom.files.provenance import Provenance, read_provenance, with_provenance

MADE = Provenance("model", "00", "1", {"vividness": 1.0})


def parse_exif(data: bytes) -> None:
    exif.orientation_of(data)
    exif.names_adobe_rgb(data)
    exif_dpi(data)
    with contextlib.suppress(exif.DamagedExifError):
        upright = exif.describing(data, 10, 20)
        main, children, order = tiff_exif.tags_of_exif(upright)
        for tags in (main, *children.values()):
            tiff_directories.directory_bytes(
                tiff_directories.in_order(tags, order, "<"), "<", 1000, big=bool(len(data) % 2)
            )
        tiff_exif.with_tags(upright, {270: tiff.Field(2, 2, b"a\0")}, {})


def parse_tiff(data: bytes) -> None:
    with contextlib.suppress(PhotochromError, exif.DamagedExifError), open_source(data, 10**9) as source:
        reader = tiff.TiffReader(source)
        for page in reader.pages():
            tiff.dpi_of(page)
            tiff_exif.exif_of_page(reader, page)
            reader.check_pixels_present(page)


def parse_xmp(data: bytes) -> None:
    packet, _ = with_provenance(data, MADE)
    assert read_provenance(packet) == MADE
    read_provenance(data)
    with contextlib.suppress(xmp_document.DamagedXmpError):
        xmp.without_outdated(data)


def parse_iptc(data: bytes) -> None:
    records = iptc.records_from_resources(data) or data
    xmp.with_properties(None, iptc.xmp_properties(records), replace=False)


def parse_png(data: bytes) -> None:
    with contextlib.suppress(PhotochromError), open_source(png.SIGNATURE + data, 10**9) as source:
        png.dpi_of(source)
        profile = png.colors_of(source, gray=bool(len(data) % 2)).profile
        assert profile is None or shaper.shaper_of(profile) is not None


def parse_profile(data: bytes) -> None:
    with contextlib.suppress(icc.DamagedProfileError):
        icc.color_space(data)
    for profile in (data, icc.adobe_rgb_profile()[:128] + data):
        found = shaper.shaper_of(profile)
        if found and found.matrix is not None:
            shaper.conversion(found, found, 255)
        elif found:
            shaper.gray_table(found, lambda linear: linear, 255)


def parse_notes_of_ours(data: bytes) -> None:
    entry = _entry_from(data)
    assert entry is None or ".." not in entry.target.split("/")
    jpeg.dpi_of(data)


def carry(data: bytes) -> None:
    half = len(data) // 2
    metadata, _ = made_upright(Metadata(exif=data[:half], xmp=data[half:], iptc=data, dpi=(300, 300)), 10, 20)
    for format in ("jpeg", "png", "tiff", "webp", "bmp"):
        fitted_to(metadata, format)


TARGETS = (parse_exif, parse_tiff, parse_xmp, parse_iptc, parse_png, parse_profile, carry, parse_notes_of_ours)


def one_input(data: bytes) -> None:
    """Give the bytes to the parser that their first byte names."""
    signatures.photo_format(data)
    signatures.describe_other(data)
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
