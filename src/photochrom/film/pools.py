"""Threads that a generator works ahead on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType


class AheadPool(ThreadPoolExecutor):
    """Threads whose generator may be given up at any moment: then nobody waits for them.

    A generator that an error has left half done is closed when Python collects it, wherever that happens: in a thread
    that is ending, too, which holds the lock that waiting for another thread needs. Waiting there would never end.
    """

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for the threads, unless the generator is given up."""
        given_up = kind is GeneratorExit
        self.shutdown(wait=not given_up, cancel_futures=given_up)
