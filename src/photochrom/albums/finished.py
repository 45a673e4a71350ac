"""What is done to each photograph of an album: something that takes one and gives it back coloured or restored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from photochrom.files.companions import Companion
from photochrom.files.photo import Photo
from photochrom.hints.sheet import HintSheet


class Finished(Protocol):
    """What the callable returns: a ``ColorizeResult`` or a ``RestoreResult``."""

    @property
    def photo(self) -> Photo:
        """The finished photograph."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided, the notes of reading included."""

    @property
    def companions(self) -> Sequence[Companion]:
        """Further pictures that belong beside the result."""

    @property
    def is_skipped(self) -> bool:
        """Whether no result is to be written."""

    @property
    def source_type(self) -> str:
        """What was done to it, in the IPTC's words; "" where nothing was."""


MakeOne = Callable[[Photo], Finished]
MakeHinted = Callable[[Photo, HintSheet], Finished]
"""Likewise, told what somebody knows of the photograph."""
