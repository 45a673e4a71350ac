"""The published DeOldify generators as ONNX graphs, written from their state dicts with every norm folded.

Three things make these graphs cheaper than the networks they stand for, with the same answers:

* spectral, weight and batch norms are gone wherever a convolution can absorb them;
* attention is worked out for a block of positions at a time, so its memory grows with N instead of N^2;
* everything at full size (the last upsampling, the residual block with 300 channels, the head) runs in bands of
  rows: only one band's features exist at a time.

Input ``image`` (1, 3, H, W) and output ``colored`` (1, 3, H, W) as the network has them: normalised, not clamped.
"""

from __future__ import annotations

import numpy as np

from photochrom.importer.folding import State, Weights, batch_norm, bias, floats, kernel, norm_after, norm_before
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.winograd import (
    TILE,
    convolve,
    convolve_relu,
    interleaved,
    quotient_up,
    transformed_kernel,
)

ATTENTION_BLOCK = 512
# Decoder blocks at 1/8, 1/4 and 1/2 of the size: large pictures, few weights.
WINOGRAD_STEMS = ("layers.5.", "layers.6.", "layers.7.", "decoder.layers.1.", "decoder.layers.2.")
RESIDUAL_STEMS = ("layers.10.layers.0.0", "layers.10.layers.1.0")
# Pixels of the picture per band at most. Each band computes six rows that its neighbours compute too: more pixels are
# less of that and more memory, about 5 kB per pixel.
BAND_PIXELS = 1 << 14
Affine = tuple[Weights, Weights]


def write_final_generator(graph: GraphWriter, state: State) -> str:
    """Write an artistic, stable or video network; return the name of its result. H and W must be even."""
    y, skips = resnet_encoder(graph, state, "image", "layers.0")
    y = graph.step("Relu", graph.affine(y, *batch_norm(state, "layers.1")))
    y = graph.affine(_conv_relu(graph, state, y, "layers.3.0"), *batch_norm(state, "layers.3.0.2"))
    y, due = _conv_relu(graph, state, y, "layers.3.1"), batch_norm(state, "layers.3.1.2")
    for number, skip in zip(range(4, 8), reversed(skips), strict=True):
        y, due = up_block(graph, state, y, due, skip, f"layers.{number}")
    return (_plain_tail if graph.plain else _full_size_tail)(graph, state, y, due)


# --- encoder --------------------------------------------------------------------------------------------------------


