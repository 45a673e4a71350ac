"""What a person sees while photographs are worked on: a line for each, and a bar where there are many."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from photochrom.albums.reports import BatchSummary, PhotoReport
from photochrom.cli.lines import print_error, say
from photochrom.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_SOME_FAILED, EXIT_TERMINATED

Report = Callable[[PhotoReport], None]
MOST_NAMED = 8


@contextmanager
def shown_progress(total: int | None, *, quiet: bool) -> Iterator[Report]:
    """Yield a callback that shows each report; failures go to stderr, also when quiet. ``total``: None if unknown."""
    if quiet or (total is not None and total < 2) or sys.stderr is None or not sys.stderr.isatty():
        yield lambda report: _print_report(report, quiet=quiet)
        return
    from rich.console import Console  # a third of the start-up, and only needed here
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=True, redirect_stderr=True) as progress:
        task = progress.add_task("", total=total)

        def show(report: PhotoReport) -> None:
            _print_report(report, quiet=quiet)
            progress.advance(task)

        yield show


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
