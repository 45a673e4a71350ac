"""What photochrom has made says so; a photograph or film that does not is somebody else's, and never written over."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from photochrom.errors import OutputError
from photochrom.files.codecs.formats import photo_format
from photochrom.files.codecs.signatures import HEAD_BYTES, is_film
from photochrom.files.codecs.source import PIECE_BYTES, open_regular_file
from photochrom.files.codecs.xmp import NAMESPACES, with_properties
from photochrom.files.codecs.xmp_document import DamagedXmpError
from photochrom.files.photo import Photo
from photochrom.files.provenance import TASK
from photochrom.files.provenance import VERSION as VERSION_USED
from photochrom.version import VERSION

TAG_OF_FILMS = "PHOTOCHROM_MODEL_SHA256"
OUR_WORDS = NAMESPACES["photochrom"].encode(), TAG_OF_FILMS.encode()


def refuse_made_elsewhere(path: Path, where: str = "", another: str = "name") -> None:
    """Raise OutputError where something would be written over a photograph or film that photochrom did not make.

    Args:
        path: what would be replaced.
        where: what the error calls it, where that is not its path.
        another: what else to choose.

    Cost: reading the file up to the place where it says who has made it.
    """
    if os.path.islink(path) or not os.path.isfile(path):
        return  # a link is replaced and never followed; of other things, writing says what they are
    kind = _kind(path)
    if kind and not _says_so(path):
        raise OutputError(
            f"is a {kind} that photochrom did not make, and perhaps an original",
            where=where or str(path),
            next_step=f"Choose another {another}, or remove it yourself",
        )


def labelled(photo: Photo, task: str) -> Photo:
    """Return a picture that says photochrom has made it, where its format has words: so it may be replaced later."""
    said = {VERSION_USED: [VERSION], TASK: [task]}
    try:
        packet = with_properties(photo.metadata.xmp, said, replace=True)
    except DamagedXmpError:
        packet = with_properties(None, said, replace=True)
    return replace(photo, metadata=replace(photo.metadata, xmp=packet))


def _kind(path: Path) -> str:
    """Return whether a file begins like a photograph or film of a known format; "" for anything else."""
    with open_regular_file(os.fspath(path)) as handle:
        head = handle.read(HEAD_BYTES)
    return "photograph" if photo_format(head, path.name) else "film" if is_film(head) else ""


def _says_so(path: Path) -> bool:
    longest, end = max(map(len, OUR_WORDS)), b""
    with open_regular_file(os.fspath(path)) as handle:
        while piece := handle.read(PIECE_BYTES):
            if any(words in end + piece for words in OUR_WORDS):
                return True
            end = piece[-longest:]
    return False
