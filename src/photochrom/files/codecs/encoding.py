"""From samples and metadata blocks to the bytes of a file.

Encoders write pixels only, and the blocks are put in here, byte for byte as they are: encoders that handle metadata
themselves drop what they do not know. The same input gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO

from photochrom.computer.room import let_go
from photochrom.errors import OutputError
from photochrom.files.codecs import iptc, jpeg, png
from photochrom.files.codecs.libvips import image_from, libvips
from photochrom.files.codecs.tiff_writer import Samples
from photochrom.files.codecs.xmp_extension import parted

if TYPE_CHECKING:
    from photochrom.files.metadata import Metadata

# On scans the higher levels save nothing and take twice the time.
DEFLATE_LEVEL = 3
LET_GO_EVERY = 4  # writes of 8 kB, which in an empty picture are megabytes of samples


Page = tuple[Samples, "Metadata"]
"""Samples (H, W, 1 to 4), uint8, or uint16 where the format has them, the last of 2 or 4 channels being alpha; and
metadata as :func:`photochrom.files.metadata.fitted_to` made it."""
Writer = Callable[[BinaryIO, "Sequence[Page]", int], None]
"""Writes pages into an empty file that is open for writing and able to seek; the number is the quality, 1 to 100.

Raises OutputError where the encoder fails, and OSError where the file cannot be written to. Memory: some megabytes for
JPEG, PNG and TIFF, whatever the picture's size; the others need it whole, and more.
"""


@contextmanager
def _encoder_errors(format: str) -> Iterator[None]:
    """Turn what an encoder raises into one clear error."""
    try:
        yield
    except (libvips().Error, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # of the file, not of the encoder
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OutputError(
            f"the {format.upper()} encoder failed ({reason[:120]})", next_step="Choose another format"
        ) from error


def write_jpeg(handle: BinaryIO, pages: Sequence[Page], quality: int) -> None:
    """Write a JPEG; see :data:`Writer`."""
    [(samples, metadata)] = pages
    segments = [jpeg.jfif_segment(metadata.dpi)]
    if metadata.exif:
        segments.append(jpeg.segment(jpeg.APP1, jpeg.EXIF_HEADER + metadata.exif))
    if metadata.xmp:
        main, further = parted(metadata.xmp)
        segments += [jpeg.segment(jpeg.APP1, jpeg.XMP_HEADER + main), *further]
    if metadata.icc:
        segments += jpeg.icc_segments(metadata.icc)
    segments.append((iptc.jpeg_segment(metadata.iptc) if metadata.iptc else None) or b"")
    segments += jpeg.comment_segments(metadata.texts)
    # Chroma at full resolution: it is what this program made. Optimised Huffman tables would save 4 % of the bytes and
    # cost three times the time.
    with (
        _encoder_errors("jpeg"),
        _spliced(handle, samples, lambda head: jpeg.with_segments(head, segments), jpeg.HEAD_BYTES) as target,
    ):
        image_from(samples).jpegsave_target(target, Q=quality, subsample_mode="off", keep="none")


def write_png(handle: BinaryIO, pages: Sequence[Page], quality: int) -> None:
    """Write a PNG; see :data:`Writer`."""
    [(samples, metadata)] = pages
    chunks = png.describing_chunks(metadata.icc, metadata.exif, metadata.xmp, metadata.dpi)
    chunks += [png.text_chunk(keyword, text) for keyword, text in metadata.texts]
    with (
        _encoder_errors("png"),
        _spliced(handle, samples, lambda head: png.with_chunks(head, chunks), png.HEAD_BYTES) as target,
    ):
        image_from(samples).pngsave_target(target, compression=DEFLATE_LEVEL, filter="up", keep="none")


@contextmanager
def _spliced(handle: BinaryIO, samples: Samples, splice: Callable[[bytes], bytes], head_bytes: int) -> Iterator[Any]:
    """Give a libvips target whose bytes go to a file, the first of them through ``splice``.

    On the way it lets go of the samples. An error of the file is raised as it is; libvips would only say that writing
    failed.
    """
    head, is_spliced, failures = bytearray(), False, list[OSError]()
    calls = count()

    def write(chunk: bytes) -> int:
        nonlocal is_spliced
        if next(calls) % LET_GO_EVERY == 0:
            let_go(samples)
        try:
            if is_spliced:
                handle.write(chunk)
            else:
                head.extend(chunk)
                if len(head) >= head_bytes:
                    handle.write(splice(bytes(head)))
                    is_spliced = True
        except OSError as error:
            failures.append(error)
            return -1
        return len(chunk)

    target = libvips().TargetCustom()
    target.on_write(write)
    try:
        yield target
    except libvips().Error:
        if failures:
            raise failures[0] from None
        raise


def write_webp(handle: BinaryIO, pages: Sequence[Page], quality: int) -> None:
    """Write a WebP; see :data:`Writer`."""
    _write_with_pillow(handle, pages, "webp", {"quality": quality, **_blocks(pages[0][1])})


def write_avif(handle: BinaryIO, pages: Sequence[Page], quality: int) -> None:
    """Write an AVIF, chroma at full resolution; see :data:`Writer`."""
    _write_with_pillow(handle, pages, "avif", {"quality": quality, "subsampling": "4:4:4", **_blocks(pages[0][1])})


def write_bmp(handle: BinaryIO, pages: Sequence[Page], quality: int) -> None:
    """Write a BMP; see :data:`Writer`."""
    _write_with_pillow(handle, pages, "bmp", {"dpi": pages[0][1].dpi})


def _blocks(metadata: Metadata) -> dict[str, object]:
    exif = jpeg.EXIF_HEADER + metadata.exif if metadata.exif else b""
    return {"exif": exif, "xmp": metadata.xmp or b"", "icc_profile": metadata.icc}


def _write_with_pillow(handle: BinaryIO, pages: Sequence[Page], format: str, options: dict[str, object]) -> None:
    from PIL import Image

    [(samples, _)] = pages
    picture = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    buffer = io.BytesIO()
    with _encoder_errors(format):
        picture.save(buffer, format.upper(), **{key: value for key, value in options.items() if value is not None})
    handle.write(buffer.getvalue())
