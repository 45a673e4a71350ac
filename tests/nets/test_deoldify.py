"""The published generators: every parameter in its place, and the original's answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from photochrom.nets.deoldify import SelfAttention, SpectralConv, artistic, stable
from photochrom.nets.deoldify_2018 import unet_2018
from photochrom.nets.resnet import resnet34, resnet101
from tests.importer.stand_in_weights import Array, slow, weights_for

NETWORK_TOLERANCE = 1e-3  # what two versions of torch differ by when the original runs
IMAGENET = (np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32))
HALF = (np.full(3, 0.5, np.float32), np.full(3, 0.5, np.float32))


def load(make: Callable[[], nn.Module], weights: dict[str, Array]) -> nn.Module:
    with torch.device("meta"):
        network = make()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, assign=True)
    return network.eval()


def largest_error(network: nn.Module, expected: dict[str, Array], name: str, case: str) -> float:
    mean, deviation = HALF if name == "unet_2018" else IMAGENET
    grey = expected[f"grey/{case}"]
    x = (np.repeat(grey[None], 3, axis=0) - mean[:, None, None]) / deviation[:, None, None]
    with torch.no_grad():
        y = network(torch.from_numpy(x)[None]).numpy()
    return float(np.abs(y.ravel()[expected[f"{name}/{case}/index"]] - expected[f"{name}/{case}/value"]).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "parameters", "keys", "digest"),
    [
        (artistic, 63_646_881, 378, "3e07faf349cd614c"),
        (stable, 218_222_197, 754, "e67ffbdb6416b23c"),
        (unet_2018, 80_681_860, 339, "22a0d542a408ec80"),
    ],
)
def test_every_key_and_shape_is_that_of_the_published_files(
    make: Callable[[], nn.Module], parameters: int, keys: int, digest: str
) -> None:
    with torch.device("meta"):
        network = make()
    state = network.state_dict()
    listing = "\n".join(f"{name} {'x'.join(map(str, value.shape))}" for name, value in state.items())
    assert len(state) == keys
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert hashlib.sha256(listing.encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize(("make", "parameters"), [(resnet34, 21_284_672), (resnet101, 42_500_160)])
def test_resnets_have_torchvision_sizes_and_names(make: Callable[[], nn.Module], parameters: int) -> None:
    with torch.device("meta"):
        network = make()
    names = set(network.state_dict())
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.1.weight"} <= names


def test_resnet_features_have_the_stated_channels_and_round_sizes_up() -> None:
    features = resnet34().eval()(torch.zeros(1, 3, 70, 96))
    assert [tuple(f.shape[1:]) for f in features] == [
        (64, 35, 48),
        (64, 18, 24),
        (128, 9, 12),
        (256, 5, 6),
        (512, 3, 3),
    ]


@pytest.mark.slow
def test_a_torchvision_state_loads_without_its_classifier() -> None:
    state = {**resnet34().state_dict(), "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    network = resnet34()
    network.load_pretrained(state)
    assert torch.equal(network.conv1.weight, state["conv1.weight"])
    with pytest.raises(RuntimeError, match="Unexpected"):
        network.load_pretrained({**state, "head.weight": torch.zeros(1)})


@pytest.mark.parametrize("case", ["square64", "odd80x112"])
def test_artistic_answers_as_the_original(
    artistic_weights: dict[str, Array], expected: dict[str, Array], case: str
) -> None:
    assert largest_error(load(artistic, artistic_weights), expected, "artistic", case) < NETWORK_TOLERANCE


@slow
@pytest.mark.parametrize("case", ["square64", "odd80x112"])
def test_stable_answers_as_the_original(expected: dict[str, Array], case: str) -> None:
    assert largest_error(load(stable, weights_for(stable)), expected, "stable", case) < NETWORK_TOLERANCE


@slow
def test_unet_2018_answers_as_the_original(expected: dict[str, Array]) -> None:
    assert (
        largest_error(load(unet_2018, weights_for(unet_2018)), expected, "unet_2018", "odd70x100") < NETWORK_TOLERANCE
    )


def test_odd_sizes_are_refused_by_name() -> None:
    with torch.device("meta"):
        network = artistic()
        with pytest.raises(ValueError, match="even, not 33 x 64"):
            network(torch.zeros(1, 3, 33, 64))


def test_spectral_convolution_approaches_unit_norm_in_training_and_holds_still_in_evaluation() -> None:
    torch.manual_seed(0)
    conv = SpectralConv(4, 8, 3)
    for _ in range(50):
        conv(torch.zeros(1, 4, 5, 5))
    assert torch.linalg.matrix_norm(conv.kernel().flatten(1), 2).item() == pytest.approx(1, abs=1e-3)
    conv.eval()
    before = conv.weight_u.clone()
    conv(torch.zeros(1, 4, 5, 5))
    assert torch.equal(conv.weight_u, before)


def test_spectral_convolution_trains_through_two_passes() -> None:
    conv = SpectralConv(2, 2, 3)
    x = torch.ones(1, 2, 4, 4)
    (conv(x).sum() + conv(x).sum()).backward()
    assert conv.weight_orig.grad is not None


def test_attention_in_blocks_equals_attention_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    attention = SelfAttention(16).eval()
    attention.gamma.data.fill_(0.7)
    x = torch.randn(2, 16, 5, 7)
    whole = attention(x)
    monkeypatch.setattr("photochrom.nets.deoldify.ATTENTION_ENTRIES", 35 * 4)
    torch.testing.assert_close(attention(x), whole, rtol=1e-4, atol=1e-4)
