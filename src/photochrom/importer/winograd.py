"""3x3 convolutions with a quarter of the multiplications, written as ordinary ONNX steps.

A 4x4 tile of the result needs a 6x6 patch of the input; transformed by small fixed matrices, the convolution of that
patch is 36 products per pair of channels instead of 144. For wide layers nearly all the time goes into those products,
which are plain matrix multiplications. The price is memory for the transformed patches (2.25 times the input), so
work is done in bands of tiles, and kernels that are four times larger. They are transformed when a model is imported,
not when it is loaded: mapped from the file they cost no time then, and no memory that could not be taken back.
Rounding errors grow about tenfold over direct float32 convolution, to about 1e-5 relative.

Source: Lavin, Gray 2015, "Fast Algorithms for Convolutional Neural Networks", section 4.3: F(4x4, 3x3).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from photochrom.importer.graph_writer import GraphWriter

TILE = 4
PATCH = 6
POINTS = PATCH * PATCH
# Tiles worked on at once: with 300 channels, 45 MB of transformed patches.
TILES_PER_BAND = 1024

FROM_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float64,
)
FROM_KERNEL = (
    np.array(
        [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]],
        np.float64,
    )
    / 24
)
TO_OUTPUT = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    np.float64,
)


def transformed_kernel(graph: GraphWriter, kernel: npt.NDArray[np.float32], stem: str) -> str:
    """Store the kernel as 36 matrices and return their name. Shapes: (O, C, 3, 3) -> (36, O, C)."""
    outputs, inputs = kernel.shape[:2]
    square = np.kron(FROM_KERNEL, FROM_KERNEL)
    matrices = (square @ kernel.reshape(outputs * inputs, 9).T.astype(np.float64)).astype(np.float32)
    return graph.constant(matrices.reshape(POINTS, outputs, inputs), f"{stem}_matrices")


def convolve(graph: GraphWriter, x: str, matrices: str, outputs: int) -> str:
    """Convolve without padding. Shapes: (1, C, 4h + 2, 4w + 2) -> (1, outputs, 4h, 4w)."""
    # Channels become the batch of a convolution that turns each patch into its 36 transformed values.
    rest = graph.step("Shape", x, start=2)
    batch = graph.step("Reshape", x, graph.step("Concat", graph.integers(-1, 1), rest, axis=0))
    square = np.kron(FROM_INPUT, FROM_INPUT).astype(np.float32).reshape(POINTS, 1, PATCH, PATCH)
    patches = graph.conv(batch, square, stride=TILE, pads=(0, 0, 0, 0), stem="from_input")
    down, across = graph.size(patches, 2), graph.size(patches, 3)
    columns = graph.step("Transpose", graph.step("Reshape", patches, graph.integers(0, 0, -1)), perm=[1, 0, 2])
    products = graph.step("Reshape", graph.step("MatMul", matrices, columns), graph.integers(POINTS, -1))
    to_output = graph.constant(np.kron(TO_OUTPUT, TO_OUTPUT).astype(np.float32), "to_output")
    return interleaved(graph, graph.step("MatMul", to_output, products), TILE, outputs, down, across)


def interleaved(graph: GraphWriter, x: str, factor: int, channels: int, down: str, across: str) -> str:
    """Put ``factor`` x ``factor`` pictures together into one. Shapes: (f f C, h, w) -> (1, C, f h, f w).

    The same as DepthToSpace in DCR order, as two moves of one axis each, which the runtime does much faster.
    """
    f = graph.integers(factor)
    shape = graph.step("Concat", f, f, graph.integers(-1), axis=0)
    columns_last = graph.step("Transpose", graph.step("Reshape", x, shape), perm=[0, 2, 1])
    width = graph.step("Mul", across, f)
    rows = graph.step("Reshape", columns_last, graph.step("Concat", f, graph.integers(-1), width, axis=0))
    rows = graph.step("Transpose", rows, perm=[1, 0, 2])
    whole = [graph.integers(1, channels), graph.step("Mul", down, f), width]
    return graph.step("Reshape", rows, graph.step("Concat", *whole, axis=0))


def convolve_relu(
    graph: GraphWriter, x: str, kernel: npt.NDArray[np.float32], bias: npt.NDArray[np.float32] | None, stem: str
) -> str:
    """Convolve with zero padding that keeps the size, then ReLU; in bands, so that patches never all exist at once.

    Shapes: (1, C, H, W) -> (1, O, H, W).
    """
    matrices = transformed_kernel(graph, kernel, stem)
    height, width, one, four = graph.size(x, 2), graph.size(x, 3), graph.integers(1), graph.integers(TILE)
    across, down = quotient_up(graph, width, four), quotient_up(graph, height, four)
    rows = graph.step("Max", graph.step("Div", graph.integers(TILES_PER_BAND), across), one)
    rows = graph.step("Min", rows, down)
    bands = quotient_up(graph, down, rows)
    band_px = graph.step("Mul", rows, four)
    right = graph.step("Add", graph.step("Sub", graph.step("Mul", across, four), width), one)

    body = GraphWriter(graph)
    index = body.name("band")
    start = body.step("Mul", body.step("Unsqueeze", index, body.integers(0)), band_px)
    above = body.step("Sub", one, start)  # negative padding cuts rows away
    below = body.step("Sub", body.step("Add", body.step("Add", start, band_px), one), height)
    pads = body.step("Concat", body.integers(0, 0), above, body.integers(1, 0, 0), below, right, axis=0)
    y = convolve(body, body.step("Pad", x, pads), matrices, kernel.shape[0])
    if bias is not None:
        y = body.step("Add", y, body.constant(bias.reshape(-1, 1, 1), f"{stem}_bias"))
    stacked = graph.loop(
        graph.step("Squeeze", bands, graph.integers(0)), index, body, body.step("Relu", y), f"{stem}_bands"
    )
    merged = graph.step("Transpose", stacked, perm=[1, 2, 0, 3, 4])
    shape = graph.step("Concat", graph.integers(1, kernel.shape[0], -1), graph.step("Mul", across, four), axis=0)
    size = graph.step("Concat", height, width, axis=0)
    return graph.step("Slice", graph.step("Reshape", merged, shape), graph.integers(0, 0), size, graph.integers(2, 3))


def quotient_up(graph: GraphWriter, amount: str, part: str) -> str:
    """Return amount / part rounded up."""
    return graph.step("Div", graph.step("Sub", graph.step("Add", amount, part), graph.integers(1)), part)
