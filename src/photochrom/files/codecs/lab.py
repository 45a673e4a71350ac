"""L*a*b* as TIFF files store it, brought to sRGB.

Sources: TIFF 6.0, section 23 (CIELAB: a* and b* signed); Adobe Photoshop TIFF technical notes (ICCLAB: offset by half;
16 bits by ICC.1's encoding); RFC 3949, section 4.4.1 (ITULAB, default ranges).
"""

from __future__ import annotations

from typing import Any

CIELAB, ICCLAB, ITULAB = 8, 9, 10
"""Values of PhotometricInterpretation."""
STORED = (CIELAB, ICCLAB, ITULAB)


def to_srgb(image: Any, photometric: int) -> Any:
    """Return a libvips image of three stored bands, 8 or 16 bit or floating point, as 16-bit sRGB."""
    wide = image.format == "ushort"
    stored = [image.extract_band(k) for k in range(3)]
    if image.format in ("float", "double"):
        planes = stored
    elif photometric == CIELAB:
        half = 32768 if wide else 128
        a, b = [(band >= half).ifthenelse(band.cast("int") - 2 * half, band.cast("int")) for band in stored[1:]]
        planes = [stored[0] * (100 / (65535 if wide else 255)), *(c * (1 / 256 if wide else 1) for c in (a, b))]
    elif photometric == ICCLAB:
        scale = 1 / 256 if wide else 1
        planes = [stored[0] * (100 / (65280 if wide else 255)), *(band * scale - 128 for band in stored[1:])]
    else:
        unit = 1 / (65535 if wide else 255)
        a, b = stored[1:]
        planes = [stored[0] * (100 * unit), (a * unit - 128 / 255) * 170, (b * unit - 96 / 255) * 200]
    joined = planes[0].bandjoin(planes[1:]).cast("float").copy(interpretation="lab")
    return joined.colourspace("rgb16").cast("ushort")
