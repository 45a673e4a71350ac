"""Which photographs an album holds, and what each result is called.

Names are stable: a photograph that has been given a name for its result keeps it, whatever is added to the album
later. They are free of collisions, also on file systems that take ``A.jpg`` for ``a.JPG`` or compose accents.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from photochrom.albums.foreign_folders import holds_no_originals
from photochrom.computer.names import writable_name
from photochrom.computer.systems import Identity
from photochrom.errors import PhotoNotFoundError
from photochrom.files.codecs.atomic import TEMPORARY_PREFIX
from photochrom.files.codecs.formats import (
    READABLE_SUFFIXES,
    SUFFIX_FORMATS,
    photo_format,
    usual_suffix,
    written_format,
)
from photochrom.files.codecs.signatures import HEAD_BYTES
from photochrom.files.originals import identity_of
from photochrom.hints.sheet import PAINTED_SUFFIX

COLORED_MARK, RESTORED_MARK = "-color", "-restored"
"""Added to the name of a result that lies next to its photograph."""
UNREAD_SUFFIXES = frozenset(
    ".psd .psb .pdd .xcf .kra .clip .afphoto .pdf .djvu .djv .exr .hdr .tga .pcx .pict .pct .dds .ico .cur .svg .eps "
    ".pcd .fpx .pgm .ppm .pnm .pbm .pfm .sgi .ras .xpm .jpm .mng .jng .flif .dcm .fits .fit .cin .dpx .bpg .qoi".split()
)
"""Of pictures that are not read: an album that holds some says so."""
MOST_NAMED = 3
LONGEST_NAME = 255
"""Bytes in one name on ext4, APFS, NTFS (there: characters) and nearly everywhere else."""


@dataclass(frozen=True, slots=True)
class Job:
    """One photograph to colour or restore.

    Attributes:
        source: the photograph.
        target: where its result goes.
        key: the photograph's name inside the album, with forward slashes; the same on every computer.
        hints: the file of colours that somebody knows of this photograph, if there is one.
        album: the folder that the key is a name in, where that is known.
        stem: what the names of companions of the result begin with; its own stem where left out.
    """

    source: Path
    target: Path
    key: str
    hints: Path | None = None
    album: Path | None = None
    stem: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a folder and its subfolders hold.

    Attributes:
        photos: the photographs, sorted.
        unread: pictures of kinds that are not read, sorted.
        passed_over: folders that were not entered: bins, and what photo managers make for themselves.
    """

    photos: list[Path]
    unread: list[Path]
    passed_over: list[Path]


def find_photos(folder: Path, *, leave_out: Iterable[Path] = ()) -> list[Path]:
    """Return the photographs in a folder and its subfolders, sorted; see :func:`look_through`.

    Raises:
        PhotoNotFoundError: there are none.
    """
    return look_through(folder, leave_out=leave_out).photos


def look_through(folder: Path, *, leave_out: Iterable[Path] = ()) -> Findings:
    """Return what there is in a folder and its subfolders.

    Files whose name says that they are pictures count as photographs, and files with another name whose first bytes do.
    Names that start with a dot are left out. Links are followed, each folder is entered once, so circles end.

    Args:
        folder: where to look.
        leave_out: folders not to enter, such as the one the results go to.

    Raises:
        PhotoNotFoundError: there are none, or no such folder.
    """
    entered = {key for path in leave_out if (key := identity_of(path))}
    found = Findings([], [], [])
    if not os.path.isdir(folder):
        what = "is no folder" if os.path.lexists(folder) else "there is no such folder"
        raise PhotoNotFoundError(what, where=str(folder), next_step="Check the path")
    _walk(folder, entered, found)
    for paths in (found.photos, found.unread, found.passed_over):
        paths.sort(key=os.fsencode)
    if not found.photos:
        unread = f" that are read, but {told(found.unread)}" if found.unread else ""
        raise PhotoNotFoundError(f"the folder holds no pictures{unread}", where=str(folder), next_step="Check the path")
    return found


def told(paths: Sequence[Path]) -> str:
    """Return how many there are, and the names of the first few."""
    names = ", ".join(path.name for path in paths[:MOST_NAMED])
    return f"{len(paths)} ({names}{', ...' if len(paths) > MOST_NAMED else ''})"


