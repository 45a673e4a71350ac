"""The size of the net's copy: from render factors, and within a budget of memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from photochrom.color import colorfulness
from photochrom.coloring.pipeline import colorize_photo
from photochrom.coloring.rendering import plan_render
from photochrom.engines.base import FakeEngine
from photochrom.errors import OptionError
from photochrom.files.photo import Photo
from photochrom.hints.hint import Hint
from photochrom.options import ColorizeOptions

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class HungryEngine(FakeEngine):
    render_px: int = 320

    def peak_memory_bytes(self, pixels: int) -> int:
        return 100 * MEBIBYTE + 1000 * pixels


def test_a_render_factor_sets_the_area_and_keeps_the_aspect_ratio() -> None:
    plan = plan_render(3000, 2000, HungryEngine(), ColorizeOptions(render_factor=20))
    assert plan.width / plan.height == pytest.approx(1.5, rel=0.02)
    assert plan.width * plan.height == pytest.approx(320**2, rel=0.05)
    assert plan.notes == ()


def test_models_that_count_in_factors_measure_their_own_size_by_area_too() -> None:
    plan = plan_render(3000, 2000, HungryEngine(), ColorizeOptions())
    assert plan.width * plan.height == pytest.approx(320**2, rel=0.05)


def test_a_size_is_the_short_side_for_every_model() -> None:
    assert plan_render(3000, 2000, HungryEngine(), ColorizeOptions(size=200)).height == 200


def test_classic_is_square() -> None:
    plan = plan_render(3000, 2000, HungryEngine(), ColorizeOptions(classic=True, render_factor=7))
    assert (plan.width, plan.height) == (112, 112)


@pytest.mark.parametrize("classic", [False, True])
def test_memory_makes_the_copy_smaller_and_the_result_says_so(*, classic: bool) -> None:
    options = ColorizeOptions(render_factor=20, max_memory=150, classic=classic)
    plan = plan_render(1000, 1000, HungryEngine(), options)
    assert plan.width == plan.height == 224
    assert plan.notes == ("render factor 14 instead of 20, to stay within 150 MiB",)
    assert HungryEngine().peak_memory_bytes(224**2) <= 150 * MEBIBYTE < HungryEngine().peak_memory_bytes(240**2)


def test_what_a_size_leaves_without_effect_is_refused() -> None:
    photo = Photo(np.full((40, 40, 1), 128, np.uint8))
    for idle in ({"render_factor": 4}, {"max_memory": 4000}, {"classic": True}):
        with pytest.raises(OptionError, match=f"{next(iter(idle))}: does nothing with size"):
            colorize_photo(photo, HungryEngine(), ColorizeOptions(size=64, **idle))


def test_our_own_nets_never_see_more_than_two_squares_of_the_largest_size() -> None:
    for width, height, short in ((1000, 1000, 1024), (3000, 2000, 1024), (8000, 2000, 724), (90_000, 10, None)):
        plan = plan_render(width, height, FakeEngine(), ColorizeOptions(size=1024))
        assert plan.width * plan.height <= 2.05 * 1024**2
        assert short is None or plan.height == pytest.approx(short, abs=2)
    assert plan_render(8000, 2000, FakeEngine(), ColorizeOptions(size=512)).height == 512
    assert plan_render(900, 900, FakeEngine(), ColorizeOptions(render_factor=64)).width == 1024
    with pytest.raises(OptionError, match="render_factor: should be at most 64 for fake, not 100"):
        plan_render(900, 900, FakeEngine(), ColorizeOptions(render_factor=100))
    assert plan_render(900, 900, HungryEngine(), ColorizeOptions(render_factor=100)).width == 1600


def test_enough_memory_changes_nothing() -> None:
    assert plan_render(1000, 1000, HungryEngine(), ColorizeOptions(max_memory=4000)).notes == ()


def test_too_little_memory_is_an_error_with_the_least_that_is_needed() -> None:
    with pytest.raises(OptionError, match="needs at least 101 MiB"):
        plan_render(1000, 1000, HungryEngine(), ColorizeOptions(max_memory=50))


def test_a_model_that_cannot_tell_is_refused() -> None:
    with pytest.raises(OptionError, match="cannot tell"):
        plan_render(1000, 1000, FakeEngine(), ColorizeOptions(max_memory=500))


def test_the_note_reaches_the_photo() -> None:
    photo = Photo(np.full((400, 400, 1), 128, np.uint8))
    result = colorize_photo(photo, HungryEngine(), ColorizeOptions(max_memory=150))
    assert any("to stay within 150 MiB" in note for note in result.photo.notes)


@pytest.mark.parametrize("period_px", [3, 6])
def test_of_a_printed_picture_no_copy_is_larger_than_usual(period_px: int) -> None:
    """Dots 3 px apart on the larger copy are seen there, dots 6 px apart on the usual one."""
    rows, columns = np.mgrid[:448, :448] * (2 * np.pi / period_px)
    dots = (0.5 + 0.2 * np.cos(rows) + 0.2 * np.cos(columns)).astype(np.float32)
    engine = FakeEngine(render_px=224, detail_px=448)
    plan = plan_render(448, 448, engine, ColorizeOptions())
    assert plan.is_detailed
    assert plan.shows_dots(dots)
    assert not plan.shows_dots(np.random.default_rng(0).random((448, 448), dtype=np.float32))
    print_ = Photo(np.rint(dots * 255).astype(np.uint8)[..., None])
    assert (colorize_photo(print_, engine, ColorizeOptions()).render_width) == 224
    plain = Photo(np.rint(np.linspace(0, 255, 448 * 448)).reshape(448, 448, 1).astype(np.uint8))
    assert (colorize_photo(plain, engine, ColorizeOptions()).render_width) == 448


def test_a_persons_hint_takes_no_detail_from_the_picture_and_a_references_are_seen_as_usual() -> None:
    engine = FakeEngine(render_px=224, detail_px=448, detail_gain=1.2, hears=True)
    photo = Photo(np.rint(np.linspace(0, 255, 448 * 448)).reshape(448, 448, 1).astype(np.uint8))
    known = Hint(point=(0.5, 0.5), width=0.05, color="#3050a0")
    lent = Hint(point=(0.2, 0.2), color="#30a050", by="reference")
    assert [
        colorize_photo(photo, engine, ColorizeOptions(), hints=hints).render_width
        for hints in ([], [known], [known, lent])
    ] == [448, 448, 224]


def test_what_is_seen_larger_as_well_has_a_gain_of_its_own() -> None:
    def colourfulness(side: int, **more: float) -> float:
        photo = Photo(np.full((side, side, 1), 128, np.uint8))
        photo.pixels[: side // 2] = 60
        engine = FakeEngine(ab=(10.0, 15.0), render_px=224, detail_px=448, **more)
        return colorfulness(colorize_photo(photo, engine, ColorizeOptions()).photo.pixels / 255)

    assert colourfulness(600, detail_gain=1.2) == pytest.approx(1.2 * colourfulness(600), rel=0.05)
    assert colourfulness(336, detail_gain=1.2) == pytest.approx(1.1 * colourfulness(336), rel=0.03)
    assert colourfulness(224, detail_gain=1.2) == colourfulness(224)


def test_the_dots_of_a_faded_print_are_looked_for_in_good_tones() -> None:
    rows, columns = np.mgrid[:448, :448] * (2 * np.pi / 3)
    faint = 0.5 + 0.006 * (np.cos(rows) + np.cos(columns)) + np.linspace(-0.05, 0.05, 448)
    codes = np.rint(faint * 65535).astype(np.uint16)
    engine = FakeEngine(render_px=224, detail_px=448)
    assert not plan_render(448, 448, engine, ColorizeOptions()).shows_dots(faint.astype(np.float32))
    assert colorize_photo(Photo(codes[..., None]), engine, ColorizeOptions()).render_width == 224
