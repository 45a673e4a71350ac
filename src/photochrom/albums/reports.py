"""Reports: what became of each photograph of a run, and of the run."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Literal

from photochrom.errors import OutputError
from photochrom.files.codecs.atomic import output_error
from photochrom.files.originals import Originals

LONGEST_FIRST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What became of one photograph.

    Attributes:
        source: the photograph.
        target: its result.
        status: "done", "skipped" (done before, by the same settings, both files unchanged), "unwanted" (the options
            leave it out, as ``notes`` say), "failed", or "unread": a picture of a kind that is not read.
        notes: what was decided on the way.
        seconds: by stage: "hash", "decode", "wait" (for others to be made), "make", "encode", "write".
        error: one line, for a failed one.
        error_kind: the error's class.
        width: in pixels, 0 where it was not read.
        height: in pixels.
        left_out: pictures in the file that the result does not show, in words: "3 other pages".
    """

    source: str
    target: str
    status: Literal["done", "skipped", "unwanted", "failed", "unread"]
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""
    error_kind: str = ""
    width: int = 0
    height: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """The end of a run.

    Attributes:
        done: photographs finished.
        skipped: photographs that needed nothing.
        failed: photographs with an error.
        left: photographs not begun, because the run was stopped; None where nobody counts them.
        stopped_by: "" for a complete run, "interrupt", "termination" (SIGTERM) or "disk full".
        seconds: wall time.
        unwanted: photographs that the options leave out: those in colour already, for instance.
        left_out: pictures inside the photographs' files that no result shows, in words.
    """

    done: int
    skipped: int
    failed: int
    left: int | None
    stopped_by: str
    seconds: float
    left_out: tuple[str, ...] = ()
    unwanted: int = 0

    @property
    def photos_per_second(self) -> float:
        """Finished photographs by wall time."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def next_step(self) -> str:
        """What to do where something is left; empty for a complete run."""
        if self.stopped_by == "disk full":
            return f"The disk is full. Free some space and run the same command again: {self.left} are left"
        if self.left is None:
            return "Run the same command again to go on" if self.stopped_by else ""
        return f"Run the same command again to go on: {self.left} are left" if self.left else ""


def opened_report(path: Path, originals: Originals) -> IO[str]:
    """Return a file for reports, one line of JSON each; an earlier report that it held is gone.

    Raises:
        OutputError: it cannot be written, or is an original or anything else that is no report.
    """
    originals.refuse(path)
    # Not truncated on opening, for it may prove to be something else; a pipe without a reader is not waited for.
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        handle = os.fdopen(os.open(path, flags, 0o666), "w", encoding="utf-8")
        if stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
            _empty_report(handle, path)
        elif hasattr(os, "set_blocking"):
            os.set_blocking(handle.fileno(), True)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(error, path) from error
    return handle


def _empty_report(handle: IO[str], path: Path) -> None:
    """Empty the file if it is an earlier report, or empty already."""
    with path.open("rb") as before:
        same = os.path.sameopenfile(before.fileno(), handle.fileno())
        line = before.readline(LONGEST_FIRST_LINE)
    try:
        known = json.loads(line) if line else {}
    except (ValueError, RecursionError):
        known = None
    is_report = isinstance(known, dict) and (not line or {"source", "target", "status"} <= known.keys())
    if not same or not is_report:
        handle.close()
        raise OutputError("exists already, and is no report", where=str(path), next_step="Choose another name")
    handle.truncate(0)


def append_report(handle: IO[str], report: PhotoReport, path: Path) -> None:
    """Write one report so that it is on disk whatever comes; ``path`` is for the error's words."""
    try:
        handle.write(json.dumps(asdict(report)) + "\n")
        handle.flush()
    except OSError as error:
        raise output_error(error, path) from error
