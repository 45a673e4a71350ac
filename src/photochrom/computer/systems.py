"""What Linux, macOS and Windows do differently with files and processes, in one place.

Everything else asks here, so that the tests can play another system: ``SYSTEM``, ``fcntl`` and ``msvcrt`` are looked up
at each call. :mod:`photochrom.computer.names` has what concerns names.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

fcntl: Any = None
msvcrt: Any = None
with contextlib.suppress(ImportError):
    import fcntl  # not on Windows
with contextlib.suppress(ImportError):
    import msvcrt  # on Windows alone

PathLike = str | os.PathLike[str]
Identity = tuple[int, int | str]
"""Device and inode; where a file system has no inodes, the path."""

SYSTEM = sys.platform
WAITS_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Virus scanners and search indexes have a new file open for up to a second."""
LOCKED_AT = 2**40
"""The byte that stands for a file: Windows forbids others to read what is locked, so it lies beyond any end."""


def put_in_place(aside: PathLike, target: PathLike) -> None:
    """Give a finished file or folder its name, in place of what had it.

    Windows renames nothing that a program has open, or has mapped into memory as engines do with models; that is
    tried again for a second and a half.

    Raises:
        OSError: as ``os.replace``; EBUSY where another program still has it open.
    """
    for wait_s in (*WAITS_S, None):
        try:
            os.replace(aside, target)
        except PermissionError as error:
            if SYSTEM != "win32" or (os.path.lexists(target) and not os.access(target, os.W_OK)):
                raise
            if wait_s is None:
                raise OSError(errno.EBUSY, "another program has it open", os.fspath(target)) from error
            time.sleep(wait_s)
        else:
            return


def put_folder_in_place(folder: Path, target: Path) -> None:
    """Give a finished folder its name; one that has it goes away, or is back where that cannot be done.

    Raises:
        OSError: as :func:`put_in_place`.
    """
    folder.chmod(0o755)  # temporary ones are their maker's alone
    if not target.exists():
        put_in_place(folder, target)
        return
    aside = folder.with_name(f"{folder.name}.old")
    put_in_place(target, aside)
    try:
        put_in_place(folder, target)
    except OSError:
        put_in_place(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def flush_to_disk(descriptor: int) -> None:
    """Return when what was written to a file is on the disk; on macOS also out of the disk's own memory.

    Source: fsync(2) of macOS on F_FULLFSYNC.
    """
    if SYSTEM == "darwin" and hasattr(fcntl, "F_FULLFSYNC"):
        with contextlib.suppress(OSError):  # network folders know no such call
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut. Windows has no such call and needs none."""
    if SYSTEM == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.EROFS):  # file systems that cannot flush a folder
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold the lock of an open file, waiting for whoever has it; of another process or not.

    File systems without locks (some network ones) are gone on without: there, appending in one write has to do.

    Raises:
        OSError: the lock could not be had in ten seconds (Windows).
    """
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    elif msvcrt is not None:
        _lock_on_windows(descriptor, msvcrt.LK_LOCK)
    try:
        yield
    finally:
        if fcntl is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        elif msvcrt is not None:
            _lock_on_windows(descriptor, msvcrt.LK_UNLCK)


def hold_lock(descriptor: int) -> bool:
    """Take the lock of an open file for as long as it is open; return False where another process has it."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            _lock_on_windows(descriptor, msvcrt.LK_NBLCK)
    except OSError:
        return False
    return True


def _lock_on_windows(descriptor: int, mode: int) -> None:
    os.lseek(descriptor, LOCKED_AT, os.SEEK_SET)  # appending ignores where the file stands
    msvcrt.locking(descriptor, mode, 1)


def identity_of_status(status: os.stat_result, path: PathLike) -> Identity:
    """Return what a file is on disk, by its status; by its path where the file system numbers nothing."""
    if status.st_ino:
        return status.st_dev, status.st_ino
    return status.st_dev, os.path.normcase(os.path.realpath(path))


def is_running(process: int) -> bool:
    """Return whether a process of this computer runs; where that cannot be asked, it does."""
    if SYSTEM == "win32":  # os.kill would end the process there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def is_broken_pipe(error: OSError) -> bool:
    """Return whether an error of writing means that the reader has gone; Windows calls that an invalid argument."""
    return isinstance(error, BrokenPipeError) or (SYSTEM == "win32" and error.errno == errno.EINVAL)
