"""Whose a result in an output folder is: a later run replaces what became of the same photograph, and nothing else.

A photograph is the same that has its name in its folder, whatever it shows by now, or its bytes, wherever it lies.
Lines from before folders and tasks were kept name neither, and hold nothing back.
"""

from __future__ import annotations

from dataclasses import replace

from photochrom.albums.album import Job
from photochrom.albums.entries import Entry
from photochrom.albums.manifest import COMPANION_SEPARATOR, Manifest
from photochrom.errors import OutputError

NEXT_STEP = "Choose another --output, or use --overwrite to replace it"


def is_earlier_result(job: Job, task: str, source_sha256: str, manifest: Manifest) -> bool:
    """Return whether the file in a result's place is ours to replace: an earlier result of the same photograph.

    Raises:
        OutputError: it is the result of another photograph, or of another task.
    """
    makings = manifest.makings(manifest.name_of(job.target))
    if not makings or not all(_is_anothers(making, job, task, source_sha256, manifest) for making in makings):
        return bool(makings)
    making = makings[-1]
    if _is_of_another_photograph(making, job, source_sha256, manifest):
        whose = f"is the result of another photograph, one of {manifest.album_of(making)}"
    else:
        whose = f"is what `photochrom {making.task}` made of this photograph"
    raise OutputError(whose, where=str(job.target), next_step=NEXT_STEP)


def is_companion_of(name: str, job: Job, task: str, source_sha256: str, manifest: Manifest) -> bool:
    """Return whether a file is, unchanged, what was written beside an earlier result of the job's photograph."""
    for making in manifest.makings(name):
        key = making.key.rpartition(COMPANION_SEPARATOR)[0]
        if key == job.key and not _is_anothers(replace(making, key=key), job, task, source_sha256, manifest):
            return True
    return False


def _is_anothers(making: Entry, job: Job, task: str, source_sha256: str, manifest: Manifest) -> bool:
    """Return whether a line tells of another photograph than the job's, or of another task."""
    return making.task not in ("", task) or _is_of_another_photograph(making, job, source_sha256, manifest)


def _is_of_another_photograph(making: Entry, job: Job, source_sha256: str, manifest: Manifest) -> bool:
    if job.album is None or not making.album or making.source_sha256 == source_sha256:
        return False
    return making.key != job.key or not manifest.is_of_album(making, job.album)
