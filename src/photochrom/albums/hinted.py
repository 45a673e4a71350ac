"""Which hints and references belong to which photograph."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from photochrom.albums.album import Job
from photochrom.albums.manifest import file_sha256
from photochrom.albums.plan import Plan
from photochrom.albums.results import BatchSettings
from photochrom.coloring.reference import match_references, reference_places
from photochrom.engines.base import Engine
from photochrom.errors import OptionError
from photochrom.files.codecs.source import open_regular_file
from photochrom.files.reading import open_photo
from photochrom.hints.sheet import HINTS_SUFFIX, PAINTED_SUFFIX


def with_hints(planned: Plan, hints: Path | None) -> Plan:
    """Return a plan whose photographs have their hints, from one file or from a folder.

    Raises:
        OptionError: one file for several photographs, or a folder that holds none for any of them.
        PhotoNotFoundError, UnreadablePhotoError: there is no such file.
    """
    if hints is None:
        return planned
    if os.path.isdir(hints):
        jobs = [replace(job, hints=_hints_in(hints, job)) for job in planned.jobs]
        if not any(job.hints for job in jobs):
            what = f"the folder holds no NAME{HINTS_SUFFIX} or NAME{PAINTED_SUFFIX} of these photographs"
            raise OptionError(what, where=f"--hints {hints}")
        return replace(planned, jobs=jobs)
    if len(planned.jobs) > 1:
        raise OptionError(
            "one file of hints cannot belong to several photographs",
            where=f"--hints {hints}",
            next_step=f"Give a folder that holds NAME{HINTS_SUFFIX} for those that have hints",
        )
    with open_regular_file(os.fspath(hints)):  # a wrong name is told before a model is loaded
        return replace(planned, jobs=[replace(job, hints=hints) for job in planned.jobs])


def with_references(settings: BatchSettings, references: Sequence[Path], engine: Engine) -> BatchSettings:
    """Return settings that take colours from reference photographs.

    Raises:
        PhotoError, OptionError: one cannot be read, or has no colours.
        ModelError: the model gives nothing to compare photographs by.
    """
    places = [reference_places(open_photo(path, limits=settings.limits), engine, str(path)) for path in references]
    sha256 = hashlib.sha256("".join(file_sha256(path) for path in references).encode()).hexdigest()
    return replace(settings, references_sha256=sha256, match=lambda photo: match_references(photo, places, engine))


def _hints_in(folder: Path, job: Job) -> Path | None:
    """Return a photograph's hints in a folder: by its name inside the album, with or without its suffix."""
    name = PurePosixPath(job.key)
    bases = [name.as_posix(), name.with_suffix("").as_posix()]
    places = [folder / (base + suffix) for base in bases for suffix in (HINTS_SUFFIX, PAINTED_SUFFIX)]
    return next((place for place in places if place.is_file()), None)
