"""What a generator is taught by. Each loss names its source."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.nets.generators import ColorNet


def color_distribution_loss(
    net: ColorNet, luma: Tensor, ab: Tensor, *, pixel_share: float = 1.0, rng: torch.Generator | None = None
) -> Tensor:
    """Return the rebalanced cross-entropy between the predicted colour distributions and the true colours.

    Shapes: luma (B, 1, H, W), ab (B, 2, H/2, W/2) -> scalar. Range: luma 0..1, ab Lab units.
    Cost: proportional to ``pixel_share``: the head runs only on that share of pixels, drawn from ``rng``.
    Source: Zhang, Isola, Efros 2016, "Colorful Image Colorization", equation 2.
    """
    features = net.features(luma)
    flat_features = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    flat_ab = ab.permute(0, 2, 3, 1).reshape(-1, 2)
    if pixel_share < 1:
        count = max(1, int(len(flat_ab) * pixel_share))
        drawn = torch.randint(len(flat_ab), (count,), generator=rng)
        flat_features, flat_ab = flat_features[drawn], flat_ab[drawn]
    logits = nn.functional.linear(flat_features, net.head.weight[:, :, 0, 0], net.head.bias)
    bins, share = net.palette.encode(flat_ab)
    surprise = -(logits.float().log_softmax(dim=1).gather(1, bins) * share).sum(dim=1)
    weight = (net.palette.weights[bins] * share).sum(dim=1)
    return (weight * surprise).sum() / weight.sum().clamp(min=1e-6)
