"""What Linux, macOS and Windows do differently with files, in one place.

Everything asks here and nowhere else for the system, so that the tests can play another one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import ModuleType

try:
    import fcntl as posix_locks
except ImportError:  # Windows
    posix_locks: ModuleType | None = None  # type: ignore[no-redef]
try:
    import msvcrt as windows_locks
except ImportError:  # everywhere else
    windows_locks: ModuleType | None = None  # type: ignore[no-redef]

LOCKED_AT = 2**40
"""The byte that stands for a file: Windows forbids others to read what is locked, so it lies beyond any end."""


@contextlib.contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold the lock of an open file, waiting for whoever has it; of another process or not.

    File systems without locks (some network ones) are gone on without: there, appending in one write has to do.

    Raises:
        OSError: the lock could not be had in ten seconds (Windows).
    """
    if posix_locks is not None:
        with contextlib.suppress(OSError):
            posix_locks.flock(descriptor, posix_locks.LOCK_EX)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                posix_locks.flock(descriptor, posix_locks.LOCK_UN)
    elif windows_locks is not None:
        _lock_on_windows(windows_locks, descriptor, windows_locks.LK_LOCK)
        try:
            yield
        finally:
            _lock_on_windows(windows_locks, descriptor, windows_locks.LK_UNLCK)
    else:
        yield


def _lock_on_windows(locks: ModuleType, descriptor: int, mode: int) -> None:
    os.lseek(descriptor, LOCKED_AT, os.SEEK_SET)  # appending ignores where the file stands
    locks.locking(descriptor, mode, 1)
