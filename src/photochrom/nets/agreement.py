"""Places that look alike and lie near agree on their colour, where each alone is unsure of it.

A network decides for each place by itself. Of a grey suit it may think blue-grey or red as likely as each other, and
then says now this and now that: the likeliest colour changes from place to place, and sharpening makes red patches of
it. ``agree`` gives each unsure place the mean distribution of what is as bright as it and lies within a cell or two
of a seventh of the short side; where one colour is the likeliest of all of them, none is left to stand out. Sure
places keep their own.

A cell is a part of the scene, not a number of pixels: a coat twice as large on a larger copy is still one coat. Small
crops, which show a part of a scene, have cells of 32 px, as the copies of 224 px have from which they are cut.

A coat is wider than a cell, and has lights and folds. ``agree_afar`` asks what looks alike by the network's own eyes,
those by which it carries hints, wherever that lies: over a patch of another colour on a sleeve, and an arm that is half
grey, the rest decides.

The near means are taken on a bilateral grid, so that the cost does not grow with how far it looks.
Source of the grid: Chen, Paris, Durand 2007, "Real-time Edge-Aware Image Processing with the Bilateral Grid", section
3; of the idea that neighbouring places of like look share a label: Krahenbuhl, Koltun 2011, "Efficient Inference in
Fully Connected CRFs with Gaussian Edge Potentials", equation 3 (one round of it, with tents for Gaussians).
"""

from __future__ import annotations

import torch
from torch import Tensor, sym_max, sym_min
from torch.nn.functional import avg_pool2d, interpolate, normalize, relu

from photochrom.nets.blocks import softmax_over_channels
from photochrom.nets.places import centres, distances

# Points of the grid lie a seventh of the input's short side apart, and 32 px at least.
CELLS, SMALLEST_CELL_PX = 7, 32
# Points of the grid along luma: places agree that differ by less than a tenth or so.
TONES = 10
# Entropy (nats) of a distribution at which a place begins to ask the others, and from which it takes their word alone.
SURE, UNSURE = 2.0, 3.5
# The same for what looks alike afar, after it has agreed with what is near.
SURE_AFAR, UNSURE_AFAR = 1.0, 2.5
# How much a cosine of 1 between two looks counts there, and how much less a distance as long as the picture does.
SHARPNESS, NEARNESS = 16.0, 2.0
# Pixels between places that look at others, and between those looked at.
ASKING_PX, ASKED_PX = 8, 16
# The least a probability is before its logarithm, and a count that is divided by.
TINY = 1e-8


def agree(logits: Tensor, luma: Tensor, stride: int) -> Tensor:
    """Return logits on which unsure places that look alike have agreed.

    Shapes: (B, K, h, w) and (B, 1, H, W), H = h ``stride`` and W = w ``stride`` -> (B, K, h, w). Range: luma 0..1; the
    answer's exponents sum to one.
    Cost: 20 K h w (w / cell + 1) multiply-adds, a fiftieth of the embedded network's.
    """
    shares = softmax_over_channels(logits.float())
    return _asked(shares, common(shares, luma, stride), SURE, UNSURE)


def agree_afar(logits: Tensor, look: Tensor, stride: int) -> Tensor:
    """Return logits on which unsure places have agreed with what looks alike anywhere in the picture.

    Shapes: (B, K, h, w), h = H / ``stride``, and the looks of places (B, D, H / 8, W / 8), D at unit length for each of
    several heads -> (B, K, h, w); the answer's exponents sum to one.
    Source of the idea: Buades, Coll, Morel 2005, "A Non-Local Algorithm for Image Denoising", section 3, with looks
    that were learnt for patches of the picture.
    Cost: K + D multiply-adds for each place at 1/8 with each at 1/16, and 12 bytes: 66 MB for a copy of 672 x 448 px.
    """
    shares = softmax_over_channels(logits.float())
    return _asked(shares, alike(shares, look, stride), SURE_AFAR, UNSURE_AFAR)


def _asked(shares: Tensor, others: Tensor, sure: float, unsure: float) -> Tensor:
    doubt = ((entropy(shares) - sure) / (unsure - sure)).clamp(0, 1)
    return (shares + doubt * (others - shares)).clamp(min=TINY).log()


def entropy(shares: Tensor) -> Tensor:
    """Return the entropy in nats of distributions over dimension 1: (B, K, h, w) -> (B, 1, h, w)."""
    return -(shares * shares.clamp(min=TINY).log()).sum(dim=1, keepdim=True)


def common(shares: Tensor, luma: Tensor, stride: int) -> Tensor:
    """Return for each place the mean of the distributions of like luma round it; shapes as for ``agree``.

    Each place gives its distribution to the eight points of the grid around it (two along each side, two along luma)
    by how near it is, and reads the points' means with the same weights.
    """
    batch, count, height, width = shares.shape
    # Not ``min`` and ``max``: a graph that is traced would keep what the example's sides made of them.
    shorter = sym_min(height, width)  # type: ignore[no-untyped-call]
    cells_side = sym_max(shorter, CELLS * SMALLEST_CELL_PX // stride)  # type: ignore[no-untyped-call]
    down, across = (_nearness(side, cells_side, shares) for side in (height, width))
    tones = relu(1 - (avg_pool2d(luma, stride) * (TONES - 1) - torch.arange(TONES).to(shares)[:, None, None]).abs())
    # One matrix for each row: how much each place of it counts at each point (tone, column) of the grid.
    reach = (tones.permute(0, 2, 3, 1)[..., None] * across[None, None, :, None]).flatten(3)
    given = (shares.transpose(1, 2) @ reach).flatten(2)
    points = (down.t() @ given).reshape(batch, -1, count, reach.shape[3])
    counts = down.t() @ reach.sum(dim=2)
    means = points / counts[:, :, None].clamp(min=TINY)
    read = (down @ means.flatten(2)).reshape(batch, height, count, reach.shape[3])
    found: Tensor = (read @ reach.transpose(2, 3)).transpose(1, 2)
    return found


def _nearness(side: int, cells_side: int, like: Tensor) -> Tensor:
    """Return how near the places of a side are to its points, ``CELLS`` of which lie along ``cells_side`` places.

    Shape: (side, points). Range: 0..1.
    """
    places = torch.arange(side).to(like) * CELLS / cells_side
    points = (side * CELLS + cells_side - 1) // cells_side + 1
    return relu(1 - (places[:, None] - torch.arange(points).to(like)).abs())


def alike(shares: Tensor, look: Tensor, stride: int) -> Tensor:
    """Return for each place the mean of the distributions of what looks alike; shapes as for ``agree_afar``.

    Weights are softmax(sharpness * cosine of the looks - nearness * distance), the distance in units of the mean side.
    """
    height, width = look.shape[2:]
    asked = avg_pool2d(shares, ASKED_PX // stride)
    own = normalize(look.float(), dim=1)
    theirs = normalize(avg_pool2d(own, ASKED_PX // ASKING_PX), dim=1)
    asking, places = (height, width), theirs.shape[2:]
    apart = distances(centres(asking, asking, look.device), centres(places, asking, look.device), asking)
    cosine = own.flatten(2).transpose(1, 2) @ theirs.flatten(2)
    weights = torch.softmax(SHARPNESS * cosine - NEARNESS * apart, dim=2)
    mean = (asked.flatten(2) @ weights.transpose(1, 2)).reshape(*asked.shape[:2], height, width)
    return interpolate(mean, scale_factor=ASKING_PX / stride, mode="bilinear")
