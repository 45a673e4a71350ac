"""What has been done in an album, as one line of JSON per result, so that a later run can go on.

A line is appended and flushed to the disk *before* its result is put in place. Whatever happens in between, a later
run can tell: a result counts as done when it is there and is, byte for byte, the one a line promised. A line that was
cut short by a power failure is passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from photochrom.files.codecs.atomic import output_error
from photochrom.files.companions import without_companion_mark

MANIFEST_NAME = ".photochrom-album.jsonl"
COMPANION_SEPARATOR = "#"
"""Between a photograph's key and the mark of a picture beside its result."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One result.

    Attributes:
        key: the photograph's name inside the album.
        source_sha256: hash of the photograph.
        settings_sha256: hash of model, version and options.
        target: the result's name inside the output folder.
        target_sha256: hash of the result.
        target_bytes: its size.
    """

    key: str
    source_sha256: str
    settings_sha256: str
    target: str
    target_sha256: str
    target_bytes: int


class Manifest:
    """The lines of one output folder. Safe to use from several threads; several processes may append to one file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST_NAME
        self._folder = folder
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._promised: dict[str, set[str]] = {}
        self._companions: dict[str, set[str]] = {}
        self._read_up_to = 0

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the manifest of a folder with its lines read; an empty one where there is none yet."""
        manifest = cls(folder)
        with manifest._lock:
            manifest._catch_up()
        return manifest

    def name_of(self, path: Path) -> str:
        """Return what the lines call a result."""
        return path.relative_to(self._folder).as_posix()

    def path_of(self, name: str) -> Path:
        """Return where the result of a name lies."""
        return self._folder / name

    @property
    def assigned(self) -> dict[str, str]:
        """Return the names given to results so far, by the photograph's key."""
        with self._lock:
            return {key: entry.target for key, entry in self._entries.items()}

    def companions_of(self, key: str) -> list[str]:
        """Return the names given so far to pictures beside a photograph's result."""
        with self._lock:
            self._catch_up()
            return sorted(self._companions.get(key, ()))

    def is_done(self, key: str, target: str, source_sha256: str, settings_sha256: str) -> bool:
        """Return whether this photograph has this result by these settings, both unchanged since."""
        with self._lock:
            self._catch_up()
            entry = self._entries.get(key)
        if entry is None:
            return False
        if (entry.target, entry.source_sha256, entry.settings_sha256) != (target, source_sha256, settings_sha256):
            return False
        path = self._folder / target
        try:
            return path.stat().st_size == entry.target_bytes and file_sha256(path) == entry.target_sha256
        except OSError:
            return False

    def made(self, target: str) -> bool:
        """Return whether the file of this name is one that photochrom made and nobody has changed."""
        with self._lock:
            self._catch_up()
            promised = self._promised.get(target, set())
        try:
            return bool(promised) and file_sha256(self._folder / target) in promised
        except OSError:
            return False

    def promise(self, entry: Entry) -> None:
        """Append a line and flush it to the disk.

        Raises:
            OutputError: it cannot be written.
        """
        line = json.dumps(asdict(entry), ensure_ascii=True).encode() + b"\n"
        try:
            with self._lock:
                self._append(line)
                self._take(entry)
        except OSError as error:
            raise output_error(error, self.path) from error

    def _append(self, line: bytes) -> None:
        # One write to a file opened for appending: lines of several processes do not mix. The newline in front ends
        # a line that a power failure may have cut; empty lines mean nothing.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            written = os.write(descriptor, b"\n" + line)
            if written != len(line) + 1:
                raise OSError(28, "No space left on device")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _catch_up(self) -> None:
        """Read what has been appended since, by us or by another process."""
        try:
            with self.path.open("rb") as handle:
                handle.seek(self._read_up_to)
                data = handle.read()
        except OSError:
            return
        complete = data.rfind(b"\n") + 1
        self._read_up_to += complete
        for line in data[:complete].splitlines():
            entry = _entry_from(line)
            if entry:
                self._take(entry)

    def _take(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self._promised.setdefault(entry.target, set()).add(entry.target_sha256)
        key, _, mark = entry.key.rpartition(COMPANION_SEPARATOR)
        if mark and without_companion_mark(mark) == "":  # photographs, too, may have the separator in their names
            self._companions.setdefault(key, set()).add(entry.target)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _entry_from(line: bytes) -> Entry | None:
    try:
        values = json.loads(line)
        entry = Entry(**values)
    except (ValueError, TypeError):
        return None
    right = all(isinstance(getattr(entry, field.name), int if field.type == "int" else str) for field in fields(Entry))
    # A name that leads out of the folder is none of ours.
    return entry if right and not Path(entry.target).is_absolute() and ".." not in Path(entry.target).parts else None
