import json
from pathlib import Path

import numpy as np
import pytest
import torch

from photochrom.engines.onnx import OnnxEngine
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import ModelError, ModelFileError
from photochrom.export.color import ColorGraph, check_parity, export_color_net, trust_frequencies
from photochrom.nets.generators import ColorNet, build_color_net
from photochrom.nets.palette import Palette
from photochrom.train.checkpoint import Position
from photochrom.train.finetune import difference_ab, read_folded
from photochrom.train.trained import Trained
from tests.train.test_stages import GENERATOR, config

pytestmark = pytest.mark.slow


def net_with_opinions(seed: int, queries: int = 0) -> ColorNet:
    """Return a tiny network whose answers differ from place to place, as a trained one's do."""
    torch.manual_seed(seed)
    bins = torch.cartesian_prod(torch.arange(-40, 50, 20.0), torch.arange(-40, 50, 20.0))
    net = build_color_net("test", "test", Palette(bins, torch.full((25,), 1 / 25)), queries=queries, pretrained=False)
    torch.nn.init.normal_(net.head.weight, std=2.0)
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(4, 1, 64, 64))
    return net.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[ColorNet, Path]:
    """A network whose first kernels are hundreds in size and cancel on grey input, and its file."""
    path = tmp_path_factory.mktemp("export") / "tiny.onnx"
    net = net_with_opinions(0)
    with torch.no_grad():
        net.unet.backbone.stem[0].weight += torch.tensor([300.0, -150.0, -150.0])[:, None, None]
    export_color_net(net, path, {"name": "tiny", "render_px": 64})
    return net, path


def test_exported_graph_follows_the_contract_at_any_size(exported: tuple[ColorNet, Path]) -> None:
    net, path = exported
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    luma = np.random.default_rng(0).random((1, 1, 96, 160), dtype=np.float32)
    feed = {"luma": luma, "temperature": np.asarray(0.5, dtype=np.float32)}
    ab, confidence, logits, features = session.run(["ab", "confidence", "logits", "features"], feed)
    assert ab.shape == (1, 2, 48, 80)
    assert confidence.shape == (1, 1, 48, 80)
    assert logits.shape == (1, 25, 48, 80)
    assert features.shape[2:] == (6, 10)
    assert features.std() > 0
    assert 0 < confidence.min() <= confidence.max() <= 1
    with torch.no_grad():
        expected = net.palette.decode(net(torch.from_numpy(luma)), 0.5).numpy()
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(ab, expected, atol=0.5)
    header = json.loads(session.get_modelmeta().custom_metadata_map["photochrom"])
    assert header["contract"] == "color/1"
    assert header["multiple"] == 32
    assert len(header["bins_ab"]) == 25


@pytest.fixture(scope="module")
def with_queries(tmp_path_factory: pytest.TempPathFactory) -> tuple[ColorNet, Path]:
    folder = tmp_path_factory.mktemp("queries")
    path, net = folder / "queries.onnx", net_with_opinions(0, queries=7)
    with torch.no_grad():  # Learned a little: the exporter keeps one copy of tensors that are equal, as zeros are.
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.rand_like(parameter))
    plan = config(folder, folder, GENERATOR, model={"queries": 7})
    export_color_net(net, path, {"name": "queries", "render_px": 64}, run=Trained(net, plan, Position()).header())
    return net, path


def test_colour_queries_are_exported_with_the_network_for_batches_of_any_length(
    with_queries: tuple[ColorNet, Path],
) -> None:
    net, path = with_queries
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for count in (1, 3):
        luma = np.random.default_rng(count).random((count, 1, 64, 128), dtype=np.float32)
        (ab,) = session.run(["ab"], {"luma": luma, "temperature": np.asarray(0.5, dtype=np.float32)})
        with torch.no_grad():
            expected = net.palette.decode(net(torch.from_numpy(luma)), 0.5).numpy()
        np.testing.assert_allclose(ab, expected, atol=0.5)


