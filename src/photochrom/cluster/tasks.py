"""The order in which an album is done: photographs first, then films, which are planned, coloured by shots, and joined.

Whoever performs tasks, threads here or actors of a cluster, gets a step's tasks as they are found, and answers in any
order. A task that is performed twice makes the same bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from photochrom.albums.reports import PhotoReport
from photochrom.cluster.errand import is_film
from photochrom.cluster.folders import Named

Kind = Literal["photo", "plan", "shots", "join"]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do.

    Attributes:
        kind: of it: a photograph; a film's plan, one of its stretches, or their joining.
        original: the photograph or film.
        part: number of the stretch.
    """

    kind: Kind
    original: Named
    part: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task.

    Attributes:
        name: of the original.
        report: what became of the original, where this decides it: a photograph, a film that is joined, an error.
        parts: how many stretches a film has, once that is known.
        frames: how many a planned film has, or the stretch that is finished.
    """

    name: str
    report: PhotoReport | None = None
    parts: int = 0
    frames: int = 0


Perform = Callable[[Iterable[Task]], Iterator[Outcome]]
OnFrames = Callable[[str, int, int], None]
"""Called with a film's name, how many of its frames are finished, by whomever, and how many it has."""


def tell_nobody(_: str, __: int, ___: int) -> None:
    """Take no notice of a film's frames."""


def reports_of(
    originals: Iterable[Named], perform: Perform, stop: threading.Event, on_frames: OnFrames = tell_nobody
) -> Iterator[PhotoReport]:
    """Yield what became of each original of an album; after a stop, of those that were done."""
    films: list[Named] = []

    def photographs() -> Iterator[Task]:
        for original in originals:
            if is_film(original):
                films.append(original)
            else:
                yield Task("photo", original)

    for outcome in perform(photographs()):
        if outcome.report:
            yield outcome.report
    parts, over, frames = dict[str, int](), set[str](), dict[str, tuple[int, int]]()
    for step in (_plans, _stretches, _joints):
        for outcome in () if stop.is_set() else perform(step(films, parts)):
            if outcome.report is None:
                parts[outcome.name] = outcome.parts
                done, of = frames.get(outcome.name, (-outcome.frames, outcome.frames))  # the plan comes first
                frames[outcome.name] = (done + outcome.frames, of)
                on_frames(outcome.name, *frames[outcome.name])
            elif outcome.name not in over:  # of a film's stretches, the first error tells
                over.add(outcome.name)
                yield outcome.report
        parts = {name: count for name, count in parts.items() if name not in over}


def _plans(films: list[Named], _: dict[str, int]) -> list[Task]:
    return [Task("plan", film) for film in films]


def _stretches(films: list[Named], parts: dict[str, int]) -> list[Task]:
    return [Task("shots", film, part) for film in films for part in range(parts.get(film.name, 0))]


def _joints(films: list[Named], parts: dict[str, int]) -> list[Task]:
    return [Task("join", film) for film in films if film.name in parts]
