"""Measure how many negatives in black and white are told, and how many positives are taken for one.

    python benchmarks/polarity.py data/eval/coco data/eval/people data/eval/historic
    python benchmarks/polarity.py 'data/v2/train2-*.tar' --only '*:hdpy-*' '*:corel-5k-*' --count 1000

Photographs are folders, files and tar shards; `--only` names those of sources that were held out of training, and
`--count` takes so many of each source. Every photograph is made grey and looked at as it is and inverted ("plain"), as
film darkens with light ("film", the negative alone: it passes a power of it, 0.3 to 1.2), and both after the same
treatment, by seed ("scans": curve, border, dust, levels, JPEG; `degradation/scans.py`). Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.degradation.scans import pass_light, treated
from photochrom.engines.restoration import OnnxStage, StageEngine
from photochrom.luma import luma_codes
from photochrom.restoration.polarity import polarity_engine, positive_probability, seen_luma
from photochrom.train.data import fits
from photochrom.train.index import Place, find_photos

LARGEST_PX = 512
LIMITS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
Plane = npt.NDArray[np.float32]
# Probability of a positive: of positives and of their negatives, (N,) each, by kind.
Found = dict[str, tuple[list[float], list[float]]]


def source_of(place: Place) -> str:
    """Return the folder of a file, or what a member of a shard is named after."""
    return place.member.rpartition("-")[0] if place.member else Path(place.file).parent.name


def chosen(places: list[Place], only: list[str], count: int) -> Iterator[tuple[str, Place]]:
    """Yield source and place, up to ``count`` of each source, the same ones each time."""
    taken: defaultdict[str, int] = defaultdict(int)
    for number in np.random.default_rng(5).permutation(len(places)):
        place = places[number]
        if only and not fits(place, only):
            continue
        taken[source_of(place)] += 1
        if not count or taken[source_of(place)] <= count:
            yield source_of(place), place


def luma_of(place: Place) -> Plane:
    """Return what the network sees of a photograph."""
    with Image.open(io.BytesIO(place.read())) as picture:
        picture.draft("RGB", (LARGEST_PX, LARGEST_PX))
        rgb = picture.convert("RGB")
    rgb.thumbnail((LARGEST_PX, LARGEST_PX), Image.Resampling.BICUBIC, reducing_gap=2)
    return seen_luma(luma_codes(np.asarray(rgb))[..., None])


def negative_on_film(luma: Plane, rng: np.random.Generator) -> Plane:
    """Return what a scanner sees of the film, in the range that it then fills."""
    passed = pass_light(1 - luma, rng)
    return np.asarray((passed - passed.min()) / max(float(np.ptp(passed)), 1e-6), dtype=np.float32)


def measure(luma: Plane, number: int, engine: StageEngine, found: Found) -> None:
    """Add one photograph."""
    film = negative_on_film(luma, np.random.default_rng([8, number, 0]))
    scans = [treated(one, np.random.default_rng([8, number, 1])) for one in (luma, 1 - luma)]
    for kind, positive, negative in (("plain", luma, 1 - luma), ("film", None, film), ("scans", *scans)):
        if positive is not None:
            found[kind][0].append(positive_probability(positive, engine))
        found[kind][1].append(positive_probability(negative, engine))


def wilson(hits: int, count: int) -> str:
    """Return a share with its interval, %.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if not count:
        return "-"
    share, z = hits / count, 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return f"{100 * share:.1f} ({100 * (middle - half):.1f} ... {100 * (middle + half):.1f})"


def show(name: str, found: Found, limit: float) -> None:
    """Print one source's row of each kind."""
    for kind, (positives, negatives) in found.items():
        alarms, told = (sum(value <= limit for value in values) for values in (positives, negatives))
        print(
            f"| {name} | {kind} | {len(negatives)} | {wilson(told, len(negatives))} | "
            f"{wilson(alarms, len(positives))} |"
        )


def empty() -> Found:
    return {kind: ([], []) for kind in ("plain", "film", "scans")}


def together(parts: Iterable[Found]) -> Found:
    """Return the figures of all sources as one."""
    every = empty()
    for found in parts:
        for kind, (positives, negatives) in found.items():
            every[kind][0].extend(positives)
            every[kind][1].extend(negatives)
    return every


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--model", type=Path, help="another model file than the embedded")
    arguments = parser.parse_args()
    engine: StageEngine = OnnxStage(arguments.model, "polarity/1") if arguments.model else polarity_engine()
    by_source: defaultdict[str, Found] = defaultdict(empty)
    places = find_photos(tuple(arguments.photos))
    for number, (source, place) in enumerate(chosen(places, arguments.only, arguments.count)):
        try:
            luma = luma_of(place)
        except OSError as error:
            print(f"{place.name}: {error}")
            continue
        measure(luma, number, engine, by_source[source])
    limit = engine.spec.negative
    print(f"{engine.spec.name}, {engine.spec.sha256[:12]}; negative at a probability of {limit:g} or less\n")
    print(
        "| photographs | made | number | negatives told, % | positives taken for negatives, % |\n|---|---|---|---|---|"
    )
    for source, found in sorted(by_source.items()):
        show(source, found, limit)
    every = together(by_source.values())
    show("all", every, limit)
    print("\nall of them, at other limits:")
    for other in LIMITS:
        show(f"at {other:g}", every, other)


if __name__ == "__main__":
    main()
