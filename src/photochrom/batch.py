"""Many photographs: done side by side, each result whole, every error told, and nothing done twice.

The model is not known here: a callable turns a :class:`~photochrom.photo.Photo` into one coloured or restored. Nothing
is printed; reports go to a callback as they happen and, if wanted, to a JSONL file.

What survives what:

* A photograph that fails is reported and the rest goes on; only a full disk ends the run, as all others would fail.
* Ctrl-C (or ``stop``): photographs that have been begun are finished, the rest is left for the next run.
* ``kill -9``, a power cut: each result is whole or absent (written aside and renamed), and a rerun goes on.
* Two runs at once on one album: both write the same bytes; whichever comes second finds the work done or repeats it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Literal, Protocol

from photochrom.album import Job
from photochrom.codecs.atomic import output_error, remove_abandoned
from photochrom.codecs.source import open_source
from photochrom.companions import Companion
from photochrom.errors import PhotochromError
from photochrom.manifest import Manifest
from photochrom.options import Limits
from photochrom.photo import Photo, format_of_path, open_pages, open_photo
from photochrom.results import BatchSettings, begun, refuse_existing, store, store_companions, write_result

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


class Colored(Protocol):
    """What the callable returns: a ``ColorizeResult`` or a ``RestoreResult``."""

    @property
    def photo(self) -> Photo:
        """The finished photograph."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided, the notes of reading included."""

    @property
    def companions(self) -> Sequence[Companion]:
        """Further pictures that belong beside the result."""

    @property
    def source_type(self) -> str:
        """What was done to it, in the IPTC's words; "" where nothing was."""


ColorOne = Callable[[Photo], Colored]


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What became of one photograph.

    Attributes:
        source: the photograph.
        target: its result.
        status: "done", "skipped" (done before, by the same settings, both files unchanged) or "failed".
        notes: what was decided on the way.
        seconds: by stage: "hash", "decode", "color", "encode", "write".
        error: one line, for a failed one.
        error_kind: the error's class.
        width: in pixels, 0 where it was not read.
        height: in pixels.
    """

    source: str
    target: str
    status: Literal["done", "skipped", "failed"]
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""
    error_kind: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """The end of a run.

    Attributes:
        done: photographs coloured.
        skipped: photographs that needed nothing.
        failed: photographs with an error.
        left: photographs not begun, because the run was stopped.
        stopped_by: "" for a complete run, "interrupt" or "disk full".
        seconds: wall time.
    """

    done: int
    skipped: int
    failed: int
    left: int
    stopped_by: str
    seconds: float

    @property
    def photos_per_second(self) -> float:
        """Coloured photographs by wall time."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def next_step(self) -> str:
        """What to do where something is left; empty for a complete run."""
        if self.stopped_by == "disk full":
            return f"The disk is full. Free some space and run the same command again: {self.left} are left"
        return f"Run the same command again to go on: {self.left} are left" if self.left else ""


def run_batch(
    jobs: Sequence[Job],
    color_one: ColorOne,
    settings: BatchSettings,
    *,
    manifest: Manifest | None = None,
    workers: int = 2,
    color_slots: int = 2,
    on_report: Callable[[PhotoReport], None] | None = None,
    report_path: Path | None = None,
    stop: threading.Event | None = None,
) -> BatchSummary:
    """Colour photographs side by side.

    Args:
        jobs: what to do, from :func:`photochrom.album.plan_jobs`.
        color_one: colours one photograph; called from several threads, ``color_slots`` at a time.
        settings: the same for all.
        manifest: of the output folder; without one nothing is skipped, and existing results are errors.
        workers: photographs in memory at a time. While some are coloured, others are read and written: two or three
            keep all cores busy, more cost memory only.
        color_slots: photographs coloured at a time. With two, the net works on one while the colours of the other are
            merged: on two cores 1.7 times as many photographs per second as with one.
        on_report: called in the calling thread with each report.
        report_path: a JSONL file with one line per photograph, begun anew by each run.
        stop: set it, from any thread, for what Ctrl-C does.

    Raises:
        OutputError: the report cannot be written.
    """
    start = time.perf_counter()
    stop = stop or threading.Event()
    counts = {"done": 0, "skipped": 0, "failed": 0}
    targets = frozenset(job.target for job in jobs)
    run = _Run(color_one, settings, manifest, threading.Semaphore(color_slots), stop, targets)
    for folder in {job.target.parent for job in jobs}:
        remove_abandoned(folder)
    with ExitStack() as stack:
        stack.enter_context(_interrupt_stops(stop))
        report_file = stack.enter_context(_opened_report(report_path)) if report_path else None
        for report in _finished(jobs, run, workers):
            counts[report.status] += 1
            if report_file and report_path:
                _append_report(report_file, report, report_path)
            if on_report:
                on_report(report)
    left = len(jobs) - sum(counts.values())
    stopped_by = "disk full" if run.disk_full else "interrupt" if stop.is_set() else ""
    return BatchSummary(**counts, left=left, stopped_by=stopped_by, seconds=time.perf_counter() - start)


