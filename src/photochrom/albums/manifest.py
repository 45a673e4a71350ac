"""What has been done in an album, as one line of JSON per result, so that a later run can go on.

A line is appended and flushed to the disk *before* its result is put in place. Whatever happens in between, a later
run can tell: a result counts as done when it is there and is, byte for byte, the one a line promised. A line that was
cut short by a power failure is passed over.

Machines that share an album write a file each, their *part*, and read those of the others when they begin;
:mod:`photochrom.albums.merging` joins them.

The folder may have been prepared by somebody else, so nothing in it is believed further than it goes: a manifest that
is a link or pipe is refused, lines of odd names or depth are passed over, and only what lies in the folder itself,
not behind a link, can be ours to replace.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Self

from photochrom.albums.entries import Entry, Line, Outcome, line_of, read_line
from photochrom.computer.names import reachable
from photochrom.computer.systems import flush_to_disk, locked
from photochrom.errors import OutputError, PhotochromError
from photochrom.files.codecs.atomic import output_error
from photochrom.files.codecs.source import open_regular_file
from photochrom.files.companions import without_companion_mark

MANIFEST_NAME = ".photochrom-album.jsonl"
LARGEST_MANIFEST_BYTES = 1_000_000_000
"""Two million photographs."""
LONGEST_LINE = 65_536
COMPANION_SEPARATOR = "#"
"""Between a photograph's key and the mark of a picture beside its result."""


def manifest_name(part: str = "") -> str:
    """Return the name of the manifest, or that of a part of it."""
    return f"{Path(MANIFEST_NAME).stem}-{part}.jsonl" if part else MANIFEST_NAME


def part_paths(folder: Path) -> list[Path]:
    """Return the manifests of parts that lie in a folder."""
    try:
        return sorted(folder.glob(manifest_name("*")))
    except OSError:
        return []


