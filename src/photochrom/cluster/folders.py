"""A folder somewhere: on S3, Google's or Azure's storage, or on a disk. Names in it have forward slashes.

Objects appear whole or not at all: a result is one put of all its bytes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from photochrom.cluster.storage_errors import is_worth_another_try, storage_error
from photochrom.computer.names import reachable
from photochrom.errors import OptionError, PhotoNotFoundError
from photochrom.files.codecs.atomic import write_whole

if TYPE_CHECKING:
    from pyarrow import fs as arrow

SCHEMES = ("s3", "gs", "az", "file")
WAITS_S = (0.5, 2.0)
"""Before the second and the third try of a request that failed for a reason that may pass."""
GOOGLE_PATIENCE_S = 30
"""How long pyarrow tries one request to Google's storage anew, by itself."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Named:
    """An object in a folder.

    Attributes:
        name: inside the folder, with forward slashes.
        size: in bytes.
        changed_ns: when it was last written to, in nanoseconds since 1970.
    """

    name: str
    size: int
    changed_ns: int


class Folder(Protocol):
    """What albums need of a folder.

    Raises, each method: PhotoNotFoundError where there is no such object, OutputError or UnreadablePhotoError where the
    storage refuses or fails, after three tries where another may help.
    """

    address: str

    def listed(self) -> Iterator[Named]:
        """Yield what the folder and its subfolders hold, a subfolder at a time, in no order; without dot-names."""

    def found(self, name: str) -> Named | None:
        """Return an object, or None where there is none."""

    def read(self, name: str) -> bytes:
        """Return an object's bytes."""

    def put(self, name: str, data: bytes) -> None:
        """Write an object, whole or not at all, in place of what has its name."""

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""


def is_address(text: str | os.PathLike[str]) -> bool:
    """Return whether a text is the address of a folder in a storage, and not a path."""
    return re.match(r"[a-z][a-z0-9+.-]+:/", os.fspath(text)) is not None


def open_folder(address: str) -> Folder:
    """Return the folder at ``s3://bucket/folder``, ``gs://``, ``az://container/folder``, ``file:///`` or a path.

    Raises:
        OptionError: the address is none, names no bucket, or is of a storage that pyarrow here was built without.
        UnreadablePhotoError: the storage cannot be set up: its library finds no credentials, for instance.
    """
    if not is_address(address):
        return LocalFolder(address, Path(address))
    parts = urlsplit(address)
    if parts.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise OptionError(f"no such storage; known are {known}", where=address)
    if parts.scheme == "file":
        return LocalFolder(address, Path(unquote(parts.path)))
    if not parts.netloc:
        raise OptionError("names no bucket", where=address, next_step=f"Write {parts.scheme}://BUCKET/FOLDER")
    try:
        storage = _storage(parts, address)
    except (ImportError, NotImplementedError) as error:
        raise OptionError(
            f"pyarrow is installed here without {parts.scheme}://",
            where=address,
            next_step="Install its wheel: pip install --force-reinstall 'photochrom[cluster]'",
        ) from error
    except (OSError, ValueError) as error:
        raise storage_error(error, address, writing=False) from error
    shown = address.split("?", 1)[0].rstrip("/")
    return CloudFolder(shown, storage, f"{parts.netloc}/{unquote(parts.path).strip('/')}".rstrip("/"))


def _storage(parts: SplitResult, address: str) -> arrow.FileSystem:
    from pyarrow import fs as arrow

    if parts.scheme == "az":
        variables = os.environ
        account = variables.get("AZURE_STORAGE_ACCOUNT_NAME") or variables.get("AZURE_STORAGE_ACCOUNT")
        if not account:
            raise OptionError(
                "which account is not said", where=address, next_step="Set AZURE_STORAGE_ACCOUNT to its name"
            )
        key = variables.get("AZURE_STORAGE_ACCOUNT_KEY") or variables.get("AZURE_STORAGE_KEY")
        return arrow.AzureFileSystem(account_name=account, account_key=key)
    options = parts.query
    if parts.scheme == "gs" and "retry_limit_seconds=" not in options:
        # Its own patience is a quarter of an hour, in silence.
        options = f"{options}&retry_limit_seconds={GOOGLE_PATIENCE_S}".lstrip("&")
    return arrow.FileSystem.from_uri(f"{parts.scheme}://{parts.netloc}" + (f"?{options}" if options else ""))[0]


