"""What a film holds in memory: so many frames and one encoder, however long it is and however it is cut."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

import photochrom
from photochrom.film.matrices import Codes
from photochrom.film.motion import Motion, compare, grid_size
from photochrom.film.neighbours import RADIUS
from photochrom.film.options import FilmOptions
from photochrom.film.passages import (
    AHEAD,
    CODED_FRAMES,
    LONGEST,
    PASSAGES_BYTES,
    PLACE_BYTES,
    SHORTEST,
    STEP,
    Sight,
    passage_length,
)
from photochrom.film.pipeline import MOST_PAINTED, Segment
from photochrom.film.restoring import Reel, restore_reel
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
    monkeypatch.setattr("photochrom.film.pipeline.passage_length", lambda *_, restored: LENGTH)
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
    # that comes, and puts its frames in the place of those that were decoded.
    assert most["Sight"] <= (3 if restore else 2) * LENGTH + AHEAD + 2
    assert most["Motion"] <= (3 if restore else 2) * LENGTH + AHEAD + 2
    assert most["Colours"] <= 3 * LENGTH
    assert most["VideoFrame"] <= MOST_PAINTED + 4


@pytest.mark.parametrize("restored", [False, True])
@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("size", [(3, 2), (96, 64), (480, 360), (1280, 720), (1920, 1080), (3840, 2160), (7680, 4320)])
def test_passages_take_the_same_room_whatever_the_size_of_frames(
    size: tuple[int, int], bits: int, restored: bool
) -> None:
    length, luma = passage_length(*size, bits, restored=restored), size[0] * size[1] * (1 if bits == 8 else 2)
    grid, held = grid_size(*size), 3 if restored else 2
    assert SHORTEST <= length <= LONGEST
    assert length % STEP == 0
    takes = length * (luma + grid[0] * grid[1] * PLACE_BYTES) + CODED_FRAMES * luma
    assert held * takes <= PASSAGES_BYTES or length == SHORTEST


def test_restoring_lets_go_of_planes_and_of_what_was_decoded() -> None:
    """In planes of one frame, numpy holds nine beyond the frames themselves; twenty-five before."""
    size, count = (640, 360), 6
    lumas = [cv2.resize(luma, size) for luma in panned(scene(1), count)]
    random = np.random.default_rng(0)
    lumas = [np.clip(luma + random.normal(0, 6, luma.shape), 16, 235).astype(np.uint8) for luma in lumas]
    motions = [compare(a, b) for a, b in pairwise(cv2.resize(luma, grid_size(*size)) for luma in lumas)]
    options = FilmOptions(restore=True, grain="always")

    def restore(coming: Iterator[np.ndarray]) -> Iterator[object]:
        return restore_reel(Reel(coming, motions, 0, count), Codes(8), options, [0.0] * count)

    for _ in restore(iter(lumas)):  # what is imported on the way takes more than a plane, once
        pass
    tracemalloc.start()
    held = tracemalloc.get_traced_memory()[0]
    for done, _ in enumerate(restore(lumas.pop(0) for _ in range(count))):
        assert len(lumas) == max(0, count - done - 1 - RADIUS), "frames are taken no earlier than they are looked at"
    most = tracemalloc.get_traced_memory()[1] - held
    tracemalloc.stop()
    assert most < 12 * size[0] * size[1] * 4
