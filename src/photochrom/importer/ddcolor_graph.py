"""DDColor's networks as ONNX graphs, written from their state dicts.

Beside folding the norms, one step of algebra takes away nearly all work at full size: after the last ReLU the network
is linear (pixel shuffle, mean, weights of the 100 queries, 1x1 refinement), so 256 channels are first weighed down to
two, at a quarter of the size, and only these two are shuffled and averaged.

Input ``luma`` (1, 1, H, W) in 0..1, H and W multiples of 32; output ``ab`` (1, 2, H, W) in Lab units.
"""

from __future__ import annotations

import math

import numpy as np

from photochrom.importer.deoldify_graph import up_block, upsampled_mean
from photochrom.importer.folding import State, Weights, bias, floats, kernel
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.winograd import interleaved

CONVNEXT_EPSILON, TRANSFORMER_EPSILON = 1e-6, 1e-5
WIDTH, HEADS, ROUNDS, SCALES, QUERIES = 256, 8, 9, 3, 100
LAST_FACTOR = 4
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def write_ddcolor(graph: GraphWriter, state: State) -> str:
    """Write the network; return the name of its result."""
    image = _normalised(graph, "luma")
    *skips, y = _encoder(graph, state, image)
    channels = floats(state, "encoder.arch.norm3.weight").shape
    due = (np.ones(channels, np.float32), np.zeros(channels, np.float32))
    maps = []
    for number, skip in enumerate(reversed(skips)):
        y, norm = up_block(graph, state, y, due, skip, f"decoder.layers.{number}")
        y = graph.affine(y, *norm)
        due = (np.ones_like(norm[0]), np.zeros_like(norm[0]))
        maps.append(y)
    return _painted(graph, state, y, _query_weights(graph, state, maps), image)


def _normalised(graph: GraphWriter, luma: str) -> str:
    mean, deviation = (np.array(part, np.float32).reshape(1, 3, 1, 1) for part in (MEAN, DEVIATION))
    return graph.step("Div", graph.step("Sub", luma, graph.constant(mean)), graph.constant(deviation))


# --- encoder ---------------------------------------------------------------------------------------------------------


def _encoder(graph: GraphWriter, state: State, x: str) -> list[str]:
    """Write a ConvNeXt; return its four normed feature maps, shallowest first."""
    stem = "encoder.arch"
    features = []
    for stage in range(4):
        down = f"{stem}.downsample_layers.{stage}"
        if stage == 0:
            x = _channel_norm(graph, state, _strided(graph, state, x, f"{down}.0"), f"{down}.1")
        else:
            x = _strided(graph, state, _channel_norm(graph, state, x, f"{down}.0"), f"{down}.1")
        block = 0
        while f"{stem}.stages.{stage}.{block}.gamma" in state:
            x = _block(graph, state, x, f"{stem}.stages.{stage}.{block}")
            block += 1
        features.append(_channel_norm(graph, state, x, f"{stem}.norm{stage}"))
    return features


def _strided(graph: GraphWriter, state: State, x: str, stem: str) -> str:
    weights = kernel(state, stem)
    return graph.conv(x, weights, bias(state, stem), stride=weights.shape[-1], pads=(0, 0, 0, 0), stem=stem)


def _layer_norm(graph: GraphWriter, state: State, x: str, stem: str, epsilon: float = TRANSFORMER_EPSILON) -> str:
    parts = (graph.constant(floats(state, f"{stem}.{name}"), stem) for name in ("weight", "bias"))
    return graph.step("LayerNormalization", x, *parts, axis=-1, epsilon=epsilon)


def _channel_norm(graph: GraphWriter, state: State, x: str, stem: str) -> str:
    last = graph.step("Transpose", x, perm=[0, 2, 3, 1])
    return graph.step("Transpose", _layer_norm(graph, state, last, stem, CONVNEXT_EPSILON), perm=[0, 3, 1, 2])


