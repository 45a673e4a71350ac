"""The 2018 DeOldify generator as an ONNX graph, written from its state dict with every norm folded that can be."""

from __future__ import annotations

from photochrom.importer.deoldify_graph import attention, resnet_encoder
from photochrom.importer.folding import State, batch_norm, bias, kernel, norm_after
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.winograd import interleaved


def write_2018_generator(graph: GraphWriter, state: State) -> str:
    """Write the network; return the name of its result. ``image`` (1, 3, H, W) -> H and W rounded up to 32."""
    y, skips = resnet_encoder(graph, state, "image", "rn")
    for number, skip in zip(range(1, 5), reversed(skips), strict=True):
        y = _up_block(graph, state, y, skip, f"up{number}")
    y = _upsampled(graph, state, y, "up5.sequence")
    return graph.step("Tanh", graph.conv(y, kernel(state, "out.0.seq.0"), bias(state, "out.0.seq.0"), stem="out"))


def _upsampled(graph: GraphWriter, state: State, x: str, stem: str) -> str:
    """Write 3x3 convolution with norm, pixel shuffle, norm."""
    conv = f"{stem}.0.0.seq.0"
    folded, offset = norm_after(kernel(state, conv), bias(state, conv), *batch_norm(state, f"{stem}.0.0.seq.1"))
    channels = len(offset) // 4
    order = [4 * channel + part for part in range(4) for channel in range(channels)]
    y = graph.conv(x, folded[order], offset[order], stem=conv)
    y = interleaved(graph, y, 2, channels, graph.size(x, 2), graph.size(x, 3))
    return graph.affine(y, *batch_norm(state, f"{stem}.2"))


def _up_block(graph: GraphWriter, state: State, x: str, skip: str, stem: str) -> str:
    up = _upsampled(graph, state, x, f"{stem}.tr_conv.sequence")
    missing = graph.step("Sub", graph.step("Shape", up, start=2), graph.step("Shape", skip, start=2))
    skip = graph.step("Pad", skip, graph.step("Concat", graph.integers(0, 0, 0, 0, 0, 0), missing, axis=0))
    side = graph.conv(skip, kernel(state, f"{stem}.x_conv.seq.0"), bias(state, f"{stem}.x_conv.seq.0"), stem=stem)
    y = graph.step("Relu", graph.step("Concat", up, side, axis=1))
    y = graph.affine(y, *batch_norm(state, f"{stem}.out.0"))
    return attention(graph, state, y, f"{stem}.out.1") if f"{stem}.out.1.gamma" in state else y
