"""What a run is to do, in words that can be sent to any machine, and the photographs and films that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from photochrom.albums.parts import Shard
from photochrom.cluster.addresses import open_folder
from photochrom.cluster.folders import Named
from photochrom.errors import OutputError
from photochrom.files.codecs.formats import READABLE_SUFFIXES
from photochrom.film.containers import FILM_SUFFIXES
from photochrom.film.options import FilmOptions
from photochrom.options import ColorizeOptions, EngineOptions, Limits, OutputOptions, ReadingOptions, RestoreOptions

BEGUN = ".photochrom/begun.json"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a run is to do, in words that can be sent to any machine.

    Attributes:
        source: address of the folder of photographs.
        target: address of the folder of results.
        run: a name of its own, by which tries are counted.
        color: how to colour; None to restore only.
        restoring: how to restore; None to colour only.
        reading: how to read.
        writing: how to write.
        engine: what runs the nets.
        limits: what one photograph may cost.
        films: how to colour films; None to leave them alone.
    """

    source: str
    target: str
    run: str
    color: ColorizeOptions | None = field(default_factory=ColorizeOptions)
    restoring: RestoreOptions | None = None
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    writing: OutputOptions = field(default_factory=OutputOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    limits: Limits = field(default_factory=Limits)
    films: FilmOptions | None = None


def originals(errand: Errand, shard: Shard | None = None) -> Iterator[Named]:
    """Yield the photographs of the errand's folder, and films where they are wanted, by their names alone.

    Raises:
        PhotochromError: the folder cannot be listed.
    """
    source, target = open_folder(errand.source), open_folder(errand.target)
    wanted = READABLE_SUFFIXES | (FILM_SUFFIXES if errand.films else frozenset())
    for found in source.listed(leave_out=target):  # an album may hold its results
        if suffix_of(found) in wanted and (shard is None or shard.holds(found.name)):
            yield found


def is_film(original: Named) -> bool:
    """Return whether a name is a film's."""
    return suffix_of(original) in FILM_SUFFIXES


def suffix_of(original: Named) -> str:
    """Return a name's suffix, in small letters."""
    return PurePosixPath(original.name).suffix.lower()


def check_storage(errand: Errand) -> None:
    """Return when results can be written: an object is put, so that a bucket that only lists is told at once.

    Raises:
        OutputError: it is the folder of the photographs, in whatever spelling.
        PhotochromError: credentials, bucket or network are not as they should be.
    """
    target = open_folder(errand.target)
    if target.place == open_folder(errand.source).place:
        raise OutputError("is the folder of the photographs", where=errand.target, next_step="Choose another folder")
    target.put(BEGUN, f'{{"run": "{errand.run}"}}\n'.encode())
