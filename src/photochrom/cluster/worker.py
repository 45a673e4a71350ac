"""One photograph of an album in a storage: fetched, coloured or restored as any other, and put where its result goes.

It is staged in a temporary folder and goes through :func:`photochrom.albums.batch.run_batch`, so formats, metadata,
companions, limits and errors are those of every album.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

from photochrom.albums.album import Job, result_suffix
from photochrom.albums.batch import run_batch
from photochrom.albums.finished import MakeOne
from photochrom.albums.parts import Shard
from photochrom.albums.reports import PhotoReport
from photochrom.albums.results import BatchSettings
from photochrom.cluster.folders import Named, open_folder
from photochrom.cluster.records import MOST_TRIES, Record
from photochrom.colorizer import Colorizer
from photochrom.computer import room
from photochrom.errors import OutputError, PhotochromError, PhotoTooLargeError
from photochrom.files.codecs.formats import READABLE_SUFFIXES
from photochrom.files.provenance import Provenance
from photochrom.options import ColorizeOptions, EngineOptions, Limits, OutputOptions, ReadingOptions, RestoreOptions
from photochrom.restorer import Restorer

BEGUN = ".photochrom/begun.json"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a run is to do, in words that can be sent to any machine.

    Attributes:
        source: address of the folder of photographs.
        target: address of the folder of results.
        run: a name of its own, by which tries are counted.
        color: how to colour; None to restore only.
        restoring: how to restore; None to colour only.
        reading: how to read.
        writing: how to write.
        engine: what runs the nets.
        limits: what one photograph may cost.
    """

    source: str
    target: str
    run: str
    color: ColorizeOptions | None = field(default_factory=ColorizeOptions)
    restoring: RestoreOptions | None = None
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    writing: OutputOptions = field(default_factory=OutputOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    limits: Limits = field(default_factory=Limits)


def photographs(errand: Errand, shard: Shard | None = None) -> Iterator[Named]:
    """Yield the photographs of the errand's folder, by their names alone; a subfolder's names are held at a time.

    Raises:
        PhotochromError: the folder cannot be listed.
    """
    source, target = open_folder(errand.source), open_folder(errand.target)
    results = f"{target.address}/".removeprefix(f"{source.address}/")  # of an album that holds its results
    for found in source.listed():
        suffix = PurePosixPath(found.name).suffix.lower()
        if found.name.startswith(results):
            continue
        if suffix in READABLE_SUFFIXES and (shard is None or shard.holds(found.name)):
            yield found


def check_storage(errand: Errand) -> None:
    """Return when results can be written: an object is put, so that a bucket that only lists is told at once.

    Raises:
        PhotochromError: credentials, bucket or network are not as they should be.
    """
    target = open_folder(errand.target)
    if target.address == open_folder(errand.source).address:
        raise OutputError("is the folder of the photographs", where=errand.target, next_step="Choose another folder")
    target.put(BEGUN, f'{{"run": "{errand.run}"}}\n'.encode())


class Worker:
    """A session that does photographs of one errand. Safe to share between threads; a context manager."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self._source, self._target = open_folder(errand.source), open_folder(errand.target)
        self._stack = ExitStack()
        self._make_one, provenance = self._session()
        self.settings = BatchSettings(provenance, errand.writing, errand.limits, errand.reading)

    def _session(self) -> tuple[MakeOne, Provenance]:
        errand = self.errand
        if errand.color is None:
            restorer = self._stack.enter_context(Restorer(errand.restoring, engine_options=errand.engine))
            return restorer.run, restorer.provenance
        restore = errand.restoring if errand.restoring is not None else False
        colorizer = Colorizer(options=errand.color, engine_options=errand.engine, restore=restore)
        return self._stack.enter_context(colorizer).run, colorizer.provenance

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def do(self, photo: Named) -> PhotoReport:
        """Do one photograph; an error becomes part of the report, and of its record."""
        try:
            return self._do(photo)
        except PhotochromError as error:
            return self._failed(photo, str(error), type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a defect met by one photograph must not cost the other million
            text = f"{self._source_name(photo)}: unexpected {type(error).__name__}: {error}"
            return self._failed(photo, text, type(error).__name__)

    def _do(self, photo: Named) -> PhotoReport:
        record = Record.read(self._target, photo.name) or Record(photo.name, "failed")
        if record.is_of(photo, self.settings.sha256):
            if record.has_result(self._target):
                return self._report(photo, "skipped", record.target)
            if record.outcome == "unwanted":
                return self._report(photo, "unwanted", notes=(record.why,))
        same_run = record.outcome == "begun" and record.run == self.errand.run
        if same_run and record.tries >= MOST_TRIES:
            text = f"{self._source_name(photo)}: its worker was killed {MOST_TRIES} times. Colour it alone to see why"
            return self._failed(photo, text, "WorkerKilled")
        record = replace(
            record,
            outcome="begun",
            run=self.errand.run,
            tries=record.tries + 1 if same_run else 1,
            source_bytes=photo.size,
            source_changed_ns=photo.changed_ns,
            settings_sha256=self.settings.sha256,
            version=self.settings.provenance.version,
        )
        record.put(self._target)
        if photo.size > self.errand.limits.max_file_bytes:
            what = f"the file has {photo.size / 1e6:,.0f} MB, over the limit"
            raise PhotoTooLargeError(what, where=photo.name, next_step="Raise --max-file-bytes")
        with tempfile.TemporaryDirectory(prefix="photochrom-", dir=room.temporary_folder()) as folder:
            return self._staged(photo, record, Path(folder))

    def _staged(self, photo: Named, record: Record, folder: Path) -> PhotoReport:
        name = PurePosixPath(photo.name).name
        source = folder / "in" / name
        source.parent.mkdir()
        source.write_bytes(self._source.read(photo.name))
        target = self._result_name(photo.name, result_suffix(source, self.errand.writing.format))
        job = Job(source, folder / "out" / PurePosixPath(target).name, photo.name)
        reports: list[PhotoReport] = []
        run_batch([job], self._make_one, self.settings, workers=1, on_report=reports.append, stop=threading.Event())
        (report,) = reports
        if report.status == "failed":
            text = report.error.replace(str(source), self._source_name(photo))
            return self._failed(photo, text, report.error_kind)
        if report.status == "unwanted":
            replace(record, outcome="unwanted", why="; ".join(report.notes)).put(self._target)
            return self._report(photo, "unwanted", notes=report.notes, seconds=report.seconds)
        self._put(record, target, job.target)
        return replace(report, source=self._source_name(photo), target=f"{self._target.address}/{target}")

    def _put(self, record: Record, target: str, staged: Path) -> None:
        """Promise a result, and put it; what lies beside it first."""
        data = staged.read_bytes()
        parent = PurePosixPath(target).parent
        beside = {(parent / path.name).as_posix(): path for path in sorted(staged.parent.iterdir()) if path != staged}
        self._refuse_existing(record, target, beside)
        former = record.target_sha256 if record.target == target else ""
        replace(
            record,
            outcome="done",
            target=target,
            target_sha256=hashlib.sha256(data).hexdigest(),
            target_bytes=len(data),
            former_sha256=former,
            companions="\n".join(beside),
        ).put(self._target)
        for name, path in beside.items():
            self._target.put(name, path.read_bytes())
        self._target.put(target, data)

    def _refuse_existing(self, record: Record, target: str, beside: dict[str, Path]) -> None:
        if self.errand.writing.overwrite:
            return
        known = Record.read(self._target, record.key) or record  # another worker may have done it meanwhile
        ours = known.companions.split("\n")
        foreign = [name for name in beside if name not in ours and self._target.found(name)]
        if self._target.found(target) and not (known.target == target and known.made(self._target.read(target))):
            foreign.append(target)
        if foreign:
            where = f"{self._target.address}/{foreign[0]}"
            raise OutputError("exists already", where=where, next_step="Use --overwrite to replace it")

    def _result_name(self, key: str, suffix: str) -> str:
        """Return the key where its suffix stays; else with the new one added, kept apart from other photographs'."""
        if PurePosixPath(key).suffix == suffix:
            return key
        number, name = 1, key + suffix
        while self._source.found(name):
            number += 1
            name = f"{key}-{number}{suffix}"
        return name

    def _failed(self, photo: Named, text: str, kind: str) -> PhotoReport:
        """Report a failure, and write it down where the storage lets us."""
        line = " ".join(text.split())
        try:
            known = Record.read(self._target, photo.name) or Record(photo.name, "failed")
            replace(known, outcome="failed", why=line[:1000]).put(self._target)
        except PhotochromError:
            pass  # the report says what is wrong
        return self._report(photo, "failed", error=line, error_kind=kind)

    def _source_name(self, photo: Named) -> str:
        return f"{self._source.address}/{photo.name}"

    def _report(self, photo: Named, status: Any, target: str = "", **more: Any) -> PhotoReport:
        place = f"{self._target.address}/{target}" if target else ""
        return PhotoReport(self._source_name(photo), place, status, **more)
