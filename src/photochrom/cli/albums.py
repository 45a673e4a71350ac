"""`photochrom albums`: check and merge what several machines did of one album."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from photochrom.albums.merging import Merged, Standing, check_album, merge_album
from photochrom.cli.lines import print_error, say
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.files.codecs.atomic import Aside

app = App(name="albums", help="Check and merge what several machines did of one album.")
TO_DO = ("missing", "failed", "changed")

Album = Annotated[Path, Parameter(name="IN", help="The folder of photographs.")]
Results = Annotated[Path, Parameter(name="OUT", help="The folder of results.")]
Left = Annotated[
    Path | None, Parameter(help="Write the names of what is not done to this file, for `colorize --files-from`.")
]
Quick = Annotated[
    bool, Parameter(negative="", help="Compare sizes only. Left out, every photograph and every result is read.")
]
Quiet = Annotated[
    bool, Parameter(name=["--quiet", "-q"], negative="", help="Name nothing, and say only what is wrong.")
]


@app.command
def merge(album: Album, output: Results, /, *, left: Left = None, quick: Quick = False, quiet: Quiet = False) -> int:
    """Check an album's results, and join the records of the machines that made them (`colorize --shard`) into one.

    Says how many photographs are done, missing, failed or changed, and names those that are not done. The exit code is
    0 when each is done, or left out by the options, by one version and the same settings.
    """
    return _told(merge_album, album, output, left, quick=quick, quiet=quiet)


@app.command
def check(album: Album, output: Results, /, *, left: Left = None, quick: Quick = False, quiet: Quiet = False) -> int:
    """Check an album's results as `merge` does, and leave all records as they are; also while machines are at work."""
    return _told(check_album, album, output, left, quick=quick, quiet=quiet)


def _told(
    look: Callable[..., Merged], album: Path, output: Path, left: Path | None, *, quick: bool, quiet: bool
) -> int:
    with _list_of_left(left) as name_left:

        def show(standing: Standing) -> None:
            if standing.status not in TO_DO:
                return
            name_left(standing.key)
            if not quiet:
                say(f"{standing.key}: {standing.status} ({standing.why})")

        merged = look(album, output, quick=quick, on_standing=show)
    counts = merged.counts
    if not quiet:
        unwanted = f"{counts['unwanted']:,} left out by the options, " if counts["unwanted"] else ""
        gone = f"; {merged.gone:,} results are of photographs no longer in the album" if merged.gone else ""
        say(
            f"{counts['done']:,} done, {unwanted}{counts['missing']:,} missing, {counts['failed']:,} failed, "
            f"{counts['changed']:,} changed; {merged.parts} parts{gone}"
        )
    if merged.disagreement:
        print_error(f"{merged.disagreement}. To make all alike, colour the album again with one version and settings.")
    return EXIT_OK if merged.is_whole else EXIT_SOME_FAILED


@contextmanager
def _list_of_left(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Yield what takes names for a list: ended by lines, or by zero bytes where a name holds a line's end."""
    names: list[str] = []
    yield names.append
    if path is None:
        return
    end = "\0" if any("\n" in name for name in names) else "\n"
    with Aside(path) as aside:
        aside.handle.write("".join(name + end for name in names).encode("utf-8", "surrogateescape"))
        aside.put_in_place()
