"""Fetch a published file from the first mirror that gives the right one; interrupted downloads go on where they were.

The proxy of the environment (``https_proxy`` and its like) is used. Nothing is believed of a mirror: a file counts
when its size and sha256 are those of the published one.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from photochrom.computer.systems import hold_lock, put_in_place
from photochrom.errors import ModelError

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0
PATIENCE = 4
"""Times the longest silence: what an answer's headers may take in all, and when a download's speed is first judged."""
LEAST_BYTES_PER_S = 2_000
MOST_REDIRECTS = 5
ATTEMPTS_PER_MIRROR = 3
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One downloadable file: how it is known, where it may be had, and what to do where it cannot."""

    name: str
    file: str
    bytes: int
    sha256: str
    mirrors: tuple[str, ...]
    otherwise: str


class MirrorError(Exception):
    """Why a mirror did not give the file; ``resumable`` if asking again for the rest may help."""

    def __init__(self, reason: str, *, resumable: bool = False) -> None:
        super().__init__(reason)
        self.resumable = resumable


def fetch(
    wanted: PublishedFile, folder: Path, *, progress: Progress | None = None, timeout_s: float = TIMEOUT_S
) -> Path:
    """Return the path of the complete, checked file in ``folder``.

    What was fetched stays in ``FILE.part`` when all mirrors fail, and the next call goes on from there.

    Args:
        wanted: the file.
        folder: where to put it; made if need be.
        progress: called with (bytes so far, bytes in all).
        timeout_s: longest silence of a mirror; one that drips is given up, too.

    Raises:
        ModelError: no mirror gave the file, the line says why for each; or another process is at it.
    """
    target, part = folder / wanted.file, folder / f"{wanted.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f"{wanted.file}.lock", wanted):
            if _is_wanted(target, wanted):
                return target
            reasons = []
            for mirror in wanted.mirrors:
                reason = _try_mirror(mirror, wanted, part, progress, timeout_s)
                if reason is None:
                    put_in_place(part, target)
                    return target
                reasons.append(f"{urlsplit(mirror).netloc}: {reason}")
    except OSError as error:
        raise ModelError(
            f"the download cannot be written ({error.strerror or error})",
            where=str(folder),
            next_step="Make room, or set PHOTOCHROM_CACHE to another disk.",
        ) from None
    raise ModelError(
        "no mirror gave the file (" + "; ".join(reasons) + ")",
        where=wanted.name,
        next_step=f"Offline? Get {wanted.file} elsewhere and run: {wanted.otherwise}",
    )


@contextlib.contextmanager
def _alone(lock: Path, wanted: PublishedFile) -> Iterator[None]:
    """Keep other processes from the same part of a file; raise ModelError where one has begun."""
    with lock.open("ab") as file:
        if not hold_lock(file.fileno()):
            what, next_step = "another process is downloading it", "Wait for it, and run again."
            raise ModelError(what, where=wanted.name, next_step=next_step)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows removes nothing that is open: an empty file stays
                lock.unlink()


def _try_mirror(
    mirror: str, wanted: PublishedFile, part: Path, progress: Progress | None, timeout_s: float
) -> str | None:
    """Fetch what is missing from one mirror; return None on success, else the reason."""
    reason = ""
    for _ in range(ATTEMPTS_PER_MIRROR):
        goes_on = part.exists()
        try:
            _fetch_rest(mirror, wanted, part, progress, timeout_s)
        except MirrorError as error:
            reason = str(error)
            if not error.resumable:
                return reason
            continue
        if _is_wanted(part, wanted):
            return None
        part.unlink()  # right size, wrong content: nothing of it can be used
        reason = "the file has another sha256"
        if not goes_on:
            return reason  # else what another mirror, or an earlier day, began was wrong
    return reason


