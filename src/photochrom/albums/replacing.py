"""Which existing files ``--overwrite`` may replace: results, and what is neither photograph nor film. Somebody's never.

A file named outright need not be part of the run to be an original. What photochrom has made says so: by its own
words inside (``files.made_here``), by the recipe beside it, by the album's manifest, or by the name that results get
beside their photograph.
"""

from __future__ import annotations

import os
from pathlib import Path

from photochrom.albums.album import Job
from photochrom.albums.beside import is_named_beside
from photochrom.albums.manifest import Manifest, file_sha256
from photochrom.albums.recipe import read_recipe, recipe_path
from photochrom.errors import PhotochromError
from photochrom.files import made_here


def refuse_photograph(job: Job, manifest: Manifest | None) -> None:
    """Raise OutputError where the place of a result holds a photograph or film that photochrom did not make."""
    target = job.target
    if is_named_beside(job.source, target) or (manifest and manifest.name_of(target) in manifest.assigned.values()):
        return
    refuse_made_elsewhere(target)


def refuse_made_elsewhere(path: Path, where: str = "", another: str = "name") -> None:
    """Raise OutputError as ``made_here.refuse_made_elsewhere`` does, unless the recipe beside a file tells of it."""
    if os.path.islink(path) or not _has_recipe(path):
        made_here.refuse_made_elsewhere(path, where, another)


def _has_recipe(path: Path) -> bool:
    try:
        return read_recipe(recipe_path(path)).target_sha256 == file_sha256(path)
    except (PhotochromError, OSError):
        return False  # none, or of another file
