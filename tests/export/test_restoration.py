"""Restoration networks as files: the file answers as the network, and one that does not is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from photochrom.errors import ModelFileError
from photochrom.export.restoration import RestorationGraph, check_parity, export_restoration_net
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
