"""Interlaced film: two fields of different times woven into one frame. FFmpeg's filters take them apart.

They also tell which field comes first, and say it of frames made here: PyAV does neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from photochrom.film.containers import FilmInfo, rate_of
from photochrom.film.options import Fields, Interlaced

if TYPE_CHECKING:
    from av import VideoFrame
    from av.filter import Graph
    from av.video.stream import VideoStream

# FFmpeg's numbers of the orders.
ORDERS: dict[Fields, int] = {"tff": 2, "bff": 3}
NAMES: dict[Fields, str] = {"": "none", "tff": "the top one first", "bff": "the bottom one first"}
# Where times play no part.
MICROSECOND = Fraction(1, 1_000_000)
# Frames that do not say they are interlaced pass through bwdif untouched.
FILTERS: dict[Interlaced, tuple[tuple[str, str], ...]] = {
    "deinterlace": (("bwdif", "mode=send_frame:deint=interlaced"),),
    "telecine": (("fieldmatch", "mode=pc_n:combmatch=full"), ("decimate", "")),
    "keep": (),
}


def filtered(
    frames: Iterator[VideoFrame], stream: VideoStream, mode: Interlaced, info: FilmInfo
) -> Iterator[VideoFrame]:
    """Yield the frames with their fields treated as ``mode`` says, time stamps in the film's own time base."""
    if mode == "keep":
        yield from frames
        return
    graph = _graph(stream, mode, info)
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


def _graph(stream: VideoStream, mode: Interlaced, info: FilmInfo) -> Graph:
    # Not `add_buffer`: undoing telecine counts frames, and has to know their rate.
    settings = (
        f"video_size={stream.width}x{stream.height}:pix_fmt={stream.codec_context.pix_fmt}:time_base={info.time_base}"
        f":frame_rate={rate_of(stream)}:pixel_aspect={info.sample_aspect}"
    )
    return _configured(settings, FILTERS[mode])


def _graph_for(frame: VideoFrame, time_base: Fraction, *filters: tuple[str, str]) -> Graph:
    """Return a graph for frames like this one."""
    size = f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
    return _configured(f"{size}:time_base={time_base}:pixel_aspect=1", filters)


def _configured(settings: str, filters: tuple[tuple[str, str], ...]) -> Graph:
    from av.filter import Graph

    graph = Graph()
    nodes = [graph.add("buffer", settings), *(graph.add(name, text) for name, text in filters)]
    nodes.append(graph.add("buffersink"))
    for node, following in zip(nodes, nodes[1:], strict=False):
        node.link_to(following)
    graph.configure()
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
            frame.pts = round(frame.pts * frame.time_base / info.time_base)
            frame.time_base = info.time_base
        yield frame
