"""`photochrom batch IN OUT`: albums in the cloud, here or on a Ray cluster."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.albums.parts import Shard
from photochrom.albums.reports import PhotoReport, append_report, opened_report
from photochrom.cli.extras import require_extra
from photochrom.cli.groups import Budget, Coloring, Engine, Reading, Restoring, Writing
from photochrom.cli.idle import refuse_idle_looks, refuse_idle_options, refuse_idle_stages, refuse_useless
from photochrom.cli.progress import Report, exit_code, print_left_out, print_summary, shown_progress
from photochrom.errors import OptionError
from photochrom.files.originals import Originals
from photochrom.film.options import FilmOptions
from photochrom.options import (
    ColorizeOptions,
    EngineOptions,
    Limits,
    OutputOptions,
    ReadingOptions,
    RestoreOptions,
)
from photochrom.restorer import refuse_idle


def batch(
    source: Annotated[str, Parameter(name="IN")],
    target: Annotated[str, Parameter(name="OUT")],
    /,
    *,
    ray_address: str | None = None,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1, lte=100_000))] = None,
    shard: str | None = None,
    report: Path | None = None,
    restore: Annotated[bool, Parameter(negative="")] = False,
    only_restore: Annotated[bool, Parameter(negative="")] = False,
    films: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    colour: Coloring = ColorizeOptions(),
    restoring: Restoring = RestoreOptions(),
    reading: Reading = ReadingOptions(),
    writing: Writing = OutputOptions(),
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
    film: Annotated[FilmOptions, Parameter(group="Films, with --films", negative_iterable=())] = FilmOptions(),
) -> int:
    """Colour a folder of photographs in the cloud into another, on this computer or on a Ray cluster.

    Each result is put whole, and what is done is known by a small object beside it, so that a run can be ended at any
    time, by whatever, and the same command goes on. For under some five hundred photographs, `photochrom colorize` on
    one computer is done before a cluster has begun, which takes 8 to 17 seconds.

    Args:
        source: The folder of photographs: `s3://bucket/folder`, `gs://`, `az://container/folder`, `file:///folder`.
        target: The folder of results, likewise; not the same one.
        ray_address: Of a Ray cluster whose machines do the work: `auto` for the one that this machine belongs to,
            HOST:PORT, or `local` for workers on this computer alone. Left out, this process does it.
        workers: Photographs at a time: here 2; on a cluster workers of one thread each, one for each core but one.
        shard: Do one part of the album, such as 3/20, where 20 machines share it without a cluster.
        report: Write a file with one line of JSON per photograph.
        restore: Restore each photograph first, then colour it.
        only_restore: Restore, and leave the colours as they are.
        films: Colour the folder's films as well, after the photographs: on a cluster by shots, each worker some.
        quiet: Print errors only.
        colour: How to colour.
        restoring: How to restore, with --restore or --only-restore.
        reading: How to read.
        writing: How to write.
        engine: What runs the net.
        limits: What a file may ask of a computer.
        film: How to read and write films, and keep them steady.
    """
    require_extra("cluster", "albums in the cloud", "pyarrow")
    if ray_address is not None:
        require_extra("cluster", "a cluster", "ray")
    if restore and only_restore:
        raise OptionError("are two different things", where="--restore and --only-restore", next_step="Choose one")
    if restore or only_restore:
        refuse_idle(restoring)
        refuse_idle_stages(restoring)
    else:
        refuse_idle_options(restoring, "--restore or --only-restore")
    if only_restore:
        refuse_useless(colour, "--only-restore")
    refuse_idle_looks(colour)
    if not films:
        refuse_idle_options(film, "--films", prefix="--film.")
    from photochrom.cluster.errand import Errand, check_storage, originals
    from photochrom.cluster.here import run_here

    if films:
        _check_films(film, only_restore=only_restore)
    errand = Errand(
        source,
        target,
        run=secrets.token_hex(6),
        color=None if only_restore else colour,
        restoring=restoring if restore or only_restore else None,
        reading=reading,
        writing=writing,
        engine=engine,
        limits=limits,
        films=film if films else None,
    )
    found = originals(errand, Shard.parse(shard) if shard else None)
    check_storage(errand)
    # Nobody counts a million names before the first is done, so the bar knows no end.
    with shown_progress(None, quiet=quiet) as show, _Reports(report, show) as on_report:
        if ray_address is None:
            summary = run_here(errand, found, workers=workers or 2, on_report=on_report, on_frames=show.frames)
        else:
            from photochrom.cluster.on_ray import run_on_ray

            summary = run_on_ray(
                errand, found, address=ray_address, workers=workers, on_report=on_report, on_frames=show.frames
            )
    print_summary(summary, quiet=quiet, done="restored" if only_restore else "coloured")
    print_left_out(summary.left_out, quiet=quiet)
    return exit_code(summary)


def _check_films(film: FilmOptions, *, only_restore: bool) -> None:
    require_extra("film", "film", "av", "cv2")
    if only_restore:
        raise OptionError("colours films", where="--films", next_step="Leave it out, or --only-restore")
    from photochrom.cluster.films import check_film_options

    check_film_options(film)


class _Reports:
    """Shows each report, and writes it down where that is wanted."""

    def __init__(self, path: Path | None, show: Report) -> None:
        self._path, self._show = path, show
        self._file = opened_report(path, Originals()) if path else None

    def __enter__(self) -> Report:
        return self._told

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def _told(self, report: PhotoReport) -> None:
        if self._file and self._path:
            append_report(self._file, report, self._path)
        self._show(report)
