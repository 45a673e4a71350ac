"""Hand-written graphs: Winograd, shuffles, bands and blocks give what direct computation gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from photochrom.engines.runtime import onnxruntime
from photochrom.importer import deoldify_graph, winograd
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.installation import ImportedModel
from photochrom.nets.deoldify import SelfAttention
from photochrom.nets.loading import load_generator
from tests.importer.stand_in_weights import Array

TOLERANCE = 1e-4


def run(graph: GraphWriter, result: str, x: np.ndarray) -> np.ndarray:
    graph.output(result, "y")
    model = graph.model({"x": [*x.shape[:2], "h", "w"]}, {"y": [None] * 4})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (4, 4), (5, 7), (12, 20), (33, 18)])
@pytest.mark.parametrize("tiles", [1, 3, 1000])
def test_winograd_convolution_equals_direct_convolution(
    size: tuple[int, int], tiles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winograd, "TILES_PER_BAND", tiles)
    random = np.random.default_rng(0)
    x = random.standard_normal((1, 6, *size), np.float32)
    kernel, bias = random.standard_normal((9, 6, 3, 3), np.float32), random.standard_normal(9, np.float32)
    graph = GraphWriter()
    y = run(graph, winograd.convolve_relu(graph, "x", kernel, bias, "conv"), x)
    direct = torch.relu(functional.conv2d(*(torch.from_numpy(a) for a in (x, kernel, bias)), padding=1)).numpy()
    np.testing.assert_allclose(y, direct, atol=TOLERANCE)


def test_winograd_matrices_satisfy_the_identity_of_their_source() -> None:
    random = np.random.default_rng(0)
    patch, kernel = random.standard_normal(6), random.standard_normal(3)
    products = (winograd.FROM_KERNEL @ kernel) * (winograd.FROM_INPUT @ patch)
    np.testing.assert_allclose(winograd.TO_OUTPUT @ products, np.correlate(patch, kernel))


def test_the_upsampler_is_shuffle_and_replicated_mean() -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((1, 3, 4, 5), np.float32)
    kernel, bias = random.standard_normal((8, 3, 1, 1), np.float32), random.standard_normal(8, np.float32)
    graph = GraphWriter()
    y = run(graph, deoldify_graph._upsampled(graph, "x", kernel, bias, "up"), x)
    shuffled = functional.pixel_shuffle(
        torch.relu(functional.conv2d(*(torch.from_numpy(a) for a in (x, kernel, bias)))), 2
    )
    direct = functional.avg_pool2d(functional.pad(shuffled, (1, 0, 1, 0), mode="replicate"), 2, stride=1).numpy()
    np.testing.assert_allclose(y, direct, atol=TOLERANCE)


@pytest.mark.parametrize("block", [1, 4, 15, 100])
def test_attention_in_any_blocks_is_attention(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deoldify_graph, "ATTENTION_BLOCK", block)
    torch.manual_seed(0)
    attention = SelfAttention(16, bias=True).eval()
    attention.gamma.data.fill_(0.7)
    state = {f"a.{name}": value.numpy() for name, value in attention.state_dict().items()}
    x = torch.randn(1, 16, 3, 5)
    graph = GraphWriter()
    y = run(graph, deoldify_graph.attention(graph, state, "x", "a"), x.numpy())
    with torch.inference_mode():
        np.testing.assert_allclose(y, attention(x).numpy(), atol=TOLERANCE)


@pytest.mark.parametrize("size", [(34, 50), (70, 66)])
def test_sizes_that_fit_no_tile_and_no_band_equal_the_network(
    imported_artistic: ImportedModel, artistic_weights: dict[str, Array], size: tuple[int, int]
) -> None:
    x = np.random.default_rng(0).standard_normal((1, 3, *size), np.float32)
    path = str(imported_artistic.folder / "model.onnx")
    folded = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"image": x})[0]
    with torch.inference_mode():
        unfolded = load_generator("artistic", artistic_weights)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(folded, unfolded, atol=TOLERANCE)
