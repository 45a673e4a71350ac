"""Depthwise convolution over small maps with a gradient of the kernel that is quick on CPUs.

oneDNN's gradient of a depthwise kernel over maps of a few pixels in channels-last layout costs up to fifty times the
convolution itself: 67 ms against 1.4 ms for 64 maps of 1248 channels, 3 x 3 pixels, kernels of 5 x 5. Here it is a sum
of products for each place of the kernel, over the pixels that meet there: 3.5 ms.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from photochrom.nets.own_gradients import may_stand_in

# Above this side (pixels), or for a smaller kernel, oneDNN's own gradient is as quick or quicker.
LARGEST_MAP = 7
SMALLEST_KERNEL = 5


class DepthwiseFunction(torch.autograd.Function):
    """The convolution of each channel by its own kernel, and its two gradients."""

    @staticmethod
    def forward(context: Any, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Return the convolution, padded by half the kernel: (B, C, H, W), (C, 1, K, K), (C) -> (B, C, H, W)."""
        context.save_for_backward(x, kernel)
        return _filtered(x, kernel, bias)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Return the gradients of input, kernel and bias."""
        x, kernel = context.saved_tensors
        (towards_y,) = gradients
        of_x, of_kernel, of_bias = context.needs_input_grad
        return (
            _filtered(towards_y, kernel.flip(2, 3), None) if of_x else None,
            kernel_gradient(x, towards_y, kernel.shape[-1]) if of_kernel else None,
            towards_y.sum((0, 2, 3)) if of_bias else None,
        )


def _filtered(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    return nn.functional.conv2d(x, kernel, bias, padding=kernel.shape[-1] // 2, groups=x.shape[1])


def kernel_gradient(x: Tensor, towards_y: Tensor, kernel_px: int) -> Tensor:
    """Return the gradient of depthwise kernels: x and the output's gradient, both (B, C, H, W) -> (C, 1, K, K)."""
    _, channels, height, width = x.shape
    shown, asked = x.permute(0, 2, 3, 1), towards_y.permute(0, 2, 3, 1)
    gradient = x.new_zeros(kernel_px, kernel_px, channels)
    for row in range(kernel_px):
        rows_in, rows_out = _meeting(row - kernel_px // 2, height)
        for column in range(kernel_px):
            columns_in, columns_out = _meeting(column - kernel_px // 2, width)
            products = shown[:, rows_in, columns_in] * asked[:, rows_out, columns_out]
            torch.sum(products, (0, 1, 2), out=gradient[row, column])
    return gradient.permute(2, 0, 1).unsqueeze(1)


def _meeting(shift: int, length: int) -> tuple[slice, slice]:
    """Return which pixels of the input, shifted, meet which of the output inside the map; none far outside."""
    kept = max(length - abs(shift), 0)
    return slice(max(shift, 0), max(shift, 0) + kept), slice(max(-shift, 0), max(-shift, 0) + kept)


def filter_each(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``conv2d`` with a kernel for each channel, padded by half of it; shapes as the function says."""
    y: Tensor = DepthwiseFunction.apply(x, kernel, bias)  # type: ignore[no-untyped-call]
    return y


def pays_off(x: Tensor, kernel: Tensor) -> bool:
    """Return whether the gradient here is quicker than PyTorch's own: while training, on a CPU, over small maps."""
    return may_stand_in(x) and max(x.shape[2:]) <= LARGEST_MAP and kernel.shape[-1] >= SMALLEST_KERNEL
