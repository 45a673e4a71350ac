"""An album in a storage, done by this computer: some photographs fetched and put while another is in the net."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from photochrom.albums.reports import BatchSummary, PhotoReport
from photochrom.albums.stopping import asked_by, interrupt_stops
from photochrom.cluster.errand import Errand
from photochrom.cluster.folders import Named
from photochrom.cluster.tasks import OnFrames, Outcome, Task, reports_of, tell_nobody
from photochrom.cluster.worker import Worker

OnReport = Callable[[PhotoReport], None]


def run_here(
    errand: Errand,
    originals: Iterable[Named],
    *,
    workers: int,
    on_report: OnReport,
    on_frames: OnFrames = tell_nobody,
    stop: threading.Event | None = None,
) -> BatchSummary:
    """Do the photographs, ``workers`` at a time, then films, and return what became of them.

    A stop ends the handing out; what has begun is finished. A later run goes on.

    Raises:
        PhotochromError: a model, a folder or the listing fails; what fails by itself is reported instead.
    """
    stop = stop or threading.Event()
    with Worker(errand) as worker:
        perform = partial(_outcomes, worker, workers, stop)
        return summed(reports_of(originals, perform, stop, on_frames), on_report, stop)


def summed(reports: Iterable[PhotoReport], on_report: OnReport, stop: threading.Event) -> BatchSummary:
    """Return the summary of reports, each shown as it comes; the first Ctrl-C or SIGTERM sets ``stop``."""
    start, counts, left_out = time.perf_counter(), Counter[str](), list[str]()
    with interrupt_stops(stop) as received:
        for report in reports:
            counts[report.status] += 1
            left_out += [f"{text} of {report.source}" for text in report.left_out]
            on_report(report)
    return BatchSummary(
        done=counts["done"],
        skipped=counts["skipped"],
        failed=counts["failed"],
        unwanted=counts["unwanted"],
        left=None,
        stopped_by=asked_by(received) if stop.is_set() else "",
        seconds=time.perf_counter() - start,
        left_out=tuple(left_out),
    )


def _outcomes(worker: Worker, workers: int, stop: threading.Event, tasks: Iterable[Task]) -> Iterator[Outcome]:
    waiting = iter(tasks)
    running: set[Future[Outcome]] = set()
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="photochrom") as pool:
        while True:
            while len(running) < workers and not stop.is_set() and (task := next(waiting, None)):
                running.add(pool.submit(worker.perform, task))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
