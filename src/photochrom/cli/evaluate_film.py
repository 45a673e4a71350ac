"""`photochrom evaluate-film FILMS`: how steady, and how near the truth."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.cli.extras import require_extra
from photochrom.cli.lines import print_error, say
from photochrom.colorizer import Colorizer
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, FilmError
from photochrom.files.codecs.atomic import write_whole
from photochrom.film.options import FilmOptions
from photochrom.options import DEFAULT_MODEL
from photochrom.spelling import inert_cell

COLUMNS = ("ciede2000", "colorfulness", "flicker", "cdc_1", "cdc_2", "cdc_4")


def evaluate_film(
    films: Annotated[list[Path], Parameter(name="FILMS", negative="")],
    /,
    *,
    report: Path | None = None,
    model: Annotated[str, Parameter(name=["--model", "-m"])] = DEFAULT_MODEL,
    key_spacing: Annotated[int, Parameter(validator=Number(gte=1, lte=240))] = FilmOptions().key_spacing,
    frames: Annotated[int, Parameter(validator=Number(gte=2))] = 240,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
) -> int:
    """Measure how films are coloured: colour films are greyed, coloured and compared with themselves.

    Each film is shown beside its truth, grey, each frame coloured by itself, and that with a plain running mean.
    Flicker is the warping error of chroma in Lab units, along the motion; CDC the change of colour histograms over 1, 2
    and 4 frames, in thousandths of a bit, which grey film has too.

    Args:
        films: Colour films.
        report: Folder for film-scores.json and film-scores.csv.
        model: A name from `photochrom models list` or an .onnx file.
        key_spacing: As in `photochrom film`.
        frames: Measure at most this many of each film.
        quiet: Print errors only.
    """
    require_extra("film", "measuring film", "av", "cv2")
    from photochrom.film.contest import FilmContest, measure_film
    from photochrom.film.motion import one_thread_each

    done: list[FilmContest] = []
    failed = 0
    with Colorizer(model) as colorizer, one_thread_each():
        for path in films:
            try:
                options = FilmOptions(key_spacing=key_spacing)
                contest = measure_film(path, colorizer.engine, options=options, most_frames=frames)
            except FilmError as error:
                print_error(str(error))
                failed += 1
                continue
            done.append(contest)
            if not quiet:
                say(f"{path}: {contest.frames} frames, {contest.cuts + 1} shots, {contest.key_frames} key frames")
                _print_rows(contest.rows)
    if len(done) > 1 and not quiet:
        say(f"mean of {len(done)} films")
        _print_rows(_mean_rows([contest.rows for contest in done]))
    if report is not None and done:
        _write(report, done)
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _mean_rows(all_rows: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the mean over films of every value that is a number."""
    means: dict[str, dict[str, float]] = {}
    for row in all_rows[0]:
        columns = {name: [rows[row][name] for rows in all_rows if math.isfinite(rows[row][name])] for name in COLUMNS}
        means[row] = {name: sum(v) / len(v) if v else math.nan for name, v in columns.items()}
    return means


def _print_rows(rows: dict[str, dict[str, float]]) -> None:
    say(f"  {'':16}{'CIEDE2000':>10}{'colourful':>10}{'flicker':>9}{'of truth':>9}{'CDC 1':>8}{'CDC 2':>8}{'CDC 4':>8}")
    for name, row in rows.items():
        share = row["flicker"] / rows["truth"]["flicker"] if rows["truth"]["flicker"] else math.nan
        cdc = "".join(f"{1000 * row[f'cdc_{k}']:8.2f}" for k in (1, 2, 4))
        say(f"  {name:16}{row['ciede2000']:10.2f}{row['colorfulness']:10.1f}{row['flicker']:9.3f}{share:9.0%}{cdc}")


def _write(folder: Path, contests: list) -> None:  # type: ignore[type-arg]
    """Write the report's two files, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    values = [
        {"film": str(c.path), "frames": c.frames, "cuts": c.cuts, "key_frames": c.key_frames, "rows": c.rows}
        for c in contests
    ]
    write_whole(folder / "film-scores.json", json.dumps(values, indent=1).encode())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["film", "colouring", *COLUMNS])
    for contest in contests:
        path = inert_cell(str(contest.path))
        writer.writerows([path, inert_cell(name), *(row[c] for c in COLUMNS)] for name, row in contest.rows.items())
    write_whole(folder / "film-scores.csv", text.getvalue().encode())