def name_results(
    sources: Mapping[str, Path],
    format: str | None,
    assigned: Mapping[str, str | Sequence[str]],
    taken: Iterable[str] = (),
) -> dict[str, str]:
    """Return a result's name for each photograph; see the module's text for what is promised.

    Names that need no change are given first: they are the ones a person expects.

    Args:
        sources: the photographs by key.
        format: of all results; their photographs' own where left out.
        assigned: the name given before to a photograph's result, or its names in several formats, the last one last.
        taken: further names that are not free.
    """
    names: dict[str, str] = {}
    used = set[str]()
    suffixes = {key: result_suffix(path, format) for key, path in sources.items()}
    for key in sources:
        fitting = (
            given
            for given in reversed(_each(assigned.get(key, "")))
            if given.lower().endswith(suffixes[key].lower()) and comparable(given) not in used
        )
        if given := next(fitting, ""):
            names[key] = given
            used.add(comparable(given))
    before = chain(taken, *(_each(given) for given in assigned.values()))
    not_free = used | {comparable(name) for name in before}
    for key in sorted(sources, key=lambda key: Path(key).suffix != suffixes[key]):  # stable: the album's order else
        if key not in names:
            names[key] = _free_name(key, suffixes[key], not_free)
            not_free.add(comparable(names[key]))
    return {key: names[key] for key in sources}


def result_suffix(source: Path, format: str | None) -> str:
    """Return the suffix of a photograph's result: its own where it is true, else the usual one of the format."""
    if format is None:
        actual = _format_by_content(source) or SUFFIX_FORMATS.get(source.suffix.lower(), "png")
        format = written_format(actual)
    return source.suffix if SUFFIX_FORMATS.get(source.suffix.lower()) == format else usual_suffix(format)


def fitted_name(stem: str, ending: str) -> str:
    """Return stem and ending, the stem cut and given a hash where both together exceed what a name may have."""
    room = LONGEST_NAME - len(os.fsencode(ending))
    encoded = os.fsencode(stem)
    if len(encoded) <= room:
        return stem + ending
    mark = "-" + hashlib.sha256(encoded).hexdigest()[:8]
    cut = encoded[: room - len(mark)]
    while cut and (encoded[len(cut)] & 0xC0) == 0x80:  # not inside a UTF-8 letter
        cut = cut[:-1]
    return os.fsdecode(cut) + mark + ending


def _walk(folder: Path, entered: set[Identity], found: Findings) -> None:
    key = identity_of(folder)
    if key is None or key in entered:
        return
    entered.add(key)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError:
        return  # a subfolder we may not look into holds nothing for us
    for entry in entries:
        if entry.name.startswith((".", TEMPORARY_PREFIX)) or entry.name.endswith(PAINTED_SUFFIX):
            continue
        path = Path(entry.path)
        try:
            if entry.is_dir():
                if holds_no_originals(path):
                    found.passed_over.append(path)
                else:
                    _walk(path, entered, found)
            elif _may_be_photo(path, entry):
                found.photos.append(path)
            elif path.suffix.lower() in UNREAD_SUFFIXES:
                found.unread.append(path)
        except OSError:
            continue


def _may_be_photo(path: Path, entry: os.DirEntry[str]) -> bool:
    if path.suffix.lower() in READABLE_SUFFIXES:
        # Pipes and devices of such a name are told about as errors, broken links too.
        return True
    return entry.is_file() and _format_by_content(path) is not None


def _format_by_content(path: Path) -> str | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as handle:
            return photo_format(handle.read(HEAD_BYTES), path.name)
    except OSError:
        return None


def _each(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


def comparable(name: str) -> str:
    """Return what two names share that some file system takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _free_name(key: str, suffix: str, taken: set[str]) -> str:
    """Return ``key`` with the suffix, or with its old suffix and then a number added until nothing else has it."""
    path = PurePosixPath(writable_name(key))
    old = path.suffix.removeprefix(".").lower()
    numbered = (f"-{old}-{number}{suffix}" for number in range(2, 10_000))
    for ending in chain((suffix, f"-{old}{suffix}"), numbered):
        name = writable_name(path.with_name(fitted_name(path.stem, ending)).as_posix())
        if comparable(name) not in taken:
            return name
    raise AssertionError(f"ten thousand files of one name: {key}")
