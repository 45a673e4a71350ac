"""Interlaced film: two fields of different times woven into one frame. FFmpeg's filters take them apart.

They also tell which field comes first, and say it of frames made here: PyAV does neither.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from photochrom.errors import UnsupportedFilmError
from photochrom.film.containers import FilmInfo, rate_of
from photochrom.film.matrices import Codes
from photochrom.film.options import Fields
from photochrom.film.planes import GREY, Layout, Pixels, frame_from, luma_of, plane_of

if TYPE_CHECKING:
    from av import VideoFrame
    from av.filter import Graph
    from av.video.stream import VideoStream

# FFmpeg's numbers of the orders.
ORDERS: dict[Fields, int] = {"tff": 2, "bff": 3}
NAMES: dict[Fields, str] = {"": "none", "tff": "the top one first", "bff": "the bottom one first"}
BYTES = Codes(8, full=True)
IN_BYTES = Layout("444", BYTES)
# Where times play no part.
MICROSECOND = Fraction(1, 1_000_000)
# Frames that do not say they are interlaced pass through bwdif untouched.
DEINTERLACE = ("bwdif", "mode=send_frame:deint=interlaced")
# These know 8 bit only, and look at the luma alone: deeper codes lie in two planes, of which they see the upper one.
TELECINE = (("fieldmatch", "mode=pc_n:combmatch=full:mchroma=0"), ("decimate", "chroma=0"))


def deinterlaced(frames: Iterator[VideoFrame], info: FilmInfo) -> Iterator[VideoFrame]:
    """Yield one frame for each, time stamps in the film's own time base.

    Raises:
        UnsupportedFilmError: the filter would convert the luma of frames like these.
    """
    given, layout = info.pixel_format, info.layout
    made = given if layout.rgb else layout.unpacked or given
    if GREY.fullmatch(given) and layout.codes.bits > 8:  # which the filter does not know
        frames = _remade(frames, info, Layout("444", layout.codes))
        given = made = Layout("444", layout.codes).pixel_format
    graph = _configured(f"{_size(info)}:pix_fmt={given}", (("format", made), DEINTERLACE))
    for frame in _through(graph, frames, info):
        # RGB has no luma plane: whatever holds the same colours will do.
        if frame.format.name != made and not info.layout.rgb:
            raise UnsupportedFilmError(
                f"its pixel format {info.pixel_format} has no luma that could be kept where fields are taken apart",
                where=os.fspath(info.path),
                next_step="Convert it to planar Y'CbCr (yuv420p, say) first",
            )
        yield frame


def telecine_undone(
    frames: Iterator[VideoFrame], stream: VideoStream, info: FilmInfo
) -> Iterator[tuple[VideoFrame, Pixels]]:
    """Yield the frames of cinema film in television's, each with its luma codes: no sample is another than before."""
    graph = _configured(f"{_size(info)}:pix_fmt=yuv444p:frame_rate={rate_of(stream)}", TELECINE)
    for frame in _through(graph, _remade(frames, info, IN_BYTES), info):
        upper, lower = (cast("Pixels", plane_of(frame, k, BYTES).astype(info.layout.codes.dtype)) for k in (0, 1))
        yield frame, cast("Pixels", upper << (info.layout.codes.bits - 8) | lower)


def _remade(frames: Iterator[VideoFrame], info: FilmInfo, layout: Layout) -> Iterator[VideoFrame]:
    """Yield frames of another layout with as many of the luma codes' upper bits; those below are where Cb would be."""
    below = info.layout.codes.bits - layout.codes.bits
    teller, marker = OrderTeller(), OrderMarker("", info.time_base)
    for frame in frames:
        luma = luma_of(frame, info.layout)
        rest = luma & luma.dtype.type((1 << below) - 1)
        made = frame_from(cast("Pixels", luma >> below), np.stack([rest, np.zeros_like(rest)], axis=-1), layout)
        made.pts, made.time_base, made.duration = frame.pts, info.time_base, frame.duration
        order = teller.order_of(frame)
        yield marker.marked(made, order) if order else made


def _through(graph: Graph, frames: Iterator[VideoFrame], info: FilmInfo) -> Iterator[VideoFrame]:
    """Yield what a graph makes of frames."""
    for frame in frames:
        graph.push(frame)
        yield from _pulled(graph, info)
    graph.push(None)
    yield from _pulled(graph, info)


class OrderTeller:
    """Tells which field of each of a film's frames comes first; all are of one size and format."""

    def __init__(self) -> None:
        self._graph: Graph | None = None

    def order_of(self, frame: VideoFrame) -> Fields:
        """Return the order of a frame's fields, "" where it says that it is one picture."""
        from av.error import BlockingIOError as NothingYet

        if not frame.interlaced_frame:
            return ""
        # Lets through what has the top field first.
        self._graph = self._graph or _graph_for(frame, MICROSECOND, ("select", r"eq(interlace_type\,TOPFIRST)"))
        self._graph.push(frame)
        try:
            self._graph.pull()
        except NothingYet:
            return "bff"
        return "tff"


class OrderMarker:
    """Says of frames which of their fields comes first, for encoders."""

    def __init__(self, order: Fields, time_base: Fraction) -> None:
        self._order, self._time_base = order, time_base
        self._graphs: dict[Fields, Graph] = {}

    def marked(self, frame: VideoFrame, own: Fields = "") -> VideoFrame:
        """Return a frame with the order of its fields, or the film's: a whole frame is two fields of one moment."""
        order = own or self._order
        if order not in self._graphs:
            self._graphs[order] = _graph_for(frame, self._time_base, ("setfield", order))
        self._graphs[order].push(frame)
        pulled: Any = self._graphs[order].pull()
        marked: VideoFrame = pulled
        return marked


def _size(info: FilmInfo) -> str:
    """Return what a graph has to know of a film, but for the pixel format."""
    return f"video_size={info.width}x{info.height}:time_base={info.time_base}:pixel_aspect={info.sample_aspect}"


def _graph_for(frame: VideoFrame, time_base: Fraction, *filters: tuple[str, str]) -> Graph:
    """Return a graph for frames like this one."""
    size = f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
    return _configured(f"{size}:time_base={time_base}:pixel_aspect=1", filters)


def _configured(settings: str, filters: tuple[tuple[str, str], ...]) -> Graph:
    from av.filter import Graph

    graph = Graph()
    nodes = [graph.add("buffer", settings), *(graph.add(name, text) for name, text in filters)]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph


def _pulled(graph: Graph, info: FilmInfo) -> Iterator[VideoFrame]:
    from av.error import BlockingIOError as NothingYet
    from av.error import EOFError as Ended

    while True:
        try:
            frame: Any = graph.pull()
        except (NothingYet, Ended):
            return
        if frame.time_base != info.time_base:  # bwdif doubles it
            scale = frame.time_base / info.time_base
            frame.pts, frame.duration = round(frame.pts * scale), round((frame.duration or 0) * scale)
            frame.time_base = info.time_base
        yield frame
