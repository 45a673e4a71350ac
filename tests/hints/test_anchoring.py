"""Neighbours of a thing with a strange hint keep their colours, and only they."""

import numpy as np

from photochrom.hints.anchoring import ANCHOR_WEIGHT, across_edges, anchor

HEIGHT, WIDTH = 96, 128


def a_wall_and_a_door() -> np.ndarray:
    """Return luma: a light wall, shaded softly from left to right, and a dark door on the right."""
    luma = np.tile(np.linspace(0.6, 0.9, WIDTH), (HEIGHT, 1))
    luma[20:, 60:100] = 0.2
    return luma.astype(np.float32)


def a_hint(ab: tuple[float, float], row: int = 60, column: int = 30) -> np.ndarray:
    hints = np.zeros((3, HEIGHT, WIDTH), dtype=np.float32)
    hints[:, row - 1 : row + 2, column - 1 : column + 2] = np.array([*ab, 1.0])[:, None, None]
    return hints


def test_the_door_is_across_an_edge_and_the_wall_in_shade_and_around_it_is_not() -> None:
    known = a_hint((0, 0))[2] > 0
    across = across_edges(known, a_wall_and_a_door())
    assert across[55:65, 64:68].all()
    assert not across[:, :58].any()
    assert not across[:18].any()  # the wall above the door, reached round the corner


def test_a_line_that_ends_parts_nothing_and_is_no_neighbour() -> None:
    luma = np.full((HEIGHT, WIDTH), 0.7, dtype=np.float32)
    luma[:80, 50:52] = 0.1
    assert not across_edges(a_hint((0, 0))[2] > 0, luma)[:, 45:56].any()


def test_a_strange_hint_is_anchored_with_the_colours_shown_without_it() -> None:
    shown = np.stack([np.full((HEIGHT, WIDTH), 5.0), np.full((HEIGHT, WIDTH), 12.0)]).astype(np.float32)
    hints = a_hint((-40.0, -30.0))
    told = anchor(hints, a_wall_and_a_door(), shown)
    given = hints[2] > 0
    assert (told[:, given] == hints[:, given]).all()
    anchored = (told[2] > 0) & ~given
    assert anchored[60, 66]
    np.testing.assert_array_equal(told[:2, anchored], shown[:, anchored])
    assert np.allclose(told[2, anchored], ANCHOR_WEIGHT)


def test_a_likely_hint_is_told_as_it_is() -> None:
    shown = np.full((2, HEIGHT, WIDTH), 10.0, dtype=np.float32)
    hints = a_hint((16.0, 20.0))
    assert anchor(hints, a_wall_and_a_door(), shown) is hints
