"""Working through a plan of photographs, for every verb that writes pictures: progress, summary, exit code."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.albums.album import COLORED_MARK
from photochrom.albums.batch import run_batch
from photochrom.albums.finished import MakeHinted, MakeOne
from photochrom.albums.parts import PartOptions
from photochrom.albums.plan import Plan, plan
from photochrom.albums.results import BatchSettings
from photochrom.cli.lines import print_error, say
from photochrom.cli.progress import exit_code, print_left_out, print_summary, shown_progress
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, OptionError

Part = Annotated[PartOptions, Parameter(name="*", allow_leading_hyphen=True)]
STORAGE = re.compile(r"(s3|gs|az|file):/")  # a path has lost one of the two slashes
WEB = re.compile(r"https?:/", re.IGNORECASE)


def plan_told(
    inputs: Sequence[Path],
    output: Path | None,
    *,
    format: str | None,
    part: PartOptions,
    quiet: bool,
    mark: str = COLORED_MARK,
) -> Plan | int:
    """Return what there is to do, inputs without photographs told; or the exit code, where that is nothing.

    Raises:
        OptionError: an input or the output is an address, or the second of two inputs is not there: a result, perhaps.
        As :func:`photochrom.albums.plan.plan` and :meth:`photochrom.albums.parts.PartOptions.parsed`.
    """
    for given in [*inputs, *([output] if output else [])]:
        if STORAGE.match(str(given)):
            raise OptionError(
                "is an address, and this verb works on files",
                where=str(given),
                next_step="Use: photochrom batch IN OUT",
            )
        if WEB.match(str(given)):
            what = "is an address of the web, and nothing is fetched from there"
            raise OptionError(what, where=str(given), next_step="Save the file, and name that")
    if output is None and len(inputs) == 2 and os.path.lexists(inputs[0]) and not os.path.lexists(inputs[1]):
        next_step = f"Check the path; if it is where the result belongs, write: -o {inputs[1]}"
        raise OptionError("there is no such photograph", where=str(inputs[1]), next_step=next_step)
    standard_input = sys.stdin.buffer if sys.stdin else io.BytesIO()  # whoever starts us may have closed it
    planned = plan(inputs, output, format=format, mark=mark, part=part.parsed(standard_input))
    for failure in planned.failures:
        print_error(str(failure))
    if planned.jobs:
        return planned
    if planned.failures:
        return EXIT_SOME_FAILED
    if not quiet:  # twenty machines and twelve photographs: nothing is wrong
        say(f"none of the {len(planned.others)} photographs is in shard {part.shard}")
    return EXIT_OK


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
            also_read=[*also_read, *planned.others],
            make_hinted=make_hinted,
            unread=planned.unread,
        )
    if len(planned.jobs) > 1 or summary.left:
        print_summary(summary, quiet=quiet, done=done)
    print_left_out([*summary.left_out, *planned.left_out], quiet=quiet)
    return exit_code(summary, len(planned.failures))