@dataclass(slots=True)
class _Run:
    """What the threads of one run share."""

    color_one: ColorOne
    settings: BatchSettings
    manifest: Manifest | None
    color_slots: threading.Semaphore
    stop: threading.Event
    targets: frozenset[Path] = frozenset()
    disk_full: bool = False


def _finished(jobs: Sequence[Job], run: _Run, workers: int) -> Iterator[PhotoReport]:
    """Yield reports as photographs are finished. A stop ends the handing out; what has begun is waited for."""
    waiting = iter(jobs)
    running: set[Future[PhotoReport]] = set()
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="photochrom") as pool:
        while True:
            while len(running) < workers and not run.stop.is_set() and (job := next(waiting, None)):
                running.add(pool.submit(_report_on, job, run))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()


@contextmanager
def _interrupt_stops(stop: threading.Event) -> Iterator[None]:
    """Make the first Ctrl-C set ``stop``; the second does what Ctrl-C did before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupted(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _report_on(job: Job, run: _Run) -> PhotoReport:
    """Do one photograph; its error becomes part of the report, and never stops the others."""
    seconds: dict[str, float] = {}
    try:
        return _do(job, run, seconds)
    except PhotochromError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in DISK_FULL:
            run.disk_full = True
            run.stop.set()
        return _failure(job, str(error), error, seconds)
    except Exception as error:  # noqa: BLE001 - a defect of ours met by one photograph must not cost the other ten thousand
        return _failure(job, f"{job.source}: unexpected {type(error).__name__}: {error}", error, seconds)


def _failure(job: Job, text: str, error: Exception, seconds: dict[str, float]) -> PhotoReport:
    kind = type(error).__name__
    return PhotoReport(str(job.source), str(job.target), "failed", seconds=seconds, error=text, error_kind=kind)


def _do(job: Job, run: _Run, seconds: dict[str, float]) -> PhotoReport:
    clock = _Clock(seconds)
    settings, manifest = run.settings, run.manifest
    source_sha256 = source_hash(job.source, settings.limits) if manifest or settings.keep_recipe else ""
    done = manifest and manifest.is_done(job.key, manifest.name_of(job.target), source_sha256, settings.sha256)
    clock.lap("hash")
    if done:
        return PhotoReport(str(job.source), str(job.target), "skipped", seconds=seconds)
    refuse_existing(job, settings.writing, manifest)
    pages = read_pages(job.source, format_of_path(job.target), settings.limits)
    clock.lap("decode")
    with run.color_slots:
        clock.lap("wait")
        colored = [run.color_one(page) for page in pages]
    clock.lap("color")
    width, height = pages[0].width, pages[0].height
    del pages
    made = settings.provenance.of_pages(page.source_type for page in colored)
    with begun(job.target) as aside:
        lost = write_result(aside, job, [page.photo for page in colored], replace(settings, provenance=made))
        clock.lap("encode")
        store_companions(job, [page.companions for page in colored], source_sha256, settings, manifest, run.targets)
        store(aside, job, source_sha256, settings, manifest)
    clock.lap("write")
    notes = tuple(dict.fromkeys([*(note for page in colored for note in page.notes), *lost]))
    return PhotoReport(str(job.source), str(job.target), "done", notes, seconds, width=width, height=height)


def source_hash(path: Path, limits: Limits) -> str:
    """Return the SHA-256 of a photograph.

    Raises:
        PhotoError: it cannot be read, is no regular file, or exceeds the limit on bytes; as ``open_photo`` does.
    """
    with open_source(path, limits.max_file_bytes) as source:
        return hashlib.file_digest(source.handle, "sha256").hexdigest()


def read_pages(source: Path, format: str, limits: Limits) -> list[Photo]:
    """Return all pages of a photograph where the result can hold them, else the first."""
    return list(open_pages(source, limits=limits)) if format == "tiff" else [open_photo(source, limits=limits)]


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.last = seconds, time.perf_counter()

    def lap(self, stage: str) -> None:
        """Book the time since the last lap on a stage."""
        now = time.perf_counter()
        self.seconds[stage], self.last = round(now - self.last, 4), now


def _opened_report(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise output_error(error, path) from error


def _append_report(handle: IO[str], report: PhotoReport, path: Path) -> None:
    try:
        handle.write(json.dumps(asdict(report)) + "\n")
        handle.flush()
    except OSError as error:
        raise output_error(error, path) from error
