"""An end to decoding that nobody waits for any more.

libvips asks between two strips whether it is to go on; who lets a process decode has it killed.

Source: libvips, vips_image_set_kill.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

End = Callable[[], None]
_here = threading.local()


class Work:
    """What one thread waits for, while it is the context manager of this, so that another can end it."""

    def __init__(self) -> None:
        self._ends: list[End] = []
        self._has_ended, self._lock = False, threading.Lock()

    def __enter__(self) -> Self:
        _here.work = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        _here.work = None
        with self._lock:
            self._ends.clear()

    @property
    def has_ended(self) -> bool:
        """Whether its answer is not wanted any more."""
        return self._has_ended

    def end(self) -> None:
        """Let nothing of it go on; images that are asked for raise ``pyvips.Error``."""
        with self._lock:
            self._has_ended = True
            for end in self._ends:
                end()

    def add(self, end: End) -> None:
        """Take in how a part of it is ended; that is done at once if the work has ended."""
        with self._lock:
            self._ends.append(end)
            if self._has_ended:
                end()

    def remove(self, end: End) -> None:
        """Forget a part that is done: it is not ended any more once this returns."""
        with self._lock:
            self._ends.remove(end)


def work_here() -> Work | None:
    """Return what this thread works on, if somebody may end it."""
    return getattr(_here, "work", None)


def endable(image: Any) -> Any:
    """Return the image, which ends with the work of this thread, if that is ended. Cost: microseconds."""
    if work := work_here():
        work.add(partial(image.set_kill, True))
    return image


@contextmanager
def ended_by(end: End) -> Iterator[None]:
    """Let what the block waits for be ended with the work of this thread."""
    work = work_here()
    if work is None:
        yield
        return
    work.add(end)
    try:
        yield
    finally:
        work.remove(end)
