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
from tests.film.films import frame_of, panned, read_planes, scene, write_film
from tests.film.test_film import assert_luma_kept, colored


def graph_for(stream: Any, name: str, settings: str) -> Graph:
    graph = Graph()
    source = graph.add_buffer(template=stream, time_base=Fraction(1, 25))
    nodes = [source, graph.add(name, settings), graph.add("buffersink")]
    graph.link_nodes(*nodes).configure()
    return graph


def write_fields(path: Path, orders: Sequence[str], pixels: str = "yuv420p") -> Path:
    """Write a film of moving fields; each frame's order is tff, bff, or "" for one that is a whole picture."""
    moments = panned(scene(1), 2 * len(orders), width=96, height=64, step=2)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
        stream.codec_context.flags |= Flags.interlaced_dct
        graphs = {order: graph_for(stream, "setfield", order or "prog") for order in set(orders)}
        for k, order in enumerate(orders):
            woven = moments[2 * k].copy()
            if order:
                woven[0 if order == "bff" else 1 :: 2] = moments[2 * k + 1][0 if order == "bff" else 1 :: 2]
            frame = frame_of(woven, pixels)
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


@pytest.mark.parametrize("pixels", ["gray10le", "yuv422p10le", "yuv420p"])
def test_deinterlacing_keeps_the_rows_of_the_first_field(pixels: str, tmp_path: Path) -> None:
    source = write_fields(tmp_path / "in.mkv", ["tff"] * 4, pixels)
    colored(source, tmp_path / "out.mkv", codec="ffv1", chroma="444")
    before, after = read_planes(source), read_planes(tmp_path / "out.mkv")
    assert len(before) == len(after) == 4
    for (time, old), (same, new) in zip(before, after, strict=True):
        assert time == same
        assert np.array_equal(old[0][::2], new[0][::2])
        assert not np.array_equal(old[0], new[0])


def television(cinema: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return five frames for each four, as American television shows cinema film."""

    def woven(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
        both = top.copy()
        both[1::2] = bottom[1::2]
        return both

    shown = []
    for k in range(0, len(cinema), 4):
        a, b, c, d = cinema[k : k + 4]
        shown += [a, b, woven(b, c), woven(c, d), d]
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("pixels", ["yuv422p10le", "gray", "gray10le", "yuv444p"])
def test_telecine_is_undone_at_any_depth_and_every_sample_is_the_films(pixels: str, tmp_path: Path) -> None:
    cinema = panned(scene(1), 12, width=192, height=128, step=2)
    source = write_film(tmp_path / "in.mkv", television(cinema), pixels=pixels)
    assert colored(source, tmp_path / "out.mkv", codec="ffv1", interlaced="telecine").frames == 12
    deeper = 2 if "10" in pixels else 0
    for (_, planes), luma in zip(read_planes(tmp_path / "out.mkv"), cinema, strict=True):
        assert np.array_equal(planes[0], luma.astype(np.uint16) << deeper)


def test_fields_further_on_are_taken_apart_and_told(tmp_path: Path) -> None:
    source = write_fields(tmp_path / "in.mkv", [""] * 26 + ["tff"] * 3)  # the first 25 frames are looked at
    result = colored(source, tmp_path / "out.mkv", codec="ffv1")
    assert "interlaced film: in part, deinterlaced there (bwdif)" in result.notes
    before, after = read_planes(source), read_planes(tmp_path / "out.mkv")
    same = [np.array_equal(old[0], new[0]) for (_, old), (_, new) in zip(before, after, strict=True)]
    assert same == [True] * 26 + [False] * 3
    assert [time for time, _ in before] == [time for time, _ in after]
    kept = colored(source, tmp_path / "kept.mkv", codec="ffv1", interlaced="keep")
    assert "interlaced film: in part, taken for whole frames, as the first ones are" in kept.notes
    assert_luma_kept(source, tmp_path / "kept.mkv")


@pytest.mark.parametrize(
    ("pixels", "tags", "words"),
    [
        ("yuv420p10le", (2, 2, 2, 1), "its pixel format changes from yuv420p to yuv420p10le"),
        ("yuv444p", (2, 2, 2, 1), "its pixel format changes from yuv420p to yuv444p"),
        ("yuv420p", (1, 1, 1, 1), r"its colour matrix changes \(6 of H.273, then 1\)"),
    ],
)
def test_a_film_whose_codes_change_their_meaning_is_refused(
    pixels: str, tags: tuple[int, int, int, int], words: str, tmp_path: Path
) -> None:
    parts = []
    for name, kind, meant in (("a", "yuv420p", (2, 2, 2, 1)), ("b", pixels, tags)):
        options = {"x264-params": "annexb=1:repeat-headers=1", "g": "4"}
        path = tmp_path / f"{name}.h264"
        write_film(path, panned(scene(1), 30), codec="libx264", pixels=kind, tags=meant, options=options)
        parts.append(path.read_bytes())
    (tmp_path / "in.h264").write_bytes(b"".join(parts))
    with pytest.raises(photochrom.UnsupportedFilmError, match=words):
        colored(tmp_path / "in.h264", tmp_path / "out.mkv", codec="ffv1")
    assert not (tmp_path / "out.mkv").exists()
