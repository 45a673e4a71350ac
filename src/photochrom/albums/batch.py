"""Many photographs: done side by side, each result whole, every error told, and nothing done twice.

The model is not known here: a callable turns a :class:`~photochrom.files.photo.Photo` into one coloured or restored.
Nothing is printed; reports go to a callback as they happen and, if wanted, to a JSONL file.

What survives what:

* A photograph that fails is reported and the rest goes on; only a full disk ends the run, as all others would fail.
* Ctrl-C, SIGTERM (or ``stop``): photographs that have been begun are finished, the rest is left for the next run.
* ``kill -9``, a power cut: each result is whole or absent (written aside and renamed), and a rerun goes on.
* Two runs at once on one album: both write the same bytes; whichever comes second finds the work done or repeats it.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from photochrom.albums.album import Job
from photochrom.albums.entries import Outcome
from photochrom.albums.finished import Finished, MakeHinted, MakeOne
from photochrom.albums.manifest import Manifest
from photochrom.albums.reports import BatchSummary, PhotoReport, append_report, opened_report
from photochrom.albums.results import (
    BatchSettings,
    Surroundings,
    begun,
    refuse_existing,
    store,
    store_companions,
    write_result,
)
from photochrom.albums.stopping import asked_by, interrupt_stops
from photochrom.errors import PhotochromError
from photochrom.files.codecs.atomic import remove_abandoned
from photochrom.files.codecs.source import open_source
from photochrom.files.originals import Originals
from photochrom.files.photo import Photo
from photochrom.files.reading import read_pages_for
from photochrom.files.writing import format_of_path
from photochrom.options import Limits

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
LONGEST_REASON = 1_000


def run_batch(
    jobs: Sequence[Job],
    make_one: MakeOne,
    settings: BatchSettings,
    *,
    manifest: Manifest | None = None,
    workers: int = 2,
    at_once: int = 2,
    on_report: Callable[[PhotoReport], None] | None = None,
    report_path: Path | None = None,
    stop: threading.Event | None = None,
    also_read: Sequence[Path] = (),
    make_hinted: MakeHinted | None = None,
    unread: Sequence[Path] = (),
) -> BatchSummary:
    """Colour or restore photographs side by side.

    Args:
        jobs: what to do, from :func:`photochrom.albums.plan.plan`.
        make_one: colours or restores one photograph; called from several threads, ``at_once`` at a time.
        settings: the same for all.
        manifest: of the output folder; without one nothing is skipped, and existing results are errors.
        workers: photographs in memory at a time. While some are made, others are read and written: two or three
            keep all cores busy, more cost memory only.
        at_once: photographs made at a time. With two, the net works on one while the colours of the other are merged:
            on two cores 1.7 times as many photographs per second as with one.
        on_report: called in the calling thread with each report.
        report_path: a JSONL file with one line per photograph, begun anew by each run.
        stop: set it, from any thread, for what Ctrl-C does.
        also_read: further files that are never written to, such as a hand-drawn mask.
        make_hinted: colours a photograph whose job has hints.
        unread: pictures of kinds that are not read, for the report file.

    Raises:
        OutputError: the report cannot be written, or would replace something that is no report.
    """
    start = time.perf_counter()
    stop = stop or threading.Event()
    counts, left_out = {"done": 0, "skipped": 0, "unwanted": 0, "failed": 0}, list[str]()
    hints = [job.hints for job in jobs if job.hints]
    originals = Originals.of([*(job.source for job in jobs), *hints, *also_read])
    around = Surroundings(manifest, frozenset(job.target for job in jobs), originals)
    run = _Run(make_one, settings, around, threading.Semaphore(at_once), stop, make_hinted)
    for folder in {job.target.parent for job in jobs}:
        remove_abandoned(folder)
    with ExitStack() as stack:
        received = stack.enter_context(interrupt_stops(stop))
        report_file = stack.enter_context(opened_report(report_path, originals)) if report_path else None
        if report_file and report_path:
            for path in unread:
                append_report(report_file, PhotoReport(str(path), "", "unread"), report_path)
        for report in _finished(jobs, run, workers):
            counts[report.status] += 1
            left_out += [f"{text} of {report.source}" for text in report.left_out]
            if report_file and report_path:
                append_report(report_file, report, report_path)
            if on_report:
                on_report(report)
    left = len(jobs) - sum(counts.values())
    stopped_by = "disk full" if run.disk_full else asked_by(received) if stop.is_set() else ""
    return BatchSummary(
        **counts, left=left, stopped_by=stopped_by, seconds=time.perf_counter() - start, left_out=tuple(left_out)
    )


@dataclass(slots=True)
class _Run:
    """What the threads of one run share."""

    make_one: MakeOne
    settings: BatchSettings
    around: Surroundings
    slots: threading.Semaphore
    stop: threading.Event
    make_hinted: MakeHinted | None = None
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


def _report_on(job: Job, run: _Run) -> PhotoReport:
    """Do one photograph, and write down where it has no result; what goes wrong then is told by those that have one."""
    report = _tried(job, run)
    if run.around.manifest and report.status in ("failed", "unwanted"):
        why = report.error or "; ".join(report.notes)
        with suppress(PhotochromError, OSError):
            run.around.manifest.path.parent.mkdir(parents=True, exist_ok=True)
            run.around.manifest.promise(Outcome(job.key, report.status, " ".join(why.split())[:LONGEST_REASON]))
    return report


def _tried(job: Job, run: _Run) -> PhotoReport:
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
    settings, around, manifest = run.settings.for_job(job), run.around, run.around.manifest
    source_sha256 = source_hash(job.source, settings.limits) if manifest or settings.keep_recipe else ""
    done = manifest and manifest.is_done(job.key, manifest.name_of(job.target), source_sha256, settings.sha256)
    clock.lap("hash")
    if done and not settings.mask_out:  # the manifest knows nothing of a file outside the folder
        return PhotoReport(str(job.source), str(job.target), "skipped", seconds=seconds)
    refuse_existing(job, source_sha256, settings, around)
    finished, size, left_out = list[Finished](), (0, 0), dict[str, None]()
    format = format_of_path(job.target)
    for page in read_pages_for(job.source, format, limits=settings.limits, reading=settings.reading):
        clock.lap("decode")
        if not finished:
            settings.refuse_pages(job, page)
            settings, size = settings.with_sheet(job, page), (page.width, page.height)
        left_out |= dict.fromkeys(page.left_out)
        with run.slots:
            clock.lap("wait")
            finished.append(_made(page, settings, run))
        clock.lap("make")
        del page
    width, height = size
    if all(page.is_skipped for page in finished):
        notes = tuple(dict.fromkeys(note for page in finished for note in page.notes))
        return PhotoReport(str(job.source), str(job.target), "unwanted", notes, seconds, width=width, height=height)
    made = settings.made.of_pages(page.source_type for page in finished)
    with begun(job.target) as aside:
        lost = write_result(aside, job, [page.photo for page in finished], replace(settings, provenance=made))
        clock.lap("encode")
        store_companions(job, [page.companions for page in finished], source_sha256, settings, around)
        store(aside, job, source_sha256, settings, around)
    clock.lap("write")
    notes = tuple(dict.fromkeys([*(note for page in finished for note in page.notes), *settings.told, *lost]))
    return PhotoReport(
        str(job.source), str(job.target), "done", notes, seconds, width=width, height=height, left_out=tuple(left_out)
    )


def _made(page: Photo, settings: BatchSettings, run: _Run) -> Finished:
    if settings.sheet and run.make_hinted:
        return run.make_hinted(page, settings.sheet)
    return run.make_one(page)


def source_hash(path: Path, limits: Limits) -> str:
    """Return the SHA-256 of a photograph.

    Raises:
        PhotoError: it cannot be read, is no regular file, or exceeds the limit on bytes; as ``open_photo`` does.
    """
    with open_source(path, limits.max_file_bytes) as source:
        return source.sha256()


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.last = seconds, time.perf_counter()

    def lap(self, stage: str) -> None:
        """Book the time since the last lap on a stage, of each page anew."""
        now = time.perf_counter()
        self.seconds[stage], self.last = round(self.seconds.get(stage, 0) + now - self.last, 4), now
