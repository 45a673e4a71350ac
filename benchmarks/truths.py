"""Files whose picture is known, and what may go wrong in them: is the right picture read, or one clear line said?

Each kind gives the bytes of a file and the picture that it holds; harm changes bytes of it. What is read is compared
with the truth pixel by pixel, so a wrong picture cannot pass for a right one.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from skimage import data as samples

from benchmarks import jpeg_rules
from photochrom.errors import PhotochromError
from photochrom.files.codecs import jpeg2000_checks, tiff
from photochrom.files.codecs.jpeg_frame import frame_of
from photochrom.files.codecs.source import open_source
from photochrom.files.reading import open_photo

Codes = npt.NDArray[np.generic]
# A pixel is wrong by so many codes of 255, a picture by so much of it, or in the mean of all.
WRONG_CODES, WRONG_SHARE, WRONG_MEAN = 16, 0.02, 4.0

MOST_LEFT, MOST_LACKING = 1, 8
"""Bytes that blocks of whole JPEG 2000 files leave and lack: 124 of 125 public ones, by many encoders."""


def pictures() -> dict[str, Codes]:
    """Return a grey and a coloured photograph of scikit-image's samples, from which pieces are cut."""
    return {"grey": samples.camera(), "colour": samples.astronaut()}


def cut_from(picture: Codes, random: np.random.Generator) -> Codes:
    """Return a piece of a photograph."""
    top, left = (int(random.integers(0, side - 256)) for side in picture.shape[:2])
    return np.ascontiguousarray(picture[top : top + 224, left : left + 256])


def tiff_bytes(pixels: Codes, compression: str | None = None, **options: object) -> bytes:
    """Return a TIFF in strips of 32 rows."""
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, pixels, compression=compression, rowsperstrip=32, metadata=None,
        photometric=options.pop("photometric", "rgb" if pixels.ndim == 3 else "minisblack"), **options,
    )  # fmt: skip
    return buffer.getvalue()


def saved(pixels: Codes, format: str, **options: object) -> bytes:
    """Return what Pillow writes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def harmed_kinds() -> dict[str, Callable[[Codes], bytes]]:
    """Return makers of files whose bytes are harmed afterwards."""
    tiffs = {
        f"TIFF, {name}": (lambda p, c=compression, o=options: tiff_bytes(p, c, **o))
        for name, compression, options in (
            ("deflate", "zlib", {}), ("deflate, differences", "zlib", {"predictor": 2}), ("LZW", "lzw", {}),
            ("PackBits", "packbits", {}), ("uncompressed", None, {}), ("JPEG", "jpeg", {}), ("Zstandard", "zstd", {}),
            ("LZMA", "lzma", {}), ("JPEG 2000", "jpeg2000", {}),
        )
    }  # fmt: skip
    return tiffs | {
        "JPEG": lambda p: saved(p, "JPEG", quality=90),
        "JPEG, restarts": lambda p: saved(p, "JPEG", quality=90, restart_marker_rows=1),
        "JPEG, progressive": lambda p: saved(p, "JPEG", quality=90, progressive=True),
        "PNG": lambda p: saved(p, "PNG"),
        "WebP": lambda p: saved(p, "WEBP", lossless=True),
    }


def where_pixels_are(data: bytes) -> tuple[int, int]:
    """Return where the coded pixels begin and end."""
    if data[:2] == b"\xff\xd8":
        frame = frame_of(data)
        return (frame.scan_at if frame else 2), len(data) - 2
    if data[:2] in (b"II", b"MM"):
        with open_source(data, 10**9) as source:
            offsets, lengths = tiff.TiffReader(source).pages()[0].segments()
        return int(offsets.min()), int((offsets + lengths).max())
    return (data.index(b"IDAT") + 4 if data[:4] == b"\x89PNG" else 30), len(data) - 12


def harms(data: bytes, random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Yield the file with a bit turned, with some bytes overwritten, with a stretch lost, and cut."""
    begin, end = where_pixels_are(data)
    at = int(random.integers(begin, end - 16))
    turned = bytearray(data)
    turned[at] ^= 1 << int(random.integers(8))
    yield "a bit turned", bytes(turned)
    yield "12 bytes overwritten", data[:at] + bytes(random.integers(0, 256, 12, np.uint8)) + data[at + 12 :]
    yield "a stretch of zeros", data[:at] + bytes(min(400, end - at)) + data[at + min(400, end - at) :]
    yield "a byte lost", data[:at] + data[at + 1 :]
    yield "cut", data[:at]


