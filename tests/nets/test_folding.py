"""Norms worked into kernels and out again: the same answers, and a network that trains on as if nothing had been."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from photochrom.nets.blocks import ConvNormAct, spectral_conv
from photochrom.nets.damage import build_damage_net
from photochrom.nets.folding import find_folds, fold_norms, unfold_norms
from photochrom.nets.generators import build_color_net
from photochrom.nets.palette import Palette
from photochrom.nets.photo_nets import build_photo_net
from photochrom.nets.tone import build_tone_net

BINS = torch.cartesian_prod(torch.arange(-40, 50, 20.0), torch.arange(-40, 50, 20.0))


class Unusual(nn.Module):
    """Kernels as no network of ours has them yet: an own bias before a norm, dilated and grouped spectral norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8, eps=0.1), nn.ReLU())
        self.far = nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2))
        self.plain = spectral_conv(8, 4, has_bias=True)
        self.last = ConvNormAct(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.plain(self.far(self.layers(x))))


BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "color": lambda: build_color_net("test", "test", Palette(BINS, torch.full((25,), 1 / 25)), pretrained=False),
    "queries": lambda: build_color_net(
        "test", "test", Palette(BINS, torch.full((25,), 1 / 25)), queries=3, pretrained=False
    ),
    "photo": lambda: build_photo_net("test", "test", 3, pretrained=False),
    "damage": lambda: build_damage_net("test", pretrained=False),
    "tone": lambda: build_tone_net("test", "test", pretrained=False),
    "unusual": Unusual,
}


@functools.cache
def seasoned(name: str) -> nn.Module:
    torch.manual_seed(0)
    net = BUILDERS[name]().train()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.add_(torch.rand_like(module.weight))
        for _ in range(3):
            net(picture(name))
    return net.eval()


def taught(name: str) -> nn.Module:
    """Return a network whose norms have seen pictures and whose every weight is off its starting point."""
    return copy.deepcopy(seasoned(name))


def picture(name: str) -> Tensor:
    side = 128 if name == "tone" else 64
    return torch.rand(2, 1 if name in ("color", "queries") else 3, side, side)


def answers(net: nn.Module, seen: Tensor) -> tuple[Tensor, ...]:
    with torch.no_grad():
        answer = net(seen)
    return answer if isinstance(answer, tuple) else (answer,)


def unfolded(net: nn.Module, folded: nn.Module) -> dict[str, Tensor]:
    state, folds = net.state_dict(), find_folds(net)
    needed = {name: state[name] for fold in folds for name in fold.needs if name in state}
    changed = {f"{fold.conv}.bias" for fold in folds if fold.norm}
    plain = {name: value for name, value in folded.state_dict().items() if name in state and name not in changed}
    return state | plain | unfold_norms(folded.state_dict(), needed, folds)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILDERS)
def test_a_folded_network_answers_alike_and_has_neither_norm_left(name: str) -> None:
    net, seen = taught(name), picture(name)
    folded = fold_norms(net)
    assert find_folds(net)
    assert not find_folds(folded)
    for expected, reached in zip(answers(net, seen), answers(folded, seen), strict=True):
        torch.testing.assert_close(reached, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILDERS)
def test_unfolding_gives_back_every_weight(name: str) -> None:
    net = taught(name)
    again = unfolded(net, fold_norms(net))
    assert again.keys() == net.state_dict().keys()
    for key, value in net.state_dict().items():
        torch.testing.assert_close(again[key], value, atol=1e-5, rtol=1e-4, msg=lambda said, key=key: f"{key}: {said}")


def test_kernels_trained_while_folded_are_unfolded_to_a_network_that_answers_as_they_do() -> None:
    net, seen = taught("unusual"), picture("unusual")
    folded = fold_norms(net)
    with torch.no_grad():
        for parameter in folded.parameters():
            parameter.mul_(1 + 0.2 * torch.rand_like(parameter))
    before = answers(net, seen)[0]
    net.load_state_dict(unfolded(net, folded))
    torch.testing.assert_close(answers(net, seen)[0], answers(folded, seen)[0], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(answers(net, seen)[0], before, atol=1e-2)


def test_a_channel_that_its_norm_has_switched_off_stays_finite() -> None:
    net = taught("unusual")
    with torch.no_grad():
        net.layers[1].weight[0] = 0
    assert all(value.isfinite().all() for value in unfolded(net, fold_norms(net)).values())
