"""One photograph of an album in a storage: fetched, coloured or restored as any other, and put where its result goes.

It is staged in a temporary folder and goes through :func:`photochrom.albums.batch.run_batch`, so formats, metadata,
companions, limits and errors are those of every album. Films go to `films`.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from photochrom.albums.album import Job, result_suffix
from photochrom.albums.batch import run_batch
from photochrom.albums.finished import MakeOne
from photochrom.albums.reports import PhotoReport
from photochrom.albums.results import BatchSettings
from photochrom.cluster.errand import Errand
from photochrom.cluster.films import FilmWorker
from photochrom.cluster.folders import Named
from photochrom.cluster.records import Record
from photochrom.cluster.results import Results
from photochrom.cluster.tasks import Outcome, Task
from photochrom.colorizer import Colorizer
from photochrom.computer import room
from photochrom.errors import PhotochromError, PhotoTooLargeError
from photochrom.files.provenance import Provenance
from photochrom.restorer import Restorer
from photochrom.session import Session


class Worker(Session):
    """A session that does photographs of one errand. Safe to share between threads.

    Films are done by one thread at a time.
    """

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self._results = Results(errand.source, errand.target, errand.run, overwrite=errand.writing.overwrite)
        self._stack = ExitStack()
        self._make_one, provenance = self._session()
        keeps_mask = errand.restoring is not None and errand.restoring.keep_mask
        self.settings = BatchSettings(provenance, errand.writing, errand.limits, errand.reading, keep_mask=keeps_mask)
        self._films: FilmWorker | None = None

    def _session(self) -> tuple[MakeOne, Provenance]:
        errand = self.errand
        if errand.color is None:
            restorer = self._stack.enter_context(Restorer(errand.restoring, engine_options=errand.engine))
            return restorer.run, restorer.provenance
        restore = errand.restoring if errand.restoring is not None else False
        colorizer = Colorizer(options=errand.color, engine_options=errand.engine, restore=restore)
        return self._stack.enter_context(colorizer).run, colorizer.provenance

    def close(self) -> None:
        """Release the memory of what was begun."""
        self._stack.close()

    def perform(self, task: Task) -> Outcome:
        """Do what a task says; an error becomes part of the outcome."""
        original = task.original
        if task.kind == "photo":
            return Outcome(original.name, self.do(original))
        return self._told(original, partial(self._film, task))

    def do(self, photo: Named) -> PhotoReport:
        """Do one photograph; an error becomes part of the report, and of its record."""
        outcome = self._told(photo, lambda: Outcome(photo.name, self._do(photo)))
        assert outcome.report is not None
        return outcome.report

    def _film(self, task: Task) -> Outcome:
        if self._films is None:
            self._films = self._stack.enter_context(FilmWorker(self.errand, self._results))
        return self._films.perform(task)

    def _told(self, original: Named, work: Callable[[], Outcome]) -> Outcome:
        try:
            return work()
        except PhotochromError as error:
            report = self._results.failed(original, str(error), type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a defect met by one photograph must not cost the other million
            text = f"{self._results.source_name(original)}: unexpected {type(error).__name__}: {error}"
            report = self._results.failed(original, text, type(error).__name__)
        return Outcome(original.name, report)

    def _do(self, photo: Named) -> PhotoReport:
        results = self._results
        record = results.known(photo)
        if record.is_of(photo, self.settings.sha256):
            if record.has_result(results.target):
                return results.report(photo, "skipped", record.target)
            if record.outcome == "unwanted":
                return results.report(photo, "unwanted", notes=(record.why,))
        begun = results.begun(record, photo, self.settings.sha256)
        if begun is None:
            return results.killed(photo)
        if photo.size > self.errand.limits.max_file_bytes:
            what = f"the file has {photo.size / 1e6:,.0f} MB, over the limit"
            raise PhotoTooLargeError(what, where=photo.name, next_step="Raise --max-file-bytes")
        with tempfile.TemporaryDirectory(prefix="photochrom-", dir=room.temporary_folder()) as folder:
            return self._staged(photo, begun, Path(folder))

    def _staged(self, photo: Named, record: Record, folder: Path) -> PhotoReport:
        results = self._results
        source = folder / "in" / PurePosixPath(photo.name).name
        source.parent.mkdir()
        source.write_bytes(results.source.read(photo.name))
        target = results.name_of(photo.name, result_suffix(source, self.errand.writing.format))
        job = Job(source, folder / "out" / PurePosixPath(target).name, photo.name)
        reports: list[PhotoReport] = []
        run_batch([job], self._make_one, self.settings, workers=1, on_report=reports.append, stop=threading.Event())
        (report,) = reports
        if report.status == "failed":
            text = report.error.replace(str(source), results.source_name(photo))
            return results.failed(photo, text, report.error_kind)
        if report.status == "unwanted":
            replace(record, outcome="unwanted", why="; ".join(report.notes)).put(results.target)
            return results.report(photo, "unwanted", notes=report.notes, seconds=report.seconds)
        parent = PurePosixPath(target).parent
        beside = {(parent / path.name).as_posix(): path for path in sorted(job.target.parent.iterdir())}
        del beside[target]
        results.put(record, target, job.target, beside)
        return replace(report, source=results.source_name(photo), target=f"{results.target.address}/{target}")
