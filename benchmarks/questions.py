"""Are the questions the right ones? With the true colours as answers, against random places and the unsurest pixel.

    python benchmarks/questions.py PHOTOS --model MODEL [--limit 40]

Photographs in colour are greyed, and after 0, 1, 3, 5 and 10 answers coloured and compared with themselves (CIEDE2000
under the truth's lightness, mean over photographs). Each answer is the true mean colour of what the net's finest hint
covers. The unsurest pixel is looked for anew after each answer, which costs a run of the net each time; our questions
are all asked before the first answer. The share that a question's likely choices hold the answer (within 16 Lab units)
is told, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from samples import small

from photochrom import Colorizer, Hint, Photo, metrics
from photochrom.color import lab_from_srgb
from photochrom.evaluation.contest import pick_photographs
from photochrom.evaluation.photographs import greyed, is_grey, read_rgb
from photochrom.questions.asking import ask, find_doubts
from photochrom.questions.choices import APART_AB

COUNTS = (0, 1, 3, 5, 10)
Place = tuple[float, float]


def answer(truth_ab: np.ndarray, place: Place, reach: float = 0.15) -> Hint:
    """Return the true colour at a place as a hint."""
    height, width = truth_ab.shape[:2]
    row, column = min(int(place[1] * height), height - 1), min(int(place[0] * width), width - 1)
    patch = truth_ab[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
    a, b = patch.mean(axis=(0, 1))
    return Hint(point=place, color=(float(a), float(b)), reach=reach)


def random_places(seed: int) -> Callable[[list[Hint]], Place]:
    """Return what gives one place after the other."""
    rng = np.random.default_rng(seed)
    return lambda _: (float(rng.random()), float(rng.random()))


def unsurest(photo: Photo, colorizer: Colorizer) -> Callable[[list[Hint]], Place]:
    """Return what gives the place that the net is least sure of, given what it has been told."""

    def find(told: list[Hint]) -> Place:
        doubts = find_doubts(photo, colorizer.engine, told)
        if doubts is None:
            return 0.5, 0.5
        height, width = doubts.spread.shape
        spread = doubts.spread.copy()
        for hint in told:
            x, y = hint.places[0]
            spread[min(int(y * height), height - 1), min(int(x * width), width - 1)] = -1
        row, column = np.unravel_index(int(spread.argmax()), spread.shape)
        return (float(column) + 0.5) / width, (float(row) + 0.5) / height

    return find


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--limit", type=int, default=40)
    arguments = parser.parse_args()
    colorizer = Colorizer(arguments.model)
    errors: dict[str, list[list[float]]] = {"questions": [], "random": [], "unsurest pixel": []}
    held, asked = 0, 0
    for seed, photograph in enumerate(pick_photographs(arguments.photos, limit=arguments.limit)):
        truth = small(read_rgb(photograph.path))
        if is_grey(truth):
            continue
        truth_ab, photo = lab_from_srgb(truth / 255.0)[..., 1:], Photo(greyed(truth))
        questions = ask(photo, colorizer.engine, COUNTS[-1])
        reaches = {question.point: question.reach for question in questions}
        places = iter([*(question.point for question in questions), *[None] * COUNTS[-1]])
        ways = {
            "questions": lambda _, places=places: next(places),
            "random": random_places(seed),
            "unsurest pixel": unsurest(photo, colorizer),
        }
        for question in questions:
            true_ab = np.array(answer(truth_ab, question.point).ab)
            held += min(np.hypot(*(true_ab - choice.ab)) for choice in question.choices) < APART_AB
            asked += 1
        for way, place_after in ways.items():
            told: list[Hint] = []
            row = []
            for count in COUNTS:
                while len(told) < count and (place := place_after(told)) is not None:
                    told.append(answer(truth_ab, place, reaches.get(place, 0.15)))
                coloured = colorizer.run(photo, told).photo.pixels
                row.append(float(metrics.ciede2000_map(truth, coloured).mean()))
            errors[way].append(row)
    print(f"CIEDE2000 of {len(errors['random'])} photographs after so many answers")
    print(f"{'':16}" + "".join(f"{count:>8}" for count in COUNTS))
    for way, rows in errors.items():
        print(f"{way:16}" + "".join(f"{value:8.2f}" for value in np.mean(rows, axis=0)))
    print(f"{held / max(asked, 1):.0%} of {asked} questions had the true colour among their choices")


if __name__ == "__main__":
    main()
