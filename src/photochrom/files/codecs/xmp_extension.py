"""XMP packets too long for one JPEG segment: a main part, which names by its hash what the further segments hold.

Source: ISO 16684-3:2021 (XMP, part 3), section 1.1.3.1: a segment of the extension is a GUID, the extension's length,
an offset and bytes; the GUID is the MD5 of the whole, in hexadecimal, and the main packet states it as
``xmpNote:HasExtendedXMP``.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from photochrom.files.codecs import jpeg, xmp, xmp_document
from photochrom.files.codecs.xmp_document import TOO_MUCH

MOST_EXTENSIONS = 8
NOTE_BYTES = 400
"""What stating the extension adds to the main packet."""


@dataclass(slots=True)
class Extensions:
    """The parts of extensions, as they come."""

    parts: dict[bytes, dict[int, bytes]] = field(default_factory=dict)
    lengths: dict[bytes, int] = field(default_factory=dict)

    def take(self, payload: bytes) -> None:
        """Add a segment's part; of more extensions than any file has, none."""
        at = len(jpeg.EXTENDED_XMP_HEADER)
        guid, numbers = payload[at : at + jpeg.GUID_BYTES], payload[at + jpeg.GUID_BYTES :][:8]
        if len(numbers) < 8 or (guid not in self.parts and len(self.parts) >= MOST_EXTENSIONS):
            return
        length, offset = struct.unpack(">LL", numbers)
        self.lengths[guid] = length
        self.parts.setdefault(guid, {})[offset] = payload[at + jpeg.GUID_BYTES + 8 :]

    def whole(self, guid: bytes) -> bytes | None:
        """Return the extension of a GUID, or None where parts are missing or it is not what the GUID says."""
        length, found = self.lengths.get(guid, -1), bytearray()
        if not 0 <= length <= xmp_document.MAX_PACKET_BYTES:
            return None
        for offset, part in sorted(self.parts[guid].items()):
            if offset != len(found):
                return None
            found += part
        told = hashlib.md5(found, usedforsecurity=False).hexdigest()
        return bytes(found) if len(found) == length and told == guid.decode("latin-1").lower() else None


def joined(packet: bytes, extensions: Extensions) -> tuple[bytes, str]:
    """Return the packet with its extension, and a note where there should be one that cannot be had."""
    lost = "the second part of a long XMP packet left out"
    try:
        told = xmp.extension_of(packet)
        if told is None:
            return packet, ""
        extension = extensions.whole(told.upper().encode()) or extensions.whole(told.lower().encode())
        if extension is None:
            return packet, f"{lost}: it is not there, or not whole"
        return xmp.merged(packet, extension), ""
    except xmp_document.DamagedXmpError as error:
        return packet, f"{lost} ({error})"


def parted(packet: bytes) -> tuple[bytes, list[bytes]]:
    """Return a main packet that fits into a segment, and segments of what does not; none where all does.

    White space and comments between properties go first.

    Raises:
        DamagedXmpError: the packet cannot be read, or has too much in it that is no property.
    """
    if len(packet) <= jpeg.LARGEST_XMP:
        return packet, []
    packet = xmp.compacted(packet)
    if len(packet) <= jpeg.LARGEST_XMP:
        return packet, []
    main, extension = xmp.split(packet, jpeg.LARGEST_XMP - NOTE_BYTES)
    guid = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper()
    main = xmp.with_extension(main, guid)
    if len(main) > jpeg.LARGEST_XMP:
        raise xmp_document.DamagedXmpError(TOO_MUCH)
    return main, jpeg.extended_xmp_segments(extension, guid.encode())


def fits(packet: bytes) -> bool:
    """Return whether a packet can be written to a JPEG, whole or in parts."""
    try:
        parted(packet)
    except xmp_document.DamagedXmpError:
        return False
    return True
