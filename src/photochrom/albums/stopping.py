"""Ctrl-C and SIGTERM during a run: the first ends the handing out, the second ends the run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def asked_by(received: list[int]) -> str:
    """Return what a run that these signals ended was stopped by, in the words of reports."""
    return "interrupt" if received[:1] in ([], [signal.SIGINT]) else "termination"


@contextmanager
def interrupt_stops(stop: threading.Event) -> Iterator[list[int]]:
    """Make the first Ctrl-C or SIGTERM set ``stop``, and yield what came; the second does what it did before."""
    received = list[int]()
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}

    def interrupted(number: int, frame: object) -> None:
        received.append(number)
        stop.set()
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, interrupted)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
