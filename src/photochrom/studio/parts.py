"""What the handlers of one server share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from photochrom.options import EngineOptions, Limits
from photochrom.studio.changes import Changes
from photochrom.studio.jobs import Jobs
from photochrom.studio.options import ServerOptions
from photochrom.studio.sessions import Sessions
from photochrom.studio.store import Store
from photochrom.studio.uploads import Uploads
from photochrom.studio.workers import Workers


@dataclass(frozen=True, slots=True)
class Parts:
    """One server's folder, models, threads, jobs and uploads."""

    options: ServerOptions
    limits: Limits
    store: Store
    sessions: Sessions
    workers: Workers
    changes: Changes
    jobs: Jobs
    uploads: Uploads

    @classmethod
    def of(
        cls,
        options: ServerOptions,
        limits: Limits | None = None,
        engine: EngineOptions | None = None,
        models: dict[str, Path] | None = None,
    ) -> Self:
        """Return them, jobs of an earlier server of the same store included.

        Args:
            options: of the server.
            limits: what a file may ask of this computer.
            engine: threads and device of the nets.
            models: further model files, by the name that callers use.

        Raises:
            OptionError, OutputError: the store cannot be used.
        """
        limits, changes, keep_s = limits or Limits(), Changes(), options.keep_hours * 3600
        store = Store(options.store, options.max_store_bytes)
        sessions, workers = Sessions(engine, models), Workers(options.workers)
        jobs = Jobs(
            store,
            sessions,
            workers,
            changes,
            limits=limits,
            max_jobs=options.max_jobs,
            max_seconds=options.max_seconds,
            keep_s=keep_s,
        )
        uploads = Uploads(store, limits.max_file_bytes, keep_s)
        return cls(options, limits, store, sessions, workers, changes, jobs, uploads)

    def make_room(self, count: int) -> None:
        """Remove what nobody has asked for in long, and finished jobs as far as so many bytes need their room."""
        self.uploads.remove_old()
        self.jobs.make_room(count)

    def close(self) -> None:
        """End work, and let go of everything."""
        self.changes.close()
        self.jobs.close()
        self.workers.close()
        self.sessions.close()
        self.store.close()
