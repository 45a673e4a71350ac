"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import socket
import time
from pathlib import Path

from photochrom.errors import OutputError

TEMPORARY_PREFIX = ".photochrom-"
TEMPORARY_SUFFIX = ".part"
ABANDONED_AFTER_S = 86_400


def write_whole(path: Path, data: bytes | bytearray) -> None:
    """Write ``data`` to ``path`` so that at any moment the old file, the new file or none is there, never a part.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is then renamed.
    A process that is killed leaves at most a hidden ``.photochrom-*.part`` file, which the next album run removes.

    Raises:
        OutputError: the folder is missing or read-only, the disk is full, the path is a folder.
    """
    # A link stays a link: what it points to is replaced, as a plain write would have done.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{_host()}-{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        if target.exists() and not target.is_file():
            raise OSError(errno.EEXIST, "something that is not a file has this name")
        try:
            _write_and_flush(temporary, data)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _flush_folder(target.parent)
    except (OSError, ValueError) as error:
        raise output_error(error, path) from error


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes of this computer, or anybody a day ago, left in a folder."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"):
        host, _, rest = path.name.removeprefix(TEMPORARY_PREFIX).partition("-")
        process = rest.partition("-")[0]
        try:
            ours = host == _host() and process.isdigit() and not _is_running(int(process))
            if ours or time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                path.unlink(missing_ok=True)
        except OSError:
            continue  # somebody else's, or gone meanwhile


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def _is_running(process: int) -> bool:
    if os.name != "posix":  # os.kill would end the process there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


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
    }.get(number or 0, "Choose another place for the result")
    return OutputError(f"cannot be written ({reason})", where=os.fspath(path), next_step=next_step)


def _write_and_flush(path: Path, data: bytes | bytearray) -> None:
    with path.open("xb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _flush_folder(folder: Path) -> None:
    # Makes the rename itself survive a power cut. Windows has no such call and needs none.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.EROFS):  # file systems that cannot flush a folder
            raise
    finally:
        os.close(descriptor)
