"""A server's folder: uploads and jobs, each in a folder named by an id that was made here.

Nothing in it is named by a caller but for a suffix that is one of ours. It belongs to one server at a time, which a
lock says that the system lets go of when the process ends, however it ends. A temporary folder goes at the end; one
that a killed server left is removed by the next that starts.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import threading
from pathlib import Path
from typing import IO

from photochrom.computer.room import temporary_folder
from photochrom.computer.systems import hold_lock, put_in_place
from photochrom.errors import OptionError
from photochrom.files.codecs.atomic import output_error
from photochrom.files.codecs.formats import READABLE_SUFFIXES
from photochrom.film.containers import FILM_SUFFIXES
from photochrom.studio.requests import ID_PATTERN

TEMPORARY_PREFIX = "photochrom-studio-"
LOCK_NAME = "photochrom-store.lock"
PLACES = ("uploads", "jobs", "photos")
LONGEST_SHOWN_NAME = 200


class Store:
    """The folder. Safe to use from several threads.

    Args:
        folder: kept from start to start; left out, a temporary one is made, and removed by ``close``.
        max_bytes: most that it may hold.

    Raises:
        OptionError: another server uses the folder, or it holds something else.
        OutputError: it cannot be made.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = 20_000_000_000) -> None:
        self.is_temporary, self.max_bytes = folder is None, max_bytes
        if folder is None:
            remove_stale()
            folder = temporary_folder() / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_foreign(folder)
            lock = _locked(folder)
            for place in PLACES:
                (folder / place).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise output_error(error, folder) from error
        if lock is None:
            raise OptionError(
                "is in use by another server", where=str(folder), next_step="End that one, or choose another --store"
            )
        self.folder, self._lock_file = folder, lock
        self._taking = threading.Lock()
        self._taken = {path: _size(path) for place in PLACES for path in self.all(place)}

    def new(self, place: str) -> tuple[str, Path]:
        """Return a new id, and its empty folder."""
        identity = secrets.token_urlsafe(12)
        path = self.folder / place / identity
        path.mkdir(mode=0o700)
        return identity, path

    def find(self, place: str, identity: str) -> Path | None:
        """Return the folder of an id, or None; what is no id is nobody's."""
        if not re.fullmatch(ID_PATTERN, identity):
            return None
        path = self.folder / place / identity
        return path if path.is_dir() and not path.is_symlink() else None

    def all(self, place: str) -> list[Path]:
        """Return the folders of a place, the oldest first."""
        found = [path for path in (self.folder / place).iterdir() if re.fullmatch(ID_PATTERN, path.name)]
        return sorted((path for path in found if path.is_dir()), key=lambda path: path.stat().st_mtime_ns)

    def remove(self, path: Path) -> None:
        """Remove the folder of an id, with all that is in it."""
        shutil.rmtree(path, ignore_errors=True)
        self.settle(path)

    @property
    def free_bytes(self) -> int:
        """Return how many bytes more it may hold, less than 0 where it holds too many."""
        with self._taking:
            return self.max_bytes - sum(self._taken.values())

    def take(self, count: int, path: Path) -> bool:
        """Count bytes that are about to be written to a file in the folder of an id; False where they do not fit."""
        with self._taking:
            fits = sum(self._taken.values()) + count <= self.max_bytes
            if fits:
                self._taken[self._home(path)] = self._taken.get(self._home(path), 0) + count
        return fits

    def give_back(self, count: int, path: Path) -> None:
        """Count bytes of a file that are gone, or were not written."""
        with self._taking:
            self._taken[self._home(path)] = max(0, self._taken.get(self._home(path), 0) - count)

    def settle(self, path: Path) -> bool:
        """Count what lies in the folder of an id, whatever was counted of it before; False where that is too much."""
        home = self._home(path)
        size = _size(home)
        with self._taking:
            self._taken[home] = size
            if not size:
                del self._taken[home]
            return sum(self._taken.values()) <= self.max_bytes

    def _home(self, path: Path) -> Path:
        return self.folder.joinpath(*path.relative_to(self.folder).parts[:2])

    def close(self) -> None:
        """Let go of the folder, and remove it if it is temporary."""
        self._lock_file.close()
        if self.is_temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def remove_stale() -> None:
    """Remove the temporary folders of servers that were killed."""
    for folder in temporary_folder().glob(f"{TEMPORARY_PREFIX}*"):
        try:
            lock = _locked(folder) if folder.is_dir() and not folder.is_symlink() and _is_ours(folder) else None
        except OSError:
            continue
        if lock is not None:
            lock.close()
            shutil.rmtree(folder, ignore_errors=True)


def suffix_of(name: str) -> str:
    """Return the suffix of a caller's name if it is that of a photograph or a film, else ""."""
    suffix = os.path.splitext(name)[1]
    return suffix if suffix.lower() in READABLE_SUFFIXES | FILM_SUFFIXES else ""


def shown_name(name: str, otherwise: str = "photo") -> str:
    """Return a caller's name as it may be shown and offered for downloads: the last part of it, in plain letters."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(letter if letter.isprintable() else "_" for letter in last).strip(" .")
    stem, suffix = os.path.splitext(plain)
    return stem[: LONGEST_SHOWN_NAME - len(suffix)] + suffix[:20] if stem else otherwise


def _size(folder: Path) -> int:
    """Return the bytes of all files in a folder, as far as they are there still; 0 where there is none."""
    count = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            count += path.stat().st_size if path.is_file() else 0
    return count


def _is_ours(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _refuse_foreign(folder: Path) -> None:
    known = {LOCK_NAME, *PLACES, "token"}
    other = next((path.name for path in folder.iterdir() if path.name not in known), None)
    if other is not None:
        raise OptionError(
            f"holds something that is not a server's, {other}", where=str(folder), next_step="Give an empty folder"
        )


def _locked(folder: Path) -> IO[bytes] | None:
    """Return the folder's lock, held as long as it is open; None where another process holds it."""
    handle = (folder / LOCK_NAME).open("a+b")
    if hold_lock(handle.fileno()):
        return handle
    handle.close()
    return None


def write_again(path: Path, data: bytes) -> None:
    """Write what can be made again: whole or not at all, but without waiting for the disk as originals deserve.

    Raises:
        OutputError: it cannot be written.
    """
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        aside.write_bytes(data)
        put_in_place(aside, path)
    except OSError as error:
        raise output_error(error, path) from error


def is_there(*paths: Path) -> bool:
    """Return whether files are there and hold something: after a power cut they may be empty."""
    return all(path.exists() and path.stat().st_size > 0 for path in paths)
