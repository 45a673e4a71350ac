"""Telling watchers that something has changed, as Server-Sent Events.

What is told is always the newest state, made when it is sent: a slow watcher misses steps on the way, never the end,
and nothing piles up for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse

HEARTBEAT_S = 15.0
# Between two events of one stream; more often, nobody sees a difference.
SHORTEST_PAUSE_S = 0.1
MOST_WATCHERS = 64


class Changes:
    """Who watches what. Only ``tell`` may be called from other threads than the event loop's."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._closed = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let watchers live in this loop."""
        self._loop = loop

    def tell(self, *topics: str) -> None:
        """Say that something has changed; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, topics)

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake(tuple(self._watchers))

    def _wake(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            for event in self._watchers.get(topic, ()):
                event.set()

    @property
    def is_crowded(self) -> bool:
        """Whether there are as many watchers as are let in."""
        return sum(map(len, self._watchers.values())) >= MOST_WATCHERS

    async def watch(self, topic: str) -> AsyncIterator[bool]:
        """Yield True at once and after each change, and False where nothing has changed for a while."""
        event = asyncio.Event()
        self._watchers.setdefault(topic, set()).add(event)
        try:
            event.set()
            while not self._closed:
                try:
                    await asyncio.wait_for(event.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield False
                    continue
                event.clear()
                yield True
                await asyncio.sleep(SHORTEST_PAUSE_S)
        finally:
            self._watchers[topic].discard(event)
            if not self._watchers[topic]:
                del self._watchers[topic]


def event_stream(
    changes: Changes, topic: str, event: str, state: Callable[[], Any], *, is_last: Callable[[Any], bool]
) -> StreamingResponse:
    """Return the stream of a topic: the state as JSON, at once and after each change, up to the last one."""

    async def send() -> AsyncIterator[bytes]:
        told = ""
        async for changed in changes.watch(topic):
            now = state() if changed else None
            text = json.dumps(now)
            if changed and text != told:
                yield f"event: {event}\ndata: {text}\n\n".encode()
                told = text
                if is_last(now):
                    return
            elif not changed:
                yield b": still here\n\n"

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(send(), media_type="text/event-stream", headers=headers)