class Manifest:
    """The lines of one output folder. Safe to use from several threads; several processes may append to one file."""

    def __init__(self, folder: Path, part: str = "") -> None:
        self.path = folder / manifest_name(part)
        self._folder = folder
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._promised: dict[str, dict[Entry, None]] = {}
        self._places: dict[Path, str] = {}
        self._companions: dict[str, set[str]] = {}
        self._read_up_to = 0

    @classmethod
    def of(cls, folder: Path, part: str = "") -> Self:
        """Return the manifest of a folder with its lines read, those of all parts too; empty where there is none yet.

        Args:
            folder: the output folder.
            part: the name of the file to append to, for one machine of several; "" is the whole album's.
        """
        manifest = cls(folder, part)
        with manifest._lock:
            for path in [folder / MANIFEST_NAME, *part_paths(folder)]:
                if path != manifest.path:
                    manifest._read_file(path, 0)
            manifest._catch_up()
        return manifest

    def name_of(self, path: Path) -> str:
        """Return what the lines call a result."""
        return path.relative_to(self._folder).as_posix()

    def path_of(self, name: str) -> Path:
        """Return where the result of a name lies."""
        return self._folder / name

    def place_of(self, album: Path) -> str:
        """Return what the lines call a folder of photographs: its way from here, so that both may move together."""
        if album not in self._places:
            real, here = os.path.realpath(album), os.path.realpath(self._folder)
            try:
                self._places[album] = Path(os.path.relpath(real, here)).as_posix()
            except ValueError:  # another drive
                self._places[album] = Path(real).as_posix()
        return self._places[album]

    def album_of(self, entry: Entry) -> Path:
        """Return the folder of photographs that a line tells of."""
        return Path(os.path.normpath(os.path.join(os.path.realpath(self._folder), entry.album)))

    def is_of_album(self, entry: Entry, album: Path) -> bool:
        """Return whether a line tells of a photograph in this folder, or may do so, as it says nothing of folders."""
        if entry.album in ("", self.place_of(album)):
            return True
        if Path(entry.album).anchor:  # a stranger's line could name a server
            return False
        try:  # of other spelling, or behind a link
            return os.path.samefile(self.album_of(entry), album)
        except (OSError, ValueError):
            return False

    @property
    def names(self) -> list[str]:
        """Return every name that was ever given to a result, or to what lies beside one."""
        with self._lock:
            return list(self._promised)

    @property
    def assigned(self) -> dict[str, str]:
        """Return the names given to results so far, by the photograph's key."""
        with self._lock:
            return {key: entries[-1].target for key, entries in self._entries.items()}

    def given_in(self, albums: Mapping[str, Path]) -> dict[str, list[str]]:
        """Return the names given so far to these photographs' results, in order.

        Args:
            albums: the folder of each photograph, by key. One that no line tells of may be another, moved.
        """
        with self._lock:
            found = {key: self._entries[key] for key in albums if key in self._entries}
        own = {key: [e for e in entries if self.is_of_album(e, albums[key])] for key, entries in found.items()}
        return {key: [entry.target for entry in own[key] or found[key]] for key in found}

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Return what became of photographs that were tried and have no line of a result since, by key."""
        with self._lock:
            return dict(self._outcomes)

    @property
    def entries(self) -> dict[str, tuple[Entry, ...]]:
        """Return what was promised by key: of each result, photograph and settings the last; companions' too."""
        with self._lock:
            return dict(self._entries)

    def is_companion(self, key: str) -> bool:
        """Return whether a key is that of a picture beside a result."""
        photo, _, mark = key.rpartition(COMPANION_SEPARATOR)
        # Photographs, too, may have the separator in their names.
        return bool(mark) and without_companion_mark(mark) == "" and photo in self._entries

    @property
    def companions(self) -> dict[str, list[str]]:
        """Return the names given so far to pictures beside results, by the photograph's key."""
        with self._lock:
            return {key: sorted(names) for key, names in self._companions.items()}

    def companions_of(self, key: str) -> list[str]:
        """Return the names given so far to pictures beside a photograph's result."""
        with self._lock:
            self._catch_up()
            return sorted(self._companions.get(key, ()))

    def is_done(self, key: str, target: str, source_sha256: str, settings_sha256: str) -> bool:
        """Return whether this photograph has this result by these settings, both unchanged since."""
        with self._lock:
            self._catch_up()
            entries = self._entries.get(key, ())
        wanted = (target, source_sha256, settings_sha256)
        return bool(those_kept(self._folder / target, [entry for entry in entries if _made_by(entry) == wanted]))

    def made(self, target: str) -> bool:
        """Return whether the file of this name is one that photochrom made here and nobody has changed."""
        return bool(self.makings(target))

    def makings(self, target: str) -> tuple[Entry, ...]:
        """Return the lines that promised the file of this name as it is; none where somebody else made or changed it.

        What lies behind a link is nobody's here: any file could be claimed that way.
        """
        with self._lock:
            self._catch_up()
            promised = list(self._promised.get(target, ()))
        real = os.path.join(os.path.realpath(self._folder), os.path.normpath(target))
        return those_kept(Path(real), promised) if promised and os.path.realpath(real) == real else ()

    def promise(self, line: Line) -> None:
        """Append a line and flush it to the disk.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            with self._lock:
                self._append(line_of(line))
                self._take(line)
        except OSError as error:
            raise _unusable(error, self.path) from error

    def _append(self, line: bytes) -> None:
        # One write to a file opened for appending, under a lock where the system has one: lines of several processes
        # do not mix. The newline in front ends a line that a power failure may have cut; empty lines mean nothing.
        descriptor = open_own(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            with locked(descriptor):
                written = os.write(descriptor, b"\n" + line)
            if written != len(line) + 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            flush_to_disk(descriptor)
        finally:
            os.close(descriptor)

    def _catch_up(self) -> None:
        """Read what has been appended since, by us or by another process."""
        self._read_up_to = self._read_file(self.path, self._read_up_to)

    def _read_file(self, path: Path, begin: int) -> int:
        """Take the lines of a file from an offset on, and return how far it was read."""
        try:
            with os.fdopen(open_own(path, os.O_RDONLY), "rb") as handle:
                if os.fstat(handle.fileno()).st_size > LARGEST_MANIFEST_BYTES:
                    raise OSError(errno.EFBIG, "larger than that of any album")
                handle.seek(begin)
                return begin + self._read_lines(handle)
        except FileNotFoundError:
            return begin
        except OSError as error:
            raise _unusable(error, path) from error

    def _read_lines(self, handle: BinaryIO) -> int:
        begins, count = True, 0
        while (data := handle.readline(LONGEST_LINE)) and (data.endswith(b"\n") or len(data) == LONGEST_LINE):
            count += len(data)
            line = read_line(data) if begins else None  # else the rest of a line that is too long to be one of ours
            begins = data.endswith(b"\n")
            if line:
                self._take(line)
        return count

    def _take(self, line: Line) -> None:
        if isinstance(line, Outcome):
            self._outcomes[line.key] = line
            return
        self._outcomes.pop(line.key, None)
        # Of several files' lines nobody knows which came last, so all are kept that could be of the file that is there.
        others = [entry for entry in self._entries.get(line.key, ()) if _made_by(entry) != _made_by(line)]
        self._entries[line.key] = (*others, line)
        self._promised.setdefault(line.target, {})[line] = None
        key, _, mark = line.key.rpartition(COMPANION_SEPARATOR)
        if mark and without_companion_mark(mark) == "":  # photographs, too, may have the separator in their names
            self._companions.setdefault(key, set()).add(line.target)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file's bytes, in hexadecimal.

    Raises:
        PhotoNotFoundError, UnreadablePhotoError: there is none, or no regular one.
    """
    with open_regular_file(os.fspath(path)) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def is_as_promised(path: Path, promise: tuple[str, int]) -> bool:
    """Return whether a file has, byte for byte, this hash and size; one of another size is not even read."""
    try:
        return os.stat(reachable(path)).st_size == promise[1] and file_sha256(path) == promise[0]
    except (OSError, ValueError, PhotochromError):
        return False


def those_kept(path: Path, promised: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the lines that a file is, byte for byte, as promised; one of another size is not even read."""
    try:
        size = os.stat(reachable(path)).st_size
        sized = [entry for entry in promised if entry.target_bytes == size]
        sha256 = file_sha256(path) if sized else ""
    except (OSError, ValueError, PhotochromError):
        return ()
    return tuple(entry for entry in sized if entry.target_sha256 == sha256)


def open_own(path: Path, flags: int) -> int:
    """Return the descriptor of a file that is photochrom's own: no link, pipe or device, and of one name only.

    Raises:
        OSError: it is something else, or cannot be opened.
    """
    safe = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
    descriptor = os.open(path, flags | sum(getattr(os, name, 0) for name in safe), 0o666)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or os.path.islink(path):
        os.close(descriptor)
        raise OSError(errno.ELOOP, "a link or pipe")
    return descriptor


def _made_by(entry: Entry) -> tuple[str, str, str]:
    return entry.target, entry.source_sha256, entry.settings_sha256


def _unusable(error: OSError, path: Path) -> OutputError:
    """Return the error for a manifest that cannot be read or added to."""
    if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
        what = "is a link, pipe or folder where photochrom keeps what is done"
        return OutputError(what, where=str(path), next_step="Remove it, or choose another output folder")
    return output_error(error, path)
