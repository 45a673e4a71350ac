"""JPEG: pixels by libvips, damage that libjpeg would conceal, and what its segments say."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from photochrom.files.codecs import exif, icc, jpeg
from photochrom.files.codecs.decoded import NOT_TOLD, Decoded, Wanted, damaged, refuse_or_tell
from photochrom.files.codecs.imagecodecs_readers import read_unusual_jpeg
from photochrom.files.codecs.jpeg_blocks import JpegBlocks, blocks_of
from photochrom.files.codecs.jpeg_frame import (
    BLOCK,
    PROGRESSIVE,
    Frame,
    completed,
    frame_of,
    with_usual_header,
)
from photochrom.files.codecs.jpeg_steps import STEP, WRONG_DATA, row_of_step, wrong_blocks
from photochrom.files.codecs.lost_rows import lost_from, rows_until_error
from photochrom.files.codecs.mpo import further_pictures
from photochrom.files.codecs.resolution import plausible_dpi
from photochrom.files.codecs.vips_readers import add_blocks, load_with_vips

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from photochrom.files.codecs.source import Patch, PhotoSource

CORRUPT = "Corrupt JPEG data"
"""How libjpeg's warnings begin that mean damage; its others are about odd but whole files."""


def read_jpeg(source: PhotoSource, wanted: Wanted) -> Decoded:
    """Return the picture; see :data:`~photochrom.files.codecs.decoded.Reader`."""
    data = source.read_all()
    frame = frame_of(data)
    found = blocks_of(source)
    if frame and (frame.precision != 8 or frame.is_lossless):
        return _described(read_unusual_jpeg(source, wanted, frame, found.hidden), found)
    whole = source
    if frame and (with_end := completed(data, frame)) is not data:
        whole = _in_memory(source, with_end)
    look = _Looks(whole, wanted, frame, found.hidden)
    decoded = _described(look.through("warning"), found)
    if others := further_pictures(data):
        decoded.left_out.append(f"{others} further picture{'s' if others > 1 else ''} (MPO)")
        decoded.notes.append(f"the first of {others + 1} pictures taken")
    if frame and (said := wrong_blocks(whole.read_all(), frame)):
        if said == WRONG_DATA:
            _refuse_unless(wanted, source.name, ValueError(said))
            look.without_lost_rows(decoded, at_least=BLOCK * frame.blocks[1])
        else:
            refuse_or_tell(decoded, wanted, source.name, "jpeg", said)
            decoded.image = look.through("none").image
    else:
        decoded.look = partial(_look_for_steps, decoded, wanted, source.name, frame)
    decoded.second_look = look.again
    return decoded


class _Looks:
    """Reads a file with more or less tolerance of what libjpeg warns of."""

    def __init__(self, source: PhotoSource, wanted: Wanted, frame: Frame | None, hidden: Sequence[Patch]) -> None:
        self.source, self.wanted, self.frame, self.hidden = source, wanted, frame, hidden
        self.usual = source

    def through(self, fail_on: str) -> Decoded:
        """Return the picture, which fails on warnings ("warning"), on what is missing ("truncated"), or never."""
        # All scans of a progressive file are read before its first strip can be asked for.
        return load_with_vips(
            self.source, "jpegload_source", self.wanted, hidden=self.hidden, in_pieces=self.is_progressive,
            fail_on=fail_on,
        )  # fmt: skip

    @property
    def is_progressive(self) -> bool:
        return self.frame is not None and self.frame.kind in PROGRESSIVE

    def again(self, decoded: Decoded, error: Exception) -> None:
        """Give ``decoded`` other pixels: as they are where warnings are harmless, and else if damage is accepted."""
        if self._is_only_odd():
            decoded.image = self.through("truncated").image
            return
        _refuse_unless(self.wanted, self.source.name, error if CORRUPT in str(error) else ValueError(WRONG_DATA))
        decoded.look = None
        self.without_lost_rows(decoded)

    def without_lost_rows(self, decoded: Decoded, at_least: int = 0) -> None:
        """Give ``decoded`` all pixels, and say which rows are lost; so many of the last ones in any case."""
        decoded.image = self.through("none").image
        if self.frame and self.frame.in_one_scan:
            whole = int(decoded.image.height) - at_least
            first = max(0, min(rows_until_error(self.through("warning").image), whole))
            decoded.holes, note = lost_from(first, decoded.image.width, decoded.image.height)
            decoded.notes.append(note)
        else:
            decoded.notes.append(NOT_TOLD)

    def _is_only_odd(self) -> bool:
        """Return whether nothing is left to warn of once the header is as usual."""
        if self.frame is None:
            return False
        self.usual = _in_memory(self.source, with_usual_header(self.source.read_all(), self.frame))
        image = load_with_vips(self.usual, "jpegload_source", self.wanted, fail_on="warning").image
        return rows_until_error(image) == int(image.height)


def _look_for_steps(decoded: Decoded, wanted: Wanted, name: str, frame: Frame | None, pixels: npt.NDArray[Any]) -> None:
    """Refuse pixels of which all that follow some are shifted, or note it where damage is accepted."""
    row = row_of_step(pixels, frame) if frame else None
    if row is not None:
        refuse_or_tell(decoded, wanted, name, "jpeg", STEP.format(row=row + 1))


def _in_memory(source: PhotoSource, data: bytes) -> PhotoSource:
    return replace(source, data=data, size=len(data), handle=io.BytesIO(data))


def _refuse_unless(wanted: Wanted, name: str, error: Exception) -> None:
    if not wanted.read_damaged:
        raise damaged(name, "jpeg", error)


def _described(decoded: Decoded, found: JpegBlocks) -> Decoded:
    """Return what was decoded, with what the segments say."""
    add_blocks(decoded, found.blocks)
    decoded.dpi = plausible_dpi(found.dpi)
    decoded.texts = [(jpeg.COMMENT_KEYWORD, comment) for comment in found.comments if comment.strip()]
    decoded.notes += found.notes
    # DCF's "optional colour space" is Adobe RGB without a profile; old cameras wrote it.
    if decoded.image.bands == 3 and exif.names_adobe_rgb(decoded.blocks.get("exif", b"")):
        decoded.implied_profile = icc.adobe_rgb_profile()
    return decoded
