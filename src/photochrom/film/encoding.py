"""Codecs a film can be written with: what each can hold, and an encoder of frames into a segment file.

What a codec or a container cannot hold is found out before the first frame is coloured: by the table, and by a trial
that writes two frames and joins them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.computer.cores import scheduling_kept
from photochrom.errors import OptionError
from photochrom.film.containers import FULL_RANGE, LIMITED_RANGE, FilmInfo, spelled_path
from photochrom.film.fields import ORDERS, OrderMarker
from photochrom.film.options import Fields, FilmOptions
from photochrom.film.planes import STEPS, Layout
from photochrom.film.tags import tags_for

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer

LARGEST_ENCODER_RATE = 240
# Frames by which decoding runs ahead of showing, at most, in any of the codecs; `joining` works it out exactly.
DECODED_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to write the picture.

    Attributes:
        encoder: FFmpeg's name of it.
        samplings: of chroma that it holds, the most usual first.
        depths: bits a sample that it holds.
        crf: default quality; None for codecs without one.
        largest_crf: the worst there is.
        preset: default, or None.
        settings: further options.
        lossless: options that replace the quality where nothing may be lost; empty where the codec cannot do that.
        segment: kind of file for segments.
        bits_a_pixel: how large a frame becomes, roughly, at the default quality.
        halves_odd: whether odd sides can have halved chroma.
        limited: whether everybody reads it in limited range, whatever is said beside it.
    """

    encoder: str
    samplings: tuple[str, ...] = ("420", "422", "444")
    depths: tuple[int, ...] = (8, 10)
    crf: float | None = None
    largest_crf: float = 51
    preset: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    lossless: Mapping[str, str] = field(default_factory=dict)
    segment: str = "mp4"
    bits_a_pixel: float = 1.0
    halves_odd: bool = False
    limited: bool = False


# One frame at a time, its rows on all threads: more take room, and their number would follow the computer's cores.
# The frames that it looks ahead at take room, too.
X265 = "log-level=error:frame-threads=1:rc-lookahead=6"
CODECS = {
    "x264": Codec("libx264", crf=16, preset="veryfast", lossless={"qp": "0"}, bits_a_pixel=0.6),
    "x265": Codec(
        "libx265",
        depths=(8, 10, 12),
        crf=18,
        preset="fast",
        settings={"x265-params": X265},
        lossless={"x265-params": f"{X265}:lossless=1"},
        bits_a_pixel=0.4,
    ),
    "av1": Codec(
        "libsvtav1",
        ("420",),
        crf=24,
        largest_crf=63,
        preset="8",
        # Groups of 8 frames and no look ahead: 170 to 190 MiB less, at about the same size for a PSNR. One thread: 150.
        settings={"svtav1-params": "hierarchical-levels=3:lookahead=0:lp=1"},
        bits_a_pixel=0.3,
    ),
    "ffv1": Codec(
        "ffv1",
        depths=(8, 10, 12, 16),
        settings={"level": "3", "slices": "16", "slicecrc": "1", "g": "1"},
        bits_a_pixel=7,
        halves_odd=True,
    ),
    "prores": Codec(
        "prores_ks", ("422", "444"), (10,), settings={"vendor": "apl0"}, segment="mov", bits_a_pixel=6, limited=True
    ),
}
# Part of what makes the bytes, so it is the same on every computer, and shots encoded on several make one film.
THREADS = 4
# OpenCV's number of the foundation of AVX-512 (CV_CPU_AVX_512F), and x264's name of the instructions below it.
AVX_512, BELOW_AVX_512 = 13, "asm=avx2"
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}


def container_of(path: Path) -> str:
    """Return FFmpeg's name of the container that a file name asks for; or raise OptionError."""
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise OptionError(
            f"films are written as {', '.join(CONTAINERS)}",
            where=os.fspath(path),
            next_step="Choose one of these endings, or --codec frames for a folder",
        ) from None


