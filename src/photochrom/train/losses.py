"""What generators and critics are taught by. Each loss names its source; perceptual losses have their own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from photochrom.nets.generators import ColorNet

AdversarialKind = Literal["hinge", "bce"]


def color_distribution_loss(
    net: ColorNet,
    features: Tensor,
    ab: Tensor,
    *,
    pixel_share: float = 1.0,
    rng: torch.Generator | None = None,
    average: Callable[[Tensor], Tensor] = lambda total: total,
) -> Tensor:
    """Return the rebalanced cross-entropy between the predicted colour distributions and the true colours.

    Shapes: features (B, C, H/2, W/2) as ``net.features`` gives them to ``read``, ab (B, 2, H/2, W/2) -> scalar.
    Range: ab Lab units.
    Cost: proportional to ``pixel_share``: the head runs only on that share of pixels, drawn from ``rng``.
    ``average`` takes the mean over processes of what the sum is divided by, so that several equal one.
    Source: Zhang, Isola, Efros 2016, "Colorful Image Colorization", equation 2.
    """
    flat_features = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    flat_ab = ab.permute(0, 2, 3, 1).reshape(-1, 2)
    if pixel_share < 1:
        count = max(1, int(len(flat_ab) * pixel_share))
        drawn = torch.randint(len(flat_ab), (count,), generator=rng).to(ab.device)
        flat_features, flat_ab = flat_features[drawn], flat_ab[drawn]
    logits = nn.functional.linear(flat_features, net.head.weight[:, :, 0, 0], net.head.bias)
    bins, share = net.palette.encode(flat_ab)
    surprise = -(logits.float().log_softmax(dim=1).gather(1, bins) * share).sum(dim=1)
    weight = (net.palette.weights[bins] * share).sum(dim=1)
    return (weight * surprise).sum() / average(weight.sum()).clamp(min=1e-6)


def pixel_loss(picture: Tensor, truth: Tensor) -> Tensor:
    """Return the mean absolute difference of two pictures of one shape and range.

    Source: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", equation 3.
    """
    return nn.functional.l1_loss(picture, truth)


def colorfulness_loss(picture: Tensor, truth: Tensor) -> Tensor:
    """Return how far apart the colourfulness of two batches of pictures is, picture by picture, in hundreds of codes.

    Shapes: two of (B, 3, H, W) -> scalar. Range: sRGB 0..1. Two-sided: too gaudy costs as much as too pale.
    Source: Hasler, Suesstrunk 2003, "Measuring colorfulness in natural images", equation for M3, whose unit is codes.
    """
    return (_colorfulness(picture) - _colorfulness(truth).detach()).abs().mean()


def _colorfulness(picture: Tensor) -> Tensor:
    red, green, blue = (2.55 * picture).unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], 1).flatten(2)
    tiny = 1e-6  # the square root's slope at zero is infinite, and grey pictures exist
    spread = (opponents.var(dim=2, correction=0).sum(1) + tiny).sqrt()
    return spread + 0.3 * ((opponents.mean(dim=2) ** 2).sum(1) + tiny).sqrt()


def decibel_loss(picture: Tensor, truth: Tensor) -> Tensor:
    """Return the mean over pictures of log10 of their mean square error, 0 at 20 dB and -1 for each 10 dB more.

    Every picture counts alike, clean ones too: a mean of errors would be made of the noisiest. Flat from 50 dB on.
    Source: Chen et al. 2022, "Simple Baselines for Image Restoration", section 4 (PSNR loss).
    """
    return ((picture - truth).square().mean(dim=(1, 2, 3)) + 1e-5).log10().mean() + 2


def critic_loss(kind: AdversarialKind, real: Tensor, generated: Tensor) -> Tensor:
    """Return what a critic minimises, from its logits on real and on generated pictures.

    ``hinge``: mean(relu(1 - real)) + mean(relu(1 + generated)); Lim, Ye 2017, "Geometric GAN", equation 17.
    ``bce``: half the sum of the two cross-entropies, ln 2 at chance; Goodfellow et al. 2014, "Generative Adversarial
    Nets", equation 1.
    """
    if kind == "hinge":
        return nn.functional.relu(1 - real).mean() + nn.functional.relu(1 + generated).mean()
    return (nn.functional.softplus(-real).mean() + nn.functional.softplus(generated).mean()) / 2


def adversarial_loss(kind: AdversarialKind, generated: Tensor) -> Tensor:
    """Return what a generator minimises, from the critic's logits on its pictures.

    ``hinge``: -mean(generated); Lim, Ye 2017, equation 18. ``bce``: the cross-entropy of calling them real (the
    non-saturating form); Goodfellow et al. 2014, section 3.
    """
    return -generated.mean() if kind == "hinge" else nn.functional.softplus(-generated).mean()


def balanced_accuracy(real: Tensor, generated: Tensor) -> float:
    """Return the mean of the shares of real and of generated patches that a critic's logits tell rightly."""
    return float(((real > 0).float().mean() + (generated <= 0).float().mean()) / 2)
