"""Which existing files ``--overwrite`` may replace: results, and what is no photograph. Somebody's photograph never.

A file named outright need not be part of the run to be an original. What photochrom has made says so: by its own
words in the XMP packet, by the recipe beside it, by the album's manifest, or by the name that results get beside
their photograph.
"""

from __future__ import annotations

import os
from pathlib import Path

from photochrom.albums.album import Job
from photochrom.albums.beside import is_named_beside
from photochrom.albums.manifest import Manifest, file_sha256
from photochrom.albums.recipe import read_recipe, recipe_path
from photochrom.errors import OutputError, PhotochromError
from photochrom.files.codecs.formats import photo_format
from photochrom.files.codecs.signatures import HEAD_BYTES
from photochrom.files.codecs.source import PIECE_BYTES, open_regular_file
from photochrom.files.codecs.xmp import NAMESPACES

OUR_WORDS = NAMESPACES["photochrom"].encode()


def refuse_photograph(job: Job, manifest: Manifest | None) -> None:
    """Raise OutputError where the place of a result holds a photograph that photochrom did not make."""
    target = job.target
    if is_named_beside(job.source, target) or (manifest and manifest.name_of(target) in manifest.assigned.values()):
        return
    refuse_made_elsewhere(target)


def refuse_made_elsewhere(path: Path, where: str = "", another: str = "name") -> None:
    """Raise OutputError where something would be written over a photograph that photochrom did not make.

    Args:
        path: what would be replaced.
        where: what the error calls it, where that is not its path.
        another: what else to choose.
    """
    if os.path.islink(path) or not os.path.isfile(path):
        return  # a link is replaced and never followed; of other things, writing says what they are
    if _is_photograph(path) and not _is_made_by_us(path):
        raise OutputError(
            "is a photograph that photochrom did not make, and perhaps an original",
            where=where or str(path),
            next_step=f"Choose another {another}, or remove it yourself",
        )


def _is_photograph(path: Path) -> bool:
    """Return whether a file begins like a picture of a known format."""
    with open_regular_file(os.fspath(path)) as handle:
        return photo_format(handle.read(HEAD_BYTES), path.name) is not None


def _is_made_by_us(path: Path) -> bool:
    """Return whether a file says that photochrom made it, or the recipe beside it does."""
    try:
        if read_recipe(recipe_path(path)).target_sha256 == file_sha256(path):
            return True
    except (PhotochromError, OSError):
        pass  # no recipe, or of another file
    end = b""
    with open_regular_file(os.fspath(path)) as handle:
        while piece := handle.read(PIECE_BYTES):
            if OUR_WORDS in end + piece:
                return True
            end = piece[-len(OUR_WORDS) :]
    return False
