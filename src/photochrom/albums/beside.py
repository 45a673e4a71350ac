"""What lies beside something: results beside photographs that went to no folder, and companions beside results.

Photographs of one stem (a scan as TIFF and as JPEG, a raw file and its JPEG) have a result each, and each result
companions of its own: where a name is another's already, the suffix that tells them apart is added to the stem.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path, PurePosixPath

from photochrom.albums.album import COLORED_MARK, RESTORED_MARK, comparable, fitted_name, result_suffix
from photochrom.files.codecs.formats import READABLE_SUFFIXES, SUFFIX_FORMATS
from photochrom.files.companions import without_companion_mark

NUMBER = re.compile(r"-\d+$")
TOLD_APART = re.compile(rf"-({'|'.join(suffix.removeprefix('.') for suffix in SUFFIX_FORMATS)})(-\d+)?$")


def result_beside(source: Path, format: str | None, mark: str = COLORED_MARK) -> Path:
    """Return the path of a result that lies next to its photograph."""
    return results_beside([source], format, mark)[source]


def results_beside(sources: Iterable[Path], format: str | None, mark: str = COLORED_MARK) -> dict[Path, Path]:
    """Return the paths of results that lie next to their photographs.

    Other photographs in the same folders are among them where they share a stem with one of these: the names of their
    results are not free, whether or not they are made now.
    """
    in_folders: dict[Path, list[Path]] = {}
    for source in sources:
        in_folders.setdefault(source.parent, []).append(source)
    results: dict[Path, Path] = {}
    for folder, photos in in_folders.items():
        present = _by_stem(folder, photos)
        for stem in dict.fromkeys(comparable(photo.stem) for photo in photos):
            results |= _told_apart(present[stem], format, mark, present)
    return results


def is_named_beside(source: Path, target: Path) -> bool:
    """Return whether a result's name is one that results get next to this photograph."""
    stem = rf"({re.escape(source.stem)}|{re.escape(_with_kind(source))}(-\d+)?)"
    name = rf"{stem}({COLORED_MARK}|{RESTORED_MARK})"
    return target.parent == source.parent and re.fullmatch(name, target.stem) is not None


def without_results(photos: Sequence[Path], marks: Collection[str]) -> list[Path]:
    """Return the photographs of a folder that are no results of these marks beside another, nor companions of any."""
    present = {photo.with_suffix("") for photo in photos}
    told_apart = {photo.with_name(_with_kind(photo)) for photo in photos}
    return [photo for photo in photos if not _is_result(photo.with_suffix(""), present, told_apart, marks)]


def name_companions(names: Mapping[str, str], given: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return for each result the stem of what lies beside it: its own, unless that is another's.

    Args:
        names: the results' names by key.
        given: the names of what was written beside results before, by key; also of photographs that are not in the run.
    """
    stems: dict[str, str] = {}
    owners: dict[str, str] = {}
    for key, companions in given.items():
        for name in companions:
            path = PurePosixPath(name)
            owners.setdefault(comparable(path.with_name(without_companion_mark(path.stem)).as_posix()), key)
    for key in sorted(names):
        path = PurePosixPath(names[key])
        for stem in _stems(path):
            if owners.setdefault(comparable(path.with_name(stem).as_posix()), key) == key:
                stems[key] = stem
                break
    return stems


def _by_stem(folder: Path, photos: Iterable[Path]) -> dict[str, list[Path]]:
    """Return photographs, and what else in their folder has a photograph's suffix, by what their stems share."""
    try:
        with os.scandir(folder) as entries:
            files = [entry.name for entry in entries if not entry.is_dir()]
    except OSError:
        files = []  # opening the photograph says what is wrong
    others = (folder / name for name in files if Path(name).suffix.lower() in READABLE_SUFFIXES)
    found: dict[str, list[Path]] = {}
    for path in sorted({*photos, *others}, key=os.fsencode):
        found.setdefault(comparable(path.stem), []).append(path)
    return found


def _told_apart(
    photos: Sequence[Path], format: str | None, mark: str, present: Collection[str]
) -> Iterator[tuple[Path, Path]]:
    """Yield photographs of one stem with their results: the plain name is for those whose suffix needs no change."""
    suffixes = {photo: result_suffix(photo, format) for photo in photos}
    taken = set[str]()
    for photo in sorted(photos, key=lambda photo: photo.suffix != suffixes[photo]):
        for stem in _stems(photo):
            name = fitted_name(stem, mark + suffixes[photo])
            is_anothers = stem != photo.stem and comparable(stem) in present
            if comparable(name) not in taken and not is_anothers:
                taken.add(comparable(name))
                yield photo, photo.with_name(name)
                break


def _stems(path: PurePosixPath | Path) -> Iterator[str]:
    """Yield a name's stem, then ones that tell files of this stem apart."""
    yield path.stem
    if path.suffix:
        yield _with_kind(path)
    yield from (f"{_with_kind(path)}-{number}" for number in count(2))


def _with_kind(path: PurePosixPath | Path) -> str:
    """Return a name's stem with the suffix made a part of it."""
    return f"{path.stem}-{path.suffix.removeprefix('.').lower()}" if path.suffix else path.stem


def _is_result(path: Path, present: set[Path], told_apart: set[Path], marks: Collection[str]) -> bool:
    bare = path.with_name(without_companion_mark(path.name))
    names = [bare.name]
    if bare != path:  # what lies beside a result is never a photograph, whoever made the result
        marks = (COLORED_MARK, RESTORED_MARK)
        names.append(TOLD_APART.sub("", bare.name))
    stems = [name.removesuffix(mark) for name in names for mark in marks if name.endswith(mark)]
    return any(
        path.with_name(stem) in present or path.with_name(NUMBER.sub("", stem)) in told_apart for stem in stems if stem
    )
