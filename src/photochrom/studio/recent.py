"""The last few things that were worked out, by what they were worked out from, as far as a budget of memory goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps what was used last. Safe to use from several threads.

    Args:
        most_bytes: how much is kept; what is larger by itself is not.
        size_of: bytes of a value, which stay as they are.
    """

    def __init__(self, most_bytes: int, size_of: Callable[[Value], int]) -> None:
        self._most_bytes, self._size_of = most_bytes, size_of
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()
        self.held_bytes = 0

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return what is kept for a key, or make it; others may go on meanwhile, and what is made twice is kept once.

        Raises whatever ``make`` raises; nothing is kept then.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self.held_bytes += self._size_of(value)
            value = self._values[key]
            self._values.move_to_end(key)
            while self.held_bytes > self._most_bytes:
                self.held_bytes -= self._size_of(self._values.popitem(last=False)[1])
        return value
