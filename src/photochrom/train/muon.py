"""Muon: momentum whose directions all count alike, for the matrices of a network; AdamW for everything else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# How much of the former steps a step remembers; Jordan's.
MOMENTUM = 0.95
# The quintic that draws singular values between 0 and 1 towards 1, and how often it is applied; Jordan's.
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5
# Root mean square of an update, in rates: what AdamW's is, so that both take the same rates; Liu's.
UPDATE_RMS = 0.2
# A kernel narrower than this has too few directions to be worth it.
NARROWEST = 16


class Muon(torch.optim.AdamW):
    """AdamW, but groups with ``is_matrix`` step along their orthogonalised momentum.

    A kernel (out, in, h, w) is taken as the matrix (out, in x h x w). Momentum lies where AdamW's first moment does, so
    a run may change from one to the other. Rates mean what they mean for AdamW.

    Cost: a dozen multiplications of a matrix with its own square; a tenth of a step of the colour net at batch 64.
    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; Liu et al. 2025, "Muon is
    Scalable for LLM Training", section 2.2 (size of the update, decay).
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; the matrices' gradients are used up by it."""
        for group in self.param_groups:
            if group["is_matrix"]:
                for parameter in group["params"]:
                    self._move(parameter, group["lr"], group["weight_decay"])
        return super().step(closure)

    def _move(self, parameter: Tensor, rate: float, decay: float) -> None:
        if parameter.grad is None:
            return
        momentum = self.state[parameter].setdefault("exp_avg", torch.zeros_like(parameter))
        momentum.lerp_(parameter.grad, 1 - MOMENTUM)
        ahead = parameter.grad.lerp(momentum, MOMENTUM).flatten(1)
        length = UPDATE_RMS * math.sqrt(max(ahead.shape))
        parameter.mul_(1 - rate * decay)
        parameter.add_(orthogonalized(ahead).reshape(parameter.shape), alpha=-rate * length)
        parameter.grad = None  # so AdamW passes it over


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return the matrix (M, N) with its singular values drawn to about 1 (0.7 to 1.2), its directions kept.

    In the matrix's own precision: bfloat16, as others use it, has no fast path on most processors.

    The quintic is a polynomial in the square of the shorter side, and so are its repetitions: they are worked out there
    and meet the matrix once, which for kernels eight times as wide as high costs a third of meeting it each time.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / x.norm().clamp(min=1e-7)
    x = _repeated_apart(x) if x.shape[1] >= 2 * x.shape[0] else _repeated(x)
    return x.T if is_tall else x


def _repeated(x: Tensor) -> Tensor:
    """Return the matrix after the quintic's rounds, each of which multiplies it."""
    for _ in range(ROUNDS):
        x = _factor(x @ x.T) @ x
    return x


def _repeated_apart(x: Tensor) -> Tensor:
    """Return the same from the product of all factors, which commute: all are polynomials of one square."""
    square = x @ x.T
    factors = factor = _factor(square)
    for _ in range(ROUNDS - 1):
        square = factor @ square @ factor
        factor = _factor(square)
        factors = factor @ factors
    return factors @ x


def _factor(square: Tensor) -> Tensor:
    """Return what a round multiplies the matrix by: a + b S + c S^2, for its square S."""
    a, b, c = QUINTIC
    factor = torch.addmm(square, square, square, beta=b, alpha=c)
    factor.diagonal().add_(a)
    return factor


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Return whether Muon should move a parameter: a wide kernel, and not the last layer, whose rows are answers."""
    return parameter.ndim > 1 and not name.startswith("head.") and min(parameter.flatten(1).shape) >= NARROWEST
