"""Small files that ask for gigabytes or minutes: metadata over its budget is left out with a note, or the file refused.

All are opened and written again in one process with bounds on memory and processor time, which would kill it.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from photochrom.errors import PhotochromError
from photochrom.files.codecs.jpeg import APP1, EXIF_HEADER, XMP_HEADER, jfif_segment, segment
from photochrom.files.codecs.png import chunk
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import encode_photo
from tests.files.makers import pillow_bytes, textured, tiff_bytes
from tests.files.test_carried import COM, PACKET, app13, jpeg_of, png_of, resource

MEMORY_BYTES, PROCESSOR_S = 2_500_000_000, 30
"""Of one process for all the files here: libraries and threads' stacks take half of the address space."""
KIND_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}


def directory(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    packed = b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<L", following)


def circles(count: int, *pointers: int) -> bytes:
    """EXIF whose pointers lead to the directory that they are in."""
    return b"II*\0\x08\0\0\0" + directory([(pointers[i % len(pointers)], 7, 600, 8) for i in range(count)])


def shared(count: int, size: int) -> bytes:
    """EXIF with many tags that name the same bytes."""
    begin = 8 + 2 + 12 * (count + 1) + 4 + 2 + 12 * count + 4
    child = directory([(0x9000 + i, 7, size, begin) for i in range(count)])
    main = [(0x010E, 2, size, begin)] + [(0x8000 + i, 7, size, begin) for i in range(count - 1)]
    main.append((0x8769, 4, 1, 8 + 2 + 12 * (count + 1) + 4))
    return b"II*\0\x08\0\0\0" + directory(sorted(main)) + child + bytes(size)


def tiff_of(extra: list[tuple[int, int, int, int]], tail: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one strip whose directory stands behind ``tail``; an offset of -1 means where the tail begins."""
    pixels = bytes(64)
    tags = [
        (256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1),
        (278, 4, 1, 8), (279, 4, 1, 64),
    ]  # fmt: skip
    begin = 8 + len(pixels)
    tags += [(tag, kind, count, begin if offset == -1 else offset) for tag, kind, count, offset in extra]
    at = begin + len(tail)
    return b"II*\0" + struct.pack("<L", at) + pixels + tail + directory(sorted(tags), following)


def page_chain(count: int) -> bytes:
    """A TIFF whose directories overlap: each is two thousand tags, most of them those of the one before."""
    data = bytearray(tiff_of([], bytes(12 * 2100 + 2 * 12 * count)))
    for number in range(count):
        at = 80 + 12 * number
        struct.pack_into("<H", data, at, 1999)
        struct.pack_into("<L", data, at + 2 + 12 * 1999, at + 12 if number + 1 < count else 0)
    struct.pack_into("<L", data, 4, 80)
    return bytes(data)


def packet(kind: str, count: int) -> bytes:
    """XMP of many small parts."""
    attributes = {"attributes": ' photoshop:a{}="1"', "namespaces": ' xmlns:n{}="u{}"'}.get(kind, "")
    attributes = "".join(attributes.format(i, i) for i in range(count if attributes else 0))
    inside = {
        "attributes": "",
        "namespaces": "",
        "elements": "<photoshop:a/>" * count,
        "texts": "<photoshop:a>" + "x<!---->" * count + "</photoshop:a>",
        "instructions": "<?x?>" * count,
        "deep": "<photoshop:a>" * 3000 + "</photoshop:a>" * 3000,
    }[kind]
    return PACKET.format(attributes, inside).encode()


def xmp_in_png(data: bytes) -> bytes:
    return png_of([chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(data, 9))], [])


def exif_in(format: str, data: bytes) -> bytes:
    return encode_photo(Photo(textured()), format) if not data else _with_exif(format, data)


def _with_exif(format: str, data: bytes) -> bytes:
    if format == "jpeg":
        return jpeg_of(jfif_segment(None), segment(APP1, EXIF_HEADER + data))
    if format == "png":
        return png_of([chunk(b"eXIf", data)], [])
    # Pillow would change what it takes for its own: the block is put in behind its back.
    place = b"II*\0\x08\0\0\0" + directory([(0x010E, 2, len(data) - 26, 26)]) + b"x" * (len(data) - 26)
    written = pillow_bytes(textured(), format.upper(), exif=EXIF_HEADER + place)
    at = written.find(b"II*\0", 1)
    return written[:at] + data + written[at + len(data) :]


RECORD = b"\x1c\x02\x19\x00\x01k"
XMP_KINDS = ("attributes", "namespaces", "elements", "texts", "instructions", "deep")


def bombs() -> dict[str, bytes]:
    """The files, by name."""
    return {
        **{
            f"exif in circles, {format}, {name}": exif_in(format, circles(count, *pointers))
            for format in ("jpeg", "png", "webp", "avif")
            for name, count, pointers in (("50", 50, (0x8825, 0x8769)), ("1900", 1900, (0x8769, 0x8825, 0xA005)))
        },
        "exif that shares, jpeg": exif_in("jpeg", shared(900, 40_000)),
        "exif that shares, png": exif_in("png", shared(1900, 1_000_000)),
        "tiff of shared tags": tiff_of([(40000 + i, 7, 1_000_000, -1) for i in range(1900)], bytes(1_000_000)),
        "tiff of shared profiles": tiff_of([(34675, 7, 1_000_000, -1)] * 1900, bytes(1_000_000)),
        "tiff of shifted tags": tiff_of([(40000 + i, 7, 999_000, 72 + i) for i in range(900)], bytes(1_000_000)),
        "tiff of shared longs": tiff_of([(40000 + i, 4, 250_000, -1) for i in range(1900)], bytes(1_000_000)),
        "tiff with an exif directory that shares": tiff_of(
            [(34665, 4, 1, -1)], directory([(0x9000 + i, 7, 900_000, 100) for i in range(1900)]) + bytes(1_000_000)
        ),
        "tiff of overlapping pages": page_chain(3000),
        "tiff of a million keywords": tiff_of([(33723, 7, 6 * 300_000, -1)], RECORD * 300_000),
        "tiff of many keywords": tiff_of([(33723, 7, 6 * 200_000, -1)], RECORD * 200_000),
        **{f"xmp of {kind}, png": xmp_in_png(packet(kind, 500_000)) for kind in XMP_KINDS},
        **{
            f"xmp of {kind}, tiff": tiff_of([(700, 1, len(data), -1)], data)
            for kind in XMP_KINDS
            for data in [packet(kind, 60_000)]
        },
        "jpeg of twenty thousand comments": jpeg_of(*[segment(COM, b"x")] * 20_000),
        "jpeg of nine thousand segments": jpeg_of(*[app13(resource(0x0404, RECORD))] * 9_000),
        "jpeg of rubbish between segments": jpeg_of(jfif_segment(None), bytes(1_900_000)),
        "png of texts that unpack": png_of([chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8), 9))] * 15, []),
        "png of fifty thousand texts": png_of([chunk(b"tEXt", b"a\0b")] * 50_000, []),
        "jpeg with xmp of elements": jpeg_of(segment(APP1, XMP_HEADER + packet("elements", 4_000))),
    }


CHILD = """
import resource
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from tests.files.test_budgets import open_all
open_all()
"""


def open_all() -> None:
    """Open each bomb, write it again in two formats, and print what became of it."""
    import resource as limits_of_system  # not on Windows

    for name, data in bombs().items():
        before = limits_of_system.getrusage(limits_of_system.RUSAGE_SELF)
        try:
            photo = open_photo(data)
            for format in ("jpeg", "tiff"):
                encode_photo(photo, format)
            said = "; ".join(photo.notes) or "picture"
        except PhotochromError as error:
            said = f"refused: {error.what}"
        after = limits_of_system.getrusage(limits_of_system.RUSAGE_SELF)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{name}|{said}|{spent:.2f}|{after.ru_maxrss}", flush=True)
    print("all", flush=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="bounds and what they count differ elsewhere")
def test_bombs_cost_little_and_say_so() -> None:
    program = CHILD.format(memory=MEMORY_BYTES, seconds=PROCESSOR_S)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=root, timeout=200
    )
    assert done.returncode == 0, (done.stdout[-500:], done.stderr[-2000:])
    *lines, last = [line.split("|") for line in done.stdout.splitlines()]
    assert last == ["all"]
    said = {name: text for name, text, *_ in lines}
    assert all("left out" in said[f"xmp of {kind}, png"] for kind in XMP_KINDS)
    left_out = ("png of", "exif in circles", "exif that shares", "tiff with an exif")
    assert all("left out" in text for name, text in said.items() if name.startswith(left_out))
    refused = ("tiff of shared", "tiff of shifted", "tiff of overlapping", "jpeg of twenty")
    assert all(text.startswith("refused") for name, text in said.items() if name.startswith(refused))
    assert done.stderr == ""


def test_what_real_files_share_is_no_bomb() -> None:
    """Resolutions that share their eight bytes, and a profile that all pages share."""
    assert open_photo(tiff_bytes(textured())).notes == ()
    profile = b"p" * 5_000
    photo = open_photo(tiff_of([(282, 5, 1, -1), (283, 5, 1, -1), (40000, 7, 5_000, -1)], profile))
    assert photo.width == 8
