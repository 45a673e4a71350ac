"""A film done in stretches of whole shots, by anybody in any order, is the film that one run makes, to the byte."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photochrom
from photochrom.film import pipeline
from photochrom.film.options import FilmOptions
from photochrom.film.passages import Passage, Sight
from photochrom.film.results import FilmResult
from photochrom.film.segments import WorkFolder
from photochrom.film.session import FilmColorizer
from photochrom.film.states import Record, Stretch
from photochrom.film.stretches import divided, find_stretches, joined_records
from tests.film.films import panned, scene, write_film
from tests.film.test_resume import photochrom_ab


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "SEGMENT_FRAMES", 8)
    monkeypatch.setattr(pipeline, "SHOT_FRAMES", 4)
    for name in ("pipeline", "stretches"):
        monkeypatch.setattr(f"photochrom.film.{name}.passage_length", lambda *_, restored: 3 if restored else 5)


def film_of(path: Path, *shots: int, worn: bool = False) -> Path:
    """Write a film of shots of so many frames."""
    lumas = [luma for seed, count in enumerate(shots) for luma in panned(scene(seed + 1), count)]
    if worn:
        random = np.random.default_rng(0)
        lumas = [np.clip(luma * random.uniform(0.8, 1.2) + random.normal(0, 5, luma.shape), 16, 235) for luma in lumas]
    return write_film(path, [luma.astype(np.uint8) for luma in lumas], sound=True)


def colorizer(**options: Any) -> FilmColorizer:
    engine = photochrom.FakeEngine(lambda luma: 40 * (photochrom_ab(luma) - 0.5))
    return FilmColorizer(options=FilmOptions(key_spacing=3, **options), engine=engine)


def in_stretches(film: Path, target: Path, suffix: str, **options: Any) -> tuple[list[Stretch], FilmResult]:
    """Colour each stretch by a session and in a folder of its own, the last one first, and join them."""
    with colorizer(**options) as session:
        stretches = find_stretches(session.look_at(film, target), restored=session.options.restore)
    parts: list[WorkFolder] = []
    for number, stretch in reversed(list(enumerate(stretches))):
        (apart := target.parent / f"part-{number}").mkdir()
        with colorizer(**options) as session:
            job = session.look_at(film, apart / target.name)
            work = WorkFolder(apart / target.name, session.plan(job), stretch)
            session.color_stretch(job, work, lambda _: None)
            work.release()
        parts.insert(0, work)
    with colorizer(**options) as session:
        whole = WorkFolder(target, session.plan(session.look_at(film, target)))
        segments = [(part, number) for part in parts for number in range(len(part.records))]
        for record, (part, number) in zip(joined_records(p.records for p in parts), segments, strict=True):
            for ending in (suffix, ".npz"):
                shutil.copyfile(part.segment(number, ending), whole.segment(len(whole.records), ending))
            whole.count(record)
        whole.release()
        return stretches, session(film, target)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "target", "suffix"),
    [({}, "out.mp4", ".mp4"), ({"codec": "ffv1", "restore": True}, "out.mkv", ".mp4")],
)
def test_stretches_joined_are_the_film_of_one_run(
    options: dict[str, Any], target: str, suffix: str, tmp_path: Path
) -> None:
    film = film_of(tmp_path / "in.mkv", 12, 3, 9, 5, worn="restore" in options)
    (tmp_path / "whole").mkdir()
    with colorizer(**options) as session:
        alone = session(film, tmp_path / "whole" / target)
    stretches, joined = in_stretches(film, tmp_path / target, suffix, **options)
    # After 12 frames a segment of 2 has few; the shot of 3 goes with it, and both end with the second cut.
    assert [(stretch.first, stretch.end) for stretch in stretches] == [(0, 15), (15, 24), (24, 29)]
    assert (joined.resumed, joined.frames, joined.cuts) == (29, 29, alone.cuts)
    assert (tmp_path / target).read_bytes() == (tmp_path / "whole" / target).read_bytes()
    assert [note for note in joined.notes if "of 29 frames" in note] == [n for n in alone.notes if "of 29 frames" in n]


def passage(first: int, count: int, *, cut: bool) -> Passage:
    pixels = np.full((4, 4), first, np.uint8)
    return Passage([Sight(first + k, 40 * (first + k), 40, pixels, pixels) for k in range(count)], cut=cut)


def test_a_stretch_ends_where_a_segment_ends_with_a_shot() -> None:
    film = [(0, 5, False), (5, 5, False), (10, 2, True), (12, 3, True), (15, 5, True), (20, 1, False), (21, 6, True)]
    found = list(divided(passage(first, count, cut=cut) for first, count, cut in film))
    assert [(one.first, one.end) for one in found] == [(0, 10), (10, 15), (15, 21), (21, 27)]
    assert [one.last_pts for one in found] == [0, 360, 560, 800]
    assert [len(one.greys) for one in found] == [0, 2, 2, 2]
    assert list(divided([])) == []


def test_what_restoring_found_is_summed_over_stretches() -> None:
    def record(*found: float) -> Record:
        return Record(0, 1, 1, "", restored=found)

    joined = joined_records([[record(1, 0.5), record(2, 1.0)], [record(3, 0.25)], [record(1, 1.0)]])
    assert [one.restored for one in joined] == [(1, 0.5), (2, 1.0), (5, 1.25), (6, 2.25)]
