"""Uploads that may be broken off and go on: a file is announced, sent in pieces, and then used by its id."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from photochrom.computer.systems import put_in_place
from photochrom.errors import OptionError, PhotoTooLargeError
from photochrom.files.codecs.atomic import write_whole
from photochrom.studio.problems import HttpError
from photochrom.studio.store import Store, shown_name, suffix_of

RECORD_NAME, BODY_STEM = "upload.json", "body"
CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
MOST_UPLOADS = 2_000


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: its id, the file's name for people, and its size in bytes, 0 where that was not told."""

    id: str
    name: str
    size: int


class Uploads:
    """All uploads of a server. Safe to use from several threads; one piece of each is written at a time.

    Args:
        store: where they lie.
        max_bytes: of one.
        keep_s: how long one of which nothing more comes waits to be used.
    """

    def __init__(self, store: Store, max_bytes: int, keep_s: float = 86_400.0) -> None:
        self._store, self.max_bytes, self._keep_s = store, max_bytes, keep_s
        self._writing: set[str] = set()
        self._lock = threading.Lock()

    def announce(self, name: str, size: int) -> Upload:
        """Return a new, empty upload.

        Raises:
            PhotoTooLargeError: it is larger than what is taken.
            HttpError: there are too many.
        """
        if size > self.max_bytes:
            raise PhotoTooLargeError(
                f"the file has {size / 1e6:,.0f} MB, over the limit of {self.max_bytes / 1e6:,.0f} MB",
                where=shown_name(name),
            )
        self._refuse_if_many()
        identity, folder = self._store.new("uploads")
        upload = Upload(identity, shown_name(name), size)
        (folder / (BODY_STEM + suffix_of(name))).touch(mode=0o600)
        write_whole(folder / RECORD_NAME, json.dumps(asdict(upload)).encode())
        return upload

    def find(self, identity: str) -> tuple[Upload, Path]:
        """Return an upload and the file that holds what has come so far; raise HttpError 404 where there is none."""
        folder = self._store.find("uploads", identity)
        try:
            if folder is None:
                raise OSError
            upload = Upload(**json.loads((folder / RECORD_NAME).read_text(encoding="utf-8")))
            return upload, folder / (BODY_STEM + suffix_of(upload.name))
        except (OSError, ValueError, TypeError):
            raise HttpError(404, "there is no such upload", next_step="Announce it at /v1/uploads") from None

    def begin_piece(self, identity: str, content_range: str | None) -> tuple[Path, int]:
        """Return the file and the place in it where a piece goes; ``end_piece`` must follow.

        Raises:
            HttpError: the piece does not go on where the upload stands, or another one is being written.
        """
        upload, path = self.find(identity)
        with self._lock:
            if identity in self._writing:
                raise HttpError(409, "another piece of this upload is on its way")
            start = _start(content_range, upload, path.stat().st_size)
            self._writing.add(identity)
        return path, start

    def end_piece(self, identity: str) -> None:
        """Let the next piece come."""
        with self._lock:
            self._writing.discard(identity)

    def hand_over(self, identity: str, folder: Path, stem: str) -> tuple[str, str]:
        """Move a finished upload into a folder; return the file's name there, and its name for people.

        Raises:
            HttpError: there is none, or it is not finished.
        """
        upload, path = self.find(identity)
        received = path.stat().st_size
        with self._lock:
            if identity in self._writing or received < max(1, upload.size):
                told = f"{received:,} of {upload.size:,} bytes have come" if upload.size else "nothing has come"
                raise HttpError(409, f"the upload is not finished: {told}", next_step=f"PUT to /v1/uploads/{identity}")
            name = stem + path.suffix
            put_in_place(path, folder / name)
        (path.parent / RECORD_NAME).unlink()
        path.parent.rmdir()
        for changed in (path.parent, folder):
            self._store.settle(changed)
        return name, upload.name

    def remove(self, identity: str) -> None:
        """Remove an upload; raise HttpError 404 where there is none."""
        _, path = self.find(identity)
        self._store.remove(path.parent)

    def remove_old(self) -> None:
        """Remove uploads that were given up: of which nothing has come for long, and which nobody has used."""
        with self._lock:
            for folder in self._store.all("uploads"):
                if folder.name not in self._writing and time.time() - _last_change(folder) > self._keep_s:
                    self._store.remove(folder)

    def _refuse_if_many(self) -> None:
        waiting = self._store.all("uploads")
        if len(waiting) >= MOST_UPLOADS:
            raise HttpError(429, f"{MOST_UPLOADS} uploads are waiting", headers={"Retry-After": "60"})


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))


def _start(content_range: str | None, upload: Upload, received: int) -> int:
    if content_range is None:
        return 0
    found = CONTENT_RANGE.fullmatch(content_range.strip())
    if not found:
        raise OptionError("is not `bytes FIRST-LAST/SIZE`", where="Content-Range")
    first, last, size = map(int, found.groups())
    if last < first or last >= size or (upload.size and size != upload.size):
        raise HttpError(416, "does not fit the upload that was announced", where="Content-Range")
    if first != received:
        raise HttpError(
            416, f"{received} bytes have come", next_step=f"Go on with `bytes {received}-`",
            headers={"Content-Range": f"bytes */{received}"},
        )  # fmt: skip
    return first