class CloudFolder:
    """A folder of a storage that pyarrow speaks to."""

    def __init__(self, address: str, storage: Any, root: str) -> None:
        self.address, self._storage, self._root = address, storage, root

    def listed(self) -> Iterator[Named]:
        """Yield what is here; see :class:`Folder`. One subfolder's names are in memory at a time."""
        from pyarrow import fs as arrow

        waiting = [self._root]
        while waiting:
            here = waiting.pop()
            selector = arrow.FileSelector(here, recursive=False, allow_not_found=here != self._root)
            infos: list[Any] = self._asked(partial(self._storage.get_file_info, selector))
            infos.sort(key=lambda info: str(info.path), reverse=True)
            while infos:  # let go of as they are handed out
                info = infos.pop()
                if info.base_name.startswith("."):
                    continue
                if info.type == arrow.FileType.Directory:
                    waiting.append(info.path)
                elif info.type == arrow.FileType.File:
                    yield self._named(info)

    def found(self, name: str) -> Named | None:
        """Return an object, or None; see :class:`Folder`."""
        from pyarrow import fs as arrow

        info = self._asked(lambda: self._storage.get_file_info(self._path(name)), name)
        return self._named(info) if info.type == arrow.FileType.File else None

    def read(self, name: str) -> bytes:
        """Return an object's bytes; see :class:`Folder`."""

        def get() -> bytes:
            with self._storage.open_input_file(self._path(name)) as source:
                return bytes(source.read())

        return self._asked(get, name)

    def put(self, name: str, data: bytes) -> None:
        """Write an object; see :class:`Folder`."""

        def write() -> None:
            # Closing is what makes the object appear: a write that fails must not come to it.
            target = self._storage.open_output_stream(self._path(name))
            target.write(data)
            target.close()

        self._asked(write, name, writing=True)

    def remove(self, name: str) -> None:
        """Remove an object; see :class:`Folder`."""
        try:
            self._asked(lambda: self._storage.delete_file(self._path(name)), name, writing=True)
        except PhotoNotFoundError:
            return

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _named(self, info: Any) -> Named:
        return Named(info.path.removeprefix(self._root).lstrip("/"), info.size or 0, info.mtime_ns or 0)

    def _asked(self, ask: Callable[[], Answer], name: str = "", *, writing: bool = False) -> Answer:
        for wait_s in (*WAITS_S, None):
            try:
                return ask()
            except (OSError, ValueError) as error:
                if wait_s is None or not is_worth_another_try(error):
                    where = f"{self.address}/{name}" if name else self.address
                    raise storage_error(error, where, writing=writing) from error
                time.sleep(wait_s)
        raise AssertionError("the last try returns or raises")


class LocalFolder:
    """A folder on a disk, with the same questions."""

    def __init__(self, address: str, path: Path) -> None:
        self.address, self._path = address.rstrip("/") or address, path

    def listed(self) -> Iterator[Named]:
        """Yield what is here; see :class:`Folder`."""
        if not self._path.is_dir():
            raise PhotoNotFoundError("there is no such folder", where=self.address, next_step="Check the path")
        waiting = [""]
        while waiting:
            here, folders = waiting.pop(), list[str]()
            # A million names in one folder are handed out as the disk tells them, and never held.
            for name, is_folder in self._entries(here):
                if is_folder:
                    folders.append(name)
                elif found := self.found(name):
                    yield found
            waiting += sorted(folders, reverse=True)

    def _entries(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Yield the name of each entry that is no dot-name, and whether it is a folder; one that is gone has none."""
        try:
            with os.scandir(reachable(self._path / folder)) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        yield f"{folder}/{entry.name}".lstrip("/"), entry.is_dir(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(error, f"{self.address}/{folder}", writing=False) from error

    def found(self, name: str) -> Named | None:
        """Return a file, or None; see :class:`Folder`."""
        path = self._path / name
        try:
            status = os.stat(reachable(path))
        except OSError:
            return None
        return Named(name, status.st_size, status.st_mtime_ns) if path.is_file() else None

    def read(self, name: str) -> bytes:
        """Return a file's bytes; see :class:`Folder`."""
        try:
            return Path(reachable(self._path / name)).read_bytes()
        except OSError as error:
            raise storage_error(error, f"{self.address}/{name}", writing=False) from error

    def put(self, name: str, data: bytes) -> None:
        """Write a file; see :class:`Folder`."""
        path = self._path / name
        try:
            Path(reachable(path.parent)).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, str(path.parent), writing=True) from error
        write_whole(path, data)

    def remove(self, name: str) -> None:
        """Remove a file; see :class:`Folder`."""
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, f"{self.address}/{name}", writing=True) from error
