"""Where the photographs of a data set are: folders of any depth (ImageNet's too), tar shards here or on the web.

A data set of a million files is listed once; the list is kept in a file when a configuration names one.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from photochrom.computer.systems import put_in_place
from photochrom.engines.hub import cache_folder
from photochrom.errors import TrainingError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
DOWNLOAD_TIMEOUT_S = 30
INDEX_FORMAT = "photochrom-index/1"


class Place(NamedTuple):
    """Where one photograph's bytes are: a file, or a stretch of a tar shard that has a member of that name."""

    file: str
    member: str = ""
    offset: int = 0
    length: int = -1

    @property
    def name(self) -> str:
        """What a person is told."""
        return f"{self.file}:{self.member}" if self.member else self.file

    def read(self) -> bytes:
        """Return the bytes of the picture file."""
        with open(self.file, "rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.length)


def find_photos(patterns: tuple[str, ...], index: Path | None = None) -> list[Place]:
    """Return every photograph in the tar shards, folders and files that the patterns name, in a stable order.

    Args:
        patterns: paths with shell patterns, or addresses of tar shards; ``{0000..0010}`` counts in both.
        index: a file that keeps the list; it is made anew when a folder or shard that a pattern names has changed
            (not when something deep inside a folder has: delete the file then).

    Raises:
        TrainingError: a pattern matches nothing, or nothing that matched is a photograph.
    """
    roots = [root for pattern in patterns for root in _roots(pattern)]
    stamp = json.dumps([INDEX_FORMAT, *([str(root), root.stat().st_mtime_ns] for root in roots)])
    if index is not None and (kept := _read_index(index, stamp)) is not None:
        return kept
    places = [place for root in roots for place in _places_in(root)]
    if not places:
        raise TrainingError("no photographs found", where=", ".join(patterns), next_step="Check data.photos")
    if index is not None:
        _write_index(index, stamp, places)
    return places


def _roots(pattern: str) -> Iterator[Path]:
    for counted in count_braces(pattern):
        if counted.startswith(("http://", "https://")):
            yield fetch_shard(counted)
            continue
        matches = sorted(glob.glob(os.path.expanduser(counted)))
        if not matches:
            raise TrainingError("no such file or folder", where=counted, next_step="Check data.photos")
        yield from map(Path, matches)


def count_braces(pattern: str) -> list[str]:
    """Return the names that ``shard-{0000..0010}.tar`` stands for."""
    found = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if found is None:
        return [pattern]
    first, last = found.groups()
    numbers = range(int(first), int(last) + 1)
    return [f"{pattern[: found.start()]}{n:0{len(first)}d}{pattern[found.end() :]}" for n in numbers]


def fetch_shard(url: str) -> Path:
    """Return the local copy of a shard on the web, downloaded once into the cache folder.

    Raises:
        TrainingError: it cannot be downloaded, or not to its end; nothing half-written stays.
    """
    # An address may be signed: what stands after its path is no part of the name, which says what the file is.
    name = Path(unquote(urlsplit(url).path)).name
    kept = cache_folder() / "shards" / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}"
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    aside = kept.with_name(f"{kept.name}.{os.getpid()}.partial")
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_S) as source, aside.open("wb") as target:  # noqa: S310 - _roots lets only http(s) in
            announced = source.headers["Content-Length"]
            shutil.copyfileobj(source, target)
            # A connection that breaks looks like the end of the file.
            if announced is not None and target.tell() != int(announced):
                raise OSError(f"the connection ended after {target.tell()} of {announced} bytes")
        put_in_place(aside, kept)
    except (OSError, urllib.error.URLError) as error:
        aside.unlink(missing_ok=True)
        raise TrainingError(
            f"the shard cannot be downloaded ({error})", where=url, next_step="Try again, or download it yourself"
        ) from error
    return kept


def _places_in(root: Path) -> Iterator[Place]:
    if root.is_dir():
        yield from (Place(path) for path in walk(str(root)))
    elif root.suffix == ".tar":
        try:
            with tarfile.open(root) as shard:
                for member in shard:
                    if member.isfile() and member.name.lower().endswith(PHOTO_SUFFIXES):
                        yield Place(str(root), member.name, member.offset_data, member.size)
        except (tarfile.TarError, OSError) as error:
            raise TrainingError(f"the shard is damaged ({error})", where=str(root)) from error
    elif root.suffix.lower() in PHOTO_SUFFIXES:
        yield Place(str(root))


def walk(folder: str) -> Iterator[str]:
    """Yield the picture files under a folder in a stable order; one look per folder, none per file."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=True):
            yield from walk(entry.path)
        elif entry.name.lower().endswith(PHOTO_SUFFIXES):
            yield entry.path


def _read_index(path: Path, stamp: str) -> list[Place] | None:
    try:
        with path.open(encoding="utf-8") as stream:
            if stream.readline().rstrip("\n") != stamp:
                return None
            return [_place_of(line) for line in stream.read().splitlines()]
    except (OSError, ValueError):
        return None  # absent or damaged: it is only a copy


def _place_of(line: str) -> Place:
    if "\t" not in line:
        return Place(line)
    file, member, offset, length = line.split("\t")
    return Place(file, member, int(offset), int(length))


def _write_index(path: Path, stamp: str, places: list[Place]) -> None:
    if any(len(place.name.splitlines()) > 1 or "\t" in place.name for place in places):
        return  # names the format cannot hold: list the folders each time
    aside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with aside.open("w", encoding="utf-8") as stream:
        stream.write(stamp + "\n")
        for place in places:
            stream.write("\t".join(map(str, place)) + "\n" if place.member else place.file + "\n")
    put_in_place(aside, path)
