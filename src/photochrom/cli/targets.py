"""Files that are named on a command line to be written: none is an original, and none somebody's photograph."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from photochrom.albums.replacing import refuse_made_elsewhere
from photochrom.errors import OptionError, OutputError
from photochrom.files.codecs.formats import usual_suffix
from photochrom.files.originals import Originals
from photochrom.files.writing import format_of_path

MASK_FORMATS = ("png", "tiff", "bmp")


def refuse_targets(targets: Iterable[Path | None], *, read: Iterable[Path], overwrite: bool) -> None:
    """Return when all may be written; to be asked before any work.

    Args:
        targets: the files to be written; None for those that nobody asked for.
        read: originals, and whatever else is only read.
        overwrite: whether what exists already is replaced, if it is no photograph or film, or one that photochrom made.

    Raises:
        OptionError: two of them are one file.
        OutputError: one is an original, exists already, or is a photograph or film made elsewhere.
    """
    originals, taken = Originals.of(read), set[str]()
    for target in targets:
        if target is None:
            continue
        originals.refuse(target)
        place = os.path.join(os.path.realpath(target.parent), target.name)
        if place in taken:
            what = "would be overwritten: two files are to have one name"
            raise OptionError(what, where=str(target), next_step="Choose another name")
        taken.add(place)
        if os.path.lexists(target) and not overwrite:
            raise OutputError("exists already", where=str(target), next_step="Use --overwrite to replace it")
        refuse_made_elsewhere(target)


def refuse_lossy(mask_out: Path) -> None:
    """Raise OptionError where a mask is to be written in a format that would not keep it as it is."""
    if format_of_path(mask_out) not in MASK_FORMATS:
        lossless = ", ".join(usual_suffix(format) for format in MASK_FORMATS)
        raise OptionError(f"a mask is written as one of {lossless}", where=str(mask_out))
