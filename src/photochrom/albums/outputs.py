"""What an output's name means: a file for a single photograph, or a folder; and which names can mean neither."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from photochrom.albums.album import UNREAD_SUFFIXES
from photochrom.albums.parts import WHOLE, Part
from photochrom.errors import OptionError
from photochrom.files.codecs.formats import READABLE_SUFFIXES, SUFFIX_FORMATS, usual_suffix
from photochrom.files.originals import identity_of
from photochrom.files.writing import format_of_path


def is_one_file(output: Path, inputs: Sequence[Path], format: str | None, part: Part = WHOLE) -> bool:
    """Return whether an output is the name of one photograph's result; else it is a folder, which need not be there.

    Raises:
        OptionError: it is the photographs' own folder, a file where a folder is needed, a picture's name that no folder
            should have, or of another format than is asked for.
    """
    own = identity_of(output)
    if own and any(os.path.isdir(given) and identity_of(given) == own for given in inputs):
        what = "is the folder of the photographs"
        raise OptionError(what, where=str(output), next_step="Choose another --output")
    is_folder, is_named_like_a_picture = os.path.isdir(output), _suffix(output) in READABLE_SUFFIXES | UNREAD_SUFFIXES
    if part == WHOLE and len(inputs) == 1 and not os.path.isdir(inputs[0]) and is_named_like_a_picture:
        if not is_folder:
            format_of_path(output)  # raises where that is not written
            refuse_contradiction(output, format)
        return not is_folder
    if os.path.isfile(output):
        what = "is a file, and several photographs need a folder"
        raise OptionError(what, where=str(output), next_step="Choose another --output.")
    if is_named_like_a_picture and not is_folder:
        what = "is named like a picture, and a folder is needed here"
        raise OptionError(what, where=str(output), next_step="Choose another --output, or make that folder first")
    return False


def refuse_contradiction(output: Path, format: str | None) -> None:
    """Raise OptionError where a file's name says another format than the one it is to have."""
    named = SUFFIX_FORMATS.get(_suffix(output))
    if format and named and named != format:
        raise OptionError(
            f"is the name of a {named.upper()}, and the format is to be {format.upper()}",
            where=str(output),
            next_step=f"Choose a name that ends in {usual_suffix(format)}",
        )


def _suffix(path: Path) -> str:
    return path.suffix.lower()
