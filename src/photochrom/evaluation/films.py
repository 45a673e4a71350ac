"""What was measured of films, as lines for the terminal and as a report of two files: columns come from the table."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from photochrom.errors import UnsupportedFilmError
from photochrom.evaluation.columns import FILM_COLUMNS, Column
from photochrom.evaluation.report import make_folder
from photochrom.files.codecs.atomic import write_whole
from photochrom.film.contest import TRUTH, FilmContest
from photochrom.spelling import inert_cell

Rows = Mapping[str, Mapping[str, float]]  # name of the colouring -> key of the column -> value
NAME_WIDTH = 16
# What rounding leaves of a grey film's colours is below; the palest film measured so far has 12.
LEAST_COLOURFULNESS = 2.0


def refuse_grey(contest: FilmContest) -> None:
    """Raise UnsupportedFilmError where a film has no colours to compare with."""
    if contest.rows[TRUTH]["colorfulness"] < LEAST_COLOURFULNESS:
        what, next_step = "is not in colour, and there is nothing to compare with", "Give a colour film"
        raise UnsupportedFilmError(what, where=str(contest.path), next_step=next_step)


def film_rows(measured: Rows) -> dict[str, dict[str, float]]:
    """Return the measures of each colouring with what is worked out between rows."""
    true = measured[TRUTH]["flicker"]
    return {
        name: {**row, "flicker_vs_truth": row["flicker"] / true if true else math.nan} for name, row in measured.items()
    }


def mean_rows(all_measured: Sequence[Rows]) -> dict[str, dict[str, float]]:
    """Return the mean over films of every measure that is a number."""
    means: dict[str, dict[str, float]] = {}
    for name, row in all_measured[0].items():
        values = {key: [rows[name][key] for rows in all_measured if math.isfinite(rows[name][key])] for key in row}
        means[name] = {key: sum(found) / len(found) if found else math.nan for key, found in values.items()}
    return means


def table_lines(measured: Rows) -> list[str]:
    """Return the lines of a table for the terminal: a head, and a line per colouring."""
    head = "".join(column.title.rjust(_width(column)) for column in FILM_COLUMNS)
    return [
        f"  {'':{NAME_WIDTH}}{head}",
        *(
            f"  {name:{NAME_WIDTH}}" + "".join(_cell(column, row[column.key]) for column in FILM_COLUMNS)
            for name, row in film_rows(measured).items()
        ),
    ]


def _width(column: Column) -> int:
    return max(len(column.title) + 1, 8)


def _cell(column: Column, value: float) -> str:
    return (column.text(value) + "%" * column.percent).rjust(_width(column))


def write_film_report(folder: Path, contests: Sequence[FilmContest]) -> None:
    """Write ``film-scores.json`` and ``film-scores.csv``, each whole or not at all.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    make_folder(folder)
    rows = [_known(film_rows(contest.rows)) for contest in contests]
    values = [
        {"film": str(c.path), "frames": c.frames, "cuts": c.cuts, "key_frames": c.key_frames, "rows": found}
        for c, found in zip(contests, rows, strict=True)
    ]
    write_whole(folder / "film-scores.json", json.dumps(values, indent=1, allow_nan=False).encode())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["film", "colouring", *(column.key for column in FILM_COLUMNS)])
    for contest, found in zip(contests, rows, strict=True):
        path = inert_cell(str(contest.path))
        for name, row in found.items():
            writer.writerow([path, inert_cell(name), *(row[column.key] for column in FILM_COLUMNS)])
    write_whole(folder / "film-scores.csv", text.getvalue().encode())


def _known(rows: Rows) -> dict[str, dict[str, float | None]]:
    """Return the rows without what could not be measured: a flicker of one frame."""
    return {
        name: {key: value if math.isfinite(value) else None for key, value in row.items()} for name, row in rows.items()
    }
