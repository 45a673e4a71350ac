"""A kernel for each channel over small maps: the same numbers and gradients as PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from photochrom.nets import depthwise
from photochrom.nets.backbones import SameConv2d


@pytest.mark.parametrize(("height", "width", "kernel_px"), [(3, 3, 5), (4, 6, 5), (1, 2, 5), (5, 5, 3), (2, 1, 7)])
def test_gradients_are_those_of_the_plain_convolution(height: int, width: int, kernel_px: int) -> None:
    random = torch.Generator().manual_seed(3)
    shapes = [(2, 4, height, width), (4, 1, kernel_px, kernel_px), (4,)]
    ours = [torch.randn(shape, generator=random, dtype=torch.float64).requires_grad_() for shape in shapes]
    plain = [tensor.detach().clone().requires_grad_() for tensor in ours]
    y = depthwise.filter_each(*ours)
    expected = nn.functional.conv2d(*plain, padding=kernel_px // 2, groups=4)
    torch.testing.assert_close(y, expected)
    towards_y = torch.randn(y.shape, generator=random, dtype=torch.float64)
    for found, right in zip(
        torch.autograd.grad(y, ours, towards_y), torch.autograd.grad(expected, plain, towards_y), strict=True
    ):
        torch.testing.assert_close(found, right)


def test_it_is_used_while_training_on_small_maps_alone() -> None:
    conv = SameConv2d(8, 8, 5, groups=8)
    small, large = torch.randn(1, 8, 3, 3), torch.randn(1, 8, 12, 12)
    assert "Depthwise" in conv(small).grad_fn.name()
    assert "Depthwise" not in conv(large).grad_fn.name()
    assert "Depthwise" not in SameConv2d(8, 8, 5)(small).grad_fn.name()
    with torch.no_grad():
        torch.testing.assert_close(conv(small), nn.functional.conv2d(small, conv.weight, padding=2, groups=8))
