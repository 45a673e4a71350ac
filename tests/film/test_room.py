"""What a film holds in memory: so many frames and one encoder, however long it is and however it is cut."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

import photochrom
from photochrom.film.motion import Motion, grid_size
from photochrom.film.options import FilmOptions
from photochrom.film.passages import AHEAD, CODED_FRAMES, PASSAGE_BYTES, PLACE_BYTES, Sight, passage_length
from photochrom.film.pipeline import MOST_PAINTED, Segment
from photochrom.film.session import FilmColorizer
from photochrom.film.steadiness import Colours
from tests.film.films import panned, scene, write_film

KINDS = {Sight, Motion, Colours, Segment, VideoFrame, VideoCodecContext}
LENGTH = 6


@pytest.fixture(autouse=True)
def _short_and_without_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short passages and segments; and nothing is freed but what nobody knows any more."""
    monkeypatch.setattr("photochrom.film.pipeline.SEGMENT_FRAMES", 9)
    monkeypatch.setattr("photochrom.film.pipeline.SHOT_FRAMES", 4)
    monkeypatch.setattr("photochrom.film.pipeline.passage_length", lambda *_: LENGTH)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def most_alive(lumas: list[np.ndarray], folder: Path, **options: Any) -> Counter[str]:
    """Return how many things of each kind were alive at most while a film was coloured."""
    most: Counter[str] = Counter()

    def look(done: int, _: int) -> None:
        if done % 2:
            return
        alive = [thing for thing in gc.get_objects() if type(thing) in KINDS]
        found = Counter(type(thing).__name__ for thing in alive)
        found["encoders"] = sum(type(thing) is VideoCodecContext and thing.is_encoder for thing in alive)
        for name, count in found.items():
            most[name] = max(most[name], count)

    film = write_film(folder / "in.mkv", lumas)
    with FilmColorizer(options=FilmOptions(**options), engine=photochrom.FakeEngine()) as colorizer:
        colorizer(film, folder / "out.mkv", look)
    return most


def flicks(count: int) -> list[np.ndarray]:
    """Return frames of which each is a shot of its own."""
    return [panned(scene(seed), 1)[0] for seed in range(1, count + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("shots", ["one", "as many as frames"])
def test_frames_and_encoders_in_memory_do_not_grow_with_a_film_or_its_shots(
    restore: bool, shots: str, tmp_path: Path
) -> None:
    lumas = panned(scene(1), 45) if shots == "one" else flicks(45)
    most = most_alive(lumas, tmp_path, codec="x264", **({"restore": True, "tone": "never"} if restore else {}))
    assert most["encoders"] == most["Segment"] == 1
    assert most["VideoCodecContext"] == 2  # one decodes
    # One passage is coloured, one is made meanwhile, and the frames after it are compared. Restoring looks at the one
    # that comes, and makes frames of frames.
    assert most["Sight"] <= (4 if restore else 2) * LENGTH + AHEAD + 2
    assert most["Motion"] <= (3 if restore else 2) * LENGTH + AHEAD + 2
    assert most["Colours"] <= 3 * LENGTH
    assert most["VideoFrame"] <= MOST_PAINTED + 4


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("size", [(3, 2), (96, 64), (480, 360), (1280, 720), (1920, 1080), (3840, 2160), (7680, 4320)])
def test_a_passage_takes_the_same_room_whatever_the_size_of_frames(size: tuple[int, int], bits: int) -> None:
    length, luma = passage_length(*size, bits), size[0] * size[1] * (1 if bits == 8 else 2)
    grid = grid_size(*size)
    assert 16 <= length <= 240
    takes = length * (luma + grid[0] * grid[1] * PLACE_BYTES) + CODED_FRAMES * luma
    assert takes <= PASSAGE_BYTES or length == 16
