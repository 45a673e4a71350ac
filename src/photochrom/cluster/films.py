"""Films of an album in a storage: each divided into stretches of whole shots, coloured by whoever is free, and joined.

Frames go through :class:`photochrom.film.session.FilmColorizer`, as ``photochrom film`` does it, and so does joining:
it finds a work folder in which nothing is left to do. So the result is the same, to the byte.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from photochrom.cluster.errand import Errand
from photochrom.cluster.film_store import FilmStore
from photochrom.cluster.folders import Named
from photochrom.cluster.records import Record, record_name
from photochrom.cluster.results import Results
from photochrom.cluster.tasks import Outcome, Task
from photochrom.computer import room
from photochrom.computer.hashes import sha256_of_values
from photochrom.errors import OptionError, PhotochromError
from photochrom.film import checks
from photochrom.film.encoding import CONTAINERS
from photochrom.film.job import Job
from photochrom.film.options import FilmOptions
from photochrom.film.segments import WorkFolder
from photochrom.film.session import FilmColorizer
from photochrom.film.states import Record as Segment
from photochrom.film.states import State, Stretch
from photochrom.film.stretches import find_stretches, joined_records
from photochrom.session import Session

OTHERWISE = ".mkv"
"""What a film becomes whose own container is not written: Matroska holds whatever there may be beside the picture."""
NOT_SHARED = ("cuts", "keyframes", "hints", "reference")


def check_film_options(options: FilmOptions) -> None:
    """Raise OptionError for what an album's films cannot have: files for one of them, pictures for a film."""
    for name in NOT_SHARED:
        if getattr(options, name):
            raise OptionError("is for one film", where=f"--film.{name}", next_step="Use photochrom film for that one")
    if options.codec == "frames" or options.keep_masters:
        where = "--film.codec frames" if options.codec == "frames" else "--film.keep-masters"
        raise OptionError("is not for albums", where=where, next_step="Choose --film.codec ffv1 for lossless films")
    if options.overwrite:
        what, next_step = "is said for photographs and films at once", "Use --overwrite"
        raise OptionError(what, where="--film.overwrite", next_step=next_step)
    checks.check_options(options)


class SharedWork(WorkFolder):
    """A work folder whose finished segments are put into a storage at once, so that anybody can go on.

    Args:
        target: the result, as it is staged.
        stretch: what is done here.
        store: of the film.
        part: the stretch's number.
    """

    def __init__(self, target: Path, stretch: Stretch, store: FilmStore, part: int) -> None:
        super().__init__(target, store.plan, stretch)
        self._store, self._part = store, part
        for record in store.fetch(part, self):
            self.count(record)

    def commit(self, record: Segment, state: State, *suffixes: str) -> None:
        """Make a segment count, here and in the storage."""
        super().commit(record, state, *suffixes)
        self._store.put_segment(self._part, self)


@dataclass(frozen=True, slots=True)
class Staged:
    """A film at hand: as it was found, in a folder of its own, looked at."""

    film: Named
    folder: Path
    path: Path
    target: str
    job: Job
    store: FilmStore


