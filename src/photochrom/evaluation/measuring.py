"""Running the contestants over the photographs: one record per photograph, view and row, and features for the set."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom import metrics
from photochrom.computer.cores import usable_cores
from photochrom.errors import ModelError, PhotoNotFoundError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.evaluation.classifier import Classifier
from photochrom.evaluation.contestants import CLEAN_VIEWS, NATIVE, SQUASH, Coloring, Contestant, Task
from photochrom.evaluation.photographs import Photograph, Rgb, greyed, is_grey, read_rgb, squashed
from photochrom.evaluation.stress import SPLITS, given_to_colorizer

Features = npt.NDArray[np.float32]
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

    Photographs that cannot be read, those without colour, and those of which another tool's picture cannot be read are
    left out, of every row alike, and named in ``skipped``.

    Raises:
        PhotoNotFoundError: no photograph with colours is left.
        PhotoError: a picture of another tool has the wrong size.
    """
    found = Measurements()
    with ThreadPoolExecutor(usable_cores()) as pool:
        for photo in photographs:
            truth = _readable_truth(photo, found, keep_grey=plan.keep_grey)
            if truth is not None:
                if not found.keys:
                    _warm_up(contestants, truth)
                _measure_photograph(photo, truth, contestants, plan, classifier, found, pool)
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One contestant's answer to one task, and how long it took."""

    task: Task
    contestant: Contestant
    coloring: Coloring
    seconds: float


def _measure_photograph(
    photo: Photograph,
    truth: Rgb,
    contestants: Sequence[Contestant],
    plan: Plan,
    classifier: Classifier | None,
    found: Measurements,
    pool: Executor,
) -> None:
    """Add one photograph in every view. Models run one after the other, for honest times; the rest runs in threads.

    Files are read before models run: one that cannot be read leaves the photograph out.
    """
    tasks = list(pool.map(lambda view: make_task(photo.key, view, truth), plan.views))
    wanted = [(task, contestant) for task in tasks for contestant in contestants if contestant.takes(task.view)]
    others = [(task, contestant) for task, contestant in wanted if contestant.kind != "model"]
    try:
        answers = {
            (entry.task.view, entry.contestant.name): entry for entry in pool.map(lambda pair: answer(*pair), others)
        }
    except (UnreadablePhotoError, PhotoTooLargeError) as error:
        found.skipped[photo.key] = f"{error.what} ({error.where})"
        return
    for task, contestant in wanted:
        if contestant.kind == "model":
            answers[task.view, contestant.name] = answer(task, contestant)
    entries = [answers[task.view, contestant.name] for task, contestant in wanted]
    clean = metrics.Reference.of(truth)
    references = {task.view: metrics.Reference.of(task.truth) if task.view == SQUASH else clean for task in tasks}
    found.records += pool.map(lambda entry: record(entry, references[entry.task.view]), entries)
    found.keys.append(photo.key)
    found.labels.append(photo.label)
    for view in CLEAN_VIEWS:
        _classify([entry for entry in entries if entry.task.view == view], found, classifier)
    if plan.reliability:
        _collect_confidence(entries, found)


def answer(task: Task, contestant: Contestant) -> Entry:
    """Return what a contestant makes of a task; raise ModelError if it is not a picture of the task's size."""
    start = time.perf_counter()
    coloring = contestant.color(task)
    seconds = time.perf_counter() - start
    _check(coloring.rgb, task, contestant)
    return Entry(task, contestant, coloring, seconds if contestant.kind == "model" else float("nan"))


def _classify(entries: list[Entry], found: Measurements, classifier: Classifier | None) -> None:
    if classifier is None or not entries:
        return
    features, classes = classifier([entry.coloring.rgb for entry in entries])
    for entry, feature, predicted in zip(entries, features, classes, strict=True):
        place = entry.contestant.name, entry.task.view
        found.features.setdefault(place, []).append(feature)
        found.predicted_classes.setdefault(place, []).append(int(predicted))


def _collect_confidence(entries: list[Entry], found: Measurements) -> None:
    for entry in entries:
        if entry.task.view == NATIVE and entry.coloring.confidence is not None:
            samples = found.confidence.setdefault(entry.contestant.name, [])
            samples.append(confidence_and_error(entry.task, entry.coloring))


def _check(rgb: npt.NDArray[Any], task: Task, contestant: Contestant) -> None:
    if rgb.shape != task.truth.shape or rgb.dtype != np.uint8:
        raise ModelError(
            f"gave {rgb.dtype} of shape {rgb.shape} for {task.key}, uint8 of {task.truth.shape} was expected",
            where=contestant.name,
        )


def record(entry: Entry, reference: metrics.Reference) -> Record:
    """Return the scores of one answer."""
    task, rgb = entry.task, entry.coloring.rgb
    scores = metrics.score_pair(reference, rgb, task.given, relight=task.is_stressed)
    height, width = rgb.shape[:2]
    return Record(task.key, task.view, entry.contestant.name, width, height, entry.seconds, scores)


def confidence_and_error(task: Task, coloring: Coloring) -> tuple[Features, Features]:
    """Return sampled cells of a confidence map and the mean CIEDE2000 over each of them: two (N,) arrays."""
    assert coloring.confidence is not None
    confidence = np.asarray(coloring.confidence, np.float32)
    error = np.asarray(metrics.ciede2000_map(task.truth, coloring.rgb), np.float32)
    height, width = confidence.shape
    cells = np.asarray(Image.fromarray(error).resize((width, height), Image.Resampling.BOX))
    chosen = np.random.default_rng(len(task.key)).permutation(confidence.size)[:CELLS_PER_PICTURE]
    return confidence.ravel()[chosen], cells.ravel()[chosen]
