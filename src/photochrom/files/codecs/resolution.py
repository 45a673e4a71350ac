"""Resolution in pixels per inch, as EXIF and TIFF tags state it."""

from __future__ import annotations

import struct

from photochrom.files.codecs import exif, tiff, tiff_exif


def exif_dpi(block: bytes) -> tuple[float, float] | None:
    """Return the resolution an EXIF block states, in pixels per inch."""
    try:
        parsed = exif.ExifBlock(block)
    except exif.DamagedExifError:
        return None
    unit = {2: 1.0, 3: 2.54}.get(parsed.number(parsed.main, tiff.RESOLUTION_UNIT) or 2)
    found = []
    for tag in (tiff.X_RESOLUTION, tiff.Y_RESOLUTION):
        value = parsed.value(parsed.main, tag) or b""
        numerator, denominator = struct.unpack(parsed.order + "LL", value) if len(value) == 8 else (0, 0)
        if not unit or not numerator or not denominator:
            return None
        found.append(numerator / denominator * unit)
    return plausible_dpi((found[0], found[1]))


def plausible_dpi(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return a resolution rounded to hundredths; None for one that no scanner or camera has."""
    if dpi is None or not all(1 <= number <= 100_000 for number in dpi):
        return None
    return round(float(dpi[0]), 2), round(float(dpi[1]), 2)


def with_dpi(block: bytes, dpi: tuple[float, float]) -> bytes:
    """Return an EXIF block that states a resolution."""
    if exif_dpi(block) == dpi:
        return block
    order = exif.ExifBlock(block).order
    x, y = (tiff.Field(tiff.RATIONAL, 1, struct.pack(order + "LL", round(number * 100), 100)) for number in dpi)
    unit = tiff.Field(exif.SHORT, 1, struct.pack(order + "H", 2))
    tags = {tiff.X_RESOLUTION: x, tiff.Y_RESOLUTION: y, tiff.RESOLUTION_UNIT: unit}
    return tiff_exif.with_tags(block, tags, {})
