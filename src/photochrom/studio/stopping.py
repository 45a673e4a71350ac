"""Ending work that is under way: a net is asked before each of its runs whether anybody still waits for the answer."""

from __future__ import annotations

import threading
import time
from typing import Any

from photochrom.coloring.rendering import MemoryAware
from photochrom.errors import PhotochromError


class StoppedError(PhotochromError):
    """Nobody waits for this any more, or it has taken too long."""


class Stop:
    """Asks one piece of work to end, from any thread.

    Args:
        max_seconds: counted from the first look on; work that takes longer is ended.
    """

    def __init__(self, max_seconds: float = float("inf")) -> None:
        self._max_seconds, self._asked = max_seconds, threading.Event()
        self._begun: float | None = None

    def ask(self) -> None:
        """Ask the work to end."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether somebody has asked."""
        return self._asked.is_set()

    @property
    def is_late(self) -> bool:
        """Whether the work has taken longer than it may."""
        return self._begun is not None and time.monotonic() - self._begun > self._max_seconds

    def check(self) -> None:
        """Go on, or raise StoppedError."""
        if self._begun is None:
            self._begun = time.monotonic()
        if self.asked:
            raise StoppedError("stopped")
        if self.is_late:
            raise StoppedError(
                f"took longer than the {self._max_seconds:g} s that a job may take",
                next_step="Raise --max-seconds, or give a smaller photograph",
            )


class Stoppable:
    """An engine that looks, before each run, whether it is to stop. Shared engines get one for each piece of work."""

    def __init__(self, engine: Any, stop: Stop) -> None:
        self._engine, self._stop = engine, stop

    def __getattr__(self, name: str) -> Any:
        """Return what the engine itself says."""
        return getattr(self._engine, name)

    @property
    def spec(self) -> Any:
        """What the model says of itself."""
        return self._engine.spec

    @property
    def description(self) -> str:
        """One line for people."""
        return str(self._engine.description)

    def run(self, *inputs: Any, **named: Any) -> Any:
        """Run the net, unless the work is to stop."""
        self._stop.check()
        return self._engine.run(*inputs, **named)

    def close(self) -> None:
        """Do nothing: the engine is shared."""


class StoppableGenerator(Stoppable):
    """Likewise, of an engine that knows what memory it needs; that decides how large a copy the net is shown."""

    def peak_memory_bytes(self, pixels: int) -> int:
        """Return the memory of the whole process while a copy of so many pixels is coloured, estimated."""
        return int(self._engine.peak_memory_bytes(pixels))


def stoppable(engine: Any, stop: Stop) -> Any:
    """Return an engine that looks at ``stop`` before each run."""
    return StoppableGenerator(engine, stop) if isinstance(engine, MemoryAware) else Stoppable(engine, stop)
