"""What a film says of itself beside its pictures goes with them, or is told."""

import struct
from pathlib import Path

import av
import pytest

from tests.film.films import panned, scene, write_film
from tests.film.test_film import colored

PHONE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 4",
    "com.apple.quicktime.location.ISO6709": "+48.1000+011.5000/",
    "com.apple.quicktime.creationdate": "2011-07-05",
}


@pytest.mark.parametrize(
    ("suffix", "kept", "lost"),
    [
        (".mov", {"make": "Apple", "model": "iPhone 4", "date": "2011-07-05"}, "director"),
        (".mp4", {"date": "2011-07-05"}, "director, make, model"),
    ],
)
def test_what_a_phone_wrote_goes_on_and_what_a_container_cannot_hold_is_told(
    suffix: str, kept: dict[str, str], lost: str, tmp_path: Path
) -> None:
    flags = {"movflags": "use_metadata_tags"}
    told = PHONE | {"director": "D"}
    source = write_film(tmp_path / "in.mov", panned(scene(1), 3), metadata=told, muxer=flags, codec="libx264")
    result = colored(source, tmp_path / f"out{suffix}", codec="x264")
    with av.open(str(tmp_path / f"out{suffix}")) as out:
        there = dict(out.metadata)
    assert {key: there.get(key) for key in kept} == kept
    assert there["location"] == "+48.1000+011.5000/"
    assert [note for note in result.notes if "of the original's" in note] == [
        f"{suffix} holds no {lost} of the original's: .mkv keeps them"
    ]


def test_nothing_is_told_where_nothing_is_lost(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 3), metadata={"title": "Grandfather", "comment": "1957"})
    for name in ("out.mkv", "out.mp4"):
        result = colored(source, tmp_path / name, codec="x264")
        assert not [note for note in result.notes if "of the original's" in note]


def matrix_of(path: Path) -> list[tuple[int, ...]]:
    with av.open(str(path)) as film:
        frame = next(film.decode(video=0))
        found = [bytes(data) for data in frame.side_data if data.type.name == "DISPLAYMATRIX"]
    return [struct.unpack("=9i", data[:36])[:5] for data in found]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_a_mirrored_film_stays_mirrored(degrees: int, name: str, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", panned(scene(1), 3), codec="libx264", rotation=degrees, mirrored=True)
    assert len(matrix_of(source)) == 1
    colored(source, tmp_path / name, codec="x264")
    assert matrix_of(tmp_path / name) == matrix_of(source)
