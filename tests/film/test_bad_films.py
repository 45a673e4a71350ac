"""What cannot be coloured is told in one line, before the first frame, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.film.options import FilmOptions
from photochrom.film.session import FilmColorizer
from tests.film.films import panned, read_planes, scene, two_shots, write_film


def colored(source: Path, target: Path, **options: Any) -> Any:
    with FilmColorizer(options=FilmOptions(**options), engine=photochrom.FakeEngine()) as colorizer:
        return colorizer(source, target)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "in.mkv", two_shots(4), sound=True, subtitles=True)


def test_a_photograph_is_sent_to_the_other_verb(tmp_path: Path) -> None:
    Image.fromarray(scene(1)).save(tmp_path / "photo.png")
    with pytest.raises(photochrom.UnsupportedFilmError, match="photochrom colorize"):
        colored(tmp_path / "photo.png", tmp_path / "out.mp4")
    (tmp_path / "photo.png").rename(tmp_path / "photo.mp4")
    with pytest.raises(photochrom.UnsupportedFilmError, match="photochrom colorize"):
        colored(tmp_path / "photo.mp4", tmp_path / "out.mp4")


@pytest.mark.parametrize("content", [b"", b"no film at all" * 100, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"])
def test_what_is_no_film_is_unreadable(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(content)
    with pytest.raises(photochrom.UnreadableFilmError):
        colored(tmp_path / "in.mp4", tmp_path / "out.mp4")


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mka"), "w", format="matroska") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(photochrom.UnreadableFilmError, match="sound, and no film"):
        colored(tmp_path / "in.mka", tmp_path / "out.mp4")


def test_a_missing_film_and_a_missing_folder_are_told(film: Path, tmp_path: Path) -> None:
    with pytest.raises(photochrom.FilmNotFoundError):
        colored(tmp_path / "nowhere.mp4", tmp_path / "out.mp4")
    with pytest.raises(photochrom.OutputError, match="folder does not exist"):
        colored(film, tmp_path / "nowhere" / "out.mkv")


def test_the_film_itself_and_what_is_there_are_never_replaced(film: Path, tmp_path: Path) -> None:
    before = film.read_bytes()
    with pytest.raises(photochrom.OptionError, match="replace the film"):
        colored(film, film, overwrite=True)
    (tmp_path / "out.mkv").write_bytes(b"mine")
    with pytest.raises(photochrom.OutputError, match="is there already"):
        colored(film, tmp_path / "out.mkv")
    assert film.read_bytes() == before
    assert (tmp_path / "out.mkv").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("out.mp4", {}, "subtitles"),  # MP4 holds no SubRip
        ("out.avi", {}, "written as"),
        ("out.mkv", {"codec": "av1", "chroma": "444"}, "4:4:4"),
        ("out.mkv", {"codec": "x264", "depth": 12}, "12"),
        ("out.mkv", {"codec": "prores", "crf": 20}, "no such setting"),
        ("out.mkv", {"codec": "x264", "preset": "quickest"}, "libx264"),
        ("out.mp4", {"codec": "prores", "without": ("subtitles",)}, "codec"),
        ("out.mkv", {"start": 99}, "lasts"),
        ("out.mkv", {"start": 2, "end": 1}, "not after"),
    ],
)
def test_what_cannot_be_held_is_an_error_before_the_first_frame(
    name: str, options: dict[str, Any], words: str, film: Path, tmp_path: Path
) -> None:
    with pytest.raises(photochrom.OptionError, match=words):
        colored(film, tmp_path / name, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_subtitles_can_be_left_out(film: Path, tmp_path: Path) -> None:
    result = colored(film, tmp_path / "out.mp4", without=("subtitles",))
    assert any("subtitles left out" in note for note in result.notes)


def test_a_film_in_colour_is_noticed_and_a_tint_is_none(tmp_path: Path) -> None:
    ramps = np.stack(np.meshgrid(np.linspace(60, 190, 48), np.linspace(190, 60, 32)), axis=-1).astype(np.uint8)
    coloured = write_film(tmp_path / "colour.mkv", panned(scene(1), 4), chroma=[ramps] * 4)
    with pytest.raises(photochrom.UnsupportedFilmError, match="--recolor"):
        colored(coloured, tmp_path / "out.mkv")
    assert any("replaced" in note for note in colored(coloured, tmp_path / "out.mkv", recolor=True).notes)
    sepia = np.broadcast_to(np.array([110, 145], np.uint8), (32, 48, 2))
    tinted = write_film(tmp_path / "sepia.mkv", panned(scene(1), 4), chroma=[sepia] * 4)
    assert any("tint is replaced" in note for note in colored(tinted, tmp_path / "sepia-out.mkv").notes)


def test_a_truncated_film_gives_what_there_is(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mkv", panned(scene(1), 30), sound=True)
    data = whole.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) * 6 // 10])
    result = colored(cut, tmp_path / "out.mkv", codec="ffv1")
    assert 5 < result.frames < 30
    assert any("ends early" in note for note in result.notes)
    for (_, old), (_, new) in zip(read_planes(whole), read_planes(tmp_path / "out.mkv"), strict=False):
        assert np.array_equal(old[0], new[0])


def test_damaged_frames_are_bridged_and_counted(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 30), codec="mpeg4", options={"b": "3000000"})
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = bytes(1500)
    (tmp_path / "broken.mkv").write_bytes(data)
    result = colored(tmp_path / "broken.mkv", tmp_path / "out.mkv")
    assert result.frames >= 15
    assert any("damaged" in note or "ends early" in note for note in result.notes)


def test_pictures_that_cannot_be_read_are_bridged_and_others_refused(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for k, luma in enumerate(panned(scene(1), 6)):
        Image.fromarray(luma).save(folder / f"{k}.png")
    data = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(data[: len(data) // 2])
    result = colored(folder, tmp_path / "out.mkv", codec="ffv1", fps=25)
    assert result.frames == 5
    assert any("1 damaged frames; 1 gave no picture" in note for note in result.notes)
    assert [round(float(time) * 25) for time, _ in read_planes(tmp_path / "out.mkv")] == [0, 1, 2, 4, 5]
    Image.fromarray(scene(2)[:64, :96].astype(np.uint16) * 257).save(folder / "3.png")
    with pytest.raises(photochrom.UnsupportedFilmError, match="16 bit, the first picture 8"):
        colored(folder, tmp_path / "deep.mkv", fps=25)


def test_a_disk_without_room_is_noticed_before_the_first_frame(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    free = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("photochrom.film.segments.shutil.disk_usage", lambda _: free)
    with pytest.raises(photochrom.OutputError, match="are free"):
        colored(film, tmp_path / "out.mkv")


def test_a_rate_of_a_million_frames_a_second_is_taken_by_its_times(tmp_path: Path) -> None:
    from fractions import Fraction

    source = write_film(tmp_path / "in.mp4", panned(scene(1), 5), times=[0, 1, 2, 3, 4], base=Fraction(1, 1_000_000))
    colored(source, tmp_path / "out.mp4")
    assert [time for time, _ in read_planes(tmp_path / "out.mp4")] == [Fraction(k, 1_000_000) for k in range(5)]


def test_a_container_without_one_frame_is_told(tmp_path: Path) -> None:
    for name in ("in.mkv", "in.mp4", "in.avi"):
        with av.open(str(tmp_path / name), "w") as container:
            stream: Any = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            container.start_encoding()
        with pytest.raises(photochrom.UnreadableFilmError):
            colored(tmp_path / name, tmp_path / "out.mkv")


def test_encrypted_film_is_refused(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", panned(scene(1), 2), codec="libx264")
    data = source.read_bytes()
    assert data.count(b"avc1") >= 1
    head, _, tail = data.rpartition(b"avc1")
    (tmp_path / "locked.mp4").write_bytes(head + b"encv" + tail)
    with pytest.raises(photochrom.FilmError):
        colored(tmp_path / "locked.mp4", tmp_path / "out.mp4")
