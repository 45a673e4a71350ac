"""Threads of a generator that is given up: nobody waits for them, and those of a whole one are waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from photochrom.film.pools import AheadPool


def working(gate: threading.Event, done: list[int]) -> Iterator[int]:
    with AheadPool(1) as pool:
        pool.submit(lambda: done.append(1) if gate.wait(20) else None)
        yield 1
        gate.set()


def test_a_generator_that_is_given_up_waits_for_no_thread() -> None:
    gate, done = threading.Event(), list[int]()
    generator = working(gate, done)
    next(generator)
    generator.close()  # would hang for as long as the thread waits
    assert done == []
    gate.set()


def test_a_generator_that_ends_waits_for_its_thread() -> None:
    done = list[int]()
    assert list(working(threading.Event(), done)) == [1]
    assert done == [1]