def output_layout(info: FilmInfo, options: FilmOptions) -> tuple[Layout, tuple[str, ...]]:
    """Return sampling and depth of the result, and notes.

    Raises:
        OptionError: the codec cannot hold what the film has, or what was asked for.
    """
    codec = CODECS[options.codec]
    sampling, notes = _sampling(info, options, codec)
    bits = options.depth or (codec.depths[0] if len(codec.depths) == 1 else info.layout.codes.bits)
    if bits not in codec.depths:
        held = " or ".join(map(str, codec.depths))
        raise OptionError(
            f"{options.codec} holds {held} bits, and the film has {bits}",
            where="--codec" if options.depth is None else "--depth",
            next_step=f"Choose --codec ffv1, or --depth {codec.depths[-1]}, which rounds",
        )
    if bits < info.layout.codes.bits:
        notes = (*notes, f"luma rounded from {info.layout.codes.bits} to {bits} bits")
    if codec.limited and info.layout.codes.full:
        notes = (*notes, f"luma: full range brought to limited, for {options.codec} knows no other")
    return info.layout.with_output(sampling, bits, limited=codec.limited), notes


def _sampling(info: FilmInfo, options: FilmOptions, codec: Codec) -> tuple[str, tuple[str, ...]]:
    own = {"400": "420", "440": "444", "411": "422", "410": "420"}.get(info.layout.sampling, info.layout.sampling)
    sampling = options.chroma or own
    if options.codec == "prores" and options.chroma is None and sampling == "420":
        sampling = "422"
    if sampling not in codec.samplings:
        raise OptionError(
            f"{options.codec} does not hold 4:{sampling[1]}:{sampling[2]}",
            where="--codec" if options.chroma is None else "--chroma",
            next_step=f"Add --chroma {codec.samplings[0]} (the luma stays), or choose another codec",
        )
    across, down = STEPS[sampling]
    if codec.halves_odd or (info.width % across == 0 and info.height % down == 0):
        return sampling, ()
    if options.chroma is None and "444" in codec.samplings:
        return "444", (f"colours at 4:4:4: {options.codec} cannot halve {info.width} x {info.height}",)
    raise OptionError(
        f"{options.codec} cannot halve the colours of a film of {info.width} x {info.height}",
        where="--codec",
        next_step="Choose --codec x264 or ffv1 and no --chroma",
    )


def encoder_settings(options: FilmOptions) -> dict[str, str]:
    """Return the encoder's options; raise OptionError for a quality or a preset that it does not have."""
    codec = CODECS[options.codec]
    if codec.crf is None:
        for name, value in (("--crf", options.crf), ("--preset", options.preset)):
            if value is not None:
                raise OptionError(f"{options.codec} has no such setting", where=name, next_step="Leave it out")
        return dict(codec.settings)
    crf = codec.crf if options.crf is None else options.crf
    if crf > codec.largest_crf:
        raise OptionError(f"{options.codec} goes to {codec.largest_crf:g}, not {crf:g}", where="--crf")
    if crf == 0 and not codec.lossless:
        raise OptionError(f"{options.codec} is never lossless here", where="--crf", next_step="Choose --codec ffv1")
    settings = {**codec.settings, "preset": options.preset or codec.preset or ""}
    return {**settings, **codec.lossless} if crf == 0 else {**settings, "crf": f"{crf:g}"}


def is_lossless(options: FilmOptions) -> bool:
    """Return whether every luma sample comes out as it goes in."""
    return options.codec in {"ffv1", "frames"} or options.crf == 0


def require_encoder(codec: Codec) -> None:
    """Return if FFmpeg, as it is installed, has an encoder; raise OptionError where it was built without."""
    import av

    try:
        av.Codec(codec.encoder, "w")
    except av.codec.codec.UnknownCodecError as error:
        raise OptionError(
            f"the FFmpeg that PyAV brings here has no encoder {codec.encoder}",
            where="--codec",
            next_step="Choose another codec, or install PyAV's own wheel: pip install --force-reinstall av",
        ) from error