def _block(graph: GraphWriter, state: State, x: str, stem: str) -> str:
    weights = kernel(state, f"{stem}.dwconv")
    y = graph.conv(x, weights, bias(state, f"{stem}.dwconv"), stem=stem, group=weights.shape[0])
    y = _layer_norm(graph, state, graph.step("Transpose", y, perm=[0, 2, 3, 1]), f"{stem}.norm", CONVNEXT_EPSILON)
    y = _gelu(graph, _dense(graph, y, *_linear(state, f"{stem}.pwconv1")))
    second, offset = _linear(state, f"{stem}.pwconv2")
    scale = floats(state, f"{stem}.gamma")
    y = _dense(graph, y, second * scale[:, None], offset * scale)
    return graph.step("Add", x, graph.step("Transpose", y, perm=[0, 3, 1, 2]))


def _gelu(graph: GraphWriter, x: str) -> str:
    one, half, root = (graph.constant(np.array(n, np.float32)) for n in (1.0, 0.5, math.sqrt(2)))
    share = graph.step("Add", graph.step("Erf", graph.step("Div", x, root)), one)
    return graph.step("Mul", graph.step("Mul", x, share), half)


def _linear(state: State, stem: str) -> tuple[Weights, Weights]:
    return floats(state, f"{stem}.weight"), floats(state, f"{stem}.bias")


def _dense(graph: GraphWriter, x: str, weights: Weights, offset: Weights) -> str:
    """Return x W^T + b over the last axis."""
    return graph.step("Add", graph.step("MatMul", x, graph.constant(weights.T)), graph.constant(offset))


# --- colour queries --------------------------------------------------------------------------------------------------


def _query_weights(graph: GraphWriter, state: State, maps: list[str]) -> str:
    """Write the colour decoder; return how each query weighs the pixel features. Shape: (100, 256)."""
    stem = "decoder.color_decoder"
    memories, placed = [], []
    for level, features in enumerate(maps):
        level_embedding = floats(state, f"{stem}.level_embed.weight")[level]
        projection = f"{stem}.input_proj.{level}"
        offset = floats(state, f"{projection}.bias") + level_embedding
        projected = graph.conv(features, kernel(state, projection), offset, stem=projection)
        flat = graph.step("Reshape", projected, graph.integers(WIDTH, -1))
        memories.append(graph.step("Transpose", flat, perm=[1, 0]))
        placed.append(graph.step("Add", memories[-1], _positions(graph, features)))
    own = graph.constant(floats(state, f"{stem}.query_embed.weight"))
    x = graph.constant(floats(state, f"{stem}.query_feat.weight"))
    for turn in range(ROUNDS):
        level = turn % SCALES
        cross, self_ = (f"{stem}.transformer_{kind}_attention_layers.{turn}" for kind in ("cross", "self"))
        query = graph.step("Add", x, own)
        x = _attended(graph, state, x, query, placed[level], memories[level], cross, "multihead_attn")
        query = graph.step("Add", x, own)
        x = _attended(graph, state, x, query, query, x, self_, "self_attn")
        x = _fed_forward(graph, state, x, f"{stem}.transformer_ffn_layers.{turn}")
    x = _layer_norm(graph, state, x, f"{stem}.decoder_norm")
    for layer in range(3):
        x = _dense(graph, x, *_linear(state, f"{stem}.color_embed.layers.{layer}"))
        x = graph.step("Relu", x) if layer < 2 else x
    return x


def _fed_forward(graph: GraphWriter, state: State, x: str, stem: str) -> str:
    hidden = graph.step("Relu", _dense(graph, x, *_linear(state, f"{stem}.linear1")))
    y = _dense(graph, hidden, *_linear(state, f"{stem}.linear2"))
    return _layer_norm(graph, state, graph.step("Add", x, y), f"{stem}.norm")


