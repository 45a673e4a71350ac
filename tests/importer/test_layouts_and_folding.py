"""Names and shapes without torch, and norms worked into kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from photochrom.importer import folding
from photochrom.importer.layouts import (
    Layout,
    artistic_layout,
    ddcolor_large_layout,
    ddcolor_tiny_layout,
    layout_2018,
    stable_layout,
)
from photochrom.nets.ddcolor import ddcolor_large, ddcolor_tiny
from photochrom.nets.deoldify import SpectralConv, WeightNormConv, artistic, stable
from photochrom.nets.deoldify_2018 import unet_2018
from photochrom.nets.loading import load_generator
from tests.importer.stand_in_weights import slow, stand_in_weights


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "make"),
    [
        (artistic_layout, artistic),
        (stable_layout, stable),
        (layout_2018, unet_2018),
        (ddcolor_large_layout, ddcolor_large),
        (ddcolor_tiny_layout, ddcolor_tiny),
    ],
)
def test_layouts_are_those_of_the_networks(layout: Callable[[], Layout], make: Callable[[], nn.Module]) -> None:
    with torch.device("meta"):
        state = make().state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == layout()


def arrays(module: nn.Module) -> dict[str, np.ndarray]:
    return {f"m.{name}": value.numpy() for name, value in module.state_dict().items()}


def trained(conv: nn.Module) -> nn.Module:
    for _ in range(3):
        conv(torch.randn(1, 5, 6, 6))
    return conv.eval()


def test_spectral_and_weight_norm_fold_to_the_kernel_in_use() -> None:
    torch.manual_seed(0)
    spectral, weighted = trained(SpectralConv(5, 7, 3, bias=True)), WeightNormConv(5, 8)
    np.testing.assert_allclose(folding.kernel(arrays(spectral), "m"), spectral.kernel().detach(), rtol=1e-5)
    weighted.weight_g.data *= 3
    x = torch.randn(1, 5, 4, 4)
    folded = torch.from_numpy(folding.kernel(arrays(weighted), "m"))
    torch.testing.assert_close(nn.functional.conv2d(x, folded, weighted.bias), weighted(x))


def test_a_ready_kernel_of_torch_04_is_taken_and_a_missing_vector_worked_out() -> None:
    torch.manual_seed(0)
    state = arrays(trained(SpectralConv(5, 7, 3)))
    ready = state["m.weight_orig"] / 2
    assert np.array_equal(folding.kernel({**state, "m.weight": ready}, "m"), ready)
    without = {name: value for name, value in state.items() if not name.endswith("_v")}
    np.testing.assert_allclose(folding.kernel(without, "m"), folding.kernel(state, "m"), rtol=0.2)


@pytest.mark.parametrize("padded", [False, True])
def test_batch_norm_folds_before_and_after(*, padded: bool) -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(5).eval()
    nn.init.uniform_(norm.weight)
    nn.init.normal_(norm.bias)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    side = 3 if padded else 1
    conv = nn.Conv2d(5, 5, side, padding=side // 2)
    x = torch.randn(1, 5, 6, 6)
    affine = folding.batch_norm(arrays(norm), "m")
    plain = conv.weight.detach().numpy(), conv.bias.detach().numpy()
    after = [torch.from_numpy(part) for part in folding.norm_after(*plain, *affine)]
    torch.testing.assert_close(nn.functional.conv2d(x, *after, padding=side // 2), norm(conv(x)), rtol=1e-4, atol=1e-5)
    if not padded:
        before = [torch.from_numpy(part) for part in folding.norm_before(*plain, *affine)]
        torch.testing.assert_close(nn.functional.conv2d(x, *before), conv(norm(x)), rtol=1e-4, atol=1e-5)


@slow
def test_a_file_of_torch_04_loads_as_the_network_it_was() -> None:
    now = stand_in_weights(layout_2018())
    then = {name: array for name, array in now.items() if not name.endswith(".weight_v")}
    for name in now:
        if name.endswith(".weight_orig"):
            then[name.removesuffix("_orig")] = folding.kernel(now, name.removesuffix(".weight_orig"))
    assert {name: array.shape for name, array in then.items()} == layout_2018(power_vectors=False)
    torch.manual_seed(0)
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(load_generator("unet-2018", then)(x), load_generator("unet-2018", now)(x))
