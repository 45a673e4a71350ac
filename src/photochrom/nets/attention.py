"""Attention between vectors that stand for places of a picture, or for questions asked of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Affine(nn.Module):
    """``x M + b`` of the last axis: (..., n_in) -> (..., n_out).

    Unlike ``nn.Linear`` its matrix lies as it is multiplied, so an exported file keeps it whole and under its name, and
    fine-tuning can read it back.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_in, n_out)))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: as the class says."""
        return x @ self.matrix + self.bias


class Attention(nn.Module):
    """Multi-head attention: queries (B, Q, D) gather from a memory (B, N, D) -> (B, Q, D).

    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2. Cost: 2 Q N D multiply-adds beside the four
    matrices.

    Args:
        width: D, a multiple of ``heads``.
        heads: how many comparisons are made beside one another.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (Affine(width, width) for _ in range(4))

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """Shapes: as the class says."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(queries), self.key(memory), self.value(memory))
        )
        shares = torch.softmax((query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1), dim=-1)
        gathered: Tensor = self.out((shares @ value).transpose(1, 2).flatten(2))
        return gathered
