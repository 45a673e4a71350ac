"""The worst, the median and the best photographs of a scoreboard, as pictures to be looked at side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from photochrom import metrics
from photochrom.evaluation.contestants import NATIVE
from photochrom.evaluation.measuring import make_task
from photochrom.evaluation.photographs import Rgb, read_rgb
from photochrom.evaluation.scoreboard import Scoreboard

CASES_OF_A_KIND = 3
HOTTEST_ERROR = 40.0  # CIEDE2000 that the error picture paints white


@dataclass(frozen=True, slots=True)
class Case:
    """One photograph: the grey, each contestant's colours, the truth, and where the first contestant is wrong."""

    kind: str  # "worst", "median" or "best"
    key: str
    pictures: tuple[tuple[str, Rgb, float | None], ...]  # caption, picture, CIEDE2000


def choose_cases(scoreboard: Scoreboard) -> list[tuple[str, str]]:
    """Return (kind, key) of the cases to show, judged by the first contestant's CIEDE2000 in the native view."""
    first = (scoreboard.contestant_names or ["grey"])[0]
    records = sorted(scoreboard.found.of(first, NATIVE), key=lambda record: -record.scores["ciede2000"])
    keys = [record.key for record in records]
    middle = max(0, (len(keys) - CASES_OF_A_KIND) // 2)
    ranges = {
        "worst": keys[:CASES_OF_A_KIND],
        "median": keys[middle : middle + CASES_OF_A_KIND],
        "best": keys[-CASES_OF_A_KIND:],
    }
    shown: dict[str, str] = {}
    for kind, chosen in ranges.items():
        for key in chosen:
            shown.setdefault(key, kind)  # a small set may have one photograph in two ranges
    return [(kind, key) for key, kind in shown.items()]


def paint_cases(scoreboard: Scoreboard) -> Iterator[Case]:
    """Yield the chosen cases; their pictures are made anew, since keeping all of them would fill the memory."""
    path_of = {photo.key: photo.path for photo in scoreboard.photographs}
    scores = {(r.row, r.key): r.scores["ciede2000"] for r in scoreboard.found.records if r.view == NATIVE}
    rows = [contestant for contestant in scoreboard.contestants if contestant.kind != "yardstick"]
    for kind, key in choose_cases(scoreboard):
        task = make_task(key, NATIVE, read_rgb(path_of[key]))
        pictures: list[tuple[str, Rgb, float | None]] = [("grey", task.given, scores["grey", key])]
        for contestant in rows:
            rgb = contestant.color(task).rgb
            pictures.append((contestant.name, rgb, scores[contestant.name, key]))
        pictures.append(("truth", task.truth, None))
        if rows:
            pictures.append((f"error of {rows[0].name}", _error_picture(task.truth, pictures[1][1]), None))
        yield Case(kind, key, tuple(pictures))


def _error_picture(truth: Rgb, predicted: Rgb) -> Rgb:
    """Return the CIEDE2000 of each pixel from black (0) through red and yellow to white (40 and above)."""
    heat = np.clip(metrics.ciede2000_map(truth, predicted) / HOTTEST_ERROR, 0, 1) * 3
    return metrics.eight_bit(np.clip(np.stack([heat, heat - 1, heat - 2], axis=-1), 0, 1))


def shrunk(rgb: Rgb, longest_px: int) -> Image.Image:
    """Return a picture whose longer side is at most ``longest_px``."""
    image = Image.fromarray(rgb)
    image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    return image
