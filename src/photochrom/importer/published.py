"""Which published files `models pull` can fetch, as data in ``published.toml``."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from photochrom.computer.downloads import PublishedFile
from photochrom.errors import UnknownModelError
from photochrom.spelling import did_you_mean

IMPORT_ONLY = ("deoldify-2018", "ddcolor", "ddcolor-artistic", "ddcolor-tiny")


def published_file(name: str) -> PublishedFile:
    """Return what is known of a downloadable model; raise UnknownModelError with the closest name or the way round."""
    known = tomllib.loads(files("photochrom.importer").joinpath("published.toml").read_text(encoding="utf-8"))
    if name in IMPORT_ONLY:
        raise UnknownModelError(
            "no address of its file is known",
            where=name,
            next_step="Get the file elsewhere and run: photochrom models import FILE",
        )
    if name not in known:
        raise UnknownModelError("cannot be pulled", where=name, next_step=did_you_mean(name, known))
    entry = known[name]
    file = entry["file"]
    otherwise = f"photochrom models import {file}"
    return PublishedFile(name, file, entry["bytes"], entry["sha256"], tuple(entry["mirrors"]), otherwise)
