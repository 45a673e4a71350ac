"""Interlaced film: two fields of different times woven into one frame. FFmpeg's filters take them apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from photochrom.film.containers import FilmInfo, rate_of
from photochrom.film.options import Interlaced

if TYPE_CHECKING:
    from av import VideoFrame
    from av.filter import Graph
    from av.video.stream import VideoStream

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


def _graph(stream: VideoStream, mode: Interlaced, info: FilmInfo) -> Graph:
    from av.filter import Graph

    graph = Graph()
    # Not `add_buffer`: undoing telecine counts frames, and has to know their rate.
    settings = (
        f"video_size={stream.width}x{stream.height}:pix_fmt={stream.codec_context.pix_fmt}:time_base={info.time_base}"
        f":frame_rate={rate_of(stream)}:pixel_aspect={info.sample_aspect}"
    )
    nodes = [graph.add("buffer", settings), *(graph.add(name, text) for name, text in FILTERS[mode])]
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
