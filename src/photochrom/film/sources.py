"""Where frames come from: a film file, or a folder of pictures; both give luma planes with time stamps."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from photochrom.errors import FilmNotFoundError, UnreadablePhotoError, UnsupportedFilmError
from photochrom.files.reading import open_photo
from photochrom.film.containers import (
    FULL_RANGE,
    FilmInfo,
    Reading,
    describe,
    open_container,
    picture_stream,
    read_frames,
)
from photochrom.film.continuity import recordings
from photochrom.film.fields import NAMES, OrderTeller, deinterlaced, telecine_undone
from photochrom.film.further import holds_further_film
from photochrom.film.matrices import BT601, UNSPECIFIED, WEIGHTS, Codes
from photochrom.film.options import Fields, Interlaced
from photochrom.film.planes import Layout, Pixels, luma_of
from photochrom.film.rising import CUT_IT
from photochrom.luma import luma_codes
from photochrom.options import Limits

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

PICTURES = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".bmp", ".jp2", ".dng"}
SUPER_8_RATE = 18.0
LOOKED_AT = 25
# Pixels below which the filter takes no frames apart.
LEAST_SIDE = 8
# Seconds before a place from which decoding begins, so that frames there are whole.
RUN_UP_S = Fraction(2)


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame: its luma codes (H, W), its time stamp in units of the film's time base, and how long it stays.

    ``counts`` are the reading's (damaged, missing, moved) up to here; ``fields`` tells which field comes first, where
    both are kept.
    """

    luma: Pixels
    pts: int
    duration: int
    counts: tuple[int, int, int] = (0, 0, 0)
    fields: Fields = ""


class Source(Protocol):
    """Something that gives frames."""

    @property
    def info(self) -> FilmInfo:
        """What is known before the first frame."""
        ...

    def frames(self, reading: Reading, from_pts: int | None = None) -> Iterator[Shown]:
        """Yield the frames in order, from the first or from somewhat before ``from_pts`` on."""
        ...