class SegmentWriter:
    """An encoder that writes one segment.

    Args:
        path: of the segment file, which must not exist.
        codec: to write with.
        settings: the encoder's options.
        layout: of the frames.
        info: of the film: size, time base, tags.
        fields: which field comes first, where frames are interlaced.

    Attributes:
        settings: the encoder's options as it got them, with what this processor asks for.

    Raises:
        OptionError: there is no such encoder here, or it refuses its settings or the size.
    """

    def __init__(
        self, path: Path, codec: Codec, settings: Mapping[str, str], layout: Layout, info: FilmInfo, *, fields: Fields
    ) -> None:
        import av

        self._name, self.settings, self._time_base = codec.encoder, dict(settings), info.time_base
        require_encoder(codec)
        self._container: OutputContainer = av.open(spelled_path(path), "w", format=codec.segment)
        rate = min(max(info.rate, Fraction(1)), Fraction(LARGEST_ENCODER_RATE)).limit_denominator(1001)
        stream: Any = self._container.add_stream(codec.encoder, rate=rate)
        self._stream = stream
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = info.width, info.height, layout.pixel_format
        stream.time_base = context.time_base = info.time_base
        context.sample_aspect_ratio = info.sample_aspect
        self._tags = (*tags_for(info), color_range(layout, info))
        set_tags(context, self._tags)
        context.thread_count = THREADS
        if codec.encoder == "libx264":
            _use_repeatable_arithmetic(self.settings)
        self._marker = OrderMarker(fields, info.time_base) if fields else None
        if fields:
            _keep_fields(context, fields)
        context.options = dict(self.settings)
        self._first: int | None = None
        self._times: list[int] = []
        self._written = 0

    def write(self, frame: VideoFrame, pts: int, duration: int, fields: Fields = "") -> None:
        """Encode one frame; time stamps within the segment count from its first, and ``fields`` are its own."""
        import av

        self._first = pts if self._first is None else self._first
        frame.pts, frame.time_base, frame.duration = pts - self._first, self._time_base, duration
        self._times.append(pts - self._first)
        frame = self._marker.marked(frame, fields) if self._marker else frame
        set_tags(frame, self._tags)  # ProRes takes them from each frame alone
        try:
            with scheduling_kept():
                packets = self._stream.encode(frame)
            self._mux(packets)
        except av.error.FFmpegError as error:
            raise OptionError(
                f"{self._name} refuses {frame.width} x {frame.height} {frame.format.name} with "
                f"{_spelled(self.settings)} ({error.strerror})",
                where="--codec",
                next_step="Choose another codec, preset or --chroma",
            ) from error

    def close(self) -> None:
        """Write what the encoder still holds, and the end of the file."""
        self._mux(self._stream.encode(None))
        self._container.close()
        self._let_go()

    def _mux(self, packets: Iterable[Any]) -> None:
        """Write packets, with decode times of our own: x265 gives none that are defined for very few frames."""
        for packet in packets:
            ahead = self._written - DECODED_AHEAD
            packet.dts = self._times[ahead] if ahead >= 0 else self._times[0] + ahead
            self._written += 1
            self._container.mux_one(packet)

    def abandon(self) -> None:
        """Close the file without what the encoder still holds."""
        import av

        with contextlib.suppress(av.error.FFmpegError, OSError):
            self._container.close()
        self._let_go()

    def _let_go(self) -> None:
        """Free the encoder, its threads and its frames, whoever still knows this writer: they are what takes room."""
        del self._stream, self._container, self._marker


def _spelled(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in settings.items())


def set_tags(bearer: Any, tags: tuple[int, int, int, int]) -> None:
    """Give H.273's primaries, transfer and matrix, and the range, to a frame or to what is known of a stream."""
    bearer.color_primaries, bearer.color_trc, bearer.colorspace, bearer.color_range = tags


def color_range(layout: Layout, info: FilmInfo) -> int:
    """Return the tag for the range of codes: full or limited where it is known to be, else what the film says."""
    if layout.codes.full:
        return FULL_RANGE
    return LIMITED_RANGE if info.layout.codes.full else info.tags[3]


def _keep_fields(context: Any, fields: Fields) -> None:
    """Make an encoder see, where it can, that frames are interlaced; the frames say it themselves, too."""
    from av.codec.context import Flags

    context.flags |= Flags.interlaced_dct | Flags.interlaced_me
    context.field_order = ORDERS[fields]


def _use_repeatable_arithmetic(settings: dict[str, str]) -> None:
    """Keep x264 from AVX-512: with it one film became different bytes each time, and with AVX2 and SSE 4.2 the same."""
    import cv2

    if cv2.checkHardwareSupport(AVX_512):
        _add_parameter(settings, BELOW_AVX_512)


def _add_parameter(settings: dict[str, str], parameter: str) -> None:
    """Add one of x264's own parameters to an encoder's options."""
    settings["x264-params"] = ":".join(filter(None, [settings.get("x264-params"), parameter]))
