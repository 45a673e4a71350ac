"""What the stages of restoration share while they work on one photograph."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import numpy.typing as npt

from photochrom.border import Box, inside
from photochrom.computer.room import empty_pixels, let_go, strips_of
from photochrom.engines.restoration import StageEngine, StageSpec
from photochrom.files.photo import Photo
from photochrom.luma import Codes
from photochrom.options import RestoreOptions
from photochrom.restoration.decisions import StageDecision
from photochrom.restoration.tone import squash
from photochrom.restoration.toning import is_grey, looks_like_color_negative


class Work:
    """What the stages of one photograph share: its pixels, copied before the first change, and what was decided."""

    def __init__(self, photo: Photo, options: RestoreOptions) -> None:
        self.photo, self.options = photo, options
        # Grey in three channels is worked on as one: models answer each with something else, and grey would be tinted.
        self._given: Codes = photo.pixels[..., :1] if is_grey(photo.pixels) else photo.pixels
        self.pixels = self._given
        self.mask: npt.NDArray[np.uint8] | None = None
        self.decisions: list[StageDecision] = []
        self.models: list[StageSpec] = []
        self.seconds: dict[str, float] = {}
        height, width = self.pixels.shape[:2]
        look = cache(lambda box: squash(self.pixels[box.window]))
        with self.timed("toning"):
            self.may_be_color_negative = looks_like_color_negative(look(Box(0, height, 0, width)))
            self.box = inside(height, width, look)
            self._squashed: npt.NDArray[np.float32] | None = look(self.box)

    @property
    def beside(self) -> str:
        """What a note on tone or noise says of a border: that it was not looked at."""
        share = 1 - self.box.height * self.box.width / (self.photo.height * self.photo.width)
        return f"; a plain border, {share:.0%} of the picture, does not count" if share else ""

    def squashed(self) -> npt.NDArray[np.float32]:
        """Return a small copy of what a border surrounds, as it is now; made once as long as no stage changes it."""
        if self._squashed is None:
            self._squashed = squash(self.pixels[self.box.window])
        return self._squashed

    def writable(self) -> Codes:
        """Return the pixels for a stage to change."""
        self._squashed = None
        if self.pixels is self._given:
            self.pixels = _copied(self._given, self._given.shape)
        return self.pixels

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Book the time on a stage."""
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0) + time.perf_counter() - start

    def decided(self, decision: StageDecision, *engines: StageEngine) -> bool:
        """Note a decision, and the models where they are used; return whether the stage is applied."""
        self.decisions.append(decision)
        self.models += [engine.spec for engine in engines if decision.applied]
        return decision.applied

    def in_all_channels(self) -> Codes:
        """Return the pixels as they are now, with as many channels as the photograph has."""
        pixels = self.photo.pixels if self.pixels is self._given else self.pixels
        shape = self.photo.pixels.shape
        return pixels if pixels.shape == shape else _copied(pixels, shape)


def _copied(pixels: Codes, shape: tuple[int, ...]) -> Codes:
    """Return a copy in another number of channels: of grey, the same in each."""
    copy: Codes = empty_pixels(shape, pixels.dtype)
    for rows, (strip,) in strips_of(pixels):
        copy[rows] = strip
        let_go(copy)
    return copy
