"""Where gradients written here may stand in for PyTorch's own: they know CPUs and float32, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor


def may_stand_in(x: Tensor) -> bool:
    """Return whether a convolution of this input is being trained, on a CPU and in float32, outside a compiler."""
    is_training = torch.is_grad_enabled() and not torch.compiler.is_compiling()
    is_plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return is_training and is_plain
