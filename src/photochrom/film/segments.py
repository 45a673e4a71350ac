"""Work in progress, on disk: finished segments and the state after each, so that a run that was killed goes on.

Beside the result lies a hidden folder while work goes on. A segment counts once its record is there, and that is
written last; whatever lacks one is made again. The folder belongs to one film, one set of options, one model: for
others it begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from photochrom.computer import systems
from photochrom.computer.systems import flush_to_disk, is_running, put_in_place
from photochrom.errors import OutputError
from photochrom.files.codecs.atomic import output_error, write_whole
from photochrom.film.states import Record, State, Stretch

SEGMENT_FRAMES = 240
PREFIX = ".photochrom-film-"
# The least that must be free at any time, in bytes.
SPARE_BYTES = 50_000_000


class WorkFolder:
    """The hidden folder beside a result.

    Args:
        target: the result.
        plan: what shapes the result; a folder with another plan is emptied.
        stretch: the part of the film that is done here.
    """

    def __init__(self, target: Path, plan: Mapping[str, object], stretch: Stretch | None = None) -> None:
        self.path = target.with_name(f"{PREFIX}{target.name}")
        self.stretch = stretch or Stretch()
        text = json.dumps(plan, sort_keys=True, indent=1, default=str).encode()
        self.restarted = False
        try:
            if self.path.exists() and not self._has_plan(text):
                shutil.rmtree(self.path)
                self.restarted = True
            self.path.mkdir(exist_ok=True)
            self._lock()
            write_whole(self.path / "plan.json", text)
        except OSError as error:
            raise error if isinstance(error, OutputError) else output_error(error, target) from error
        self.records = list(self._finished())

    def _has_plan(self, text: bytes) -> bool:
        with contextlib.suppress(OSError):
            return (self.path / "plan.json").read_bytes() == text
        return False

    def _lock(self) -> None:
        """Refuse a folder that another running process works in."""
        lock = self.path / "process"
        if (number := _running(lock)) is not None:
            raise OutputError(
                f"process {number} is working on this film", where=str(self.path), next_step="Wait for it, or end it"
            )
        lock.write_text(str(os.getpid()), encoding="ascii")

    def _finished(self) -> Iterator[Record]:
        """Yield the finished segments, in order, up to the first that is not whole."""
        number = 0
        while (record := self._record(number)) is not None:
            yield record
            number += 1

    def _record(self, number: int) -> Record | None:
        try:
            return Record.of(json.loads(self.segment(number, ".json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    @property
    def state(self) -> State:
        """What the last finished segment left."""
        if not self.records:
            return State(self.stretch.greys)
        return State.from_file(self.segment(len(self.records) - 1, ".npz"))

    @property
    def done(self) -> int:
        """How many frames of the film are finished, or lie before what is done here."""
        return self.stretch.first + sum(record.frames for record in self.records)

    @property
    def last(self) -> Record | Stretch | None:
        """What tells the last frame before those that are left to do; None at the film's beginning."""
        if self.records:
            return self.records[-1]
        return self.stretch if self.stretch.first else None

    @property
    def span_pts(self) -> tuple[int, int]:
        """Time stamps of the first and the last frame that are finished."""
        return self.records[0].first_pts, self.records[-1].last_pts

    def segment(self, number: int, suffix: str) -> Path:
        """Return where a segment lies."""
        return self.path / f"{number:05}{suffix}"

    def unfinished(self, suffix: str) -> Path:
        """Return where the next segment is written before it counts; what is there is removed."""
        path = self.path / f"unfinished{suffix}"
        path.unlink(missing_ok=True)
        return path

    def commit(self, record: Record, state: State, *suffixes: str) -> None:
        """Make what was written to ``unfinished`` a finished segment, whole or not at all.

        Raises:
            OutputError: the disk is full, or cannot be written.
        """
        number = len(self.records)
        try:
            for suffix in suffixes:
                unfinished = self.path / f"unfinished{suffix}"
                with unfinished.open("rb+") as handle:
                    flush_to_disk(handle.fileno())
                put_in_place(unfinished, self.segment(number, suffix))
            write_whole(self.segment(number, ".npz"), state.to_bytes())
        except OSError as error:
            raise disk_error(error, self.path) from error
        self.count(record)

    def count(self, record: Record) -> None:
        """Make the next segment count, whose files are in place."""
        try:
            write_whole(self.segment(len(self.records), ".json"), json.dumps(asdict(record)).encode())
        except OSError as error:
            raise disk_error(error, self.path) from error
        self.records.append(record)

    @property
    def left_unfinished(self) -> bool:
        """Whether an interrupted run has left a joined film of what was finished, beside the result."""
        return (self.path / "left").exists()

    @left_unfinished.setter
    def left_unfinished(self, _: bool) -> None:
        (self.path / "left").touch()

    def release(self) -> None:
        """Let another process work here."""
        (self.path / "process").unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder; the result is in place."""
        shutil.rmtree(self.path)


def _running(lock: Path) -> int | None:
    """Return the number of another process that has locked a folder and still runs, or None."""
    if systems.SYSTEM == "win32":  # whether it runs cannot be asked there
        return None
    try:
        number = int(lock.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return number if number != os.getpid() and is_running(number) else None


def disk_error(error: OSError, path: Path) -> OutputError:
    """Return the error for a failed write: what is finished stays, and a later run goes on."""
    if isinstance(error, OutputError):
        return error
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OutputError(
            "the disk is full; finished segments are kept",
            where=str(path),
            next_step="Free some space and run it again",
        )
    return output_error(error, path)


def require_room(folder: Path, needed: int) -> None:
    """Return if a disk has room; raise OutputError where it has not."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise OutputError(
            f"about {needed / 1e9:.1f} GB will be needed, and {free / 1e9:.1f} GB are free",
            where=str(folder),
            next_step="Free some space, write to another disk, or choose a smaller --codec",
        )


def luma_hash(luma: np.ndarray[Any, Any]) -> str:
    """Return the SHA-256 of a frame's luma codes."""
    return hashlib.sha256(np.ascontiguousarray(luma).tobytes()).hexdigest()
