"""Muon moves wide kernels along their orthogonalised momentum, and leaves the rest to AdamW."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from photochrom.train.checkpoint import Position, load_checkpoint, save_checkpoint
from photochrom.train.config import Stage
from photochrom.train.learner import Learner
from photochrom.train.muon import _repeated, _repeated_apart, orthogonalized
from photochrom.train.runtime import Runtime
from photochrom.train.sections import OptimizerSection

RATE = 1e-2


class Small(nn.Module):
    """A wide kernel, a depthwise one, and a last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.depthwise = nn.Conv2d(20, 24, 3, padding=1), nn.Conv2d(24, 24, 3, padding=1, groups=24)
        self.head = nn.Conv2d(24, 20, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner: torch.Tensor = self.depthwise(self.mix(x).relu())
        return self.head(inner)  # type: ignore[no-any-return]


def learner_of(net: nn.Module, kind: str, decay: float = 0.0) -> Learner:
    options = OptimizerSection.model_validate({"kind": kind, "weight_decay": decay})
    learner = Learner("generator", net, Runtime(torch.device("cpu"), torch.float32), options, (0.9, 0.98))
    learner.set_rates(Stage(name="s", size_px=32, batch=1, photos_seen=1, lr_decoder=RATE, schedule="constant"), 0)
    return learner


def step(learner: Learner, seed: int) -> float:
    photo = torch.randn(2, 20, 6, 6, generator=torch.Generator().manual_seed(seed))
    loss = (learner.net(photo) - photo.flip(1)).square().mean()
    learner.step([(loss, {})], 1)
    return loss.item()


@pytest.mark.parametrize("shape", [(24, 180), (180, 24), (40, 40)])
def test_directions_are_kept_and_count_alike(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 7
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalized(matrix)
    along = (left.T @ found @ right.T).diagonal()
    assert along.min() > 0.3
    assert along.max() < 1.3
    torch.testing.assert_close(left @ along.diag() @ right, found, atol=1e-3, rtol=0)


def test_factors_worked_out_apart_are_those_of_rounds_one_after_the_other() -> None:
    random = torch.Generator().manual_seed(4)
    few_directions = torch.randn(32, 4, generator=random) @ torch.randn(4, 280, generator=random)
    matrix = few_directions + 0.02 * torch.randn(32, 280, generator=random)
    matrix /= matrix.norm()
    torch.testing.assert_close(_repeated_apart(matrix), _repeated(matrix), atol=2e-4, rtol=1e-3)


def test_a_kernel_moves_by_its_rate_whatever_the_gradients_size() -> None:
    sizes = []
    for scale in (1.0, 1e-3):
        torch.manual_seed(2)
        net = Small()
        learner, before = learner_of(net, "muon"), net.mix.weight.detach().clone()
        photo = torch.randn(2, 20, 6, 6, generator=torch.Generator().manual_seed(0))
        learner.step([(net(photo).square().mean() * scale, {})], 1)
        sizes.append((net.mix.weight - before).square().mean().sqrt().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-3)
    assert 0.1 * RATE < sizes[0] < 0.3 * RATE


def test_only_wide_kernels_are_matrices_and_the_others_move_as_with_adamw() -> None:
    moved = {}
    for kind in ("adamw", "muon"):
        torch.manual_seed(2)
        net = Small()
        step(learner_of(net, kind), seed=0)
        moved[kind] = {name: p.detach().clone() for name, p in net.named_parameters()}
    differ = {
        name for name in moved["muon"] if not torch.allclose(moved["muon"][name], moved["adamw"][name], atol=1e-7)
    }
    assert differ == {"mix.weight"}


def test_it_learns() -> None:
    torch.manual_seed(2)
    learner = learner_of(Small(), "muon", decay=0.01)
    losses = [step(learner, seed) for seed in range(60)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


@pytest.mark.parametrize("kinds", [("muon", "muon"), ("adamw", "muon"), ("muon", "adamw")])
def test_a_run_goes_on_from_a_checkpoint_with_the_same_optimizer_exactly_and_with_the_other(
    kinds: tuple[str, str], tmp_path: Path
) -> None:
    torch.manual_seed(2)
    learner, path = learner_of(Small(), kinds[0]), tmp_path / "checkpoint.safetensors"
    for seed in range(3):
        step(learner, seed)
    save_checkpoint(path, [learner], Small(), Position(), "{}")
    resumed = learner_of(Small(), kinds[1])
    load_checkpoint(path, [resumed], Small())
    momentum = resumed.optimizer.state[resumed.net.mix.weight]
    if kinds[1] == "muon":
        torch.testing.assert_close(momentum["exp_avg"], learner.optimizer.state[learner.net.mix.weight]["exp_avg"])
    else:
        assert not momentum
    step(learner, 3)
    step(resumed, 3)
    if kinds[0] == kinds[1]:
        assert all(torch.equal(a, b) for a, b in zip(learner.net.parameters(), resumed.net.parameters(), strict=True))
    assert all(bool(p.isfinite().all()) for p in resumed.net.parameters())
