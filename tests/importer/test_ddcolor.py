"""DDColor: the published sizes, and an import whose algebra changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from photochrom.coloring.prediction import View, predict
from photochrom.engines.onnx import OnnxEngine
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import ModelFileError
from photochrom.importer import deoldify_graph
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.installation import import_model
from photochrom.importer.layouts import ddcolor_tiny_layout
from photochrom.nets.ddcolor import UNUSED_HEAD, ddcolor_large, ddcolor_tiny, position_encoding
from photochrom.nets.loading import load_generator
from tests.importer.stand_in_weights import slow


@pytest.mark.slow
@pytest.mark.parametrize(("make", "millions"), [(ddcolor_large, 227.9), (ddcolor_tiny, 55.0)])
def test_the_networks_have_as_many_parameters_as_the_paper_says(make: Callable[[], nn.Module], millions: float) -> None:
    with torch.device("meta"):
        network = make()
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


def test_positions_are_sines_and_cosines_of_shares_of_the_picture() -> None:
    encoding = position_encoding(4, 6).reshape(4, 6, 256)
    last_row = torch.tensor(2 * np.pi * 4 / (4 + 1e-6))
    assert encoding[3, 0, 0].item() == pytest.approx(torch.sin(last_row).item(), abs=1e-5)
    assert encoding[3, 0, 1].item() == pytest.approx(torch.cos(last_row).item(), abs=1e-5)
    assert torch.equal(encoding[0, :, :128], encoding[0, :1, :128].expand(6, -1))
    assert torch.equal(encoding[:, 0, 128:], encoding[:1, 0, 128:].expand(4, -1))


def trained_like() -> nn.Module:
    """Return a tiny network whose weights let every part matter."""
    torch.manual_seed(0)
    network = ddcolor_tiny()
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
        else:
            nn.init.uniform_(parameter, 0.2, 0.9)
    with torch.no_grad():
        for _ in range(2):
            network.train()(torch.rand(2, 3, 32, 32))
    return network.eval()


@pytest.mark.slow
def test_the_classifier_that_some_published_files_carry_is_left_over() -> None:
    arrays = {name: np.zeros(shape, np.float32) for name, shape in ddcolor_tiny_layout().items()}
    arrays |= {f"{UNUSED_HEAD}weight": np.zeros((4, 768), np.float32), f"{UNUSED_HEAD}bias": np.zeros(4, np.float32)}
    load_generator("ddcolor-tiny", arrays)
    with pytest.raises(RuntimeError, match="unknown"):
        load_generator("ddcolor-tiny", arrays | {"unknown": np.zeros(1, np.float32)})


@slow
def test_an_imported_ddcolor_answers_as_the_network_and_colours(tmp_path: Path) -> None:
    network = trained_like()
    head = {f"{UNUSED_HEAD}weight": torch.zeros(4, 768), f"{UNUSED_HEAD}bias": torch.zeros(4)}
    torch.save({"params": network.state_dict() | head}, tmp_path / "ddcolor_paper_tiny.pth")
    model = import_model(tmp_path / "ddcolor_paper_tiny.pth", tmp_path / "models")
    assert model.name == "ddcolor-tiny"
    assert model.parity.checked
    assert "Apache-2.0" in (model.folder / "README.md").read_text()
    engine = OnnxEngine(model.folder / "model.onnx")
    luma = np.random.default_rng(0).random((64, 96), np.float32)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(np.repeat(luma[None, None], 3, axis=1))).numpy()[0]
    np.testing.assert_allclose(predict(luma, [View(96, 64)], engine).ab, wanted, atol=0.01)
    assert engine.spec.single_view
    engine.close()
    with (model.folder / "model.weights").open("r+b") as file:
        file.seek(5_000_000)
        file.write(b"\x01\x02\x03")
    with pytest.raises(ModelFileError, match="damaged"):
        OnnxEngine(model.folder / "model.onnx")


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (18, 17)])
def test_convolving_by_taps_is_convolving(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    x, kernel = random.standard_normal((1, 4, *size), np.float32), random.standard_normal((6, 4, 3, 3), np.float32)
    graph = GraphWriter()
    graph.output(deoldify_graph._convolve_few(graph, "x", kernel, "conv"), "y")
    model = graph.model({"x": [1, 4, "h", "w"]}, {"y": [None] * 4})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    direct = nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(kernel), padding=1).numpy()
    np.testing.assert_allclose(session.run(None, {"x": x})[0], direct, atol=1e-4)
