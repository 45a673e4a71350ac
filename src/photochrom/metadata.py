<<<<<<< HEAD
"""What a photograph says about itself besides its pixels."""
=======
"""What a file says about its picture."""
>>>>>>> core

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metadata:
<<<<<<< HEAD
    """The blocks of a file, as read; kept as bytes, so that nothing is lost that we do not understand.

    Attributes:
        exif: EXIF block starting at its TIFF header, orientation set to upright, thumbnail removed; GPS included.
        icc: the colour profile of the *file*; the pixels of a :class:`~photochrom.photo.Photo` are sRGB already.
        xmp: XMP packet, UTF-8 XML.
        iptc: IPTC-IIM records.
        dpi: horizontal and vertical pixels per inch.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
=======
    exif: bytes = b""
    icc: bytes = b""
>>>>>>> core
