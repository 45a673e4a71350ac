"""EXIF blocks, read and patched in place.

An EXIF block is a small TIFF file: an eight-byte header, then directories of twelve-byte entries that point at
values anywhere in the block. Camera makers' notes hold offsets of their own, which break as soon as anything
moves. So a block that stays an EXIF block is never rebuilt here: single values are overwritten where they stand.

Sources: TIFF 6.0 (Adobe, 1992), section 2; CIPA DC-008 "Exif 2.32", section 4.6.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass

ORIENTATION, EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 0x0112, 0x8769, 0x8825, 0xA005
IMAGE_WIDTH, IMAGE_HEIGHT, COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT = 0x0100, 0x0101, 0xA001, 0xA002, 0xA003
INTEROP_INDEX = 0x0001
THUMBNAIL_OFFSET, THUMBNAIL_LENGTH, STRIP_OFFSETS, STRIP_LENGTHS = 0x0201, 0x0202, 0x0111, 0x0117

LAYOUT = frozenset([
    258, 259, 262, 273, 277, 278, 279, 284, 290, 291, 301, 317, 318, 319, 320, 330, 338, 339, 513, 514, 529, 530, 531,
    532, 34377, 34675, 37724,
])  # fmt: skip
"""How the pixels of the old file were stored, its profile and previews: other containers say that for themselves."""
CODING = frozenset([0x9101, 0x9102, 0xA500])
"""Components and compression of the old file, its gamma."""

SHORT, LONG = 3, 4
# Bytes per item of TIFF field types 1 to 13: BYTE ASCII SHORT LONG RATIONAL SBYTE UNDEFINED SSHORT SLONG SRATIONAL
# FLOAT DOUBLE IFD.
ITEM_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
# Real blocks have a few dozen entries; the bound keeps a lying count from costing time.
MAX_ENTRIES = 2000


MOST_SHARED = 2
"""Values may share bytes, but not so often that they are this many times the block together."""


class DamagedExifError(ValueError):
    """The block is not a TIFF structure, or points outside itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where its twelve bytes are, and where its value is."""

    tag: int
    type: int
    count: int
    at: int
    value_at: int
    size: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory of entries; ``next_at`` is where the offset of the following directory is stored."""

    at: int
    entries: dict[int, Entry]
    next_at: int

    @property
    def extents(self) -> list[tuple[int, int]]:
        """Return the byte ranges it occupies, values included."""
        values = [(e.value_at, e.value_at + e.size) for e in self.entries.values()]
        return [(self.at, self.next_at + 4), *values]


