"""`photochrom albums`: check and merge what several machines did of one album."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Annotated

from cyclopts import App, Parameter

from photochrom.albums.album import find_photos
from photochrom.albums.merging import Merged, Standing, check_album, merge_album
from photochrom.cli.lines import print_error, say
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, OutputError
from photochrom.files.codecs.atomic import Aside
from photochrom.files.codecs.formats import READABLE_SUFFIXES, photo_format
from photochrom.files.codecs.source import open_regular_file
from photochrom.files.originals import Originals

app = App(name="albums", help="Check and merge what several machines did of one album.")
TO_DO = ("missing", "failed", "changed")
BEGINNING_BYTES = 1 << 16
"""Of a file, by which it is told whether it is a list of names."""

Album = Annotated[Path, Parameter(name="IN", help="The folder of photographs.")]
Results = Annotated[Path, Parameter(name="OUT", help="The folder of results.")]
Left = Annotated[
    Path | None,
    Parameter(
        help="Write the names of what is not done to this file, for `colorize --files-from`. A list of the album's "
        "names that is there is replaced, anything else is not."
    ),
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
    if left is not None:
        _refuse_left(left, album, output)
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


def _refuse_left(path: Path, album: Path, output: Path) -> None:
    """Raise OutputError where the list of names would take the place of a photograph, or of anything but a list."""
    Originals.of(find_photos(album, leave_out=[output])).refuse(path)
    if os.path.isfile(path) and not os.path.islink(path) and not _is_list_of_names(path, album):
        what = "exists already, and is no list of the album's names"
        raise OutputError(what, where=str(path), next_step="Choose another name")


def _is_list_of_names(path: Path, album: Path) -> bool:
    """Return whether a file names photographs, at least one of which is in the album; or nothing, as all was done."""
    with open_regular_file(str(path)) as handle:
        head = handle.read(BEGINNING_BYTES)
    if photo_format(head, path.name) is not None:
        return False
    pieces = head.split(b"\0" if b"\0" in head else b"\n")
    whole = pieces if len(head) < BEGINNING_BYTES else pieces[:-1]
    names = [os.fsdecode(piece.removesuffix(b"\r")) for piece in whole if piece]
    there = [os.path.isfile(album / name) for name in names]
    named = [PurePath(name).suffix.lower() in READABLE_SUFFIXES for name in names]
    return not head or (any(there) and all(one or other for one, other in zip(there, named, strict=True)))


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
