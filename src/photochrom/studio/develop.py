"""One photograph, made as the command line would make it: the same path, so the same bytes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.albums.album import COLORED_MARK, RESTORED_MARK, Job, fitted_name, result_suffix
from photochrom.albums.batch import run_batch
from photochrom.albums.hinted import with_references
from photochrom.albums.manifest import MANIFEST_NAME, Manifest
from photochrom.albums.recipe import RECIPE_SUFFIX
from photochrom.albums.reports import PhotoReport
from photochrom.albums.results import BatchSettings
from photochrom.coloring.hearing import refuse_deaf
from photochrom.files.codecs.atomic import write_whole
from photochrom.files.writing import format_of_path
from photochrom.hints.hint import Hint
from photochrom.hints.sheet import HINTS_SUFFIX
from photochrom.options import ColorizeOptions, Limits, OutputOptions, ReadingOptions, RestoreOptions
from photochrom.studio.requests import Asked, Task
from photochrom.studio.sessions import Sessions
from photochrom.studio.stopping import Stop

if TYPE_CHECKING:
    from photochrom.restorer import Mask

STEM = "result"
GIVEN_HINTS = "given.hints.json"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made of one photograph.

    Attributes:
        task: "colorize" or "restore".
        source: the photograph's file.
        name: what it is called for people, and in messages.
        folder: where results go; nothing else lies there.
        asked: the options.
        mask: a hand-drawn mask's file.
        references: colour photographs' files.
        remembered: whether a manifest of an album tells, in that folder, what was made.
    """

    task: Task
    source: Path
    name: str
    folder: Path
    asked: Asked
    mask: Path | None = None
    references: tuple[Path, ...] = ()
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that was made: its path, and the name that the command line would have given it."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Developed:
    """What became of an order. ``files`` are by label: "result", "alternative-2", "uncertainty", "recipe"..."""

    report: PhotoReport
    error: str = ""
    files: dict[str, MadeFile] = field(default_factory=dict)


def develop(order: Order, sessions: Sessions, limits: Limits, stop: Stop) -> Developed:
    """Make an order's files.

    Raises:
        PhotochromError: options, models, mask or references are wrong. What is wrong with the photograph is reported.
    """
    order.folder.mkdir(parents=True, exist_ok=True)
    writing, reading = order.asked.part(OutputOptions), order.asked.part(ReadingOptions)
    target = order.folder / (STEM + result_suffix(order.source, writing.format))
    drawn = _drawn(order.mask, limits)
    restoring = order.asked.part(RestoreOptions)
    job = Job(order.source, target, order.name, _given_hints(order))
    if order.task == "restore":
        restorer = sessions.restorer(restoring, stop=stop, mask=drawn)
        settings = BatchSettings(restorer.provenance, writing, limits, reading, keep_recipe=order.asked.recipe)
        summary = _run(order, job, restorer.run, settings)
    else:
        first = restoring if getattr(order.asked, "restore", False) else None
        colorizer = sessions.colorizer(order.asked.part(ColorizeOptions), first, stop=stop, mask=drawn)
        keep = bool(getattr(order.asked, "keep_hints", False))
        made = colorizer.provenance
        settings = BatchSettings(made, writing, limits, reading, keep_recipe=order.asked.recipe, keep_hints=keep)
        if job.hints or order.references:
            refuse_deaf(colorizer.engine.spec)
        if order.references:
            settings = with_references(settings, order.references, colorizer.engine)
        summary = _run(order, job, colorizer.run, settings, colorizer.run)
    error = summary.error.replace(str(order.source), order.name).replace(str(target), result_name(order, target))
    files = {} if summary.error else _files(order, target)
    return Developed(summary, error.replace(str(order.folder) + os.sep, ""), files)


def _drawn(path: Path | None, limits: Limits) -> Mask | None:
    from photochrom.restorer import read_mask  # brings ONNX Runtime along, which a server need not wait for

    return read_mask(path, limits=limits) if path else None


def result_name(order: Order, target: Path) -> str:
    """Return the name that the command line would give a result that lies beside its photograph."""
    mark = COLORED_MARK if order.task == "colorize" else RESTORED_MARK
    return fitted_name(Path(order.name).stem, mark + target.suffix)


def _run(order: Order, job: Job, make_one: Any, settings: BatchSettings, make_hinted: Any = None) -> PhotoReport:
    reports: list[PhotoReport] = []
    run_batch(
        [job],
        make_one,
        settings,
        manifest=Manifest.of(order.folder) if order.remembered else None,
        workers=1,
        on_report=reports.append,
        make_hinted=make_hinted,
    )
    return reports[0]


def _given_hints(order: Order) -> Path | None:
    hints: tuple[Hint, ...] = getattr(order.asked, "hints", ())
    if not hints:
        return None
    path = order.folder.with_name(GIVEN_HINTS)
    sheet = {"photochrom_hints": 1, "hints": [hint.as_json() for hint in hints]}
    write_whole(path, json.dumps(sheet).encode())
    return path


def _files(order: Order, target: Path) -> dict[str, MadeFile]:
    """Return what lies in the folder, by label, with the names that people know."""
    called, found = result_name(order, target), {}
    for path in sorted(path for path in order.folder.iterdir() if path.name != MANIFEST_NAME):
        ending = next((e for e in (RECIPE_SUFFIX, HINTS_SUFFIX) if path.name.endswith(e)), "")
        picture = Path(path.name.removesuffix(ending))
        mark = picture.stem.removeprefix(STEM)
        name = fitted_name(Path(called).stem, mark + picture.suffix)
        kind = {RECIPE_SUFFIX: "recipe", HINTS_SUFFIX: "hints"}.get(ending, "")
        label = "-".join(part for part in (mark.removeprefix("-"), kind) if part) or STEM
        if ending == RECIPE_SUFFIX:
            _rename_in_recipe(path, order.name, name)
        found[label] = MadeFile(path, name + ending)
    return found


def _rename_in_recipe(path: Path, source: str, target: str) -> None:
    """Let a recipe speak of the names that people know, as if photograph and result lay in one folder."""
    values = json.loads(path.read_text(encoding="utf-8"))
    values |= {"source": source, "target": target}
    write_whole(path, (json.dumps(values, indent=2, sort_keys=True) + "\n").encode())


def media_type(path: Path) -> str:
    """Return what a made file is."""
    from photochrom.files.codecs.formats import FORMATS

    return "application/json" if path.suffix == ".json" else FORMATS[format_of_path(path)].media_type
