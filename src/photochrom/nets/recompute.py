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


def _fill(buffers: list[Tensor], values: list[Tensor]) -> None:
    with torch.no_grad():
        for buffer, value in zip(buffers, values, strict=True):
            # Through .data: autograd's version counter must not see the memory move, as it does not for batch norm.
            buffer.data.copy_(value)
