"""Batch and spectral norms worked into kernels, for inference, and out of them again, to train on.

A folded network has plain convolutions only: quicker, and all that a model file stores. ``unfold_norms`` makes the
weights of the network it came from, given what folding loses: the norms' own numbers, and of each spectral norm the
kernel's size and the two vectors that measure it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import fusion, parametrize

from photochrom.nets.blocks import PixelShuffleUp

Net = TypeVar("Net", bound=nn.Module)

# Where torch keeps a spectral-norm kernel and the vectors of its power iteration.
ORIGINAL, LEFT, RIGHT = (f".parametrizations.weight.{part}" for part in ("original", "0._u", "0._v"))


@dataclass(frozen=True)
class Fold:
    """A convolution whose kernel folding changes.

    ``conv`` and ``norm`` are names within the network; ``norm`` is empty where no batch norm follows, and ``eps`` is
    that norm's. ``sigma`` is the largest singular value that spectral norm divides the kernel by; 0: no spectral norm.
    """

    conv: str
    norm: str = ""
    eps: float = 0.0
    sigma: float = 0.0

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of what unfolding needs of the network before folding; of own biases only those that it has."""
        of_norm = *(f"{self.norm}.{part}" for part in ("weight", "running_mean", "running_var")), f"{self.conv}.bias"
        of_spectrum = self.conv + LEFT, self.conv + RIGHT
        return (of_spectrum if self.sigma else ()) + (of_norm if self.norm else ())

    @property
    def makes(self) -> tuple[str, ...]:
        """Names of what unfolding makes."""
        of_conv = (self.conv + ORIGINAL, self.conv + RIGHT) if self.sigma else (f"{self.conv}.weight",)
        return of_conv + ((f"{self.norm}.bias",) if self.norm else ())


def find_folds(net: nn.Module) -> list[Fold]:
    """Return the convolutions of a network that a batch norm follows or that have spectral norm, in no special order.

    A norm follows where both stand side by side in an ``nn.Sequential`` or are the parts of a ``PixelShuffleUp``.
    """
    norms = dict(_conv_norm_pairs(net))
    return [
        Fold(name, norms.get(name, ""), _eps(net, norms.get(name, "")), _sigma(conv))
        for name, conv in net.named_modules()
        if isinstance(conv, nn.Conv2d) and (name in norms or parametrize.is_parametrized(conv))
    ]


def _conv_norm_pairs(net: nn.Module) -> Iterator[tuple[str, str]]:
    for place, module in net.named_modules():
        if isinstance(module, nn.Sequential | PixelShuffleUp):
            parts = list(module.named_children())
            for (conv_name, conv), (norm_name, norm) in zip(parts, parts[1:], strict=False):
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    prefix = f"{place}." if place else ""
                    yield prefix + conv_name, prefix + norm_name


def _eps(net: nn.Module, norm: str) -> float:
    return float(net.get_submodule(norm).eps) if norm else 0.0  # type: ignore[arg-type]


def _sigma(conv: nn.Conv2d) -> float:
    """Return what spectral norm divides the kernel by in evaluation mode; 0 without it."""
    if not parametrize.is_parametrized(conv):
        return 0.0
    kept = {name: value.detach().double() for name, value in conv.state_dict().items()}
    kernel, left, right = (kept[part.removeprefix(".")] for part in (ORIGINAL, LEFT, RIGHT))
    return float(left @ kernel.flatten(1) @ right)


def fold_norms(net: Net) -> Net:
    """Return a copy, in evaluation mode, with spectral norm removed and batch norm folded into convolutions."""
    folded = copy.deepcopy(net).eval()
    for fold in find_folds(net):
        conv = folded.get_submodule(fold.conv)
        assert isinstance(conv, nn.Conv2d)
        plain = plain_conv(conv) if fold.sigma else conv
        if fold.norm:
            norm = folded.get_submodule(fold.norm)
            assert isinstance(norm, nn.BatchNorm2d)
            plain = fusion.fuse_conv_bn_eval(plain, norm)
            folded.set_submodule(fold.norm, nn.Identity())
        folded.set_submodule(fold.conv, plain)
    return folded


def plain_conv(conv: nn.Conv2d) -> nn.Conv2d:
    """Return an ordinary convolution with the kernel that a parametrised one has now.

    torch's own ``remove_parametrizations`` edits the module's class, which copies of the module share.
    """
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    shape: dict[str, Any] = {name: getattr(conv, name) for name in names}
    plain = nn.Conv2d(**shape, bias=conv.bias is not None).eval()
    with torch.no_grad():
        plain.weight.copy_(conv.weight)
        if conv.bias is not None and plain.bias is not None:
            plain.bias.copy_(conv.bias)
    return plain


def unfold_norms(folded: Mapping[str, Tensor], kept: Mapping[str, Tensor], folds: Sequence[Fold]) -> dict[str, Tensor]:
    """Return the weights of the folds' convolutions and norms as a network in training has them, by name.

    In evaluation mode that network answers as the folded one, whose kernels may have been trained since.

    Args:
        folded: the folded network's kernels and biases.
        kept: what the folds need of the network before folding; what else it has is not made again.
        folds: what ``find_folds`` said of the network before folding.
    """
    made: dict[str, Tensor] = {}
    for fold in folds:
        kernel = folded[f"{fold.conv}.weight"]
        if fold.norm:
            scale = kept[f"{fold.norm}.weight"] / (kept[f"{fold.norm}.running_var"] + fold.eps).sqrt()
            shift = kept[f"{fold.norm}.running_mean"] - kept.get(f"{fold.conv}.bias", 0)
            made[f"{fold.norm}.bias"] = folded[f"{fold.conv}.bias"] + shift * scale
            # What a scale of zero has wiped out cannot be had again.
            kernel = torch.where(_rows(scale) == 0, 0, kernel / _rows(scale))
        if not fold.sigma:
            made[f"{fold.conv}.weight"] = kernel
            continue
        left, right = kept[fold.conv + LEFT], kept[fold.conv + RIGHT]
        if fold.conv + ORIGINAL not in kept:
            # Of a length that makes the measured size sigma; the next step of training makes both vectors anew.
            right = right / (left @ kernel.flatten(1) @ right)
        made |= {fold.conv + ORIGINAL: kernel * fold.sigma, fold.conv + RIGHT: right}
    return {name: value for name, value in made.items() if name not in kept or name.endswith(RIGHT)}


def _rows(scale: Tensor) -> Tensor:
    return scale[:, None, None, None]