def _attended(
    graph: GraphWriter, state: State, x: str, query: str, keys: str, values: str, stem: str, name: str
) -> str:
    """Return norm(x + attention). Shapes: (Q, C), (Q, C), (N, C), (N, C) -> (Q, C)."""
    weights, offsets = floats(state, f"{stem}.{name}.in_proj_weight"), floats(state, f"{stem}.{name}.in_proj_bias")
    heads = []
    for part, source in enumerate((query, keys, values)):
        rows = slice(part * WIDTH, (part + 1) * WIDTH)
        y = _dense(graph, source, weights[rows], offsets[rows])
        y = graph.step("Reshape", y, graph.integers(-1, HEADS, WIDTH // HEADS))
        heads.append(graph.step("Transpose", y, perm=[1, 2, 0] if part == 1 else [1, 0, 2]))
    scale = graph.constant(np.array(math.sqrt(HEADS / WIDTH), np.float32))
    scores = graph.step("MatMul", graph.step("Mul", heads[0], scale), heads[1])
    gathered = graph.step("MatMul", graph.step("Softmax", scores, axis=-1), heads[2])
    joined = graph.step("Reshape", graph.step("Transpose", gathered, perm=[1, 0, 2]), graph.integers(-1, WIDTH))
    y = _dense(graph, joined, *_linear(state, f"{stem}.{name}.out_proj"))
    return _layer_norm(graph, state, graph.step("Add", x, y), f"{stem}.norm")


def _positions(graph: GraphWriter, features: str) -> str:
    """Return sines of row and column as shares of the picture. Shape: (h w, 256)."""
    half = WIDTH // 2
    channels = np.arange(half)
    frequency = (10_000.0 ** (-2 * (channels // 2) / half)).astype(np.float32)
    phase = (channels % 2 * (math.pi / 2)).astype(np.float32)  # odd channels are cosines
    shape = graph.step("Concat", graph.size(features, 2), graph.size(features, 3), graph.integers(half), axis=0)
    sines = []
    for axis, place in ((2, (-1, 1, 1)), (3, (1, -1, 1))):
        length = graph.step("Squeeze", graph.size(features, axis), graph.integers(0))
        count = graph.step("Add", graph.step("Range", graph.scalar(0), length, graph.scalar(1)), graph.scalar(1))
        total = graph.step("Add", graph.step("Cast", length, to=1), graph.constant(np.array(1e-6, np.float32)))
        share = graph.step("Div", graph.step("Cast", count, to=1), total)
        angle = graph.step("Mul", share, graph.constant(np.array(2 * math.pi, np.float32)))
        angle = graph.step("Mul", graph.step("Reshape", angle, graph.integers(*place)), graph.constant(frequency))
        sine = graph.step("Sin", graph.step("Add", angle, graph.constant(phase)))
        sines.append(graph.step("Expand", sine, shape))
    return graph.step("Reshape", graph.step("Concat", *sines, axis=2), graph.integers(-1, WIDTH))


# --- full size -------------------------------------------------------------------------------------------------------


def _painted(graph: GraphWriter, state: State, y: str, query_weights: str, image: str) -> str:
    """Return a*, b*: refinement (queries (features), picture), with queries and refinement multiplied out first."""
    refine, offset = kernel(state, "refine_net.0.0")[:, :, 0, 0], floats(state, "refine_net.0.0.bias")
    of_queries, of_picture = refine[:, :QUERIES], refine[:, QUERIES:]
    weights = graph.step("MatMul", graph.constant(of_queries), query_weights)  # (2, 256)
    parts = LAST_FACTOR**2
    order = np.arange(parts * WIDTH).reshape(WIDTH, parts).T.ravel()
    last = "decoder.last_shuf.conv.0"
    up = graph.conv(y, kernel(state, last)[order], floats(state, f"{last}.bias")[order], stem=last)
    shape = graph.integers(parts, WIDTH, -1)
    weighed = graph.step("MatMul", weights, graph.step("Reshape", graph.step("Relu", up), shape))  # (16, 2, h w)
    whole = interleaved(graph, weighed, LAST_FACTOR, 2, graph.size(y, 2), graph.size(y, 3))
    colours = upsampled_mean(graph, whole)
    return graph.step("Add", colours, graph.conv(image, of_picture[:, :, None, None], offset, stem="refine"))
