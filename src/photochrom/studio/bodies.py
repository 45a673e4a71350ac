"""What callers send, on its way to the disk: counted, and never waited for without end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from photochrom.errors import PhotochromError, PhotoTooLargeError
from photochrom.files.codecs.atomic import output_error
from photochrom.studio.problems import HttpError
from photochrom.studio.store import Store

PIECE_BYTES = 1 << 20
# A body that brings less than this, on the mean, is given up once it has had this long.
SLOWEST_BYTES_A_SECOND, PATIENCE_S = 2_000, 30.0


class Metered:
    """A request's body, limited in size, and in how long it may keep us waiting.

    Args:
        receive: of the request.
        max_bytes: most that is taken.
        silence_s: longest wait for the next piece.
    """

    def __init__(self, receive: Receive, max_bytes: int, silence_s: float) -> None:
        self._receive, self._max_bytes, self._silence_s = receive, max_bytes, silence_s
        self._count, self._begun = 0, time.monotonic()

    async def __call__(self) -> Message:
        """Return the next message."""
        try:
            message = await asyncio.wait_for(self._receive(), self._silence_s)
        except TimeoutError:
            raise _too_slow(f"nothing came for {self._silence_s:g} s") from None
        self._count += len(message.get("body", b""))
        if self._count > self._max_bytes:
            raise too_large(self._max_bytes)
        waited = time.monotonic() - self._begun
        if message.get("more_body") and waited > PATIENCE_S and self._count < waited * SLOWEST_BYTES_A_SECOND:
            raise _too_slow(f"{self._count:,} bytes came in {waited:.0f} s")
        return message


def announced_bytes(headers: Headers) -> int | None:
    """Return how long a request says its body is: 0 where it says nothing, None where it says no number."""
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else None


def metered(request: Request, max_bytes: int, silence_s: float) -> Request:
    """Return the request with its body limited.

    Raises:
        HttpError: it says itself that it is larger.
    """
    length = announced_bytes(request.headers)
    if length is None or length > max_bytes:
        raise too_large(max_bytes)
    return Request(request.scope, Metered(request.receive, max_bytes, silence_s))


async def save_stream(pieces: AsyncIterator[bytes], handle: IO[bytes], store: Store) -> int:
    """Write a stream into an open file, and return how many bytes it was.

    Raises:
        HttpError: the store is full, or the caller went away.
        OutputError: the disk does not take it.
    """
    held, count = bytearray(), 0
    try:
        async for piece in pieces:
            held += piece
            if len(held) >= PIECE_BYTES:
                count += await _flush(held, handle, store)
        return count + await _flush(held, handle, store)
    except ClientDisconnect:
        await _flush(held, handle, store)  # an upload goes on from here
        raise HttpError(400, "the connection ended before the body did") from None


async def read_json(request: Request, max_bytes: int = 4_000_000, silence_s: float = 30.0) -> Any:
    """Return the body as JSON.

    Raises:
        HttpError: it is none, or too large.
    """
    try:
        return await metered(request, max_bytes, silence_s).json()
    except PhotochromError:
        raise
    except (ValueError, RecursionError):
        raise HttpError(400, "the body is no JSON") from None
    except ClientDisconnect:
        raise HttpError(400, "the connection ended before the body did") from None


async def _flush(held: bytearray, handle: IO[bytes], store: Store) -> int:
    count, path = len(held), Path(str(handle.name))
    if count and not store.take(count, path):
        raise HttpError(507, "the server's store is full", next_step="Come back later", headers={"Retry-After": "60"})
    try:
        await asyncio.to_thread(handle.write, bytes(held))
    except OSError as error:
        store.give_back(count, path)
        raise output_error(error, path.name) from error
    held.clear()
    return count


def too_large(max_bytes: int) -> PhotoTooLargeError:
    """Return the error for a body over the limit."""
    return PhotoTooLargeError(
        f"the body is over the limit of {max_bytes / 1e6:,.0f} MB",
        next_step="Raise --max-file-bytes if you trust who sends it",
    )


def _too_slow(what: str) -> HttpError:
    return HttpError(408, f"the body came too slowly: {what}", next_step="Send it again, or in pieces to /v1/uploads")
