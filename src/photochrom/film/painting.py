"""Frames painted: colours of the small grid laid under each luma plane, on all cores, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.color import merge_luma_chroma, quantize_keeping_luma
from photochrom.film.chroma import GuidedChroma, chroma_codes
from photochrom.film.matrices import BT709, Codes, Matrix, Plane
from photochrom.film.passages import Sight
from photochrom.film.planes import Layout, Pixels, deepened
from photochrom.film.pools import AheadPool
from photochrom.film.steadiness import Colours
from photochrom.film.transfers import Transfer


@dataclass(frozen=True, slots=True)
class Painter:
    """Makes the planes of a film's frames.

    Attributes:
        matrix: of the film.
        source: depth and range of its luma.
        target: layout of the result.
        transfer: what the codes look like; colours come as those of an ordinary picture, of `shown_matrix`.
    """

    matrix: Matrix
    source: Codes
    target: Layout
    transfer: Transfer = field(default_factory=Transfer)

    def grid_luma(self, sight: Sight) -> Plane:
        """Return the luma of the small grid as an ordinary screen shows it, 0..1 but for highlights beyond white."""
        return self.transfer.look(self._own_luma(sight))

    def _own_luma(self, sight: Sight) -> Plane:
        """Return the luma of the small grid in the film's own transfer."""
        return Codes(8, self.source.full).luma(sight.grey)

    @property
    def shown_matrix(self) -> Matrix:
        """The matrix of the colours that come in: the film's own where it is an ordinary one."""
        return self.matrix if self.transfer.kind == "ordinary" else Matrix.of_tag(BT709)

    def _guided(self, sight: Sight, colours: Colours) -> GuidedChroma:
        """Return a frame's colours as the film says them."""
        own = self._own_luma(sight)
        chroma = self.transfer.chroma(self.grid_luma(sight), colours.chroma, self.shown_matrix, own, self.matrix)
        return GuidedChroma.fit(chroma, own)

    def sent_luma(self, sight: Sight) -> Pixels:
        """Return the luma codes that are written for a frame."""
        return deepened(sight.luma, self.source, self.target.codes)

    def planes(self, sight: Sight, colours: Colours) -> tuple[Pixels, npt.NDArray[Any]]:
        """Return (luma, chroma) codes of one frame: the luma is what went in, at the target's depth.

        Of two pictures of different times in one frame, each gets its own chroma rows.
        """
        guided = self._guided(sight, colours)
        luma = self.sent_luma(sight)
        if not sight.fields:
            return luma, chroma_codes(luma, guided, self.matrix, self.target.codes, self.target)
        width, height = self.target.chroma_size(luma.shape[1], luma.shape[0])
        chroma = np.empty((height, width, 2), self.target.codes.dtype)
        for parity in (0, 1):
            rows = chroma[parity::2]
            painted = chroma_codes(luma[parity::2], guided, self.matrix, self.target.codes, self.target)
            rows[:] = (
                painted[: len(rows)]
                if len(painted) >= len(rows)
                else np.pad(painted, ((0, len(rows) - len(painted)), (0, 0), (0, 0)), mode="edge")
            )
        return luma, chroma

    def picture(self, sight: Sight, colours: Colours) -> Pixels:
        """Return one frame as RGB with BT.601 luma kept as photographs keep it; 8 bit, 16 for deeper films.

        Meant for films whose matrix is BT.601, or whose colours were made for it.
        """
        guided = GuidedChroma.fit(colours.chroma, self.grid_luma(sight))
        largest = 255 if self.source.bits == 8 else 65535
        grey = np.rint(np.clip(self.source.luma(sight.luma), 0, 1) * largest) / np.float32(largest)
        luma = grey.astype(np.float32)
        rgb = quantize_keeping_luma(merge_luma_chroma(luma, guided.at(luma)), luma, largest)
        return cast("Pixels", rgb.astype(np.uint8 if largest == 255 else np.uint16))


def in_order(work: Callable[[Any], Any], items: Iterable[Any], threads: int) -> Iterator[Any]:
    """Yield ``work(item)`` for each item in order, a few ahead on threads, so that memory does not grow."""
    waiting: deque[Future[Any]] = deque()
    with AheadPool(threads) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