def resnet_encoder(graph: GraphWriter, state: State, x: str, stem: str) -> tuple[str, list[str]]:
    """Write a ResNet; return its last features and the four skips, shallowest first."""
    y = graph.step("Relu", _conv_norm(graph, state, x, f"{stem}.0", f"{stem}.1", stride=2))
    skips = [y]
    y = graph.step("MaxPool", y, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stage in range(4, 8):
        block = 0
        while f"{stem}.{stage}.{block}.conv1.weight" in state:
            y = _residual_block(graph, state, y, f"{stem}.{stage}.{block}", 2 if stage > 4 and block == 0 else 1)
            block += 1
        skips.append(y)
    return y, skips[:4]


def _conv_norm(graph: GraphWriter, state: State, x: str, conv: str, norm: str, stride: int = 1) -> str:
    folded, offset = norm_after(kernel(state, conv), bias(state, conv), *batch_norm(state, norm))
    return graph.conv(x, folded, offset, stride=stride, stem=conv)


def _residual_block(graph: GraphWriter, state: State, x: str, stem: str, stride: int) -> str:
    shortcut = x
    if f"{stem}.downsample.0.weight" in state:
        shortcut = _conv_norm(graph, state, x, f"{stem}.downsample.0", f"{stem}.downsample.1", stride)
    deepest = 3 if f"{stem}.conv3.weight" in state else 2
    striding = deepest - 1  # the second convolution of a bottleneck, the first of a basic block
    y = x
    for number in range(1, deepest + 1):
        y = _conv_norm(
            graph, state, y, f"{stem}.conv{number}", f"{stem}.bn{number}", stride if number == striding else 1
        )
        if number < deepest:
            y = graph.step("Relu", y)
    return graph.step("Relu", graph.step("Add", y, shortcut))


# --- decoder --------------------------------------------------------------------------------------------------------


def _conv_relu(graph: GraphWriter, state: State, x: str, stem: str) -> str:
    weights, offset = kernel(state, f"{stem}.0"), bias(state, f"{stem}.0")
    if graph.plain:
        return graph.step("Relu", graph.conv(x, weights, offset, stem=stem))
    if stem.startswith("layers.3."):
        return graph.step("Relu", _convolve_few(graph, x, weights, stem))
    if stem.startswith(WINOGRAD_STEMS):
        return convolve_relu(graph, x, weights, offset, stem)
    return graph.step("Relu", graph.conv(x, weights, offset, stem=stem))


def _convolve_few(graph: GraphWriter, x: str, kernel: Weights, stem: str) -> str:
    """Convolve a small map with a huge 3x3 kernel, as one product with the kernel where it lies in the file.

    The runtime's own convolution would first rearrange a copy of the kernel: 600 MB in the stable network.
    """
    padded = graph.step("Pad", x, graph.integers(0, 0, 1, 1, 0, 0, 1, 1))
    size, axes = graph.step("Shape", x, start=2), graph.integers(2, 3)
    shifted = []
    for tap in range(9):
        start = graph.integers(tap // 3, tap % 3)
        shifted.append(graph.step("Slice", padded, start, graph.step("Add", start, size), axes))
    columns = graph.step("Reshape", graph.step("Concat", *shifted, axis=1), graph.integers(kernel[0].size, -1))
    by_tap = np.ascontiguousarray(kernel.transpose(0, 2, 3, 1)).reshape(len(kernel), -1)
    product = graph.step("MatMul", graph.constant(by_tap, stem), columns)
    return graph.step("Reshape", product, graph.step("Concat", graph.integers(1, len(kernel)), size, axis=0))


def _upsampled(graph: GraphWriter, x: str, conv: Weights, offset: Weights, stem: str) -> str:
    """Write 1x1 convolution, ReLU, pixel shuffle and a 2x2 mean that looks up and left.

    The convolution's channels are put in the order in which shuffling is cheapest. Repeating the first row and column
    before the mean is the same as leaving out what lies outside the picture.
    """
    channels = len(offset) // 4
    order = np.arange(4 * channels).reshape(channels, 4).T.ravel()
    y = graph.step("Relu", graph.conv(x, conv[order], offset[order], stem=stem))
    return upsampled_mean(graph, interleaved(graph, y, 2, channels, graph.size(x, 2), graph.size(x, 3)))


def upsampled_mean(graph: GraphWriter, x: str) -> str:
    """Write the 2x2 mean that looks up and left."""
    return graph.step("AveragePool", x, kernel_shape=[2, 2], strides=[1, 1], pads=[1, 1, 0, 0], count_include_pad=0)


def up_block(graph: GraphWriter, state: State, x: str, before: Affine, skip: str, stem: str) -> tuple[str, Affine]:
    """Write one decoder block; ``before`` is the norm that is still due on ``x``. Return features, and their norm."""
    conv, offset = norm_before(kernel(state, f"{stem}.shuf.conv.0"), None, *before)
    conv, offset = norm_after(conv, offset, *batch_norm(state, f"{stem}.shuf.conv.1"))
    up = _upsampled(graph, x, conv, offset, f"{stem}.shuf")
    size = graph.step("Shape", skip, start=2)
    up = graph.step("Slice", up, graph.integers(0, 0), size, graph.integers(2, 3))
    side = graph.affine(skip, *batch_norm(state, f"{stem}.bn"))
    y = graph.step("Relu", graph.step("Concat", up, side, axis=1))
    last = f"{stem}.conv"
    if f"{stem}.conv2.0.weight_orig" in state:
        y = graph.affine(_conv_relu(graph, state, y, f"{stem}.conv1"), *batch_norm(state, f"{stem}.conv1.2"))
        last = f"{stem}.conv2"
    y = _conv_relu(graph, state, y, last)
    norm = batch_norm(state, f"{last}.2")
    if f"{last}.3.gamma" not in state:
        return y, norm
    y = attention(graph, state, graph.affine(y, *norm), f"{last}.3")
    channels = norm[0].shape
    return y, (np.ones(channels, np.float32), np.zeros(channels, np.float32))


def attention(graph: GraphWriter, state: State, x: str, stem: str) -> str:
    """out_j = gamma sum_i value_i softmax_i(query_i . key_j) + x_j, a block of j at a time."""
    gamma = float(floats(state, f"{stem}.gamma").reshape(()))
    flat = graph.step("Flatten", graph.step("Squeeze", x, graph.integers(0)), axis=1)
    query, key, value = (_attention_part(graph, state, flat, f"{stem}.{part}") for part in ("query", "key", "value"))
    value = graph.step("Mul", value, graph.constant(np.array([gamma], np.float32)))
    query = graph.step("Transpose", query, perm=[1, 0])
    positions = graph.size(x=flat, axis=1)
    block = graph.step("Min", positions, graph.integers(ATTENTION_BLOCK))
    blocks = graph.step("Div", graph.step("Sub", graph.step("Add", positions, block), graph.integers(1)), block)
    spare = graph.step("Sub", graph.step("Mul", blocks, block), positions)
    key = graph.step("Pad", key, graph.step("Concat", graph.integers(0, 0, 0), spare, axis=0))

    body = GraphWriter(graph)
    index = body.name("block")
    start = body.step("Mul", body.step("Unsqueeze", index, body.integers(0)), block)
    keys = body.crop(key, start, body.step("Add", start, block), 1)
    weights = body.step("Softmax", body.step("MatMul", query, keys), axis=0)
    gathered = body.step("MatMul", value, weights)
    trips = graph.step("Squeeze", blocks, graph.integers(0))
    stacked = graph.loop(trips, index, body, gathered, "attention")
    joined = graph.step("Reshape", graph.step("Transpose", stacked, perm=[1, 0, 2]), graph.integers(0, -1))
    joined = graph.crop(joined, graph.integers(0), positions, 1)
    return graph.step("Add", x, graph.step("Reshape", joined, graph.step("Shape", x)))


def _attention_part(graph: GraphWriter, state: State, flat: str, stem: str) -> str:
    y = graph.step("MatMul", graph.constant(kernel(state, stem)[:, :, 0], stem), flat)
    offset = bias(state, stem)
    return y if offset is None else graph.step("Add", y, graph.constant(offset[:, None], stem))


# --- full size ------------------------------------------------------------------------------------------------------


def _full_size_tail(graph: GraphWriter, state: State, features: str, norm: Affine) -> str:
    """Write everything after the last decoder block, in bands of rows.

    A band of picture rows [s, e) needs rows [s - 2, e + 2) for two 3x3 convolutions and one more above for the
    shuffle's mean: two rows of half-size features above and one below are enough.
    """
    rows = graph.size(features, 2)
    height = graph.size("image", 2)
    band = _band_rows(graph, rows)
    bands = quotient_up(graph, rows, band)

    matrices = [transformed_kernel(graph, kernel(state, stem), stem) for stem in RESIDUAL_STEMS]

    body = GraphWriter(graph)
    index = body.name("band")
    first = body.step("Mul", body.step("Unsqueeze", index, body.integers(0)), band)
    top = body.step("Max", body.step("Sub", first, body.integers(2)), body.integers(0))
    bottom = body.step("Min", body.step("Add", first, body.step("Add", band, body.integers(1))), rows)
    joined = _joined_with_picture(body, state, body.crop(features, top, bottom, 2), norm, top, bottom)
    colored = _residual_and_head(body, state, joined, matrices, (first, top, bottom), band, height)
    stacked = graph.loop(graph.step("Squeeze", bands, graph.integers(0)), index, body, colored, "bands")
    merged = graph.step("Transpose", stacked, perm=[1, 2, 0, 3, 4])
    shape = graph.step("Concat", graph.integers(1, 3, -1), graph.size(stacked, 4), axis=0)
    size = graph.step("Shape", "image", start=2)
    return graph.step("Slice", graph.step("Reshape", merged, shape), graph.integers(0, 0), size, graph.integers(2, 3))


def _band_rows(graph: GraphWriter, rows: str) -> str:
    """Return how many rows of half-size features a band has: even, and about the same for all bands."""
    one, two = graph.integers(1), graph.integers(2)
    most = graph.step("Div", graph.integers(BAND_PIXELS), graph.step("Mul", two, graph.size("image", 3)))
    bands = quotient_up(graph, rows, graph.step("Max", most, one))
    pairs = quotient_up(graph, quotient_up(graph, rows, bands), two)
    return graph.step("Mul", pairs, two)


def _joined_with_picture(body: GraphWriter, state: State, x: str, norm: Affine, top: str, bottom: str) -> str:
    """Return [upsampled features, picture] for picture rows [2 top, 2 bottom)."""
    conv, offset = norm_before(kernel(state, "layers.8.conv.0"), bias(state, "layers.8.conv.0"), *norm)
    up = _upsampled(body, x, conv, offset, "layers.8")
    two = body.integers(2)
    picture = body.crop("image", body.step("Mul", top, two), body.step("Mul", bottom, two), 2)
    return body.step("Concat", up, picture, axis=1)


def _plain_tail(graph: GraphWriter, state: State, features: str, norm: Affine) -> str:
    """Write the same as ``_full_size_tail`` with ordinary convolutions, at full size all at once."""
    conv, offset = norm_before(kernel(state, "layers.8.conv.0"), bias(state, "layers.8.conv.0"), *norm)
    joined = graph.step("Concat", _upsampled(graph, features, conv, offset, "layers.8"), "image", axis=1)
    y = joined
    for stem in RESIDUAL_STEMS:
        y = graph.step("Relu", graph.conv(y, kernel(state, stem), bias(state, stem), stem=stem))
    return _head(graph, state, graph.step("Add", y, joined))


def _head(graph: GraphWriter, state: State, x: str) -> str:
    y = graph.conv(x, kernel(state, "layers.11.0"), bias(state, "layers.11.0"), stem="layers.11")
    six, three = (graph.constant(np.array([n], np.float32)) for n in (6, 3))
    return graph.step("Sub", graph.step("Mul", graph.step("Sigmoid", y), six), three)


def _residual_and_head(
    body: GraphWriter,
    state: State,
    joined: str,
    matrices: list[str],
    place: tuple[str, str, str],
    band: str,
    height: str,
) -> str:
    """Return coloured rows [2 first, 2 first + 2 band), columns rounded up to a multiple of 4.

    ``place`` is first, top and bottom row of half-size features: of the result, and of what ``joined`` holds.
    """
    first, top, bottom = place
    two = body.integers(2)
    start, size = body.step("Mul", first, two), body.step("Mul", band, two)
    width = body.size(joined, 3)
    rows = _rows_around(body, joined, start, size, top, bottom, width)
    y = _residual_conv(body, state, 0, matrices, rows)
    # What the first convolution makes outside the picture must be zero to the second.
    y = body.step("Mul", y, _inside(body, start, y, height, width))
    y = body.step("Pad", y, body.integers(0, 0, 0, 1, 0, 0, -2, 1))
    y = _residual_conv(body, state, 1, matrices, y)
    end = body.step("Concat", body.step("Add", size, two), body.integers(-1), axis=0)
    inner = body.step("Slice", rows, body.integers(2, 1), end, body.integers(2, 3))
    return _head(body, state, body.step("Add", y, inner))


def _rows_around(body: GraphWriter, joined: str, start: str, size: str, top: str, bottom: str, width: str) -> str:
    """Return rows [start - 2, start + size + 4) and columns [-1, multiple of 4 + 1), zero outside the picture.

    Tiles of 4 make two rows more than the second convolution needs. Negative padding cuts.
    """
    two = body.integers(2)
    above = body.step("Sub", body.step("Mul", top, two), body.step("Sub", start, two))
    end = body.step("Add", body.step("Add", start, size), body.integers(4))
    below = body.step("Sub", end, body.step("Mul", bottom, two))
    right = body.step("Add", body.step("Mod", body.step("Neg", width), body.integers(TILE)), body.integers(1))
    return body.step(
        "Pad", joined, body.step("Concat", body.integers(0, 0), above, body.integers(1, 0, 0), below, right, axis=0)
    )


def _residual_conv(body: GraphWriter, state: State, number: int, matrices: list[str], padded: str) -> str:
    offset = floats(state, f"{RESIDUAL_STEMS[number]}.bias")
    y = convolve(body, padded, matrices[number], len(offset))
    return body.step("Relu", body.step("Add", y, body.constant(offset.reshape(-1, 1, 1), "bias")))


def _inside(body: GraphWriter, start: str, y: str, height: str, width: str) -> str:
    """Return 1 inside the picture, else 0, where the first row of ``y`` is row start - 1. Shape: (rows, columns)."""
    row = body.step("Add", _counted(body, body.size(y, 2)), body.step("Sub", start, body.integers(1)))
    row = body.step("Unsqueeze", row, body.integers(1))
    inside = body.step("And", body.step("GreaterOrEqual", row, body.integers(0)), body.step("Less", row, height))
    column = _counted(body, body.size(y, 3))
    return body.step("Cast", body.step("And", inside, body.step("Less", column, width)), to=1)


def _counted(body: GraphWriter, count: str) -> str:
    return body.step("Range", body.scalar(0), body.step("Squeeze", count), body.scalar(1))
