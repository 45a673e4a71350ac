"""Restoration networks as files: the file answers as the network, and one that does not is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from photochrom.engines.restoration import OnnxStage
from photochrom.errors import ModelFileError
from photochrom.export.restoration import RestorationGraph, check_parity, export_restoration_net
from photochrom.nets.polarity import build_polarity_net
from photochrom.nets.restoration import build_restoration_net

pytestmark = pytest.mark.slow


def denoiser_with_opinions(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    net = build_restoration_net("noise", "test").eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return net


def test_a_denoisers_file_answers_as_the_network_and_another_network_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "noise.onnx"
    export_restoration_net(denoiser_with_opinions(0), path, {"name": "noise", "licence": "MIT"})
    assert check_parity(RestorationGraph(denoiser_with_opinions(0)), path) < 0.02
    with pytest.raises(ModelFileError, match="differs from the network"):
        check_parity(RestorationGraph(denoiser_with_opinions(1)), path)


def test_what_tells_negatives_answers_in_probabilities_for_any_number_of_pictures(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net, path = build_polarity_net("test", pretrained=False).eval(), tmp_path / "polarity.onnx"
    for parameter in net.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    export_restoration_net(net, path, {"name": "polarity", "licence": "MIT", "negative": 0.25})
    stage = OnnxStage(path, "polarity/1")
    assert stage.spec.negative == 0.25
    picture = np.random.default_rng(0).random((3, 3, 128, 128), dtype=np.float32)
    found = stage.run(picture)["positive"]
    with torch.no_grad():
        np.testing.assert_allclose(found, net(torch.from_numpy(picture)).sigmoid(), atol=0.02)
    np.testing.assert_allclose(found + stage.run(1 - picture)["positive"], 1, atol=1e-4)
    np.testing.assert_allclose(stage.run(picture[:1])["positive"], found[:1], atol=1e-5)
