"""Writing a scoreboard to a folder: ``index.html``, ``scoreboard.json``, ``scoreboard.csv``, ``photographs.csv``."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from photochrom.errors import OutputError
from photochrom.evaluation.cases import paint_cases
from photochrom.evaluation.columns import COLUMNS
from photochrom.evaluation.page import render_page
from photochrom.evaluation.scoreboard import Scoreboard, Summary
from photochrom.files.codecs.atomic import write_whole
from photochrom.spelling import inert_cell

# Measures of one photograph that are not what the scoreboard calls so: its column is worked out from many.
OWN_HEADS = {
    "ciede2000_median": "ciede2000_pixel_median",
    "false_color": "false_color_of_picture",
    "missed_color": "missed_color_of_picture",
}
PAGE, SUMMARY, TABLE, DETAILS = "index.html", "scoreboard.json", "scoreboard.csv", "photographs.csv"


def write_report(scoreboard: Scoreboard, folder: Path) -> Path:
    """Write the report's four files, each of them whole or not at all, and return the page's path.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    make_folder(folder)
    summary = scoreboard.summary()
    files = {
        SUMMARY: json.dumps(summary, indent=2, allow_nan=False, ensure_ascii=False) + "\n",
        TABLE: table_csv(summary),
        DETAILS: photographs_csv(scoreboard),
        PAGE: render_page(summary, list(paint_cases(scoreboard))),
    }
    for name, text in files.items():
        write_whole(folder / name, text.encode("utf-8", "backslashreplace"))  # names need not be UTF-8
    return folder / PAGE


def make_folder(folder: Path) -> None:
    """Make the report's folder before anything is measured: a wrong path should not cost an hour."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder cannot be made ({error.strerror})", where=str(folder)) from None


def table_csv(summary: Summary) -> str:
    """Return one line per view and row: each column's value and the two ends of its interval."""
    names = [f"{column.key}{end}" for column in COLUMNS for end in ("", "_low", "_high")]
    lines: list[Sequence[object]] = [("view", "row", *names)]
    for view, rows in summary["views"].items():
        for row, columns in rows.items():
            cells: list[object] = [view, row]
            for column in COLUMNS:
                estimate = columns.get(column.key, {})
                cells += [_cell(estimate.get(end)) for end in ("value", "low", "high")]
            lines.append(cells)
    return _csv(lines)


def photographs_csv(scoreboard: Scoreboard) -> str:
    """Return one line per photograph, view and row, with every measure of ``metrics.score_pair``.

    What the scoreboard computes otherwise than as a mean of a measure has another head here: the median over a
    photograph's pixels, and strong colours invented and left out as shares of the picture.
    """
    records = scoreboard.found.records
    measures = list(records[0].scores) if records else []
    heads = [OWN_HEADS.get(measure, measure) for measure in measures]
    lines: list[Sequence[object]] = [("photograph", "view", "row", "width", "height", "seconds", *heads)]
    lines += [
        (r.key, r.view, r.row, r.width, r.height, _cell(r.seconds), *(_cell(r.scores[key]) for key in measures))
        for r in records
    ]
    return _csv(lines)


def _cell(value: float | None) -> str:
    """Return a number with six digits; nothing for what could not be measured, or is infinite."""
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def _csv(lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([inert_cell(cell) for cell in line] for line in lines)
    return text.getvalue()
