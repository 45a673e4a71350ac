"""What the net errs by where hints lie is taken off in what is like it, and a wish stays where it is."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.hints.correction import correct_alike
from photochrom.hints.drawing import draw
from photochrom.hints.hint import Hint

GUIDE = np.where(np.arange(96) < 60, 0.35, 0.75) * np.ones((64, 1))
GUIDE = GUIDE.astype(np.float32)
NET = np.stack([np.where(GUIDE < 0.5, -12.0, 20.0), np.where(GUIDE < 0.5, 18.0, 5.0)]).astype(np.float32)


def corrected(*hints: Hint) -> np.ndarray:
    drawn = draw(hints, GUIDE)
    return correct_alike(NET, GUIDE, drawn, drawn.number >= 0) - NET


def hint(off: tuple[float, float], x: float = 0.2, **more: float) -> Hint:
    column = int(x * 96)
    return Hint(point=(x, 0.5), color=(NET[0, 32, column] + off[0], NET[1, 32, column] + off[1]), **more)


def test_like_places_follow_and_unlike_ones_do_not() -> None:
    change = corrected(hint((-6.0, 4.0)))
    here, near, unlike = change[:, 32, 19], change[:, 10, 30], change[:, 32, 80]
    np.testing.assert_allclose(here, (-4.2, 2.8), atol=0.8)
    assert np.hypot(*near) > 0.5 * np.hypot(*here)
    assert np.hypot(*unlike) < 0.1


def test_a_wish_far_from_the_nets_colour_counts_for_little() -> None:
    small, wish = corrected(hint((8.0, 0.0)))[0, 32, 19], corrected(hint((80.0, 0.0)))[0, 32, 19]
    assert wish < small


def test_several_hints_are_averaged_and_unsure_ones_count_less() -> None:
    both = corrected(hint((6.0, 0.0)), hint((0.0, 0.0), x=0.25))
    assert both[0, 32, 19] < corrected(hint((6.0, 0.0)))[0, 32, 19]
    assert corrected(hint((6.0, 0.0), weight=0.1))[0, 32, 19] < 0.6 * corrected(hint((6.0, 0.0)))[0, 32, 19]


def test_a_hint_without_reach_stays_where_it_is() -> None:
    change = corrected(hint((6.0, 0.0), reach=0.0))
    assert change[0, 32, 30] == pytest.approx(0, abs=1e-3)


def test_right_colours_and_nothing_told_change_nothing() -> None:
    assert not corrected(hint((0.0, 0.0))).round(2).any()
    drawn = draw([hint((9.0, 0.0))], GUIDE)
    np.testing.assert_array_equal(correct_alike(NET, GUIDE, drawn, np.zeros_like(GUIDE, dtype=bool)), NET)


def test_a_picture_full_of_hints_is_taken_in_blocks() -> None:
    region = Hint(region=((0, 0), (1, 0), (1, 1), (0, 1)), color=(-9.0, 20.0))
    change = corrected(region)
    assert change.shape == NET.shape
    assert 1 < change[0, 32, 10] < 3
