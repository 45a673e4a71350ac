"""Where the cells of a map lie, and how far from each other: what looks alike counts less the farther it is."""

from __future__ import annotations

import torch
from torch import Tensor

# Rows and columns of a map, or its height and width.
Sides = torch.Size | tuple[int, int]


def centres(cells: Sides, sides: Sides, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the rows and columns, (N) each, of the centres of N = height x width cells over a map, row by row.

    Unit: cells of that map, whose ``sides`` the ``cells`` divide: 0.5 is the centre of its first.
    """
    rows, columns = (
        (torch.arange(count, dtype=torch.float32, device=device) + 0.5) * (side / count)
        for count, side in zip(cells, sides, strict=True)
    )
    height, width = cells
    return rows[:, None].expand(height, width).reshape(-1), columns[None].expand(height, width).reshape(-1)


def distances(places: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor], sides: Sides) -> Tensor:
    """Return the distances (N, K) of N places, rows and columns, from K others on a map, in units of its mean side."""
    down, across = ((ours[:, None] - theirs).square() for ours, theirs in zip(places, others, strict=True))
    return (down + across).sqrt() * (2 / (sides[0] + sides[1]))