@dataclass(frozen=True, slots=True)
class FilmFile:
    """A film that FFmpeg reads.

    Attributes:
        info: what it says of itself.
        order: which field comes first in its first frames; "" where these are no fields.
        mode: what is done with them.
    """

    info: FilmInfo
    order: Fields
    mode: Interlaced

    @classmethod
    def open(cls, path: Path, mode: Interlaced, limits: Limits) -> FilmFile:
        """Return the film, looked at: its first frames say whether it is interlaced.

        Raises:
            FilmError: as in ``containers.describe``, or the frames are larger than the limits allow.
        """
        info = describe(path)
        if info.width * info.height > limits.max_pixels:
            raise UnsupportedFilmError(
                f"frames of {info.width} x {info.height} are over the limit of {limits.max_pixels} pixels",
                where=os.fspath(path),
                next_step="Raise --max-pixels",
            )
        order = _order_at_first(path)
        info = _with_recordings(info)
        if mode == "telecine":
            info = replace(info, rate=info.rate * 4 / 5, frames=info.frames * 4 // 5)
        if order or mode == "telecine":
            done = {"deinterlace": "deinterlaced (bwdif)", "telecine": "telecine undone"}
            done["keep"] = f"both fields kept, {NAMES[order]}"
            info = replace(info, notes=(*info.notes, f"{'interlaced film' if order else 'film'}: {done[mode]}"))
        return cls(info, order, mode)

    @property
    def fields_kept(self) -> Fields:
        """The order of the fields where each frame holds two pictures of different times."""
        return self.order if self.mode == "keep" else ""

    def frames(self, reading: Reading, from_pts: int | None = None) -> Iterator[Shown]:
        """Yield the frames in order; all of them where files of this kind cannot be entered, as raw streams."""
        with self._opened(from_pts) as container:
            stream = picture_stream(container, os.fspath(self.info.path))
            yield from self._shown(self._with_luma(read_frames(container, stream, reading), stream), reading)

    def _opened(self, from_pts: int | None) -> InputContainer:
        """Return the file opened, where it can be at a place somewhat before ``from_pts``."""
        from av.error import FFmpegError

        container = open_container(self.info.path)
        if from_pts is None or len(self.info.shifts) > 1:
            return container
        stream = picture_stream(container, os.fspath(self.info.path))
        before = from_pts - round((RUN_UP_S + self.info.shifts[0]) / self.info.time_base)
        try:
            container.seek(max(before, stream.start_time or 0), stream=stream, backward=True)
        except FFmpegError:  # which has read on, perhaps
            container.close()
            return open_container(self.info.path)
        return container

    def _with_luma(self, decoded: Iterator[VideoFrame], stream: VideoStream) -> Iterator[tuple[VideoFrame, Pixels]]:
        """Yield frames, their fields treated as is asked for, with their luma."""
        frames = self._as_at_first(decoded)
        if self.mode == "telecine":
            return telecine_undone(frames, stream, self.info)
        if self.deinterlaces:
            frames = deinterlaced(frames, self.info)
        return ((frame, luma_of(frame, self.info.layout)) for frame in frames)

    @property
    def deinterlaces(self) -> bool:
        """Whether frames go through the filter, which leaves whole ones alone, but may convert RGB and grey."""
        large = min(self.info.width, self.info.height) >= LEAST_SIDE
        return self.mode == "deinterlace" and large and bool(self.order or self.info.layout.sampling != "400")

    def _as_at_first(self, decoded: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """Yield the frames.

        Raises:
            UnsupportedFilmError: at one that is not of the first one's size, format, range and matrix.
        """
        info = self.info
        first = info.width, info.height, info.pixel_format, info.tags[3] == FULL_RANGE, WEIGHTS[info.matrix]
        for frame in decoded:
            if _meaning(info, frame) != first:
                raise UnsupportedFilmError(
                    _change(info, frame),
                    where=os.fspath(info.path),
                    next_step="Cut it where that changes, and colour the parts",
                )
            yield frame

    def _shown(self, decoded: Iterator[tuple[VideoFrame, Pixels]], reading: Reading) -> Iterator[Shown]:
        usual = max(1, round(1 / (self.info.rate * self.info.time_base)))
        teller = OrderTeller() if self.fields_kept else None
        for frame, luma in decoded:
            assert frame.pts is not None
            fields: Fields = teller.order_of(frame) if teller else ""
            lasts = int(frame.duration or usual)
            yield Shown(luma, frame.pts, lasts, reading.counts, fields)


def _meaning(info: FilmInfo, frame: VideoFrame) -> tuple[object, ...]:
    """Return what of a frame has to be as the film's first has it: size, format, range and weights of luma."""
    matrix = WEIGHTS[info.matrix] if info.layout.rgb else WEIGHTS.get(int(frame.colorspace), WEIGHTS[info.matrix])
    return frame.width, frame.height, frame.format.name, frame.color_range == FULL_RANGE, matrix


def _change(info: FilmInfo, frame: VideoFrame) -> str:
    """Return in what a frame is not as the film's first."""
    if (frame.width, frame.height) != (info.width, info.height):
        return f"its size changes from {info.width} x {info.height} to {frame.width} x {frame.height}"
    if frame.format.name != info.pixel_format:
        return f"its pixel format changes from {info.pixel_format} to {frame.format.name}"
    if (frame.color_range == FULL_RANGE) != (info.tags[3] == FULL_RANGE):
        return "its pixel format changes between full and limited range"
    return f"its colour matrix changes ({info.matrix} of H.273, then {int(frame.colorspace)})"


def _order_at_first(path: Path) -> Fields:
    """Return which field comes first in most of a film's first frames; "" where most of these are one picture."""
    teller = OrderTeller()
    with open_container(path) as container:
        stream = picture_stream(container, os.fspath(path))
        first = itertools.islice(read_frames(container, stream, Reading()), LOOKED_AT)
        orders = [teller.order_of(frame) for frame in first]
    if orders.count("") * 2 >= len(orders):
        return ""
    return "tff" if orders.count("tff") >= orders.count("bff") else "bff"


def _with_recordings(info: FilmInfo) -> FilmInfo:
    """Return what is known of a film, looked through for recordings that begin their time anew.

    Raises:
        UnsupportedFilmError: they are files of a kind of which FFmpeg reads the first alone.
    """
    if holds_further_film(info.path):
        raise UnsupportedFilmError(
            "holds several films, each a file of its own", where=os.fspath(info.path), next_step=CUT_IT
        )
    with open_container(info.path) as container:
        stream = picture_stream(container, os.fspath(info.path))
        shifts, lasts_s = recordings(container, stream, 1 / info.rate)
    if len(shifts) == 1:
        return replace(info, shifts=shifts)
    note = f"{len(shifts)} recordings in one file, each with its own time: one follows the other without a gap"
    frames, duration = round(lasts_s * info.rate), float(lasts_s)
    return replace(info, shifts=shifts, frames=frames, duration_s=duration, notes=(*info.notes, note))


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """Scans of a film's frames, one picture each, in the order of their names."""

    info: FilmInfo
    pictures: tuple[Path, ...]
    limits: Limits

    @classmethod
    def open(cls, folder: Path, fps: float | None, limits: Limits) -> PictureFolder:
        """Return the folder's pictures as a film.

        Raises:
            FilmNotFoundError: it holds no pictures.
            PhotoError: the first cannot be read.
        """
        pictures = tuple(sorted((p for p in folder.iterdir() if p.suffix.lower() in PICTURES), key=_natural))
        if not pictures:
            raise FilmNotFoundError("the folder holds no pictures", where=os.fspath(folder))
        first = open_photo(pictures[0], limits=limits)
        rate = Fraction(fps or SUPER_8_RATE).limit_denominator(1001)
        notes = () if fps else (f"{SUPER_8_RATE:g} frames a second taken, as Super 8 has; --fps says otherwise",)
        info = FilmInfo(
            path=folder,
            width=first.width,
            height=first.height,
            layout=Layout("400", Codes(first.pixels.dtype.itemsize * 8, full=True), rgb=True),
            time_base=1 / rate,
            rate=rate,
            frames=len(pictures),
            duration_s=float(len(pictures) / rate),
            sample_aspect=Fraction(1),
            rotation=0,
            matrix=BT601,
            tags=(UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, 0),
            codec="pictures",
            notes=notes,
        )
        return cls(info, pictures, limits)

    @property
    def fields_kept(self) -> Fields:
        """Pictures have no fields."""
        return ""

    def frames(self, reading: Reading, from_pts: int | None = None) -> Iterator[Shown]:
        """Yield the pictures in order; where one cannot be read, the one before stays for longer."""
        first = max(0, from_pts or 0)
        for number in range(first, len(self.pictures)):
            try:
                photo = open_photo(self.pictures[number], limits=self.limits)
            except UnreadablePhotoError:
                reading.damaged, reading.missing = reading.damaged + 1, reading.missing + 1
                continue
            if (photo.width, photo.height) != (self.info.width, self.info.height):
                raise UnsupportedFilmError(
                    f"is {photo.width} x {photo.height}, the first picture {self.info.width} x {self.info.height}",
                    where=os.fspath(self.pictures[number]),
                    next_step="Bring all pictures to one size",
                )
            if photo.pixels.dtype != self.info.layout.codes.dtype:
                bits = f"{photo.pixels.dtype.itemsize * 8} bit, the first picture {self.info.layout.codes.bits}"
                raise UnsupportedFilmError(
                    f"has {bits}",
                    where=os.fspath(self.pictures[number]),
                    next_step="Bring all pictures to one depth",
                )
            yield Shown(luma_codes(photo.pixels), number, 1, reading.counts)


def open_source(
    path: Path, *, interlaced: Interlaced = "deinterlace", fps: float | None = None, limits: Limits | None = None
) -> FilmFile | PictureFolder:
    """Return what gives the frames of a film file, or of a folder of pictures."""
    limits = limits or Limits()
    if path.is_dir():
        return PictureFolder.open(path, fps, limits)
    return FilmFile.open(path, interlaced, limits)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key that puts frame10 after frame9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name.lower())]
