"""Gradient checkpointing that leaves no trace: activations are forgotten and computed again in the backward pass.

Modules with a memory (batch norm's running figures, spectral norm's vectors) move it at each call. Computing a part
again would move it twice, and from another start than the first time, so the gradients would be of slightly other
weights. Here the second pass starts from the memory that the first one started from, and afterwards the memory is
what it was before the second pass: results and state are those of a run without recomputation.

Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", section 3.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def call(module: nn.Module, *inputs: Tensor) -> Any:
    """Run a module as usual."""
    return module(*inputs)


def recompute(module: nn.Module, *inputs: Tensor) -> Any:
    """Run a module without keeping its activations; the backward pass runs it a second time.

    Cost: one more forward pass of the module; memory for its inputs and outputs only, until the backward pass.
    """
    before = [buffer.clone() for buffer in module.buffers()]

    @contextlib.contextmanager
    def second_pass() -> Iterator[None]:
        buffers = list(module.buffers())
        after = [buffer.clone() for buffer in buffers]
        _fill(buffers, before)
        try:
            yield
        finally:
            _fill(buffers, after)

    def contexts() -> tuple[contextlib.AbstractContextManager[None], contextlib.AbstractContextManager[None]]:
        return contextlib.nullcontext(), second_pass()

    return checkpoint(module, *inputs, use_reentrant=False, context_fn=contexts)


def recompute_in_parts(module: nn.Module, x: Tensor, most: int = 4) -> Tensor:
    """Run a module on at most ``most`` pictures at a time, keeping no activations: (B, ...) -> (B, ...).

    For modules that treat each picture alone, so without batch norm and dropout. Their weights' memory (spectral norm's
    vectors) moves once, with the first part, as if the batch had been run whole.
    Cost: as ``recompute``, and of the module's activations only one part's at a time.
    """
    first, *others = x.chunk(-(-len(x) // most))
    answers = [recompute(module, first)] + [recompute(_Unmoved(module), part) for part in others]
    return torch.cat(answers)


class _Unmoved(nn.Module):
    """A module whose memory stays as it is while it runs."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: the module's."""
        was_training = self.module.training
        self.module.eval()
        try:
            answer: Tensor = self.module(x)
        finally:
            self.module.train(was_training)
        return answer


def _fill(buffers: list[Tensor], values: list[Tensor]) -> None:
    with torch.no_grad():
        for buffer, value in zip(buffers, values, strict=True):
            # Through .data: autograd's version counter must not see the memory move, as it does not for batch norm.
            buffer.data.copy_(value)
