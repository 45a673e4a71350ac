"""Time stamps that slip: the frame whose own is wrong is moved, and no other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

import photochrom
from photochrom.film.rising import AHEAD, Ahead, rising
from tests.film.films import panned, read_planes, scene, write_film
from tests.film.test_film import colored


def risen(stamps: list[int | None], *, where: str = "film.mkv") -> tuple[list[int], int]:
    """Return the time stamps of frames 40 ms apart after they were put in order, and how many were moved."""
    ahead = Ahead(iter([SimpleNamespace(pts=at, size=1) for at in stamps]))
    frames: Any = (SimpleNamespace(pts=packet.pts) for packet in ahead)
    reading = SimpleNamespace(moved=0)
    return [frame.pts for frame in rising(frames, ahead, Fraction(1, 1000), 40, reading, where)], reading.moved


@pytest.mark.parametrize(
    ("stamps", "want", "moved"),
    [
        ([0, 40, 80, 120, 160], [0, 40, 80, 120, 160], 0),
        ([0, 40, 90, 2000, 9000], [0, 40, 90, 2000, 9000], 0),  # any rate
        ([0, 40, 880, 120, 160, 200, 240, 280], [0, 40, 80, 120, 160, 200, 240, 280], 1),  # one too late
        ([0, 40, 880, 920, 160, 200, 240, 280], [0, 40, 80, 120, 160, 200, 240, 280], 2),  # two
        ([0, 40, 80, 3, 160, 200, 240], [0, 40, 80, 120, 160, 200, 240], 1),  # one too early
        ([900, 40, 80, 120, 160], [0, 40, 80, 120, 160], 1),  # the first
        ([0, 40, 180, 120, 160, 200, 240, 280], [0, 40, 180, 186, 193, 200, 240, 280], 2),  # by little
        ([0, 40, *range(880, 1040, 40), *range(240, 2000, 40)], [*range(0, 2000, 40)], 4),
        ([0, 40, *range(880, 1280, 40), *range(480, 2400, 40)], [*range(0, 2400, 40)], 10),
        ([0, 40, *range(1880, 2680, 40), *range(880, 3600, 40)], [*range(0, 3600, 40)], 20),
        ([*range(1000, 1400, 40), *range(400, 3000, 40)], [*range(0, 3000, 40)], 10),  # the first ten
        ([0, 40, *range(200, 1000, 40), 1000, 1040], [0, 40, *range(200, 1000, 40), 1000, 1040], 0),  # a gap
        ([None, None, None], [0, 40, 80], 3),
        ([0, None, 80, 80, 160], [0, 40, 80, 120, 160], 2),
        ([7], [7], 0),
        ([], [], 0),
    ],
)
def test_what_slips_is_moved_and_nothing_else(stamps: list[int | None], want: list[int], moved: int) -> None:
    assert risen(stamps) == (want, moved)


def test_time_that_begins_anew_for_good_is_refused_where_files_do_not_do_that() -> None:
    twice: list[int | None] = [*range(0, 4000, 40), *range(0, 4000, 40)]
    with pytest.raises(photochrom.UnsupportedFilmError, match="its time begins anew"):
        risen(twice)
    found, _ = risen(twice, where="")
    assert found == sorted(set(found))


def test_packets_that_are_large_are_not_held_in_number() -> None:
    read = 0

    def packets() -> Any:
        nonlocal read
        for read in range(1, 100):
            yield SimpleNamespace(pts=read, size=5_000_000)

    next(iter(Ahead(packets())))
    assert read == AHEAD + 1


def test_frames_are_told_by_the_packets_behind_their_own() -> None:
    # Decoded 0 4 1 2 3 8 5 6 7, shown in order; that which gave no frame (3) does not move the one shown after it.
    packets = [SimpleNamespace(pts=40 * k, size=1) for k in (0, 4, 1, 2, 3, 8, 5, 6, 7)]
    ahead, reading = Ahead(iter(packets)), SimpleNamespace(moved=0)
    assert list(ahead) == packets
    shown: Any = [SimpleNamespace(pts=40 * k) for k in (0, 1, 2, 4, 5, 6, 7, 8)]
    found = [frame.pts // 40 for frame in rising(iter(shown), ahead, Fraction(1, 1000), 40, reading)]
    assert (found, reading.moved) == ([0, 1, 2, 4, 5, 6, 7, 8], 0)


def test_what_reading_raises_comes_after_the_packets_before_it() -> None:
    def broken() -> Any:
        yield from packets
        raise OSError

    packets = [SimpleNamespace(pts=k, size=1) for k in range(3)]
    ahead = iter(Ahead(broken()))
    assert [next(ahead) for _ in packets] == packets
    with pytest.raises(OSError):  # noqa: PT011 - whatever it is
        next(ahead)


@pytest.mark.parametrize("late", [1, 5])
def test_late_frames_of_a_film_move_no_other(late: int, tmp_path: Path) -> None:
    times = [40 * k for k in range(40)]
    whole = write_film(tmp_path / "whole.mkv", panned(scene(1), 40), times=times, base=Fraction(1, 1000))
    with av.open(str(whole)) as read, av.open(str(tmp_path / "in.mkv"), "w") as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        for number, packet in enumerate(read.demux(video=0)):
            if packet.size and packet.pts is not None:
                packet.pts += 600 if 10 <= number < 10 + late else 0
                packet.stream = stream
                written.mux(packet)
    result = colored(tmp_path / "in.mkv", tmp_path / "out.mkv", codec="ffv1")
    assert [float(time) for time, _ in read_planes(result.path)] == pytest.approx([at / 1000 for at in times])
    assert any(note.startswith(f"{late} frames had no time stamp") for note in result.notes)


@pytest.mark.parametrize("late", [1, 5])
def test_late_packets_of_sound_move_no_other(late: int, tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mkv", panned(scene(1), 100), sound=True)
    slipped = tmp_path / "slipped.mkv"
    with av.open(str(whole)) as given, av.open(str(slipped), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in given.streams}
        number = 0
        for packet in given.demux():
            if packet.size:
                number += packet.stream.type == "audio"
                if packet.stream.type == "audio" and 3 <= number < 3 + late:
                    packet.pts += 1500
                packet.stream = streams[packet.stream_index]
                out.mux_one(packet)
    assert sound_times(slipped)[2] == pytest.approx(sound_times(whole)[2] + 1.5)
    colored(slipped, tmp_path / "out.mkv")
    assert sound_times(tmp_path / "out.mkv") == pytest.approx(sound_times(whole), abs=0.002)


def sound_times(path: Path) -> list[float]:
    """Return when each packet of sound begins, in seconds."""
    with av.open(str(path)) as film:
        return [float(packet.pts * packet.time_base) for packet in film.demux(audio=0) if packet.size]
