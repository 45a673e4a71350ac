"""Jobs: what somebody wants made of one photograph, from the moment it is taken on until it is fetched.

Each lies in a folder of its own with a record in JSON, written whole before anything else happens. A server that is
killed finds its jobs again: those that were done can be fetched, those that were not begin anew, in the old order.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from photochrom.errors import OutputError, PhotochromError
from photochrom.files.codecs.atomic import write_whole
from photochrom.options import Limits
from photochrom.studio.changes import Changes
from photochrom.studio.develop import Order, develop
from photochrom.studio.problems import HttpError
from photochrom.studio.requests import Task, checked_request
from photochrom.studio.sessions import Sessions
from photochrom.studio.stopping import Stop
from photochrom.studio.store import Store
from photochrom.studio.workers import USUAL, Workers

State = Literal["queued", "running", "done", "unwanted", "failed", "cancelled"]
ENDED: frozenset[State] = frozenset({"done", "unwanted", "failed", "cancelled"})
RECORD_NAME, RESULTS = "job.json", "results"


@dataclass(frozen=True, slots=True)
class Job:
    """One job, as its record holds it.

    Attributes:
        id: made here.
        task: "colorize" or "restore".
        name: the photograph's, for people.
        file: the photograph's, in the job's folder.
        options: as they were asked for.
        state: where it stands.
        created: seconds since 1970.
        ended: likewise; 0 while it has not.
        mask: file of a hand-drawn mask, or "".
        references: files of colour photographs.
        notes: what was decided.
        error: the command line's sentence.
        error_kind: the error's class.
        width: of the photograph, once read.
        height: likewise.
        files: what was made: name in the folder of results, and for people, by label.
    """

    id: str
    task: Task
    name: str
    file: str
    options: dict[str, Any]
    state: State = "queued"
    created: float = field(default_factory=time.time)
    ended: float = 0.0
    mask: str = ""
    references: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    error_kind: str = ""
    width: int = 0
    height: int = 0
    files: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Job | None:
        """Return the job of a folder; None where it has no whole record: it was never taken on."""
        try:
            values = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
            values["files"] = {label: tuple(pair) for label, pair in values["files"].items()}
            values |= {name: tuple(values[name]) for name in ("references", "notes")}
            return cls(**values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


class Jobs:
    """All jobs of a server. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        workers: Workers,
        changes: Changes,
        *,
        limits: Limits,
        max_jobs: int = 100,
        max_seconds: float = 3600.0,
        keep_s: float = 86_400.0,
    ) -> None:
        self._store, self._sessions, self._workers, self._changes = store, sessions, workers, changes
        self._limits, self._max_jobs, self._max_seconds, self._keep_s = limits, max_jobs, max_seconds, keep_s
        self._jobs: dict[str, Job] = {}
        self._stops: dict[str, Stop] = {}
        self._awaited: set[str] = set()
        self._lock = threading.RLock()
        self._come_back()

    def refuse_if_full(self) -> None:
        """Raise HttpError 429 while as many jobs wait as are taken on."""
        if len(self._stops) >= self._max_jobs:
            raise HttpError(
                429,
                f"{self._max_jobs} jobs are waiting already",
                next_step="Come back later",
                headers={"Retry-After": "10"},
            )

    def take_on(self, job: Job, *, is_awaited: bool = False) -> Job:
        """Write a job's record, its files being in its folder, and let it wait for its turn.

        One that is awaited by who fetches its result at once does not make room for others meanwhile.
        """
        with self._lock:
            self.refuse_if_full()
            self._keep(job)
            self._wait(job)
            if is_awaited:
                self._awaited.add(job.id)
        return job

    def all(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def find(self, identity: str) -> Job:
        """Return a job; raise HttpError 404 where there is none."""
        with self._lock:
            job = self._jobs.get(identity)
        if job is None:
            raise HttpError(404, "there is no such job", next_step="See /v1/jobs")
        return job

    def file_of(self, job: Job, label: str) -> tuple[Path, str]:
        """Return a made file and its name for people; raise HttpError 404 where there is none."""
        if label not in job.files:
            made = f"It has {', '.join(job.files)}" if job.files else f"It is {job.state}"
            raise HttpError(404, "there is no such file of this job", where=label[:60], next_step=made)
        stored, name = job.files[label]
        return self.folder_of(job) / RESULTS / stored, name

    def folder_of(self, job: Job) -> Path:
        """Return the folder of a job."""
        return self._store.folder / "jobs" / job.id

    def cancel(self, identity: str) -> Job:
        """End a job before its time; one that has ended stays as it is."""
        with self._lock:
            job = self.find(identity)
            if job.id in self._stops:
                self._stops[job.id].ask()
                if job.state == "queued":
                    job = self._end(job, state="cancelled")
        return job

    def remove(self, identity: str) -> None:
        """End a job, and remove what it has on disk; while it is under way, that waits for its end."""
        with self._lock:
            job = self.cancel(identity)
            del self._jobs[identity]
            self._awaited.discard(identity)
            if job.state in ENDED:
                self._store.remove(self.folder_of(job))
        self._changes.tell(identity)

    def make_room(self, count: int = 0) -> None:
        """Remove jobs that ended long ago, and the oldest ones while bytes to come, or a tenth, do not fit."""
        wanted = max(count if count <= self._store.max_bytes else 0, self._store.max_bytes // 10)
        with self._lock:
            ended = [job for job in self._jobs.values() if job.state in ENDED]
            for job in sorted(ended, key=lambda job: job.ended):
                is_in_the_way = job.id not in self._awaited and self._store.free_bytes < wanted
                if is_in_the_way or time.time() - job.ended > self._keep_s:
                    self.remove(job.id)

    def close(self) -> None:
        """Ask all work to end; what has not is begun anew by the next server of this store."""
        with self._lock:
            self._closing = True
            for stop in self._stops.values():
                stop.ask()

    _closing = False

    def _come_back(self) -> None:
        for folder in self._store.all("jobs"):
            job = Job.read(folder)
            if job is None:
                self._store.remove(folder)
                continue
            self._jobs[job.id] = job
            if job.state not in ENDED:
                self._wait(self._keep(replace(job, state="queued")))

    def _wait(self, job: Job) -> None:
        self._stops[job.id] = Stop(self._max_seconds)
        self._workers.submit(lambda: self._do(job.id), USUAL)

    def _keep(self, job: Job) -> Job:
        write_whole(self.folder_of(job) / RECORD_NAME, json.dumps(asdict(job)).encode())
        self._jobs[job.id] = job
        self._changes.tell(job.id)
        return job

    def _end(self, job: Job, **values: Any) -> Job:
        self._stops.pop(job.id, None)
        ended = replace(job, ended=time.time(), **values)
        if job.id not in self._jobs:  # removed meanwhile
            self._store.remove(self.folder_of(job))
            return ended
        return self._keep(ended)

    def _do(self, identity: str) -> None:
        """Do one job; called by a worker, and raises nothing."""
        with self._lock:
            job, stop = self._jobs.get(identity), self._stops.get(identity)
            if job is None or stop is None or self._closing:
                return
            if stop.asked:
                self._end(job, state="cancelled")
                return
            job = self._keep(replace(job, state="running"))
        try:
            outcome = self._developed(job, stop)
        except PhotochromError as error:
            outcome = {"state": "failed", "error": str(error), "error_kind": type(error).__name__}
        except Exception as error:  # noqa: BLE001 - a defect met by one job must not end the thread that does all
            outcome = {"state": "failed", "error": f"{job.name}: unexpected {error!r}", "error_kind": "Unexpected"}
        with self._lock:
            if self._closing and outcome["state"] != "done":
                return
            if stop.asked:
                outcome = {"state": "cancelled"}
            self._end(job, **outcome)

    def _developed(self, job: Job, stop: Stop) -> dict[str, Any]:
        folder = self.folder_of(job)
        asked = checked_request(job.task, job.options)
        mask = folder / job.mask if job.mask else None
        references = tuple(folder / name for name in job.references)
        stop.check()
        shutil.rmtree(folder / RESULTS, ignore_errors=True)  # of a server that was killed before it had the record
        order = Order(job.task, folder / job.file, job.name, folder / RESULTS, asked, mask, references)
        made = develop(order, self._sessions, self._limits, stop)
        report = made.report
        if report.status == "failed" and not stop.is_late:
            return {"state": "failed", "error": made.error, "error_kind": report.error_kind}
        stop.check()
        files = {label: (file.path.name, file.name) for label, file in made.files.items()}
        if not self._store.settle(folder):
            self._make_room_for(folder)
        state: State = "done" if report.status == "done" else "unwanted"
        size = {"width": report.width, "height": report.height}
        return {"state": state, "notes": report.notes, "files": files, **size}

    def _make_room_for(self, folder: Path) -> None:
        """Remove finished jobs for what a job has made; where that is not enough, remove that, and say so."""
        self.make_room()
        if self._store.free_bytes < 0:
            shutil.rmtree(folder / RESULTS, ignore_errors=True)
            self._store.settle(folder)
            raise OutputError("the server's store is full", next_step="Come back later")
