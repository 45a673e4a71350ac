"""An end to waiting: work that does not return costs its own file, not the run.

Decoders are foreign code, and none can be stopped from outside. So each photograph is read in a thread of its own; one
that takes too long is left to itself, its answer is no longer wanted, and it ends with the process. It goes on using a
core until then. Code that keeps Python's own lock could not be left this way: of the decoders that is JPEG 2000's
alone, which therefore works in a process of its own (:mod:`.codecs.jpeg2000_apart`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from photochrom.files.codecs.decoded import not_in_time

Answer = TypeVar("Answer")
_left: list[threading.Thread] = []


def within(seconds: float, work: Callable[[], Answer], name: str) -> Answer:
    """Return what ``work`` returns, or raise what it raises; wait no longer than so many seconds.

    Raises:
        PhotoTooLargeError: it takes longer; ``name`` says what.
    """
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001 - handed on to who waits
            failures.append(error)

    thread = threading.Thread(target=run, name=f"reading {name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _left.append(thread)
        raise not_in_time(seconds, name)
    if failures:
        raise failures.pop()
    return answers.pop()


def is_anything_left() -> bool:
    """Return whether work that nobody waits for any more still runs: the process has to be ended without it."""
    return any(thread.is_alive() for thread in _left)
