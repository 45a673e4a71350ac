"""Where painted frames go: segments of an encoded film (and a lossless master beside them), or a folder of pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from photochrom.files.photo import Photo
from photochrom.files.provenance import Provenance
from photochrom.files.writing import save_photo
from photochrom.film.containers import FilmInfo, spelled_path
from photochrom.film.encoding import CODECS, SegmentWriter, encoder_settings
from photochrom.film.options import Fields, FilmOptions
from photochrom.film.painting import Painter
from photochrom.film.passages import Sight
from photochrom.film.planes import Pixels, frame_from, layout_of, plane_of
from photochrom.film.segments import WorkFolder
from photochrom.film.steadiness import Colours

MASTER = "ffv1"
# What a frame's picture is called.
PICTURE = re.compile(r"\d{6,}\.png")


@dataclass(frozen=True, slots=True)
class Work:
    """One frame and its colours."""

    sight: Sight
    colours: Colours


class Writer(Protocol):
    """Writes one segment. ``paint`` may run on several threads; ``write`` gets its results in order."""

    def paint(self, work: Work) -> Any:
        """Return one frame as it is written."""
        ...

    def write(self, work: Work, painted: Any) -> None:
        """Write one painted frame."""
        ...

    def close(self) -> None:
        """End the segment."""
        ...

    def abandon(self) -> None:
        """Let go of a segment that will not be finished."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of the files that make the segment."""
        ...


def segment_suffix(options: FilmOptions) -> str:
    """Return the ending of a segment's file."""
    return f".{CODECS[options.codec].segment}"


def master_suffix(options: FilmOptions) -> str:
    """Return the ending of the lossless file beside a segment: the segment itself where that is lossless already."""
    return segment_suffix(options) if options.codec == MASTER else f"-master.{CODECS[MASTER].segment}"


class EncodedSegment:
    """A segment of an encoded film; with ``keep_masters`` a lossless one beside it."""

    def __init__(
        self, folder: WorkFolder, options: FilmOptions, info: FilmInfo, painter: Painter, fields: Fields
    ) -> None:
        self._painter = painter
        codec = CODECS[options.codec]
        self._paths = {segment_suffix(options): (codec, encoder_settings(options))}
        if options.keep_masters:
            self._paths.setdefault(master_suffix(options), (CODECS[MASTER], dict(CODECS[MASTER].settings)))
        self._encoders = [
            SegmentWriter(folder.unfinished(suffix), codec, settings, painter.target, info, fields=fields)
            for suffix, (codec, settings) in self._paths.items()
        ]

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of the files."""
        return tuple(self._paths)

    def paint(self, work: Work) -> Any:
        """Return the frame for the encoder."""
        return frame_from(*self._painter.planes(work.sight, work.colours), self._painter.target)

    def write(self, work: Work, painted: Any) -> None:
        """Encode one frame."""
        for encoder in self._encoders:
            encoder.write(painted, work.sight.pts, work.sight.duration, work.sight.fields)

    def close(self) -> None:
        """End the files."""
        for encoder in self._encoders:
            encoder.close()

    def abandon(self) -> None:
        """Close what is open; what was written does not count."""
        for encoder in self._encoders:
            encoder.abandon()


class PictureSegment:
    """Some frames of a folder of pictures, each written whole or not at all."""

    suffixes: tuple[str, ...] = ()

    def __init__(self, folder: Path, painter: Painter, provenance: Provenance) -> None:
        self._folder, self._painter, self._provenance = folder, painter, provenance

    def paint(self, work: Work) -> Any:
        """Write the frame's picture, for pictures can be written in any order."""
        photo = Photo(self._painter.picture(work.sight, work.colours))
        save_photo(photo, self._folder / f"{work.sight.number:06}.png", provenance=self._provenance)
        return None

    def write(self, work: Work, painted: Any) -> None:
        """Do nothing: the picture is written."""

    def close(self) -> None:
        """Do nothing: every picture is whole."""

    def abandon(self) -> None:
        """Do nothing: pictures written again are the same."""


def pictures_of_frames(folder: Path) -> list[Path]:
    """Return the pictures in a folder that are called as those of frames are."""
    return [path for path in folder.iterdir() if PICTURE.fullmatch(path.name)]


def remove_beyond(folder: Path, frames: int) -> int:
    """Remove the pictures of frames that a film has not, which an earlier one has left; return how many."""
    left = [path for path in pictures_of_frames(folder) if int(path.stem) >= frames]
    for path in left:
        path.unlink()
    return len(left)


def luma_fidelity(path: Path, sent: Sequence[Pixels]) -> float:
    """Return how well the first frames of a segment file kept their luma: PSNR in dB, infinite if identical.

    Cost: decoding as many frames as are compared.
    """
    import av

    squared: list[float] = []
    with av.open(spelled_path(path)) as container:
        for frame, luma in zip(container.decode(video=0), sent, strict=False):
            layout = layout_of(frame.format.name, full_range=False, where=os.fspath(path))
            kept = plane_of(frame, 0, layout.codes).astype(np.float32)
            squared.append(float(np.mean((kept - luma) ** 2)))
            white = (1 << layout.codes.bits) - 1
    worst = max(squared)
    return float("inf") if worst == 0 else float(10 * np.log10(white**2 / worst))
