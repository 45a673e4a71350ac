"""Files whose time begins anywhere, or anew within them; and what is copied beside the picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import photochrom
from photochrom.film.further import ASF_HEADER, holds_further_film
from photochrom.film.options import FilmOptions
from photochrom.film.session import FilmColorizer
from tests.film.films import panned, read_packets, read_planes, scene, write_film
from tests.film.test_film import colored

RATE = 8000


def with_sound(path: Path, container: str, codec: str, begin_s: int = 0, frames: int = 20, sound: str = "mp2") -> Path:
    """Write a film with sound whose packets say the time they belong to: they are numbered by their loudness."""
    with av.open(str(path), "w", format=container) as output:
        picture: Any = output.add_stream(codec, rate=25)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        voice: Any = output.add_stream(sound, rate=32000, layout="mono")
        for k, luma in enumerate(panned(scene(1), frames)):
            frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = k + 25 * begin_s, Fraction(1, 25)
            output.mux(picture.encode(frame))
        output.mux(picture.encode(None))
        size = 1152
        for k in range(frames * 1280 // size):
            tone = np.full((1, size), 40 * k, np.int16)
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 32000, k * size + 32000 * begin_s, Fraction(1, 32000)
            output.mux(voice.encode(frame))
        output.mux(voice.encode(None))
    return path


@pytest.mark.parametrize(
    ("ending", "container"), [("ts", "mpegts"), pytest.param("vob", "vob", marks=pytest.mark.slow)]
)
def test_recordings_behind_each_other_are_one_film_with_its_sound_in_step(
    ending: str, container: str, tmp_path: Path
) -> None:
    one = with_sound(tmp_path / f"one.{ending}", container, "mpeg2video", begin_s=7)
    (tmp_path / f"in.{ending}").write_bytes(one.read_bytes() * 2)
    alone = colored(one, tmp_path / "one.mp4", crf=0)
    result = colored(tmp_path / f"in.{ending}", tmp_path / "out.mp4", crf=0)
    assert (alone.frames, result.frames) == (20, 40)
    assert any("2 recordings" in note for note in result.notes)
    assert not any("ends early" in note or "no time stamp" in note for note in result.notes)
    times, first = ([time for time, _ in read_planes(tmp_path / name)] for name in ("out.mp4", "one.mp4"))
    assert times[0] < 1  # players count from where the file begins
    assert np.allclose(np.diff([float(time) for time in times]), 0.04, atol=0.001)
    assert np.array_equal(times[:20], first)
    # Sound of the second recording lies beside its pictures as that of the first does beside its own.
    sound, before = (read_packets(tmp_path / name, "audio") for name in ("out.mp4", "one.mp4"))
    assert len(sound) == 2 * len(before)
    shift = float(times[20] - times[0])
    for (later, data), (time, same) in zip(sound[len(before) :], before, strict=True):
        assert data == same
        assert later - time == pytest.approx(shift, abs=0.03)  # what overlaps at the seam moves behind what is there


@pytest.mark.slow
def test_a_part_of_a_film_is_found_behind_the_seam(tmp_path: Path) -> None:
    one = with_sound(tmp_path / "one.ts", "mpegts", "mpeg2video", begin_s=7)
    (tmp_path / "in.ts").write_bytes(one.read_bytes() * 2)
    colored(tmp_path / "in.ts", tmp_path / "whole.mkv", codec="ffv1")
    colored(tmp_path / "in.ts", tmp_path / "part.mkv", codec="ffv1", start=1.2, end=1.4)
    whole, part = (read_planes(tmp_path / name) for name in ("whole.mkv", "part.mkv"))
    assert len(part) == 5
    wanted = [planes[0] for time, planes in whole if 1.2 <= float(time) + 1e-3 < 1.4]
    assert all(np.array_equal(planes[0], luma) for (_, planes), luma in zip(part, wanted, strict=False))


def test_sound_that_names_no_places_goes_into_mp4(tmp_path: Path) -> None:
    source = with_sound(tmp_path / "in.avi", "avi", "mpeg4", sound="pcm_s16le")
    colored(source, tmp_path / "out.mp4")
    joined = [b"".join(data for _, data in read_packets(path, "audio")) for path in (source, tmp_path / "out.mp4")]
    assert joined[0] == joined[1]


def test_what_a_container_refuses_late_is_told_before_the_first_frame(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 8), sound=True)
    frames: list[int] = []
    with (
        FilmColorizer(options=FilmOptions(), engine=photochrom.FakeEngine()) as colorizer,
        pytest.raises(photochrom.OptionError, match="cannot hold"),
    ):
        colorizer(source, tmp_path / "out.mov", lambda done, _: frames.append(done))  # MOV holds no FLAC
    assert frames == []
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_an_encoder_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from photochrom.film.encoding import CODECS

    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    monkeypatch.setitem(CODECS, "x265", replace(CODECS["x265"], encoder="libx265-not-built"))
    with pytest.raises(photochrom.OptionError, match="no encoder libx265-not-built"):
        colored(source, tmp_path / "out.mp4", codec="x265")


def test_what_streams_say_of_themselves_is_kept(tmp_path: Path) -> None:
    source = write_film(tmp_path / "plain.mkv", panned(scene(1), 3), sound=True, subtitles=True)
    with av.open(str(source)) as read, av.open(str(tmp_path / "in.mkv"), "w") as written:
        copies = {}
        for stream in read.streams:
            copies[stream.index] = written.add_stream_from_template(stream, opaque=True)
            copies[stream.index].metadata["title"] = f"a {stream.type} stream"
            copies[stream.index].metadata["language"] = "swe"
        copies[2].disposition = av.stream.Disposition.forced
        for packet in read.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                written.mux_one(packet)
    colored(tmp_path / "in.mkv", tmp_path / "out.mkv", codec="x265")
    with av.open(str(tmp_path / "out.mkv")) as made:
        said = [(s.metadata["title"], s.metadata["language"]) for s in made.streams]
        assert said == [(f"a {kind} stream", "swe") for kind in ("video", "audio", "subtitle")]
        assert made.streams[2].disposition & av.stream.Disposition.forced
        assert "x265" not in str(made.streams[0].metadata)


@pytest.mark.parametrize(("ending", "codec"), [("flv", "flv"), ("mp4", "mpeg4"), ("mov", "mpeg4"), ("wmv", "wmv2")])
def test_whole_files_of_which_readers_take_the_first_alone_are_refused(ending: str, codec: str, tmp_path: Path) -> None:
    one = write_film(tmp_path / f"one.{ending}", panned(scene(1), 10), codec=codec)
    assert not holds_further_film(one)
    (tmp_path / f"two.{ending}").write_bytes(one.read_bytes() * 2)
    with pytest.raises(photochrom.UnsupportedFilmError, match=r"holds several films.*Cut it there"):
        colored(tmp_path / f"two.{ending}", tmp_path / "out.mkv")


def test_fragments_behind_each_other_are_one_film(tmp_path: Path) -> None:
    settings = {"movflags": "frag_keyframe+empty_moov"}
    one = write_film(tmp_path / "one.mp4", panned(scene(1), 30), codec="mpeg4", muxer=settings)
    assert one.read_bytes().count(b"moof") > 1
    (tmp_path / "two.mp4").write_bytes(one.read_bytes() * 2)
    assert not holds_further_film(tmp_path / "two.mp4")


@pytest.mark.parametrize("behind", [b"", b"\0" * 40, b"\xff" * 40, b"FLV"])
@pytest.mark.parametrize("begin", [b"FLV\x01\5\0\0\0\x09\0\0\0\0", b"\0\0\0\x08ftyp", ASF_HEADER])
def test_what_else_lies_behind_a_film_is_no_other(begin: bytes, behind: bytes, tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(begin + behind)
    assert not holds_further_film(tmp_path / "film")
