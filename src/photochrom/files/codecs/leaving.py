"""An end to decoding that nobody waits for any more: libvips asks between two strips whether it is to go on.

Source: libvips, vips_image_set_kill.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

_here = threading.local()


class Work:
    """The images that one thread computes, while it is the context manager of this, so that another can end them."""

    def __init__(self) -> None:
        self._images: list[Any] = []
        self._has_ended, self._lock = False, threading.Lock()

    def __enter__(self) -> Self:
        _here.work = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        _here.work = None
        with self._lock:
            self._images.clear()

    def end(self) -> None:
        """Let nothing of it be computed any more; what is asked for raises ``pyvips.Error``."""
        with self._lock:
            self._has_ended = True
            for image in self._images:
                image.set_kill(True)

    def add(self, image: Any) -> None:
        """Take an image in; nothing of it is computed if the work has ended."""
        with self._lock:
            self._images.append(image)
            if self._has_ended:
                image.set_kill(True)


def endable(image: Any) -> Any:
    """Return the image, which ends with the work of this thread, if that is ended. Cost: microseconds."""
    work = getattr(_here, "work", None)
    if work is not None:
        work.add(image)
    return image
