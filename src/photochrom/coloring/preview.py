"""A photograph held ready, so that a changed hint is shown at once.

What does not depend on the hints is done once: the small copies, and the pixels at screen size. A hint then costs one
run of the net on one view, and a merge of a picture of screen size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from photochrom.coloring.pipeline import ColorizeResult, colorize_photo
from photochrom.coloring.remembered import Remembered
from photochrom.engines.base import Engine
from photochrom.files.photo import Photo
from photochrom.hints.hint import Hint
from photochrom.luma import shrink_luma
from photochrom.options import ColorizeOptions
from photochrom.resample import render_size

SCREEN_PX = 720
"""Short side of a preview."""


class Preview:
    """One photograph at screen size, to be coloured again and again with other hints.

    Args:
        photo: the photograph, of any size; its luma alone is kept, in 8 bit.
        engine: runs a model that hears.
        options: how to colour. One copy is shown to the net unless they say otherwise, as the mirror image costs as
            much again and changes little that can be judged on a screen.
        threads: for merging, 0 for all usable cores.

    Cost: 10 ms per megapixel once; then one run of the net and 0.15 s, whatever the photograph's size.
    """

    def __init__(
        self, photo: Photo, engine: Engine, options: ColorizeOptions | None = None, *, threads: int = 0
    ) -> None:
        options = (options or ColorizeOptions()).at_usual_size(engine.spec.render_px)
        short = min(SCREEN_PX, photo.width, photo.height)
        width, height = render_size(photo.width, photo.height, short, multiple=1, stride=1)
        codes = np.rint(shrink_luma(photo.pixels, width, height, 1).net * 255).astype(np.uint8)
        self.photo = Photo(codes[..., None])
        self._remembered = Remembered(self.photo.pixels)
        self._engine, self._options, self._threads = engine, options, threads

    def show(self, hints: Sequence[Hint] = ()) -> ColorizeResult:
        """Return the preview in colour. Raises as ``Colorizer.run``."""
        return colorize_photo(
            self.photo,
            self._engine,
            self._options,
            threads=self._threads,
            hints=hints,
            remembered=self._remembered,
        )
