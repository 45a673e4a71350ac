"""What all sessions are: loaded once, used many times, and closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Session(ABC):
    """Something that holds a model's memory until it is closed. A context manager."""

    @abstractmethod
    def close(self) -> None:
        """Release the memory."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
