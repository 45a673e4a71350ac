"""3x3 convolutions by Winograd's minimal filtering, for training on CPUs: a quarter of the multiplications.

A 4x4 patch of the output is made from a 6x6 patch of the input with 36 multiplications per pair of channels instead of
144. All three products of training (output, gradient of the input, gradient of the kernel) become 36 matrix products;
around them stand small fixed transforms, whose share shrinks as channels grow. The result is the convolution's up to
rounding (about 1e-5 of its size in float32).

Source: Lavin, Gray 2016, "Fast Algorithms for Convolutional Neural Networks", sections 4.1 and 4.3, F(4x4, 3x3).
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from photochrom.nets.own_gradients import may_stand_in

OUT, TILE = 4, 6
# Transforms are made part by part: whole ones would be 2.25 times the picture and wander through main memory.
PART_NUMBERS = 2_000_000
# With fewer channels or patches the transforms save little or cost more (191 channels: 0.64 of the time with AVX-512;
# patches were measured on two AVX2 cores).
FEWEST_CHANNELS, FEWEST_PATCHES = 160, 96

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


class Grid:
    """How a picture of a size is cut into patches of 4x4 outputs, and into parts whose transforms fit the cache.

    Pictures are worked on channels last, so that what is copied are whole runs of channels.
    """

    def __init__(self, batch: int, height: int, width: int) -> None:
        self.batch, self.height, self.width = batch, height, width
        self.rows, self.columns = -(-height // OUT), -(-width // OUT)

    def parts(self, channels: int) -> Iterator[tuple[slice, slice]]:
        """Yield which pictures and which rows of patches to do together, at most about PART_NUMBERS numbers a time."""
        most = max(1, PART_NUMBERS // (TILE * TILE * self.columns * channels))
        pictures, rows = max(1, most // self.rows), min(most, self.rows)
        for first in range(0, self.batch, pictures):
            for top in range(0, self.rows, rows):
                yield slice(first, first + pictures), slice(top, top + rows)

    def patches(self, x: Tensor) -> Tensor:
        """Return overlapping 6x6 patches, 4 apart, of x padded by one, not yet copied: (6, 6, B, rows, columns, C)."""
        padded = self._padded(x, 1, OUT * self.rows + 2, OUT * self.columns + 2)
        return padded.unfold(1, TILE, OUT).unfold(2, TILE, OUT).permute(4, 5, 0, 1, 2, 3)

    def blocks(self, y: Tensor) -> Tensor:
        """Return y in 4x4 blocks, padded with zeros: (B, K, H, W) -> (4, 4, B, rows, columns, K)."""
        return self.view_blocks(self._padded(y, 0, OUT * self.rows, OUT * self.columns))

    def view_blocks(self, padded: Tensor) -> Tensor:
        """Return the same as a view: (B, 4 rows, 4 columns, K) -> (4, 4, B, rows, columns, K)."""
        cut = padded.view(self.batch, self.rows, OUT, self.columns, OUT, padded.shape[-1])
        return cut.permute(2, 4, 0, 1, 3, 5)

    def _padded(self, x: Tensor, before: int, height: int, width: int) -> Tensor:
        """Return x with zeros around, channels last: (B, C, H, W) -> (B, height, width, C)."""
        padded = x.new_empty(self.batch, height, width, x.shape[1])
        below, right = before + self.height, before + self.width
        # Only the rim is filled: zeros under the picture would be one more pass over memory.
        for rim in (padded[:, :before], padded[:, below:], padded[:, :, :before], padded[:, :, right:]):
            rim.zero_()
        padded[:, before:below, before:right] = x.permute(0, 2, 3, 1)
        return padded


class Workspace(threading.local):
    """Memory that the parts of a convolution are worked out in, kept from call to call: fresh memory is slow to touch.

    Each thread has its own. Cost: three parts' transforms, about 8 MB each.
    """

    def __init__(self) -> None:
        self._rooms = [torch.empty(0)] * 3

    def room(self, number: int, *shape: int) -> Tensor:
        """Return room ``number`` as an uninitialised tensor; what it held before is gone."""
        count = math.prod(shape)
        if self._rooms[number].numel() < count:
            self._rooms[number] = torch.empty(count)
        return self._rooms[number][:count].view(shape)

    def transform(self, pieces: Tensor, matrix: Tensor, into: int) -> Tensor:
        """Return (36, N, C) of N pieces of the size that the matrix takes, (s, s, B, rows, columns, C), in a room."""
        gathered = self.room(0, *pieces.shape).copy_(pieces).view(matrix.shape[1], -1)
        lifted = self.room(into, TILE * TILE, gathered.shape[1])
        return torch.mm(matrix, gathered, out=lifted).view(TILE * TILE, -1, pieces.shape[-1])


WORKSPACE = Workspace()


def transformed_kernel(weight: Tensor) -> Tensor:
    """Return (36, C, K) of a kernel (K, C, 3, 3)."""
    c_out, c_in = weight.shape[:2]
    return (matrices()[1] @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(TILE * TILE, c_in, c_out)


def convolved(x: Tensor, weight: Tensor) -> Tensor:
    """Return x, padded by one, convolved with a kernel: (B, C, H, W), (K, C, 3, 3) -> (B, K, H, W)."""
    grid, (c_out, c_in) = Grid(x.shape[0], x.shape[2], x.shape[3]), weight.shape[:2]
    of_input, _, of_output = matrices()
    lifted_kernel, patches = transformed_kernel(weight), grid.patches(x)
    picture = x.new_empty(grid.batch, OUT * grid.rows, OUT * grid.columns, c_out)
    blocks = grid.view_blocks(picture)
    for part in grid.parts(max(c_in, c_out)):
        lifted = WORKSPACE.transform(patches[:, :, *part], of_input, 1)
        products = WORKSPACE.room(2, TILE * TILE, lifted.shape[1], c_out)
        torch.bmm(lifted, lifted_kernel, out=products)
        made = WORKSPACE.room(0, OUT * OUT, lifted.shape[1] * c_out)
        torch.mm(of_output, products.view(TILE * TILE, -1), out=made)
        here = blocks[:, :, *part]
        here.copy_(made.view(here.shape))
    return picture[:, : grid.height, : grid.width].permute(0, 3, 1, 2)


def kernel_gradient(x: Tensor, towards_y: Tensor) -> Tensor:
    """Return the gradient of the kernel: x (B, C, H, W), gradient of the output (B, K, H, W) -> (K, C, 3, 3)."""
    grid, c_in, c_out = Grid(x.shape[0], x.shape[2], x.shape[3]), x.shape[1], towards_y.shape[1]
    of_input, of_kernel, of_output = matrices()
    patches, blocks = grid.patches(x), grid.blocks(towards_y)
    products = x.new_empty(TILE * TILE, c_in, c_out)
    for number, part in enumerate(grid.parts(max(c_in, c_out))):
        lifted = WORKSPACE.transform(patches[:, :, *part], of_input, 1)
        raised = WORKSPACE.transform(blocks[:, :, *part], of_output.t(), 2)
        products.baddbmm_(lifted.transpose(1, 2), raised, beta=float(number > 0))  # the first overwrites
    return (of_kernel.t() @ products.view(TILE * TILE, -1)).view(3, 3, c_in, c_out).permute(3, 2, 0, 1)


class WinogradFunction(torch.autograd.Function):
    """The convolution and its two gradients."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution, padded by one: (B, C, H, W), (K, C, 3, 3) -> (B, K, H, W)."""
        # The transformed input is 2.25 times as large as the input; making it twice is cheaper than keeping it.
        context.save_for_backward(x, weight)
        return convolved(x, weight)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of input and kernel."""
        x, weight = context.saved_tensors
        towards_x = towards_weight = None
        if context.needs_input_grad[0]:
            # The gradient of the input is a convolution with the kernel turned round and its channels exchanged.
            towards_x = convolved(gradients[0], weight.flip(2, 3).transpose(0, 1))
        if context.needs_input_grad[1]:
            towards_weight = kernel_gradient(x, gradients[0])
        return towards_x, towards_weight


def conv3x3(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``conv2d(x, weight, bias, padding=1)`` by Winograd's method; float32 on a CPU."""
    y: Tensor = WinogradFunction.apply(x, weight)  # type: ignore[no-untyped-call]
    return y if bias is None else y + bias.view(-1, 1, 1)


class FastConv2d(nn.Conv2d):
    """A 3x3 convolution that trains by Winograd's method where that pays off: on a CPU, in float32, when wide enough.

    It has to be allowed (``set_fast``). Without gradients, on other devices and under autocast it is an ordinary
    convolution.
    """

    is_fast = False  # see set_fast

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C', H, W)."""
        if self.is_fast and pays_off(x, self.in_channels, self.out_channels):
            return conv3x3(x, self.weight, self.bias)
        return super().forward(x)


def pays_off(x: Tensor, c_in: int, c_out: int) -> bool:
    """Return whether Winograd's method is quicker for this input."""
    patches_in_all = x.shape[0] * -(-x.shape[2] // OUT) * -(-x.shape[3] // OUT)
    return may_stand_in(x) and min(c_in, c_out) >= FEWEST_CHANNELS and patches_in_all >= FEWEST_PATCHES


def set_fast(net: nn.Module, is_fast: bool) -> None:
    """Allow or forbid Winograd's method in a network."""
    for module in net.modules():
        if isinstance(module, FastConv2d):
            module.is_fast = is_fast