class ExifBlock:
    """A mutable EXIF block (without the ``Exif\\0\\0`` that precedes it in JPEG files), or a classic TIFF file.

    A bytearray is changed in place, bytes are copied.
    """

    def __init__(self, block: bytes | bytearray) -> None:
        self.data = block if isinstance(block, bytearray) else bytearray(block)
        if not block.startswith((b"II*\x00", b"MM\x00*")):
            raise DamagedExifError("no TIFF header")
        self.order = "<" if self.data[:1] == b"I" else ">"
        self.main = self._directory(self._long(4))

    def directory(self, pointer: int, parent: Directory | None = None) -> Directory | None:
        """Return the directory that the tag ``pointer`` of ``parent`` (default: the main one) leads to."""
        entry = (parent or self.main).entries.get(pointer)
        if entry is None:
            return None
        try:
            return self._directory(self._long(entry.value_at))
        except DamagedExifError:
            return None

    def number(self, directory: Directory | None, tag: int) -> int | None:
        """Return a SHORT or LONG value, or None where it is absent or of another type."""
        entry = directory.entries.get(tag) if directory else None
        if entry is None or entry.count != 1 or entry.type not in (SHORT, LONG):
            return None
        return int(struct.unpack_from(self.order + ("H" if entry.type == SHORT else "L"), self.data, entry.value_at)[0])

    def value(self, directory: Directory | None, tag: int) -> bytes | None:
        """Return a value's raw bytes, in the block's byte order."""
        entry = directory.entries.get(tag) if directory else None
        return bytes(self.data[entry.value_at : entry.value_at + entry.size]) if entry else None

    def set_number(self, directory: Directory | None, tag: int, number: int) -> None:
        """Overwrite a SHORT or LONG where it stands; an absent one stays absent."""
        entry = directory.entries.get(tag) if directory else None
        if entry is None or entry.count != 1 or entry.type not in (SHORT, LONG):
            return
        # Sizes above 65535 do not fit a SHORT; LONG has the same room in the entry, which is inline either way.
        kind = LONG if number > 0xFFFF else entry.type
        struct.pack_into(self.order + "H", self.data, entry.at + 2, kind)
        struct.pack_into(self.order + "L", self.data, entry.at + 8, 0)
        struct.pack_into(self.order + ("H" if kind == SHORT else "L"), self.data, entry.at + 8, number)

    def remove(self, directory: Directory, tags: Collection[int], *, repeated: bool = False) -> Directory:
        """Take entries out of a directory, and return it as it is then; what they point at, and all else, stays.

        With ``repeated``, also every further entry of a tag that has one already.
        """
        count = (directory.next_at - directory.at - 2) // 12
        table = [bytes(self.data[at : at + 12]) for at in range(directory.at + 2, directory.next_at, 12)]
        following = bytes(self.data[directory.next_at : directory.next_at + 4])
        kept, seen = [], set[int]()
        for entry in table:
            tag = struct.unpack_from(self.order + "H", entry)[0]
            if tag not in tags and not (repeated and tag in seen):
                kept.append(entry)
            seen.add(tag)
        written = struct.pack(self.order + "H", len(kept)) + b"".join(kept) + following
        size = 2 + 12 * count + 4
        self.data[directory.at : directory.at + size] = written.ljust(size, b"\x00")
        return self._directory(directory.at)

    def check_pointers(self) -> None:
        """Raise DamagedExifError where directories lead to each other in a circle, or a pointer is none."""
        seen = {self.main.at}
        for parent, tag in ((self.main, EXIF_POINTER), (self.main, GPS_POINTER), (None, INTEROP_POINTER)):
            holder = parent or self.directory(EXIF_POINTER)
            entry = holder.entries.get(tag) if holder else None
            if entry is None:
                continue
            found = self.directory(tag, holder)
            if entry.count != 1 or entry.size != 4 or (found and found.at in seen):
                raise DamagedExifError("directories in a circle")
            seen |= {found.at} if found else set()

    def remove_thumbnail(self) -> None:
        """Unlink the second directory and erase the small picture it describes."""
        offset = self._long(self.main.next_at)
        struct.pack_into(self.order + "L", self.data, self.main.next_at, 0)
        if not offset:
            return
        try:
            thumbnail = self._directory(offset)
        except DamagedExifError:
            return
        used = self._used_extents()
        for start_tag, length_tag in ((THUMBNAIL_OFFSET, THUMBNAIL_LENGTH), (STRIP_OFFSETS, STRIP_LENGTHS)):
            start, length = self.number(thumbnail, start_tag), self.number(thumbnail, length_tag)
            if start and length:
                self._erase(start, start + length, used)
        for start, end in thumbnail.extents:
            self._erase(start, end, used)
        last_used = max(end for _, end in used)
        if not any(self.data[last_used:]):
            del self.data[last_used:]

    def _used_extents(self) -> list[tuple[int, int]]:
        exif = self.directory(EXIF_POINTER)
        found = [self.main, exif, self.directory(GPS_POINTER), exif and self.directory(INTEROP_POINTER, exif)]
        return [(0, 8), *(extent for directory in found if directory for extent in directory.extents)]

    def _erase(self, start: int, end: int, used: list[tuple[int, int]]) -> None:
        end = min(end, len(self.data))
        if start < end and not any(start < b and a < end for a, b in used):
            self.data[start:end] = bytes(end - start)

    def _long(self, at: int) -> int:
        if at + 4 > len(self.data):
            raise DamagedExifError("points outside itself")
        return int(struct.unpack_from(self.order + "L", self.data, at)[0])

    def _directory(self, at: int) -> Directory:
        if at < 8 or at + 2 > len(self.data):
            raise DamagedExifError("a directory lies outside the block")
        count = struct.unpack_from(self.order + "H", self.data, at)[0]
        next_at = at + 2 + 12 * count
        if count > MAX_ENTRIES or next_at > len(self.data):
            raise DamagedExifError("a directory lies outside the block")
        if next_at + 4 > len(self.data):  # some writers leave out the closing zero
            self.data.extend(bytes(next_at + 4 - len(self.data)))
        found: dict[int, Entry] = {}
        for entry in (self._entry(at + 2 + 12 * i) for i in range(count)):
            if entry:
                found.setdefault(entry.tag, entry)  # of two, readers take the first
        if sum(entry.size for entry in found.values()) > MOST_SHARED * len(self.data):
            raise DamagedExifError("names the same bytes again and again")
        return Directory(at, found, next_at)

    def _entry(self, at: int) -> Entry | None:
        tag, kind, count = struct.unpack_from(self.order + "HHL", self.data, at)
        size = ITEM_SIZES.get(kind, 0) * count
        value_at = at + 8 if size <= 4 else self._long(at + 8)
        if not size or value_at + size > len(self.data):
            return None
        return Entry(tag, kind, count, at, value_at, size)


def orientation_of(block: bytes) -> int:
    """Return the EXIF orientation 1 to 8; 1 where it is absent, damaged or out of range."""
    try:
        exif = ExifBlock(block)
    except DamagedExifError:
        return 1
    number = exif.number(exif.main, ORIENTATION)
    return number if number is not None and 1 <= number <= 8 else 1


def names_adobe_rgb(block: bytes) -> bool:
    """Return whether the block declares DCF's optional colour space, which is Adobe RGB (interoperability "R03")."""
    try:
        exif = ExifBlock(block)
    except DamagedExifError:
        return False
    directory = exif.directory(EXIF_POINTER)
    interop = exif.directory(INTEROP_POINTER, directory) if directory else None
    return (exif.value(interop, INTEROP_INDEX) or b"").startswith(b"R03")


def describing(block: bytes, width: int, height: int) -> bytes:
    """Return the block made true for an upright sRGB picture of this size, without a thumbnail.

    Raises:
        DamagedExifError: it is not an EXIF block.
    """
    exif = ExifBlock(block)
    exif.remove_thumbnail()
    exif.main = exif.remove(exif.main, LAYOUT, repeated=True)
    exif.set_number(exif.main, ORIENTATION, 1)
    exif.set_number(exif.main, IMAGE_WIDTH, width)
    exif.set_number(exif.main, IMAGE_HEIGHT, height)
    exif.check_pointers()
    directory = exif.directory(EXIF_POINTER)
    if directory:
        directory = exif.remove(directory, CODING, repeated=True)
    exif.set_number(directory, PIXEL_WIDTH, width)
    exif.set_number(directory, PIXEL_HEIGHT, height)
    exif.set_number(directory, COLOR_SPACE, 1)
    interop = exif.directory(INTEROP_POINTER, directory) if directory else None
    entry = interop.entries.get(INTEROP_INDEX) if interop else None
    if entry and entry.size == 4:
        exif.data[entry.value_at : entry.value_at + 4] = b"R98\x00"
    return bytes(exif.data)
