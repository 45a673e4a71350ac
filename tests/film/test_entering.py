"""Files that cannot be entered in their middle, odd names, and what FFmpeg refuses: told, or got around."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import photochrom
from photochrom.film.containers import Reading
from photochrom.film.options import FilmOptions
from photochrom.film.preview import preview_film
from photochrom.film.session import FilmColorizer
from photochrom.film.sources import open_source
from tests.film.films import panned, read_planes, scene, write_film
from tests.film.test_film import assert_luma_kept, colored


def raw_stream(path: Path, frames: int = 80) -> Path:
    return write_film(path, panned(scene(1), frames), codec="libx264", options={"x264-params": "annexb=1", "g": "20"})


def test_a_raw_stream_is_begun_where_it_is_wanted(tmp_path: Path) -> None:
    source = raw_stream(tmp_path / "in.h264")
    assert colored(source, tmp_path / "out.mp4", crf=0, start=2.8).frames == 10
    with av.open(str(source)) as container:
        whole = [frame.to_ndarray()[:64] for frame in container.decode(video=0)]
    part = [planes[0] for _, planes in read_planes(tmp_path / "out.mp4")]
    assert all(np.array_equal(old, new) for old, new in zip(whole[70:], part, strict=True))


def test_a_raw_stream_goes_on_from_any_frame(tmp_path: Path) -> None:
    source = open_source(raw_stream(tmp_path / "in.h264"))
    whole = list(source.frames(Reading()))
    later = [shown for shown in source.frames(Reading(), whole[75].pts) if shown.pts >= whole[75].pts]
    assert [shown.pts for shown in later] == [shown.pts for shown in whole[75:]]
    assert all(np.array_equal(one.luma, two.luma) for one, two in zip(later, whole[75:], strict=True))


def test_a_damaged_picture_of_a_png_film_is_bridged(tmp_path: Path) -> None:
    source = write_film(tmp_path / "whole.mov", panned(scene(1), 8), codec="png", pixels="gray")
    data = bytearray(source.read_bytes())
    places = [k for k in range(len(data) - 4) if data[k : k + 4] == b"IDAT"]
    data[places[len(places) // 2] + 30] ^= 0xFF
    (tmp_path / "in.mov").write_bytes(data)
    result = colored(tmp_path / "in.mov", tmp_path / "out.mp4")
    assert result.frames == 7
    assert any(note.startswith("1 damaged frames; 1 gave no picture") for note in result.notes)


@pytest.mark.posix
def test_a_name_with_a_colon_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_film(tmp_path / "in.mkv", panned(scene(1), 2)).rename(tmp_path / "Christmas:1956.mkv")
    monkeypatch.chdir(tmp_path)
    colored(Path("Christmas:1956.mkv"), Path("Christmas:1957.mkv"), codec="ffv1")
    assert_luma_kept(tmp_path / "Christmas:1956.mkv", tmp_path / "Christmas:1957.mkv")


def test_a_font_is_left_out_of_mp4(tmp_path: Path) -> None:
    plain = write_film(tmp_path / "plain.mkv", panned(scene(1), 2))
    with av.open(str(plain)) as read, av.open(str(tmp_path / "in.mkv"), "w") as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        written.add_attachment("font.ttf", "application/x-truetype-font", bytes(200))
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = stream
                written.mux(packet)
    result = colored(tmp_path / "in.mkv", tmp_path / "out.mp4")
    assert "data left out (stream 1): mp4 cannot hold it" in result.notes
    colored(tmp_path / "in.mkv", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as made:
        assert [stream.type for stream in made.streams] == ["video", "attachment"]


def test_what_cannot_be_held_is_said_once_and_with_a_way_out(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 4), subtitles=True)
    with pytest.raises(photochrom.OptionError) as caught:
        colored(source, tmp_path / "out.mp4")
    assert str(caught.value) == (
        "-o: mp4 cannot hold the subtitles of stream 1 (srt). Choose a name ending in .mkv, or add --without subtitles"
    )


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv"])
def test_a_film_that_begins_late_is_reckoned_by_its_own_times(name: str, tmp_path: Path) -> None:
    late = [k + 2500 for k in range(50)]  # from 100 s on, at 25 a second
    source = write_film(tmp_path / name, panned(scene(1), 50), codec="libx264", times=late)
    whole = colored(source, tmp_path / "whole.mp4")
    assert whole.frames == 50
    assert not any("ends early" in note for note in whole.notes)
    assert colored(source, tmp_path / "part.mp4", start=101).frames == 25
    with pytest.raises(photochrom.OptionError, match=r"lasts 2\.0 s, from 100\.0 s on"):
        colored(source, tmp_path / "none.mp4", start=103)
    with FilmColorizer(options=FilmOptions(), engine=photochrom.FakeEngine()) as colorizer:
        parts = preview_film(colorizer, source, tmp_path / "look.mp4").parts
    assert [part.frames for part in parts] == [10, 10, 10, 10, 10]
