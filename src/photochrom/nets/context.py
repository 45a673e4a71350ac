"""The photograph as a whole, before its colours are decided: rounds of attention between all places at 1/16.

The decoder's one self-attention compares places by a few channels; what a thing is, and what else is in the picture,
takes more than one look. Rounds are cheap there: a photograph seen at 224 px has 196 places.
Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.1, normalised before each part as in Xiong et al.
2020, "On Layer Normalization in the Transformer Architecture"; begun silent as in Bachlechner et al. 2021, "ReZero is
All You Need", here by last matrices of zero.
"""

from __future__ import annotations

from torch import Tensor, nn

from photochrom.nets.attention import Affine, Attention

# Channels of a head, and how much wider a place thinks than it speaks.
HEAD_WIDTH, WIDENING = 40, 4


class ContextRound(nn.Module):
    """Places look at one another, then each thinks for itself: (B, N, D) -> (B, N, D); at first it changes nothing.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.look = Attention(width, max(1, width // HEAD_WIDTH))
        self.think = nn.Sequential(Affine(width, WIDENING * width), nn.GELU(), Affine(WIDENING * width, width))
        for last in (self.look.out, self.think[-1]):
            assert isinstance(last, Affine)
            nn.init.zeros_(last.matrix)

    def forward(self, places: Tensor) -> Tensor:
        """Shapes: as the class says."""
        own = self.norms[0](places)
        places = places + self.look(own, own)
        thought: Tensor = places + self.think(self.norms[1](places))
        return thought


class Context(nn.Module):
    """Rounds of attention over a map: (B, C, h, w) -> (B, C, h, w); it begins as the identity.

    Where a place lies is told by the map itself: the convolutions before it have seen the picture's borders.
    Cost: 12 C^2 + 2 h w C multiply-adds a place and round, and 12 C^2 weights.

    Args:
        channels: C.
        rounds: how many.
    """

    def __init__(self, channels: int, rounds: int) -> None:
        super().__init__()
        self.rounds = nn.ModuleList(ContextRound(channels) for _ in range(rounds))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: as the class says."""
        places = x.flatten(2).transpose(1, 2)
        for one in self.rounds:
            places = one(places)
        return places.transpose(1, 2).unflatten(2, x.shape[2:])
