"""Which photographs are meant, and where each result goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from photochrom.albums.album import COLORED_MARK, RESTORED_MARK, Job, look_through, name_results, told
from photochrom.albums.beside import name_companions, results_beside, without_results
from photochrom.albums.keys import Found, with_keys
from photochrom.albums.manifest import Manifest
from photochrom.albums.outputs import is_one_file
from photochrom.albums.parts import WHOLE, Part
from photochrom.errors import OptionError, PhotochromError
from photochrom.files.originals import Originals


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do; `batch.run_batch` does it.

    Attributes:
        jobs: one per photograph.
        manifest: remembers what is done, where a folder goes into a folder; a later run goes on from it.
        failures: inputs that hold no photographs.
        left_out: pictures and folders of the inputs that are not looked at, in words.
        others: photographs that other machines do; they are never written to either.
        unread: pictures of kinds that are not read.
    """

    jobs: list[Job]
    manifest: Manifest | None
    failures: list[PhotochromError]
    left_out: list[str] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)


class _Passed(NamedTuple):
    """What is passed over on the way through the inputs: in words, and the pictures that are not read."""

    left_out: list[str]
    unread: list[Path]


def plan(
    inputs: Sequence[Path], output: Path | None, *, format: str | None, mark: str = COLORED_MARK, part: Part = WHOLE
) -> Plan:
    """Return the jobs of one call.

    Without an output, each result lies beside its photograph, with ``mark`` added to its name. A single photograph goes
    to the output as a file name, if it looks like one. Everything else goes into the output as a folder, subfolders
    mirrored, names kept apart: those of all photographs, so that machines that do a ``part`` each agree on them.

    Raises:
        OptionError: the output is no place for these results (:func:`is_one_file`), or a list is not of one folder's
            photographs.
    """
    one_file = output is not None and is_one_file(output, inputs, format, part)
    failures: list[PhotochromError] = []
    left_out, unread = list[str](), list[Path]()
    if part.names is None:
        photos = _found(inputs, output, failures.append, _marks_left_out(mark), _Passed(left_out, unread))
    else:
        photos = _listed(inputs, output, part)
    if output is None:
        sources = {key: photo.path for key, photo in with_keys(photos, None).items()}
        mine = {key: path for key, path in sources.items() if part.holds(key)}
        return Plan(_beside(mine, format, mark), None, failures, left_out, _others(sources, part), unread)
    if one_file:
        return Plan([Job(photo.path, output, photo.name) for photo in photos], None, failures, left_out)
    manifest = Manifest.of(output, part.name) if any(os.path.isdir(path) for path in inputs) else None
    keyed = with_keys(photos, manifest)
    sources, albums = {key: one.path for key, one in keyed.items()}, {key: one.album for key, one in keyed.items()}
    given = manifest.given_in(albums) if manifest else {}
    names = name_results(sources, format, given, manifest.names if manifest else ())
    stems = name_companions(names, manifest.companions if manifest else {})
    jobs = [
        Job(sources[key], output / name, key, album=albums[key], stem=stems[key])
        for key, name in names.items()
        if part.holds(key)
    ]
    return Plan(jobs, manifest, failures, left_out, _others(sources, part), unread)


def refuse_taken(planned: Plan, written: Mapping[str, Path | None], *, read: Sequence[Path] = ()) -> None:
    """Raise an error, before anything is written, where a file named on the command line is something else already.

    Args:
        planned: the photographs and their results.
        written: the files to be written besides results, by option.
        read: further files that are only read.
    """
    originals = Originals.of([*(job.source for job in planned.jobs), *planned.others, *read])
    taken = {_place(job.target) for job in planned.jobs}
    for option, path in written.items():
        if path is None:
            continue
        original = originals.found_at(path)
        if original or _place(path) in taken:
            which = f", of {original}" if original else ""
            raise OptionError(f"is already the name of something else here{which}", where=f"{option} {path}")
        taken.add(_place(path))


def refuse_shared_mask(planned: Plan, mask: Path | None, option: str = "mask") -> None:
    """Raise OptionError where a mask that is read, or written, would be that of several photographs."""
    if mask and len(planned.jobs) > 1:
        raise OptionError(
            "one mask cannot belong to several photographs",
            where=option,
            next_step="Give one photograph"
            if option == "mask"
            else "Use --keep-mask, which writes one beside each result",
        )


def _place(path: Path) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)


def _marks_left_out(mark: str) -> tuple[str, ...]:
    """Return the marks of results that are not done again: restored photographs may be coloured, not the reverse."""
    return (mark,) if mark == COLORED_MARK else (COLORED_MARK, RESTORED_MARK)


def _beside(sources: Mapping[str, Path], format: str | None, mark: str) -> list[Job]:
    results = results_beside(sources.values(), format, mark)
    stems = name_companions({str(source): target.as_posix() for source, target in results.items()}, {})
    return [Job(path, results[path], key, stem=stems[str(path)]) for key, path in sources.items()]


def _others(sources: Mapping[str, Path], part: Part) -> list[Path]:
    return [path for key, path in sources.items() if not part.holds(key)]


def _found(
    inputs: Sequence[Path],
    output: Path | None,
    fail: Callable[[PhotochromError], None],
    marks: tuple[str, ...],
    passed: _Passed,
) -> list[Found]:
    """Return the photographs of folders, and those that are given by themselves."""
    photos: list[Found] = []
    for given in inputs:
        try:
            found = _photographs(given, output, marks, passed)
        except PhotochromError as error:
            fail(error)
            continue
        album = given if os.path.isdir(given) else given.parent
        photos += [Found(path, album) for path in found]
    return photos


def _listed(inputs: Sequence[Path], output: Path | None, part: Part) -> list[Found]:
    """Return the photographs of a list. Whether they are there is said when they are opened."""
    if len(inputs) != 1 or not os.path.isdir(inputs[0]):
        raise OptionError(
            "needs the one folder that its names are in",
            where="--files-from",
            next_step="Give that folder, and a list of names inside it",
        )
    if output is None:
        raise OptionError("needs a folder for the results", where="--files-from", next_step="Add --output FOLDER")
    return [Found(path, inputs[0]) for path in part.listed_in(inputs[0])]


def _photographs(given: Path, output: Path | None, marks: tuple[str, ...], passed: _Passed) -> list[Path]:
    if not os.path.isdir(given):
        return [given]  # opening it says what is wrong, if anything is
    found = look_through(given, leave_out=[] if output is None else [output])
    if found.unread:
        passed.unread.extend(found.unread)
        passed.left_out.append(f"pictures of kinds that are not read: {told(found.unread)}")
    if found.passed_over:
        passed.left_out.append(f"bins, and folders of photo managers' copies: {told(found.passed_over)}")
    return found.photos if output is not None else without_results(found.photos, marks)
