"""A photograph held ready: it shows what the whole photograph will look like, and reads it once."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom import ColorizeOptions, Colorizer, FakeEngine, Hint, Photo
from photochrom.color import lab_from_srgb
from photochrom.coloring.remembered import Remembered

HINTS = [Hint(point=(0.25, 0.5), color="navy")]


def large() -> Photo:
    tone = np.where(np.arange(2400) < 1200, 90, 160).astype(np.uint8)
    return Photo(np.broadcast_to(tone, (1600, 2400))[..., None].copy())


@pytest.mark.slow
def test_a_preview_has_screen_size_and_the_colours_of_the_whole() -> None:
    colorizer = Colorizer(engine=FakeEngine(hears=True), options=ColorizeOptions(chroma_ceiling=None))
    shown = colorizer.preview(large()).show(HINTS).photo
    whole = colorizer.run(large(), HINTS).photo
    assert (shown.width, shown.height) == (1080, 720)
    for x in (0.25, 0.1, 0.8):
        here = lab_from_srgb(shown.pixels[360, int(x * 1080)] / 255.0)
        there = lab_from_srgb(whole.pixels[800, int(x * 2400)] / 255.0)
        assert np.abs(here - there).max() < 2


@pytest.mark.slow
def test_each_showing_starts_anew() -> None:
    small = Photo(large().pixels[:800, 600:1800])
    preview = Colorizer(engine=FakeEngine(hears=True)).preview(small)
    first = preview.show(HINTS).photo.pixels
    preview.show([Hint(point=(0.25, 0.5), color="red")])
    assert np.array_equal(preview.show(HINTS).photo.pixels, first)
    assert not np.array_equal(preview.show().photo.pixels, first)


@pytest.mark.parametrize("order", [(0, 1, 0), (2, 1, 2), (1, 3)])
def test_what_is_remembered_serves_hints_for_which_the_net_is_shown_copies_of_other_sizes(
    order: tuple[int, ...],
) -> None:
    tone = np.random.default_rng(0).integers(0, 256, (160, 160, 1)).astype(np.uint8)
    photo, lent = Photo(tone), Hint(point=(0.25, 0.5), color=(30.0, 10.0), by="reference")
    told = [(), (lent,), HINTS, (lent, *HINTS)]
    colorizer = Colorizer(engine=FakeEngine(hears=True, detail_px=128, ab=lambda luma: np.repeat(luma, 2, 1) * 40))
    remembered = Remembered(photo.pixels)
    for number in order:
        fresh = colorizer.run(photo, told[number]).photo.pixels
        assert np.array_equal(colorizer.run(photo, told[number], remembered=remembered).photo.pixels, fresh)
