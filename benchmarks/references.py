"""What is a reference photograph worth, and what harm does a wrong one do? Colour error with and without it.

    python benchmarks/references.py PHOTOS --model MODEL [--limit 30] [--pairs FOLDER]

Pairs are made from each colour photograph: its left and right 70 % ("two crops"), one of them mirrored ("mirrored"), or
taken a stop brighter ("other exposure"); one crop is greyed and coloured, the other lends its colours. "Something
else" takes the next photograph as reference, which shows other things: there it must do no harm. ``--pairs`` names a
folder whose sub-folders each hold photographs of one person or place; consecutive ones are paired. CIEDE2000 under the
truth's lightness, mean over photographs, and the share of places that were matched.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from samples import small

from photochrom import Colorizer, Photo, metrics
from photochrom.coloring.reference import match_references, places_of
from photochrom.evaluation.contest import pick_photographs
from photochrom.evaluation.photographs import greyed, is_grey, read_rgb

SHARE = 0.7
Pair = tuple[str, np.ndarray, np.ndarray]


def brighter(rgb: np.ndarray) -> np.ndarray:
    """Return the photograph as if exposed a stop longer, rolling off at white."""
    linear = (rgb / 255.0) ** 2.2
    return np.rint((1 - np.exp(-2 * linear)) ** (1 / 2.2) * 255).astype(np.uint8)


def pairs_of_one(truths: list[np.ndarray]) -> Iterator[Pair]:
    """Yield the way, the picture to colour and its reference."""
    for truth, other in zip(truths, [*truths[1:], truths[0]], strict=True):
        width = truth.shape[1]
        left, right = truth[:, : round(SHARE * width)], truth[:, width - round(SHARE * width) :]
        yield "two crops", left, right
        yield "mirrored", left, right[:, ::-1]
        yield "other exposure", left, brighter(right)
        if other is not truth:  # of a single photograph there is nothing else
            yield "something else", left, other


def pairs_in(folder: Path) -> Iterator[Pair]:
    """Yield consecutive photographs of each sub-folder."""
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        truths = [small(read_rgb(path)) for path in sorted(place.iterdir())]
        truths = [truth for truth in truths if not is_grey(truth)]
        yield from (("pairs", one, other) for one, other in zip(truths, truths[1:], strict=False))


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--limit", type=int, default=30)
    parser.add_argument("--pairs", type=Path)
    arguments = parser.parse_args()
    colorizer = Colorizer(arguments.model)
    truths = [small(read_rgb(one.path)) for one in pick_photographs(arguments.photos, limit=arguments.limit)]
    pairs = list(pairs_of_one([truth for truth in truths if not is_grey(truth)]))
    pairs += list(pairs_in(arguments.pairs)) if arguments.pairs else []
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for way, truth, reference in pairs:
        photo = Photo(greyed(np.ascontiguousarray(truth)))
        lent = places_of(Photo(np.ascontiguousarray(reference)), colorizer.engine)
        matched = match_references(photo, [lent], colorizer.engine)
        without, told = (
            float(metrics.ciede2000_map(truth, colorizer.run(photo, hints).photo.pixels).mean())
            for hints in ((), matched.hints)
        )
        rows.setdefault(way, []).append((without, told, len(matched.hints) / matched.places))
    print(f"{'':16}{'pairs':>7}{'without':>9}{'with':>7}{'change':>8}{'worst':>8}{'matched':>9}")
    for way, found in rows.items():
        values = np.array(found)
        without, told, share = values.mean(axis=0)
        worst = float((values[:, 1] / values[:, 0]).max() - 1)
        print(f"{way:16}{len(found):7}{without:9.2f}{told:7.2f}{told / without - 1:8.1%}{worst:8.1%}{share:9.0%}")


if __name__ == "__main__":
    main()