def test_a_network_with_colour_queries_is_read_back_from_its_file(with_queries: tuple[ColorNet, Path]) -> None:
    path = with_queries[1]
    again = read_folded(path)[2]
    assert again.queries is not None
    assert again.queries.queries.shape == (1, 7, 128)
    assert difference_ab(again, path) < 0.2


def test_kernels_that_cancel_on_grey_input_survive_half_storage(exported: tuple[ColorNet, Path]) -> None:
    net, path = exported
    assert check_parity(ColorGraph(net), path) < 0.2


def test_the_file_tells_nothing_of_the_computer_that_made_it(exported: tuple[ColorNet, Path]) -> None:
    _, path = exported
    assert str(Path(__file__).parents[2]).encode() not in path.read_bytes()
    assert b"generators.py" not in path.read_bytes()


def test_exporting_leaves_the_network_trainable(exported: tuple[ColorNet, Path]) -> None:
    net, _ = exported
    net(torch.rand(1, 1, 64, 64)).sum().backward()
    assert any("original" in name for name, _ in net.named_parameters())


def test_parity_check_catches_another_network(exported: tuple[ColorNet, Path]) -> None:
    _, path = exported
    with pytest.raises(ModelFileError, match="differs from the network"):
        check_parity(ColorGraph(net_with_opinions(1)), path)


def test_trusting_frequencies_takes_the_rebalancing_back() -> None:
    bins = torch.tensor([[0.0, 0.0], [20.0, 0.0], [40.0, 0.0]])
    net = build_color_net("test", "test", Palette(bins, torch.tensor([0.8, 0.15, 0.05])), pretrained=False).eval()
    with torch.no_grad():
        # What a network answers that has learned nothing but the rebalanced frequencies.
        net.head.weight.zero_()
        net.head.bias.copy_((net.palette.shares * net.palette.weights).log())
        honest = trust_frequencies(net)(torch.rand(1, 1, 32, 32)).softmax(1)[0, :, 0, 0]
    torch.testing.assert_close(honest, net.palette.shares)
    assert not torch.equal(net.head.bias, trust_frequencies(net).head.bias)


@pytest.mark.parametrize(("agrees", "afar"), [(False, False), (True, False), (True, True)])
def test_a_network_that_hears_is_exported_with_hints_as_an_input(tmp_path: Path, agrees: bool, afar: bool) -> None:
    torch.manual_seed(0)
    bins = torch.cartesian_prod(torch.arange(-40, 50, 20.0), torch.arange(-40, 50, 20.0))
    palette = Palette(bins, torch.full((25,), 1 / 25))
    net = build_color_net(
        "test",
        "test-quarter",
        palette,
        queries=4,
        hears=True,
        spreads=True,
        agrees=agrees,
        afar=afar,
        pretrained=False,
    ).eval()
    torch.nn.init.normal_(net.head.weight, std=2.0)
    path = tmp_path / "hears.onnx"
    export_color_net(net, path, {"name": "hears", "render_px": 64, "backbone": "test", "decoder": "test-quarter"})
    engine = OnnxEngine(path)
    assert engine.spec.hears
    assert engine.spec.output_stride == 4
    luma = np.random.default_rng(0).random((3, 1, 96, 64), dtype=np.float32)
    hints = np.zeros((3, 3, 96, 64), dtype=np.float32)
    hints[:, :, 40:44, 30:34] = np.array([30, -20, 1])[:, None, None]
    temperature = np.asarray(0.5, dtype=np.float32)
    told = engine.run({"luma": luma, "temperature": temperature, "hints": hints}, ["ab"])["ab"]
    alone = engine.run({"luma": luma, "temperature": temperature}, ["ab"])["ab"]
    assert told.shape == alone.shape == (3, 2, 24, 16)
    assert np.abs(told - alone).max() > 0.1
    with torch.no_grad():
        expected = net.palette.decode(net(torch.from_numpy(luma), torch.from_numpy(hints)), 0.5).numpy()
    np.testing.assert_allclose(told, expected, atol=0.5)
    with pytest.raises(ModelError, match="no input 'brush'"):
        engine.run({"luma": luma, "brush": hints}, ["ab"])
