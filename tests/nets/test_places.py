"""Where the cells of maps lie, and how far apart."""

import pytest
import torch

from photochrom.nets.places import centres, distances

CPU = torch.device("cpu")


def test_cells_are_counted_row_by_row_from_their_centres() -> None:
    rows, columns = centres((2, 3), (2, 3), CPU)
    assert rows.tolist() == [0.5, 0.5, 0.5, 1.5, 1.5, 1.5]
    assert columns.tolist() == [0.5, 1.5, 2.5, 0.5, 1.5, 2.5]


def test_coarser_cells_have_their_centres_between_those_they_cover() -> None:
    rows, columns = centres((1, 2), (2, 4), CPU)
    assert rows.tolist() == [1.0, 1.0]
    assert columns.tolist() == [1.0, 3.0]


def test_distances_are_told_in_units_of_the_mean_side() -> None:
    sides = (2, 4)
    fine, coarse = centres(sides, sides, CPU), centres((1, 2), sides, CPU)
    table = distances(fine, fine, sides)
    assert table.shape == (8, 8)
    assert table[0, 3] == pytest.approx(3 / 3)
    assert table[0, 7] == pytest.approx((1 + 9) ** 0.5 / 3)
    assert not table.diagonal().any()
    other = distances(fine, coarse, sides)
    assert other.shape == (8, 2)
    assert other[0].tolist() == pytest.approx([0.5**0.5 / 3, (0.25 + 6.25) ** 0.5 / 3])
