"""Running the contestants over the photographs: one record per photograph, view and row, and features for the set."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom import metrics
from photochrom.errors import ModelError, PhotoNotFoundError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.evaluation.classifier import Classifier
from photochrom.evaluation.contestants import NATIVE, Coloring, Contestant, Task
from photochrom.evaluation.photographs import Photograph, Rgb, greyed, is_grey, read_rgb, squashed
from photochrom.evaluation.stress import SPLITS, given_to_colorizer

Features = npt.NDArray[np.float32]
SQUASH = "squash256"
CELLS_PER_PICTURE = 2000  # of a confidence map, sampled for the reliability plot


@dataclass(frozen=True, slots=True)
class Record:
    """How one contestant did on one photograph in one view."""

    key: str
    view: str
    row: str
    width: int
    height: int
    seconds: float
    scores: dict[str, float]


@dataclass
class Measurements:
    """Everything measured, before it is summed up.

    ``features`` and ``predicted_classes`` are in the order of ``keys``, for views native and squash256.
    ``confidence`` and ``error`` hold sampled cells per photograph, of rows that offer a confidence.
    """

    keys: list[str] = field(default_factory=list)
    labels: list[int | None] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    features: dict[tuple[str, str], list[Features]] = field(default_factory=dict)
    predicted_classes: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    confidence: dict[str, list[tuple[Features, Features]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def of(self, row: str, view: str) -> list[Record]:
        """Return the records of one row in one view, in the order of the photographs."""
        return [record for record in self.records if record.row == row and record.view == view]


@dataclass(frozen=True)
class Plan:
    """What is measured: which views, and whether grey photographs take part."""

    squash: bool = True
    stress: bool = True
    reliability: bool = False
    keep_grey: bool = False

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views, native first."""
        return (NATIVE, *([SQUASH] if self.squash else []), *(SPLITS if self.stress else []))


def measure(
    photographs: Sequence[Photograph],
    contestants: Sequence[Contestant],
    plan: Plan,
    classifier: Classifier | None,
) -> Iterator[Measurements]:
    """Yield the growing measurements after each photograph; the last one yielded is complete.

    Photographs that cannot be read, and those without colour, are left out and named in ``skipped``.

    Raises:
        PhotoNotFoundError: no photograph with colours is left.
        PhotoError: a picture of another tool has the wrong size.
    """
    found = Measurements()
    for photo in photographs:
        truth = _readable_truth(photo, found, keep_grey=plan.keep_grey)
        if truth is not None:
            if not found.keys:
                _warm_up(contestants, truth)
            found.keys.append(photo.key)
            found.labels.append(photo.label)
            for view in plan.views:
                _measure_view(make_task(photo.key, view, truth), contestants, found, classifier, plan)
        yield found
    if not found.keys:
        raise PhotoNotFoundError(
            f"none of the {len(photographs)} pictures is a colour photograph that can be read",
            next_step="The truth must have colours: they are taken away and compared with what comes back.",
        )


def _readable_truth(photo: Photograph, found: Measurements, *, keep_grey: bool) -> Rgb | None:
    try:
        truth = read_rgb(photo.path)
    except (UnreadablePhotoError, PhotoTooLargeError) as error:
        found.skipped[photo.key] = error.what
        return None
    if not keep_grey and is_grey(truth):
        found.skipped[photo.key] = "has no colour"
        return None
    return truth


def make_task(key: str, view: str, truth: Rgb) -> Task:
    """Return the task that a view makes of a photograph."""
    if view == SQUASH:
        truth = squashed(truth)
    given = given_to_colorizer(view, truth, key) if view in SPLITS else greyed(truth)
    return Task(key, view, truth, given)


def _warm_up(contestants: Sequence[Contestant], truth: Rgb) -> None:
    """Run each model once before the clock counts: the first call allocates and optimises."""
    small = truth[:64, :64]
    for contestant in contestants:
        if contestant.kind == "model":
            contestant.color(Task("warm-up", NATIVE, small, greyed(small)))


def _measure_view(
    task: Task,
    contestants: Sequence[Contestant],
    found: Measurements,
    classifier: Classifier | None,
    plan: Plan,
) -> None:
    pictures: dict[str, Rgb] = {}
    for contestant in contestants:
        if not contestant.takes(task.view):
            continue
        start = time.perf_counter()
        coloring = contestant.color(task)
        seconds = time.perf_counter() - start
        _check(coloring.rgb, task, contestant)
        pictures[contestant.name] = coloring.rgb
        found.records.append(_record(task, contestant, coloring.rgb, seconds))
        if plan.reliability and task.view == NATIVE and coloring.confidence is not None:
            found.confidence.setdefault(contestant.name, []).append(confidence_and_error(task, coloring))
    if classifier and not task.is_stressed:
        features, classes = classifier(list(pictures.values()))
        for row, feature, predicted in zip(pictures, features, classes, strict=True):
            found.features.setdefault((row, task.view), []).append(feature)
            found.predicted_classes.setdefault((row, task.view), []).append(int(predicted))


def _check(rgb: npt.NDArray[Any], task: Task, contestant: Contestant) -> None:
    if rgb.shape != task.truth.shape or rgb.dtype != np.uint8:
        raise ModelError(
            f"gave {rgb.dtype} of shape {rgb.shape} for {task.key}, uint8 of {task.truth.shape} was expected",
            where=contestant.name,
        )


def _record(task: Task, contestant: Contestant, rgb: Rgb, seconds: float) -> Record:
    scores = metrics.score_pair(task.truth, rgb, task.given, relight=task.is_stressed)
    height, width = rgb.shape[:2]
    timed = seconds if contestant.kind == "model" else float("nan")
    return Record(task.key, task.view, contestant.name, width, height, timed, scores)


def confidence_and_error(task: Task, coloring: Coloring) -> tuple[Features, Features]:
    """Return sampled cells of a confidence map and the mean CIEDE2000 over each of them: two (N,) arrays."""
    assert coloring.confidence is not None
    confidence = np.asarray(coloring.confidence, np.float32)
    error = np.asarray(metrics.ciede2000_map(task.truth, coloring.rgb), np.float32)
    height, width = confidence.shape
    cells = np.asarray(Image.fromarray(error).resize((width, height), Image.Resampling.BOX))
    chosen = np.random.default_rng(len(task.key)).permutation(confidence.size)[:CELLS_PER_PICTURE]
    return confidence.ravel()[chosen], cells.ravel()[chosen]
