"""3x3 convolutions by Winograd's minimal filtering, for training on CPUs: a quarter of the multiplications.

A 4x4 patch of the output is made from a 6x6 patch of the input with 36 multiplications per pair of channels instead of
144. All three products of training (output, gradient of the input, gradient of the kernel) become 36 matrix products;
around them stand small fixed transforms, whose share shrinks as channels grow. The result is the convolution's up to
rounding (about 1e-5 of its size in float32).

Source: Lavin, Gray 2016, "Fast Algorithms for Convolutional Neural Networks", sections 4.1 and 4.3, F(4x4, 3x3).
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

OUT, TILE = 4, 6
# With fewer channels or patches the transforms cost more than they save (measured on two AVX2 cores).
FEWEST_CHANNELS, FEWEST_PATCHES = 128, 128

INPUT = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
KERNEL = [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]
OUTPUT = [
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
]


@functools.cache
def matrices() -> tuple[Tensor, Tensor, Tensor]:
    """Return the transforms of whole patches: input (36, 36), kernel (36, 9), output (16, 36)."""
    parts = (torch.tensor(numbers, dtype=torch.float64) for numbers in (INPUT, KERNEL, OUTPUT))
    of_input, of_kernel, of_output = (torch.kron(part, part).float() for part in parts)
    return of_input, of_kernel, of_output


def patches(x: Tensor, rows: int, columns: int) -> Tensor:
    """Return overlapping 6x6 patches, 4 apart, of x padded by one: (B, C, H, W) -> (36, B * rows * columns * C).

    Channels come last, so that what is copied are whole runs of them.
    """
    height, width = x.shape[-2:]
    below, right = OUT * rows + 1 - height, OUT * columns + 1 - width
    padded = nn.functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, right, 1, below))
    tiles = padded.unfold(1, TILE, OUT).unfold(2, TILE, OUT)
    return tiles.permute(4, 5, 0, 1, 2, 3).reshape(TILE * TILE, -1)


def blocks(y: Tensor, rows: int, columns: int) -> Tensor:
    """Return y in 4x4 blocks, padded with zeros: (B, K, H, W) -> (16, B * rows * columns * K)."""
    height, width = y.shape[-2:]
    padded = nn.functional.pad(y.permute(0, 2, 3, 1), (0, 0, 0, OUT * columns - width, 0, OUT * rows - height))
    tiles = padded.reshape(y.shape[0], rows, OUT, columns, OUT, y.shape[1])
    return tiles.permute(2, 4, 0, 1, 3, 5).reshape(OUT * OUT, -1)


def transformed_input(x: Tensor, rows: int, columns: int) -> Tensor:
    """Return (36, B * rows * columns, C)."""
    return (matrices()[0] @ patches(x, rows, columns)).view(TILE * TILE, -1, x.shape[1])


def transformed_kernel(weight: Tensor) -> Tensor:
    """Return (36, C, K) of a kernel (K, C, 3, 3)."""
    c_out, c_in = weight.shape[:2]
    return (matrices()[1] @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(TILE * TILE, c_in, c_out)


def assembled(products: Tensor, batch: int, size: tuple[int, int], rows: int, columns: int) -> Tensor:
    """Return the picture made of transformed 4x4 blocks: (36, B * rows * columns, K) -> (B, K, H, W)."""
    c_out = products.shape[2]
    tiles = (matrices()[2] @ products.view(TILE * TILE, -1)).view(OUT, OUT, batch, rows, columns, c_out)
    picture = tiles.permute(2, 3, 0, 4, 1, 5).reshape(batch, OUT * rows, OUT * columns, c_out)
    return picture[:, : size[0], : size[1]].permute(0, 3, 1, 2)


class WinogradFunction(torch.autograd.Function):
    """The convolution and its two gradients."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution, padded by one: (B, C, H, W), (K, C, 3, 3) -> (B, K, H, W)."""
        rows, columns = -(-x.shape[-2] // OUT), -(-x.shape[-1] // OUT)
        lifted = transformed_input(x, rows, columns)
        # The transformed input is 2.25 times as large as the input; making it twice is cheaper than keeping it.
        context.save_for_backward(x, weight)
        context.place = (x.shape[0], (x.shape[-2], x.shape[-1]), rows, columns)
        return assembled(torch.bmm(lifted, transformed_kernel(weight)), *context.place)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of input and kernel."""
        x, weight = context.saved_tensors
        batch, size, rows, columns = context.place
        towards_x = towards_weight = None
        if context.needs_input_grad[0]:
            # The gradient of the input is a convolution with the kernel turned round and its channels exchanged.
            turned = transformed_kernel(weight.flip(2, 3).transpose(0, 1))
            spread = transformed_input(gradients[0], rows, columns)
            towards_x = assembled(torch.bmm(spread, turned), batch, size, rows, columns)
        if context.needs_input_grad[1]:
            raised = (matrices()[2].t() @ blocks(gradients[0], rows, columns)).view(TILE * TILE, -1, weight.shape[0])
            products = torch.bmm(transformed_input(x, rows, columns).transpose(1, 2), raised)
            flat = matrices()[1].t() @ products.view(TILE * TILE, -1)
            towards_weight = flat.view(3, 3, weight.shape[1], weight.shape[0]).permute(3, 2, 0, 1)
        return towards_x, towards_weight


def conv3x3(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``conv2d(x, weight, bias, padding=1)`` by Winograd's method; float32 on a CPU."""
    y: Tensor = WinogradFunction.apply(x, weight)  # type: ignore[no-untyped-call]
    return y if bias is None else y + bias.view(-1, 1, 1)


class FastConv2d(nn.Conv2d):
    """A 3x3 convolution that trains by Winograd's method where that pays off: on a CPU, in float32, when wide enough.

    It has to be allowed (``set_fast``). Without gradients, on other devices and under autocast it is an ordinary convolution.
    """

    is_fast = False  # see set_fast

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C', H, W)."""
        if self.is_fast and pays_off(x, self.in_channels, self.out_channels):
            return conv3x3(x, self.weight, self.bias)
        return super().forward(x)


def pays_off(x: Tensor, c_in: int, c_out: int) -> bool:
    """Return whether Winograd's method is quicker for this input."""
    is_training = torch.is_grad_enabled() and not torch.compiler.is_compiling()
    is_plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    patches_in_all = x.shape[0] * -(-x.shape[2] // OUT) * -(-x.shape[3] // OUT)
    return is_training and is_plain and min(c_in, c_out) >= FEWEST_CHANNELS and patches_in_all >= FEWEST_PATCHES


def set_fast(net: nn.Module, is_fast: bool) -> None:
    """Allow or forbid Winograd's method in a network."""
    for module in net.modules():
        if isinstance(module, FastConv2d):
            module.is_fast = is_fast
