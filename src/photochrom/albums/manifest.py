"""What has been done in an album, as one line of JSON per result, so that a later run can go on.

A line is appended and flushed to the disk *before* its result is put in place. Whatever happens in between, a later
run can tell: a result counts as done when it is there and is, byte for byte, the one a line promised. A line that was
cut short by a power failure is passed over.

The folder may have been prepared by somebody else, so nothing in it is believed further than it goes: a manifest that
is a link or pipe is refused, lines of odd names or depth are passed over, and only what lies in the folder itself,
not behind a link, can be ours to replace.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import threading
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import BinaryIO, Self

from photochrom.albums.album import LONGEST_NAME
from photochrom.errors import OutputError, PhotochromError
from photochrom.files.codecs.atomic import output_error
from photochrom.files.codecs.source import open_regular_file
from photochrom.files.companions import without_companion_mark

MANIFEST_NAME = ".photochrom-album.jsonl"
LARGEST_MANIFEST_BYTES = 1_000_000_000
"""Two million photographs."""
LONGEST_LINE = 65_536
LONGEST_PATH = 4_096
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
        self._promised: dict[str, set[tuple[str, int]]] = {}
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
        return _holds(self._folder / target, {(entry.target_sha256, entry.target_bytes)})

    def made(self, target: str) -> bool:
        """Return whether the file of this name is one that photochrom made here and nobody has changed.

        What lies behind a link is not: any file could be claimed that way.
        """
        with self._lock:
            self._catch_up()
            promised = self._promised.get(target, set())
        real = os.path.join(os.path.realpath(self._folder), os.path.normpath(target))
        return bool(promised) and os.path.realpath(real) == real and _holds(Path(real), promised)

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
            raise _unusable(error, self.path) from error

    def _append(self, line: bytes) -> None:
        # One write to a file opened for appending: lines of several processes do not mix. The newline in front ends
        # a line that a power failure may have cut; empty lines mean nothing.
        descriptor = _open_own(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
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
            with os.fdopen(_open_own(self.path, os.O_RDONLY), "rb") as handle:
                if os.fstat(handle.fileno()).st_size > LARGEST_MANIFEST_BYTES:
                    raise OSError(errno.EFBIG, "larger than that of any album")
                handle.seek(self._read_up_to)
                self._read_lines(handle)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unusable(error, self.path) from error

    def _read_lines(self, handle: BinaryIO) -> None:
        begins = True
        while (line := handle.readline(LONGEST_LINE)) and (line.endswith(b"\n") or len(line) == LONGEST_LINE):
            self._read_up_to += len(line)
            entry = _entry_from(line) if begins else None  # else the rest of a line that is too long to be one of ours
            begins = line.endswith(b"\n")
            if entry:
                self._take(entry)

    def _take(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self._promised.setdefault(entry.target, set()).add((entry.target_sha256, entry.target_bytes))
        key, _, mark = entry.key.rpartition(COMPANION_SEPARATOR)
        if mark and without_companion_mark(mark) == "":  # photographs, too, may have the separator in their names
            self._companions.setdefault(key, set()).add(entry.target)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file's bytes, in hexadecimal.

    Raises:
        PhotoNotFoundError, UnreadablePhotoError: there is none, or no regular one.
    """
    with open_regular_file(os.fspath(path)) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _holds(path: Path, promised: set[tuple[str, int]]) -> bool:
    """Return whether a file is, byte for byte, one of those promised; one of another size is not even read."""
    try:
        size = path.stat().st_size
        return any(size == expected for _, expected in promised) and (file_sha256(path), size) in promised
    except (OSError, ValueError, PhotochromError):
        return False


def _open_own(path: Path, flags: int) -> int:
    """Return the descriptor of a file that is photochrom's own: no link, pipe or device, and of one name only."""
    safe = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
    descriptor = os.open(path, flags | sum(getattr(os, name, 0) for name in safe), 0o666)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or os.path.islink(path):
        os.close(descriptor)
        raise OSError(errno.ELOOP, "a link or pipe")
    return descriptor


def _unusable(error: OSError, path: Path) -> OutputError:
    """Return the error for a manifest that cannot be read or added to."""
    if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
        what = "is a link, pipe or folder where photochrom keeps what is done"
        return OutputError(what, where=str(path), next_step="Remove it, or choose another output folder")
    return output_error(error, path)


def _entry_from(line: bytes) -> Entry | None:
    try:
        values = json.loads(line)
        entry = Entry(**values)
    except (ValueError, TypeError, RecursionError):
        return None
    right = all(isinstance(getattr(entry, field.name), int if field.type == "int" else str) for field in fields(Entry))
    return entry if right and _is_name_inside(entry.target) else None


def _is_name_inside(name: str) -> bool:
    """Return whether a name is one that we could have given: it leads into the folder, and file systems hold it."""
    path = Path(name)
    try:
        lengths = [len(os.fsencode(part)) for part in path.parts]
    except UnicodeEncodeError:
        return False
    fits = 0 < sum(lengths) + len(lengths) < LONGEST_PATH and max(lengths) <= LONGEST_NAME
    return fits and not path.anchor and ".." not in path.parts and "\0" not in name
