"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import socket
import time
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from photochrom.computer.names import reachable
from photochrom.computer.systems import flush_folder, flush_to_disk, is_running, put_in_place
from photochrom.errors import OutputError, PhotochromError

TEMPORARY_PREFIX = ".photochrom-"
TEMPORARY_SUFFIX = ".part"
ABANDONED_AFTER_S = 86_400


class Aside:
    """A file being written, hidden beside the one whose place it will take.

    At any moment the old file, the new one or none is there, never a part. A link of the path's name is replaced by
    the file, and what it points to stays as it is. A context manager: what has not been put in place at its end is
    removed. A process that is killed leaves at most a hidden ``.photochrom-*.part`` file, which the next album run
    removes.

    Attributes:
        handle: the file, open for writing and reading; able to seek.

    Raises:
        OutputError: on leaving the context or before, in place of any OSError: the folder is missing or read-only,
            the disk is full, the path is a folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # A link of this name is replaced, never followed: what it points to may be somebody's original.
        self._target = Path(reachable(Path(os.path.realpath(path.parent)) / path.name))
        name = f"{TEMPORARY_PREFIX}{_host()}-{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
        self._temporary = self._target.with_name(name)
        try:
            if os.path.exists(self._target) and not os.path.isfile(self._target):
                raise OSError(errno.EEXIST, "something that is not a file has this name")
            self.handle: BufferedRandom = self._temporary.open("x+b")
        except (OSError, ValueError) as error:
            raise output_error(error, path) from error

    def measured(self) -> tuple[str, int]:
        """Return the SHA-256 and the size of what has been written."""
        self.handle.flush()
        self.handle.seek(0)
        sha256 = hashlib.file_digest(self.handle, "sha256").hexdigest()
        return sha256, self.handle.seek(0, os.SEEK_END)

    def put_in_place(self) -> None:
        """Flush to the disk, and rename."""
        _flush(self.handle)
        self.handle.close()
        put_in_place(self._temporary, self._target)
        flush_folder(self._target.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.handle.close()
        except OSError as late:  # what was buffered does not fit onto the disk
            error = error or late
        self._temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, PhotochromError):
            raise output_error(error, self._path) from error


def write_whole(path: Path, data: bytes | bytearray) -> None:
    """Write ``data`` to ``path``, whole or not at all; see :class:`Aside`.

    Raises:
        OutputError: it cannot be written.
    """
    with Aside(path) as aside:
        aside.handle.write(data)
        aside.put_in_place()


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes of this computer, or anybody a day ago, left in a folder."""
    for path in _temporary_files(folder):
        host, _, rest = path.name.removeprefix(TEMPORARY_PREFIX).partition("-")
        process = rest.partition("-")[0]
        try:
            ours = host == _host() and process.isdigit() and not is_running(int(process))
            if ours or time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                path.unlink(missing_ok=True)
        except OSError:
            continue  # somebody else's, or gone meanwhile


def _temporary_files(folder: Path) -> list[Path]:
    try:
        return list(folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"))
    except OSError:  # a folder that cannot be looked into is told about when something is written there
        return []


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def output_error(error: Exception, path: str | os.PathLike[str]) -> OutputError:
    """Return the error to raise for a failed write, with the next step that fits its reason."""
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    next_step = {
        errno.ENOSPC: "Free some space and run again; nothing half-written was left",
        errno.EDQUOT: "Free some space and run again; nothing half-written was left",
        errno.ENOENT: "Create the folder first",
        errno.EACCES: "Choose a folder you may write to",
        errno.EPERM: "Choose a folder you may write to",
        errno.EROFS: "Choose a folder you may write to",
        errno.ENAMETOOLONG: "Choose a shorter name",
        errno.EBUSY: "Close the program that has it open, and run again",
    }.get(number or 0, "Choose another place for the result")
    return OutputError(f"cannot be written ({reason})", where=os.fspath(path), next_step=next_step)


def _flush(handle: BinaryIO) -> None:
    handle.flush()
    flush_to_disk(handle.fileno())