def odd_kinds(random: np.random.Generator) -> Iterator[tuple[str, bytes, Codes]]:
    """Yield whole files that are often read wrongly, with their pictures."""
    grey, colour = (cut_from(picture, random) for picture in pictures().values())
    mask, infrared = np.zeros_like(grey), np.full_like(grey, 200)
    mask[40:120, 60:180], infrared[30:33] = 255, 20
    yield "two selections", tiff_bytes(np.dstack([grey, mask, mask]), "lzw", photometric="minisblack",
                                       extrasamples=["unspecified"] * 2), grey  # fmt: skip
    yield "infrared as a channel", tiff_bytes(np.dstack([colour, infrared]), extrasamples=["unspecified"]), colour
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(colour, photometric="rgb", software="SilverFast 9", metadata=None)
        writer.write(infrared, photometric="minisblack", metadata=None)
    yield "infrared as a page", buffer.getvalue(), colour
    yield "white is zero", tiff_bytes(255 - grey, "zlib", photometric="miniswhite"), grey
    yield "planes apart", tiff_bytes(np.moveaxis(colour, 2, 0), "zlib", planarconfig="separate"), colour
    yield "big-endian", tiff_bytes(grey.astype(np.uint16) * 257, byteorder=">"), grey
    yield "tiles", _tiled(colour), colour
    stored = imagecodecs.jpeg8_encode(colour, 95, colorspace="YCBCR", outcolorspace="YCBCR", subsampling="444")
    yield "RGB in a JPEG that is said to be YCbCr", _in_tiff(stored, colour.shape), colour
    plain = imagecodecs.jpeg8_encode(colour, 95, colorspace="RGB", outcolorspace="YCBCR", subsampling="444")
    yield "a subsampling that contradicts the stream", _in_tiff(plain, colour.shape), colour
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(colour[::4, ::4], photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        writer.write(colour, photometric="rgb", metadata=None)
    yield "the photograph behind its thumbnail", buffer.getvalue(), colour
    yield "JPEG XL", bytes(imagecodecs.jpegxl_encode(colour, lossless=True)), colour
    yield "a BMP of 32 bits, alpha zero", saved(np.dstack([colour, np.zeros_like(grey)]), "BMP"), colour
    yield "a JPEG without its end", saved(grey, "JPEG", quality=95)[:-2], grey
    yield "turned", saved(grey, "JPEG", quality=95, exif=_turned()), np.rot90(grey, -1)


def _tiled(pixels: Codes) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, compression="zlib", tile=(64, 96), photometric="rgb")
    return buffer.getvalue()


def _in_tiff(stream: bytes, shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, iter([stream]), shape=shape, dtype=np.uint8, compression="jpeg", photometric="ycbcr",
        rowsperstrip=shape[0], metadata=None, subsampling=(2, 2),
    )  # fmt: skip
    return buffer.getvalue()


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = 6
    return exif


def is_whole(data: bytes, good: bytes) -> bool:
    """Return whether a harmed file keeps its format's rules to the last byte: its picture alone could give it away.

    Lossless WebP has no checksum; where its data is used to the last byte, nothing is left over. So it is of JPEG 2000
    whose blocks leave or lack no more bytes than those of whole public files do. A Zstandard frame
    without checksum (RFC 8878, section 3.1.1.1) is whole where its data makes as many bytes as it states, a JPEG where
    each scan says as many blocks as its headers ask for, to the last bit (`jpeg_rules.py`). Of other kinds this is not
    said.
    """
    if data[:2] == b"\xff\xd8":
        return jpeg_rules.keeps_rules(data)
    if data[:4] == b"RIFF" and data[12:16] == b"VP8L":
        return len(data) == len(good) and _uses_last_byte(data)
    if data[:2] not in (b"II", b"MM"):
        return False
    before, after = _strips(good), _strips(data)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    rules = jpeg_rules.keeps_rules, _is_whole_frame, _is_whole_codestream
    return all(any(keeps(new) for keeps in rules) for _, new in changed) and bool(changed)


def _is_whole_frame(strip: bytes) -> bool:
    if strip[:4] != b"\x28\xb5\x2f\xfd" or strip[4] & 4:
        return False
    single, size_bytes = bool(strip[4] & 32), (0, 2, 4, 8)[strip[4] >> 6]
    if not single or not size_bytes:
        return False
    stated = int.from_bytes(strip[5 : 5 + size_bytes], "little") + (256 if size_bytes == 2 else 0)
    return len(imagecodecs.zstd_decode(strip)) == stated


def _is_whole_codestream(strip: bytes) -> bool:
    stated = jpeg2000_checks.counts_of_blocks(strip) if strip[:4] == jpeg2000_checks.SOC_SIZ else None
    return stated is not None and stated.left <= MOST_LEFT and stated.lacking <= MOST_LACKING


def _strips(data: bytes) -> list[bytes]:
    with open_source(data, 10**9) as source:
        offsets, lengths = tiff.TiffReader(source).pages()[0].segments()
    return [data[at : at + size] for at, size in zip(offsets.tolist(), lengths.tolist(), strict=True)]


def _uses_last_byte(webp: bytes) -> bool:
    """Return whether a still lossless picture becomes another where the last byte of its data does."""
    data = webp[20 : 20 + int.from_bytes(webp[16:20], "little")]
    return _codes(data) != _codes(data[:-1] + bytes([data[-1] ^ 0xFF]))


def _codes(data: bytes) -> bytes:
    chunk = b"VP8L" + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
    try:
        return Image.open(io.BytesIO(b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk)).tobytes()
    except OSError:
        return b""


def outcome(data: bytes, truth: Codes, good: bytes = b"") -> str:
    """Return "right", "slightly off", "refused", "another's" or "WRONG", or raise what is no clear line.

    "another's" is what :func:`is_whole` says of a harmed file, given the good one.
    """
    try:
        photo = open_photo(data)
    except PhotochromError as error:
        if "\n" in str(error):
            raise
        return "refused"
    found = photo.pixels.astype(np.float64) / photo.max_code * 255
    true = truth.astype(np.float64)[..., None] if truth.ndim == 2 else truth.astype(np.float64)
    if found.shape[:2] != true.shape[:2] or found.shape[2] not in (1, true.shape[2]):
        return "WRONG"
    apart = np.abs(found - true).max(axis=2)
    if (apart > WRONG_CODES).mean() > WRONG_SHARE or apart.mean() > WRONG_MEAN:
        return "another's" if good and is_whole(data, good) else "WRONG"
    return "right" if apart.max() <= WRONG_CODES else "slightly off"
