"""The threads that work, and the line that waits for them: what somebody looks at first, then in order."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable

URGENT, USUAL, LATER, LAST = range(4)
Work = Callable[[], None]
LOG = logging.getLogger(__name__)


class Workers:
    """A pool of threads. Work goes by priority, then in order, and tells its errors itself.

    One that it lets go is logged, and does not end the thread that all the others wait for.

    Args:
        count: threads.
    """

    def __init__(self, count: int) -> None:
        self._line: queue.PriorityQueue[tuple[int, int, Work | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._threads = [
            threading.Thread(target=self._work, name=f"photochrom-studio-{k}", daemon=True) for k in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Work, priority: int = USUAL) -> None:
        """Let work wait for its turn."""
        self._line.put((priority, next(self._numbers), work))

    def close(self, timeout_s: float = 30.0) -> None:
        """End after the work that is under way; what waits is left."""
        for _ in self._threads:
            self._line.put((-1, next(self._numbers), None))
        for thread in self._threads:
            thread.join(timeout_s)

    def _work(self) -> None:
        while True:
            _, _, work = self._line.get()
            if work is None:
                return
            try:
                work()
            except Exception:
                LOG.exception("a defect: work for the studio ended with an error that it was to tell itself")
