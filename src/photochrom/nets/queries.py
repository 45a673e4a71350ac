"""Colour queries: learned vectors that look at the whole photograph and then say which of its pixels they mean.

A convolutional decoder decides pixel by pixel, from what is near. Queries see the picture as a whole first, so that one
decision ("the jacket is brown") can hold everywhere. Source: Kang et al. 2023, "DDColor: Towards Photo-Realistic Image
Colorization via Dual Decoders", sections 3.2 and 3.3, here smaller and before a distribution over colours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTH, HEADS, ROUNDS = 128, 4, 2


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
    """

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (Affine(WIDTH, WIDTH) for _ in range(4))

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """Shapes: as the class says."""
        query, key, value = (
            part.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in (self.query(queries), self.key(memory), self.value(memory))
        )
        shares = torch.softmax((query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1), dim=-1)
        gathered: Tensor = self.out((shares @ value).transpose(1, 2).flatten(2))
        return gathered


class QueryRound(nn.Module):
    """Queries look at the photograph, then at one another, then think: (B, Q, D) and (B, N, D) -> (B, Q, D).

    Source: Cheng et al. 2022, "Masked-attention Mask Transformer for Universal Image Segmentation", section 3.2 (the
    order of the three), normalised before each as in Xiong et al. 2020, "On Layer Normalization in the Transformer
    Architecture".
    """

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.look, self.talk = Attention(), Attention()
        self.think = nn.Sequential(Affine(WIDTH, 2 * WIDTH), nn.ReLU(inplace=True), Affine(2 * WIDTH, WIDTH))

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Shapes: as the class says."""
        queries = queries + self.look(self.norms[0](queries), tokens)
        own = self.norms[1](queries)
        queries = queries + self.talk(own, own)
        thought: Tensor = queries + self.think(self.norms[2](queries))
        return thought


class ColorQueries(nn.Module):
    """What each query answers at each pixel, beside the decoder's map.

    Shapes: scene (B, S, h, w), the decoder's map at 1/16, and fine (B, C, H, W), at 1/2 -> (B, C + Q, H, W).
    Cost: Q * C multiply-adds a pixel, and attention of Q queries over h * w places.

    Args:
        c_scene: channels of the map that the queries look at.
        c_fine: channels of the map whose pixels they are compared with.
        count: Q.
    """

    def __init__(self, c_scene: int, c_fine: int, count: int) -> None:
        super().__init__()
        self.tokens = nn.Sequential(Affine(c_scene, WIDTH), nn.LayerNorm(WIDTH))
        self.queries = nn.Parameter(torch.randn(1, count, WIDTH))
        self.rounds = nn.ModuleList(QueryRound() for _ in range(ROUNDS))
        self.means = nn.Sequential(nn.LayerNorm(WIDTH), Affine(WIDTH, c_fine))

    def forward(self, scene: Tensor, fine: Tensor) -> Tensor:
        """Shapes: as the class says."""
        tokens = self.tokens(scene.flatten(2).transpose(1, 2))
        queries = self.queries.expand(scene.shape[0], -1, -1)
        for one in self.rounds:
            queries = one(queries, tokens)
        # Scaled as attention is, so that the answers begin in the range of the map they are put beside.
        kernels = self.means(queries) * fine.shape[1] ** -0.5
        answers = torch.bmm(kernels, fine.flatten(2)).reshape(fine.shape[0], -1, *fine.shape[2:])
        return torch.cat([fine, answers], dim=1)
