"""Film files opened: what is in them, and their frames one by one with exact times.

FFmpeg, through PyAV, reads the file; only files on this computer, and only kinds of files that hold film themselves:
playlists, which could make it open other files or addresses, are refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from photochrom.errors import FilmNotFoundError, UnreadableFilmError, UnsupportedFilmError
from photochrom.film.continuity import Clock, may_restart, on_one_clock
from photochrom.film.planes import Layout, layout_of
from photochrom.film.rising import Ahead, rising
from photochrom.film.tags import matrix_of, transfer_notes
from photochrom.film.transfers import Transfer
from photochrom.film.turning import orientation_of

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,dv,asf,nut,mxf,flv,ogg,gif,"
    "yuv4mpegpipe,vc1,ivf,rm,apng,wtv,swf,gxf,av1,obu"
)
# What files of these formats are called, where films are known by their names: in folders, in clouds, in the studio.
# Not what mostly holds sound alone (.ogg, .m4a), and not .gif and .apng, which are photographs there.
FILM_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mj2", ".f4v", ".ismv", ".mkv", ".mk3d", ".webm", ".avi", ".divx",
    ".mpg", ".mpeg", ".m1v", ".m2v", ".mpv", ".vob", ".ts", ".m2ts", ".mts", ".m2t", ".mod", ".tod", ".h264", ".264",
    ".h26l", ".avc", ".h265", ".265", ".hevc", ".dv", ".dif", ".asf", ".wmv", ".nut", ".mxf", ".flv", ".ogv",
    ".y4m", ".vc1", ".ivf", ".rm", ".rmvb", ".wtv", ".swf", ".gxf", ".obu",
})  # fmt: skip
# What the FFmpeg demuxers for single pictures are called.
PICTURE_FORMATS = ("image2", "_pipe")
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".avif", ".bmp", ".heic", ".jp2", ".dng"}
ENCRYPTED_TAGS = {"encv", "drmi", "drms", "enca"}
LIMITED_RANGE, FULL_RANGE = 1, 2
FALLBACK_RATE = Fraction(25)
LARGEST_RATE = 1000
# Each holds frames, and conceals damage in its own way: the same on every computer. More would wait for the encoder.
DECODER_THREADS = 3


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """What a film says of itself.

    Attributes:
        width: of the stored frames, in pixels; ``height`` likewise.
        layout: how frames are laid out.
        time_base: seconds per unit of time stamps.
        rate: frames a second on average, for the encoder and for estimates; time stamps are what counts.
        frames: how many the file says there are, or are to be expected from its length; 0 where it says nothing.
        duration_s: likewise, in seconds; ``begins_s`` is the time of the first frame.
        sample_aspect: width of a pixel over its height.
        rotation: degrees, counter-clockwise, by which players turn the picture; ``mirrored``: left for right then.
        matrix: H.273 tag that is used; ``tags`` has what the film says.
        tags: (primaries, transfer, matrix, range) as the file has them.
        codec: of the picture.
        notes: what was decided.
        pixel_format: FFmpeg's name of what frames are; "" for pictures.
        shifts: seconds by which each recording in the file is moved to follow the one before; see ``continuity``.
    """

    path: Path
    width: int
    height: int
    layout: Layout
    time_base: Fraction
    rate: Fraction
    frames: int
    duration_s: float
    sample_aspect: Fraction
    rotation: int
    matrix: int
    tags: tuple[int, int, int, int]
    codec: str
    notes: tuple[str, ...] = ()
    shifts: tuple[Fraction, ...] = (Fraction(0),)
    pixel_format: str = ""
    begins_s: float = 0.0
    mirrored: bool = False

    @property
    def ends_s(self) -> float:
        """When it ends, in seconds of its own time; 0 where the file does not say."""
        return self.begins_s + self.duration_s if self.duration_s else 0.0

    @property
    def quarter_turns(self) -> int:
        """Counter-clockwise, by which players turn the picture."""
        return round(self.rotation / 90) % 4

    @property
    def transfer(self) -> Transfer:
        """What its codes look like; frames that are RGB or pictures are taken for sRGB."""
        return Transfer() if self.layout.rgb else Transfer.of(*self.tags[:2])


@dataclass(slots=True)
class Reading:
    """What was met while frames were read.

    Attributes:
        damaged: packets or frames that could not be decoded whole.
        missing: of these, how many gave no frame at all; the one before stays on the screen for longer.
        interlaced: frames that say they are interlaced.
        moved: frames whose time stamp was missing or not after the one before.
        truncated: whether the file ended before it said it would.
    """

    damaged: int = 0
    missing: int = 0
    interlaced: int = 0
    moved: int = 0
    truncated: bool = False

    @property
    def counts(self) -> tuple[int, int, int]:
        """Damaged, missing, moved."""
        return self.damaged, self.missing, self.moved


def spelled_path(path: Path) -> str:
    """Return a path as FFmpeg takes it: absolute, or it would take what stands before a colon for a protocol."""
    return os.path.abspath(path)


def open_container(path: Path) -> InputContainer:
    """Return the file opened.

    Raises:
        FilmNotFoundError: there is no such file.
        UnreadableFilmError: it is no film, or one damaged from its very start.
        UnsupportedFilmError: it is a photograph.
    """
    import av

    where = os.fspath(path)
    if not path.exists():
        raise FilmNotFoundError("no such file", where=where, next_step="Check the name")
    if path.is_dir():
        raise UnreadableFilmError("is a folder, not a film", where=where, next_step="Name the films in it")
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise _photograph(where)
    if path.stat().st_size == 0:
        raise UnreadableFilmError("the file is empty", where=where)
    allowed = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    # Metadata that is no UTF-8 must not end the reading; from 19 on PyAV sees to that itself.
    more: dict[str, Any] = {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
    try:
        opened: InputContainer = av.open(spelled_path(path), container_options=allowed, **more)
    except av.error.ArgumentError as error:  # what the list of formats shuts out
        raise _no_film(path) from error
    except av.error.FFmpegError as error:
        raise UnreadableFilmError(
            f"cannot be read as a film ({_reason(error)})",
            where=where,
            next_step="If it plays elsewhere, copy it into another container first",
        ) from error
    return opened


def _no_film(path: Path) -> UnreadableFilmError | UnsupportedFilmError:
    """Return the error for a file of a kind that films are not read from: a photograph by another name, or sound."""
    try:
        with Image.open(path):
            return _photograph(os.fspath(path))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return UnreadableFilmError(
            "is of no kind that films are read from: sound alone, a playlist, or something else",
            where=os.fspath(path),
            next_step="If it plays elsewhere, copy it into another container first",
        )


def _photograph(where: str) -> UnsupportedFilmError:
    return UnsupportedFilmError("is a photograph", where=where, next_step="Use `photochrom colorize`")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__


def picture_stream(container: InputContainer, where: str) -> VideoStream:
    """Return the stream of moving pictures; cover art is none.

    Raises:
        UnreadableFilmError: there is none, or nothing here can decode it.
        UnsupportedFilmError: it is encrypted, or the file is a photograph.
    """
    from av.stream import Disposition

    if any(part in container.format.name for part in PICTURE_FORMATS):
        raise _photograph(where)
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        what = "holds sound, and no film" if container.streams.audio else "holds no film"
        raise UnreadableFilmError(what, where=where)
    stream = moving[0]
    context = stream.codec_context
    if context is None or context.codec_tag in ENCRYPTED_TAGS or _is_encrypted(container):
        raise UnsupportedFilmError(
            "is encrypted (DRM), or of a codec that is not known here",
            where=where,
            next_step="Only a copy without protection can be coloured",
        )
    if not stream.width or not stream.height or not context.pix_fmt:
        raise UnreadableFilmError("the picture's size or format cannot be found out", where=where)
    return stream


def _is_encrypted(container: InputContainer) -> bool:
    return any(getattr(stream.codec_context, "codec_tag", "") in ENCRYPTED_TAGS for stream in container.streams)


def describe(path: Path) -> FilmInfo:
    """Return what a film says of itself; its first frame is decoded for what only frames know.

    Raises:
        FilmError: as `open_container` and `picture_stream` say; or it has no frame that can be decoded.
    """
    where = os.fspath(path)
    with open_container(path) as container:
        stream = picture_stream(container, where)
        context = stream.codec_context
        first = next(read_frames(container, stream, Reading()), None)
        if first is None:
            raise UnreadableFilmError("not one frame can be decoded", where=where)
        tags = tuple(int(v) for v in (context.color_primaries, context.color_trc, context.colorspace))
        full = int(context.color_range) == FULL_RANGE
        layout = layout_of(first.format.name, full_range=full, where=where)
        matrix, notes = matrix_of(tags, stream.width, stream.height, layout, where)
        notes += transfer_notes(tags, layout, first, where)
        rate, (rotation, mirrored) = rate_of(stream), orientation_of(first)
        duration = _duration_s(container, stream)
        if layout.alpha:
            notes = (*notes, "transparency left out")
        return FilmInfo(
            path=path,
            width=first.width,
            height=first.height,
            layout=layout,
            time_base=_time_base(stream, rate),
            rate=rate,
            frames=stream.frames or round(duration * float(rate)),
            duration_s=duration,
            sample_aspect=_aspect(stream),
            rotation=rotation,
            mirrored=mirrored,
            matrix=matrix,
            tags=(tags[0], tags[1], tags[2], int(context.color_range)),
            codec=context.codec.name,
            notes=notes,
            pixel_format=first.format.name,
            begins_s=_begins_s(container, stream),
        )


def rate_of(stream: VideoStream) -> Fraction:
    """Return a believable average rate: DV and raw streams claim 60000 a second, others nothing."""
    for claimed in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if claimed and 0 < claimed <= LARGEST_RATE:
            return Fraction(claimed)
    return FALLBACK_RATE


def _time_base(stream: VideoStream, rate: Fraction) -> Fraction:
    return Fraction(stream.time_base) if stream.time_base else 1 / rate


def _aspect(stream: VideoStream) -> Fraction:
    claimed = stream.sample_aspect_ratio
    return Fraction(claimed) if claimed and claimed > 0 else Fraction(1)


def _duration_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if not container.duration:
        return 0.0
    # Matroska says when the film ends, counted from 0; others how long it lasts.
    before = _begins_s(container, stream) if "matroska" in container.format.name else 0.0
    return max(0.0, container.duration / 1e6 - before)


def _begins_s(container: InputContainer, stream: VideoStream) -> float:
    """Return the time of the first frame; files that may begin their time anew count from 0."""
    if may_restart(container) or not stream.start_time or not stream.time_base:
        return 0.0
    return max(0.0, float(stream.start_time * stream.time_base))


def read_frames(container: InputContainer, stream: VideoStream, reading: Reading) -> Iterator[VideoFrame]:
    """Yield every frame that can be decoded, and count in ``reading`` what could not.

    Every frame has a time stamp later than the one before (``rising``); where time begins anew, and files of this kind
    may do so, it goes on. A file that ends too early ends here, too, and is said to be truncated.
    """
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = DECODER_THREADS
    step = max(1, round(1 / (rate_of(stream) * _time_base(stream, rate_of(stream)))))
    packets: Iterator[Any] = iter(container.demux(stream))
    if restarts := may_restart(container):
        packets = on_one_clock(packets, Clock.of(container), 1 / rate_of(stream))
    ahead = Ahead(packets)
    decoded = _decoded(iter(ahead), stream, reading)
    where = "" if restarts else container.name
    for frame in rising(decoded, ahead, _time_base(stream, rate_of(stream)), step, reading, where):
        reading.damaged += bool(frame.is_corrupt)
        reading.interlaced += bool(frame.interlaced_frame)
        yield frame


def _decoded(packets: Iterator[Any], stream: VideoStream, reading: Reading) -> Iterator[VideoFrame]:
    import av

    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            reading.truncated = True
            try:  # what the decoder still holds
                yield from stream.decode(None)
            except av.error.FFmpegError:
                return
            return
        if packet.is_corrupt:
            reading.truncated = True
        try:
            yield from packet.decode()
        except av.error.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            reading.damaged += 1
            reading.missing += 1