class FilmWorker(Session):
    """A session that does films, one thing at a time."""

    def __init__(self, errand: Errand, results: Results) -> None:
        assert errand.films is not None
        assert errand.color is not None
        self._results = results
        self._staged: Staged | None = None
        self._turn = threading.Lock()
        self._folder = TemporaryDirectory(prefix="photochrom-", dir=room.temporary_folder())
        options = errand.films.model_copy(update={"overwrite": True})
        self._colorizer = FilmColorizer(
            options=options, color=errand.color, engine_options=errand.engine, limits=errand.limits
        )
        self.settings_sha256 = sha256_of_values(self._colorizer.settings)

    def close(self) -> None:
        """Release the session's memory, and remove the film that is at hand."""
        self._colorizer.close()
        self._folder.cleanup()

    def perform(self, task: Task) -> Outcome:
        """Plan a film, colour one of its stretches, or join it.

        Raises:
            PhotochromError: it cannot be done.
        """
        work = {"plan": self._plan, "shots": self._color, "join": self._join}[task.kind]
        with self._turn:
            return work(task)

    def _plan(self, task: Task) -> Outcome:
        results, film = self._results, task.original
        known = results.known(film)
        if known.is_of(film, self.settings_sha256) and known.has_result(results.target):
            return Outcome(film.name, results.report(film, "skipped", known.target))
        begun = results.begun(known, film, self.settings_sha256)
        if begun is None:
            return Outcome(film.name, results.killed(film))
        staged = self._at_hand(film)
        results.refuse_existing(begun, staged.target, {})
        stretches = staged.store.stretches()
        if stretches is None:
            stretches = find_stretches(staged.job, restored=self._colorizer.options.restore)
            checks.check_frames(len(stretches), staged.job.info)
            staged.store.put_stretches(stretches)
        replace(begun, tries=0).put(results.target)
        return Outcome(film.name, parts=len(stretches), frames=sum(map(_frames, stretches)))

    def _color(self, task: Task) -> Outcome:
        results, film, part = self._results, task.original, task.part
        staged = self._at_hand(film)
        stretches = self._stretches(staged)
        stretch, frames = stretches[part], _frames(stretches[part])
        if staged.store.frames(part) < frames:
            key = f"{film.name}/shots-{part:05}"
            known = Record.read(results.target, key) or Record(key, "failed")
            if results.begun(known, film, staged.store.sha256) is None:
                return Outcome(film.name, results.killed(film, f" at frames {stretch.first} to {stretch.end}"))
            with TemporaryDirectory(dir=staged.folder) as folder:
                stretch = replace(stretch, greys=staged.store.beginning(part, Path(folder)))
                work = SharedWork(Path(folder) / staged.job.target.name, stretch, staged.store, part)
                self._colorizer.color_stretch(staged.job, work, lambda _: None)
            results.target.remove(record_name(key))
            if work.done != stretch.end:
                raise PhotochromError("decodes to other frames than when it was planned", where=str(staged.path))
        return Outcome(film.name, parts=len(stretches), frames=frames)

    def _join(self, task: Task) -> Outcome:
        results, film = self._results, task.original
        known = results.known(film)
        begun = results.begun(known, film, self.settings_sha256)
        if begun is None:
            return Outcome(film.name, results.killed(film, " while it was joined"))
        staged = self._at_hand(film)
        stretches = self._stretches(staged)
        work = WorkFolder(staged.job.target, staged.store.plan)
        parts: list[list[Segment]] = []
        for part, stretch in enumerate(stretches):
            parts.append(staged.store.fetch(part, work, sum(map(len, parts))))
            if sum(record.frames for record in parts[-1]) != _frames(stretch):
                raise self._lost(staged)
        for record in joined_records(parts):
            work.count(record)
        work.release()
        result = self._colorizer(staged.path, staged.job.target)
        results.put(begun, staged.target, result.path)
        staged.store.remove(len(stretches))
        info, seconds = staged.job.info, {"make": result.seconds}
        told = results.report(
            film, "done", staged.target, notes=result.notes, seconds=seconds, width=info.width, height=info.height
        )
        return Outcome(film.name, told)

    def _stretches(self, staged: Staged) -> list[Stretch]:
        stretches = staged.store.stretches()
        if stretches is None:
            raise self._lost(staged)
        return stretches

    def _lost(self, staged: Staged) -> PhotochromError:
        where = self._results.source_name(staged.film)
        return PhotochromError(
            "a part of what was done is lost or harmed", where=where, next_step="Run the same command again to go on"
        )

    def _at_hand(self, film: Named) -> Staged:
        """Return a film fetched and looked at; the last one is kept."""
        if self._staged is None or self._staged.film != film:
            self._staged = None
            self._folder.cleanup()
            self._folder = TemporaryDirectory(prefix="photochrom-", dir=room.temporary_folder())
            folder = Path(self._folder.name)
            (folder / "out").mkdir()
            suffix = PurePosixPath(film.name).suffix
            target = self._results.name_of(film.name, suffix if suffix.lower() in CONTAINERS else OTHERWISE)
            path = self._results.source.near(film.name, folder)
            job = self._colorizer.look_at(path, folder / "out" / PurePosixPath(target).name)
            store = FilmStore(self._results.target, film.name, self._colorizer.plan(job))
            self._staged = Staged(film, folder, path, target, job, store)
        return self._staged


def _frames(stretch: Stretch) -> int:
    assert stretch.end is not None
    return stretch.end - stretch.first
