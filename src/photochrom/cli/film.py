"""`photochrom film IN -o OUT`: colour a film."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from photochrom.cli.extras import require_extra
from photochrom.cli.groups import Budget, Engine
from photochrom.cli.idle import OF_PHOTOGRAPHS, refuse_idle_looks, refuse_useless
from photochrom.cli.lines import print_error, say
from photochrom.errors import EXIT_INTERRUPTED, EXIT_OK
from photochrom.film.options import FilmOptions
from photochrom.options import ColorizeOptions, EngineOptions, Limits

if TYPE_CHECKING:
    from photochrom.film.session import FilmColorizer

COLOURING = "How it looks"
# Seconds and frames after which the time that a film will take is told.
ESTIMATE_AFTER_S, ESTIMATE_AFTER_FRAMES = 3.0, 24


def film(
    source: Annotated[Path, Parameter(name="IN")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    preview: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    options: Annotated[FilmOptions, Parameter(name="*", negative_iterable=())] = FilmOptions(),
    colour: Annotated[ColorizeOptions, Parameter(name="*", group=COLOURING)] = ColorizeOptions(),
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
) -> int:
    """Colour a film. Full size and frame rate, the luma plane as it is, steady, with its sound, offline.

    A film that is stopped, by Ctrl-C too, goes on where it was when the same command is run again; what is done so far
    is left as NAME-unfinished beside the result, to look at.

    Args:
        source: A film file, or a folder with one picture for each frame.
        output: The coloured film (.mp4, .m4v, .mov or .mkv), or with --codec frames a folder.
        preview: Colour ten seconds from the middle of each fifth only, NAME-preview-1 to -5, and make a sheet of their
            frames, NAME-preview.png.
        quiet: Print errors only.
        options: How to read and write film, and keep it steady.
        colour: How to colour, as for photographs.
        engine: What runs the net.
        limits: What a film may ask of this computer.
    """
    refuse_useless(colour, "films", names=OF_PHOTOGRAPHS, next_step="Leave it out: it is for photographs")
    refuse_useless(colour, "films", names=("colored",), next_step="Use --recolor for a film in colour")
    refuse_idle_looks(colour)
    require_extra("film", "film", "av", "cv2")
    from photochrom.film.session import FilmColorizer

    with FilmColorizer(options=options, color=colour, engine_options=engine, limits=limits) as colorizer:
        if preview:
            return _preview(colorizer, source, output, quiet=quiet)
        try:
            with _progress(source, quiet=quiet) as progress:
                result = colorizer(source, output, progress)
        except KeyboardInterrupt:
            print_error(f"{source}: stopped. Run the same command again to go on")
            return EXIT_INTERRUPTED
    if not quiet:
        shots = f"{len(result.cuts) + 1} shot{'s' if result.cuts else ''}"
        before = f", {result.resumed} of them done before" if result.resumed else ""
        say(f"{source} -> {result.path}: {result.frames} frames{before}, {shots}, {result.key_frames} key frames")
        for note in result.notes:
            say(f"  {note}")
    return EXIT_OK


def _preview(colorizer: FilmColorizer, source: Path, output: Path, *, quiet: bool) -> int:
    from photochrom.film.preview import preview_film

    made = preview_film(colorizer, source, output)
    if not quiet:
        for part in made.parts:
            say(f"{source} -> {part.path}: {part.frames} frames")
        say(f"{source} -> {made.sheet}")
    return EXIT_OK


@contextmanager
def _progress(source: Path, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a callback that says in one line how long it will take, and then shows a bar on a terminal."""
    if quiet:
        yield None
        return
    estimate = _Estimate(source)
    if not sys.stderr.isatty():
        yield estimate
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=True, redirect_stderr=True) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, expected: int) -> None:
            estimate(done, expected)
            bar.update(task, completed=done, total=expected or None)

        yield show


class _Estimate:
    """Says once, when some frames are done, how long the film will take."""

    def __init__(self, source: Path) -> None:
        self._source, self._started, self._first, self._told = source, time.perf_counter(), -1, False

    def __call__(self, done: int, expected: int) -> None:
        if self._first < 0:
            self._first = done - 1
        seconds, frames = time.perf_counter() - self._started, done - self._first
        if self._told or ((seconds < ESTIMATE_AFTER_S or frames < ESTIMATE_AFTER_FRAMES) and done != expected):
            return
        self._told = True
        rate = frames / max(seconds, 1e-6)
        left = f"about {_spelled((expected - done) / rate)} to go" if expected else "it does not say how long it is"
        of = f" of about {expected}" if expected else ""
        say(f"{self._source}: {rate:.1f} frames a second, frame {done}{of}, {left}")


def _spelled(seconds: float) -> str:
    """Return a length of time in the words one would use."""
    if seconds < 90:
        return f"{max(0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