def _fetch_rest(mirror: str, wanted: PublishedFile, part: Path, progress: Progress | None, timeout_s: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have >= wanted.bytes:
        if have > wanted.bytes:
            part.unlink()
            have = 0
        else:
            return
    with _open(mirror, have, timeout_s) as answer:
        start = _checked_start(answer, have, wanted.bytes)
        with part.open("r+b" if part.exists() else "wb") as file:
            file.truncate(start)
            file.seek(start)
            _copy(answer, file, start, wanted.bytes, progress, PATIENCE * timeout_s)


def _open(mirror: str, have: int, timeout_s: float) -> http.client.HTTPResponse:
    request = urllib.request.Request(mirror, headers={"User-Agent": "photochrom"})  # noqa: S310 - https, or a test's
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        return opened_in_time(urllib.request.build_opener(_CautiousRedirects()), request, timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        raise MirrorError(f"HTTP {error.code}") from None
    except TimeoutError:
        raise MirrorError("no answer in time") from None
    except urllib.error.URLError as error:
        silent = isinstance(error.reason, TimeoutError)
        raise MirrorError("no answer in time" if silent else f"cannot be reached ({error.reason})") from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise MirrorError(f"broken answer ({type(error).__name__})", resumable=True) from None


def read_small(address: str, most_bytes: int, *, timeout_s: float = TIMEOUT_S) -> bytes:
    """Return what a web address gives, up to so many bytes; as cautious as :func:`fetch` is.

    Raises:
        MirrorError: it redirects away from https, or away from the web.
        OSError, HTTPException, ValueError: as urllib does; TimeoutError where it falls silent, or drips.
    """
    request = urllib.request.Request(address, headers={"User-Agent": "photochrom"})  # noqa: S310 - the caller checks
    with opened_in_time(urllib.request.build_opener(_CautiousRedirects()), request, timeout_s) as answer:
        return read_in_time(answer, most_bytes, PATIENCE * timeout_s)


def read_in_time(answer: http.client.HTTPResponse, most_bytes: int, patience_s: float) -> bytes:
    """Return up to so many bytes of an answer.

    Raises:
        TimeoutError: they drip.
        IncompleteRead: there are fewer than the answer has announced.
    """
    content, begun = bytearray(), time.monotonic()
    while len(content) < most_bytes and (chunk := answer.read1(most_bytes - len(content))):
        content += chunk
        if _drips(len(content), begun, patience_s):
            raise TimeoutError
    if len(content) < most_bytes and answer.length:
        raise http.client.IncompleteRead(bytes(content))
    return bytes(content)


def _drips(came: int, begun: float, patience_s: float) -> bool:
    """Return whether so many bytes since a time are too few to wait any longer."""
    waited = time.monotonic() - begun
    return waited > patience_s and came < LEAST_BYTES_PER_S * waited


def opened_in_time(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, timeout_s: float
) -> http.client.HTTPResponse:
    """Return the answer to a request once its headers are there.

    ``timeout_s`` bounds each silence, and a few times that all of it: headers that drip never fall silent.

    Raises:
        TimeoutError: it took too long.
        URLError, HTTPException, OSError: as urllib does.
    """
    outcome: list[http.client.HTTPResponse | BaseException] = []

    def open_it() -> None:
        try:
            outcome.append(opener.open(request, timeout=timeout_s))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            outcome.append(error)

    thread = threading.Thread(target=open_it, daemon=True)  # one that hangs must not keep the program from ending
    thread.start()
    thread.join(PATIENCE * timeout_s)
    if not outcome:
        raise TimeoutError
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _checked_start(answer: http.client.HTTPResponse, have: int, total: int) -> int:
    """Return the position from which the answer goes on: ``have``, or 0 where the mirror starts again."""
    stated = (answer.headers.get("Content-Length") or "").strip()
    length = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 20 else -1
    start = 0
    if answer.status == http.client.PARTIAL_CONTENT:
        if not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            raise MirrorError("it answered another part than asked for")
        start = have
    if length >= 0 and start + length != total:
        raise MirrorError(f"it has another file ({start + length:,} bytes, {total:,} were expected)")
    return start


def _copy(
    answer: http.client.HTTPResponse,
    file: IO[bytes],
    start: int,
    total: int,
    progress: Progress | None,
    patience_s: float,
) -> None:
    position, begun = start, time.monotonic()
    while position < total:
        if _drips(position - start, begun, patience_s):
            raise MirrorError(f"it gives less than {LEAST_BYTES_PER_S:,} bytes a second")
        try:
            chunk = answer.read1(min(CHUNK_BYTES, total - position))  # what is there, not all
        except TimeoutError:
            raise MirrorError("it stopped answering", resumable=position > start) from None
        except (http.client.HTTPException, OSError) as error:
            raise MirrorError(f"the connection broke ({type(error).__name__})", resumable=position > start) from None
        if not chunk:
            raise MirrorError("it ended too early", resumable=position > start)
        file.write(chunk)
        position += len(chunk)
        if progress is not None:
            progress(position, total)
    if answer.read(1):
        raise MirrorError("it has a larger file")


class _CautiousRedirects(urllib.request.HTTPRedirectHandler):
    """Follows few redirects, to web addresses only, and never from https to http."""

    max_redirections = MOST_REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the next request, or raise what stops this mirror."""
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in {"http", "https"} or (old == "https" and new == "http"):
            fp.close()
            raise MirrorError(f"it redirects from {old} to {new}")
        following: Any = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and req.has_header("Range"):
            following.add_header("Range", req.get_header("Range"))
        return following  # type: ignore[no-any-return]


def _is_wanted(path: Path, wanted: PublishedFile) -> bool:
    if not path.is_file() or path.stat().st_size != wanted.bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256
