"""`photochrom evaluate-film FILMS`: how steady, and how near the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.cli.extras import require_extra
from photochrom.cli.lines import print_error, say
from photochrom.colorizer import Colorizer
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, FilmError
from photochrom.film.options import FilmOptions
from photochrom.options import DEFAULT_MODEL


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
    Flicker is the warping error of chroma in Lab units, along the motion; lag by how many frames colours come after the
    picture; uncovered the colour error beside things that move; CDC the change of colour histograms over 1, 2 and 4
    frames, in thousandths of a bit, which grey film has too.

    Args:
        films: Colour films.
        report: Folder for film-scores.json and film-scores.csv.
        model: A name from `photochrom models list` or an .onnx file.
        key_spacing: As in `photochrom film`.
        frames: Measure at most this many of each film.
        quiet: Print errors only.
    """
    require_extra("film", "measuring film", "av", "cv2")
    from photochrom.evaluation.films import mean_rows, refuse_grey, write_film_report
    from photochrom.film.contest import FilmContest, measure_film
    from photochrom.film.motion import one_thread_each

    done: list[FilmContest] = []
    failed = 0
    with Colorizer(model) as colorizer, one_thread_each():
        for path in films:
            try:
                options = FilmOptions(key_spacing=key_spacing)
                contest = measure_film(path, colorizer.engine, options=options, most_frames=frames)
                refuse_grey(contest)
            except FilmError as error:
                print_error(str(error))
                failed += 1
                continue
            done.append(contest)
            if not quiet:
                say(f"{path}: {contest.frames} frames, {contest.cuts + 1} shots, {contest.key_frames} key frames")
                _say_table(contest.rows)
    if len(done) > 1 and not quiet:
        say(f"mean of {len(done)} films")
        _say_table(mean_rows([contest.rows for contest in done]))
    if report is not None and done:
        write_film_report(report, done)
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _say_table(rows: dict[str, dict[str, float]]) -> None:
    from photochrom.evaluation.films import table_lines

    for line in table_lines(rows):
        say(line)
