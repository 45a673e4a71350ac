"""An end to waiting: work that does not return costs its own file, not the run.

Decoders are foreign code, and few can be stopped from outside. So each photograph is read in a thread of its own, whose
answer is no longer wanted when it takes too long, and which is ended then (:mod:`.codecs.leaving`): libvips between two
strips, or where it asks for more of the file; whoever makes a picture in one call works in a process of its own unless
the picture is small (:mod:`.apart`), and that is killed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from photochrom.files.codecs.decoded import not_in_time
from photochrom.files.codecs.leaving import Work

Answer = TypeVar("Answer")
_left: list[threading.Thread] = []


def within(seconds: float, work: Callable[[], Answer], name: str, *, told: float | None = None) -> Answer:
    """Return what ``work`` returns, or raise what it raises; wait no longer than so many seconds.

    Raises:
        PhotoTooLargeError: it takes longer; ``name`` says what, and ``told`` how many seconds there were, if more.
    """
    answers: list[Answer] = []
    failures: list[BaseException] = []
    begun = Work()

    def run() -> None:
        try:
            with begun:
                answers.append(work())
        except BaseException as error:  # noqa: BLE001 - handed on to who waits
            failures.append(error)

    thread = threading.Thread(target=run, name=f"reading {name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _left.append(thread)
        begun.end()
        raise not_in_time(told or seconds, name)
    if failures:
        raise failures.pop()
    return answers.pop()


class Patience:
    """So many seconds for several pieces of work on one file together; what happens between them does not count.

    Args:
        seconds: of all.
        name: of the file.
    """

    def __init__(self, seconds: float, name: str) -> None:
        self._seconds, self._left, self._name = seconds, seconds, name

    def spend_on(self, work: Callable[[], Answer]) -> Answer:
        """Return what ``work`` returns, or raise what it raises, as :func:`within` what is left of the time."""
        if self._left <= 0:
            raise not_in_time(self._seconds, self._name)
        begun = time.monotonic()
        try:
            return within(self._left, work, self._name, told=self._seconds)
        finally:
            self._left -= time.monotonic() - begun


def is_anything_left() -> bool:
    """Return whether work that nobody waits for any more still runs: the process has to be ended without it."""
    return any(thread.is_alive() for thread in _left)
