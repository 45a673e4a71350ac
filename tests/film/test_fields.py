"""Interlaced film whose fields are kept: each result says which comes first, as the film does, or is refused."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.filter import Graph

import photochrom
from photochrom.film.planes import layout_of, luma_of
from photochrom.film.sources import open_source
from tests.film.films import frame_of, panned, scene
from tests.film.test_film import assert_luma_kept, colored


def graph_for(stream: Any, name: str, settings: str) -> Graph:
    graph = Graph()
    source = graph.add_buffer(template=stream, time_base=Fraction(1, 25))
    nodes = [source, graph.add(name, settings), graph.add("buffersink")]
    graph.link_nodes(*nodes).configure()
    return graph


def write_fields(path: Path, orders: Sequence[str]) -> Path:
    """Write a film of moving fields; each frame's order is tff, bff, or "" for one that is a whole picture."""
    moments = panned(scene(1), 2 * len(orders), width=96, height=64, step=2)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.flags |= Flags.interlaced_dct
        graphs = {order: graph_for(stream, "setfield", order or "prog") for order in set(orders)}
        for k, order in enumerate(orders):
            woven = moments[2 * k].copy()
            if order:
                woven[0 if order == "bff" else 1 :: 2] = moments[2 * k + 1][0 if order == "bff" else 1 :: 2]
            frame = frame_of(woven, "yuv420p")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            graphs[order].push(frame)
            container.mux(stream.encode(graphs[order].pull()))
        container.mux(stream.encode(None))
    return path


def luma(frame: Any) -> np.ndarray:
    return luma_of(frame, layout_of(frame.format.name, full_range=False, where=""))


def orders_of(path: Path) -> list[str]:
    """Return the order of every frame's fields: a filter that puts the top one first leaves alone what has it so."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            graph = graph_for(stream, "fieldorder", "tff")
            before, interlaced = luma(frame), frame.interlaced_frame
            graph.push(frame)
            order = "tff" if np.array_equal(luma(graph.pull()), before) else "bff"
            found.append(order if interlaced else "")
    return found


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(
    ("codec", "name", "options"),
    [
        ("x264", "out.mp4", {}),
        ("x264", "out.mkv", {"crf": 0}),
        ("ffv1", "out.mkv", {}),
        ("prores", "out.mov", {}),
    ],
)
def test_kept_fields_come_in_their_order(
    codec: str, name: str, options: dict[str, Any], order: str, tmp_path: Path
) -> None:
    source = write_fields(tmp_path / "in.mkv", [order] * 4)
    assert orders_of(source) == [order] * 4
    result = colored(source, tmp_path / name, codec=codec, interlaced="keep", keep_masters=True, **options)
    assert orders_of(result.path) == [order] * 4
    assert result.master is not None
    assert orders_of(result.master) == [order] * 4
    first = "top" if order == "tff" else "bottom"
    assert f"interlaced film: both fields kept, the {first} one first" in result.notes
    if codec == "ffv1" or options:
        assert_luma_kept(source, result.path)


@pytest.mark.parametrize(("codec", "name"), [("av1", "out.mkv"), ("x265", "out.mp4")])
def test_a_codec_that_does_not_say_the_order_is_refused_before_the_first_frame(
    codec: str, name: str, tmp_path: Path
) -> None:
    source = write_fields(tmp_path / "in.mkv", ["tff"] * 3)
    with pytest.raises(photochrom.OptionError, match="cannot hold the fields of interlaced film in their order"):
        colored(source, tmp_path / name, codec=codec, interlaced="keep")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_frames_among_them_keep_their_own_order_and_whole_ones_are_two_fields_of_one_moment(tmp_path: Path) -> None:
    source = write_fields(tmp_path / "in.mkv", ["tff", "tff", "", "bff", "tff"])
    assert open_source(source, interlaced="keep").fields_kept == "tff"
    colored(source, tmp_path / "out.mkv", codec="ffv1", interlaced="keep")
    assert orders_of(tmp_path / "out.mkv") == ["tff", "tff", "tff", "bff", "tff"]
    assert_luma_kept(source, tmp_path / "out.mkv")
