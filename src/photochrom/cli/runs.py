"""Working through a plan of photographs, for every verb that writes pictures: progress, summary, exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from photochrom.albums.batch import run_batch
from photochrom.albums.finished import MakeHinted, MakeOne
from photochrom.albums.plan import Plan
from photochrom.albums.results import BatchSettings
from photochrom.cli.progress import print_left_out, print_summary, shown_progress
from photochrom.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_SOME_FAILED, EXIT_TERMINATED


def run_planned(
    planned: Plan,
    make_one: MakeOne,
    settings: BatchSettings,
    *,
    workers: int,
    report: Path | None,
    quiet: bool,
    done: str,
    also_read: Sequence[Path] = (),
    make_hinted: MakeHinted | None = None,
) -> int:
    """Put each photograph of a plan through ``make_one``, show how it goes, and return the exit code.

    ``done`` is the word for a finished photograph: "coloured", "restored".
    """
    with shown_progress(len(planned.jobs), quiet=quiet) as show:
        summary = run_batch(
            planned.jobs,
            make_one,
            settings,
            manifest=planned.manifest,
            workers=min(workers, len(planned.jobs)),
            on_report=show,
            report_path=report,
            also_read=also_read,
            make_hinted=make_hinted,
        )
    if len(planned.jobs) > 1 or summary.left:
        print_summary(summary, quiet=quiet, done=done)
    print_left_out([*summary.left_out, *planned.left_out], quiet=quiet)
    if summary.stopped_by == "interrupt":
        return EXIT_INTERRUPTED
    if summary.stopped_by == "termination":
        return EXIT_TERMINATED
    return EXIT_SOME_FAILED if summary.failed or summary.left or planned.failures else EXIT_OK
