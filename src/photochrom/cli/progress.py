"""What a person sees while photographs are worked on: a line for each, and a bar where there are many."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from photochrom.albums.reports import BatchSummary, PhotoReport
from photochrom.cli.lines import print_error, say, visible
from photochrom.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_SOME_FAILED, EXIT_TERMINATED

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Report = Callable[[PhotoReport], None]
MOST_NAMED = 8


class Shown:
    """What a person sees: called with each report; on a terminal, with a bar for all and one for each film."""

    def __init__(self, total: int | None, *, quiet: bool, bars: Progress | None = None) -> None:
        self._quiet, self._bars = quiet, bars
        self._all = bars.add_task("", total=total) if bars else None
        self._films: dict[str, TaskID] = {}

    def __call__(self, report: PhotoReport) -> None:
        """Show a report; failures go to stderr, also when quiet."""
        _print_report(report, quiet=self._quiet)
        if self._bars and self._all is not None:
            self._bars.advance(self._all)

    def frames(self, film: str, done: int, total: int) -> None:
        """Show how many of a film's frames are finished."""
        if self._bars is None:
            return
        if film not in self._films:
            self._films[film] = self._bars.add_task(visible(film), total=total)
        self._bars.update(self._films[film], completed=done)
        if done >= total:
            self._bars.remove_task(self._films.pop(film))


@contextmanager
def shown_progress(total: int | None, *, quiet: bool) -> Iterator[Shown]:
    """Yield what shows each report. ``total``: None if unknown."""
    if quiet or (total is not None and total < 2) or sys.stderr is None or not sys.stderr.isatty():
        yield Shown(total, quiet=quiet)
        return
    from rich.console import Console  # a third of the start-up, and only needed here
    from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), redirect_stdout=True, redirect_stderr=True) as bars:
        yield Shown(total, quiet=quiet, bars=bars)


def _print_report(report: PhotoReport, *, quiet: bool) -> None:
    if report.status == "failed":
        print_error(f"{' '.join(report.error.split())}")
    elif not quiet:
        done = " (done before)" if report.status == "skipped" else ""
        notes = f"  ({'; '.join(report.notes)})" if report.notes else ""
        became = " skipped" if report.status == "unwanted" else f" -> {report.target}{done}"
        say(f"{report.source}{became}{notes}")


def print_summary(summary: BatchSummary, *, quiet: bool, done: str) -> None:
    """Print the last line of a run of several photographs; what is left to do goes to stderr."""
    if not quiet:
        unwanted = f"{summary.unwanted} skipped, " if summary.unwanted else ""
        left = "" if summary.left is None else f", {summary.left} left"
        say(
            f"{summary.done} {done}, {summary.skipped} done before, {unwanted}{summary.failed} failed"
            f"{left}; {summary.seconds:.1f} s, {summary.photos_per_second:.1f} per second"
        )
    if summary.next_step:
        print_error(f"stopped by {summary.stopped_by}. {summary.next_step}.")


def exit_code(summary: BatchSummary, failures: int = 0) -> int:
    """Return the exit code of a run of several photographs, ``failures`` of which were found before it."""
    stopped = {"interrupt": EXIT_INTERRUPTED, "termination": EXIT_TERMINATED}.get(summary.stopped_by)
    return stopped or (EXIT_SOME_FAILED if summary.failed or summary.left or failures else EXIT_OK)


def print_left_out(left_out: Sequence[str], *, quiet: bool) -> None:
    """Say in one line what no result shows."""
    if left_out and not quiet:
        more = f"; and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
        say(f"left out: {'; '.join(left_out[:MOST_NAMED])}{more}")


def print_bytes(done: int, total: int) -> None:
    """Show how far a download is, on a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done / 1e6:7.1f} of {total / 1e6:.1f} MB", end=end, file=sys.stderr, flush=True)
