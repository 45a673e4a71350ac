import pytest
import torch

from photochrom.nets.hints import SCALARS_RATE, HintSpread
from photochrom.train.config import Stage
from photochrom.train.learner import Learner
from photochrom.train.runtime import Runtime
from photochrom.train.sections import OptimizerSection


def test_what_says_how_sharp_near_and_doubtful_heads_are_learns_faster_than_kernels() -> None:
    net = HintSpread([4])
    runtime, options = Runtime(torch.device("cpu"), torch.float32), OptimizerSection(weight_decay=0.1)
    learner = Learner("generator", net, runtime, options, (0.9, 0.98))
    learner.set_rates(Stage(name="s", size_px=32, batch=1, photos_seen=1, lr_decoder=1e-3, schedule="constant"), 0)
    groups = learner.optimizer.param_groups
    rates = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    kernel = rates[id(net.looks[0].weight)]
    assert kernel == (1e-3, 0.1)
    assert {rates[id(p)] for p in (net.sharpness, net.nearness, net.doubt)} == {(1e-3 * SCALARS_RATE, 0)}
    before = net.nearness.detach().clone()
    hints = torch.zeros(1, 3, 4, 4)
    hints[:, :, 1, 1] = 1
    learner.step([(net([torch.rand(1, 4, 4, 4)], hints).sum(), {})], 1)
    assert (net.nearness - before).abs().max() > 10e-3


def test_a_mean_over_fewer_parts_than_promised_is_no_step() -> None:
    net = torch.nn.Linear(2, 1)
    learner = Learner("generator", net, Runtime(torch.device("cpu"), torch.float32), OptimizerSection(), (0.9, 0.98))
    with pytest.raises(AssertionError, match="1 parts, 2 were promised"):
        learner.step([(net(torch.ones(1, 2)).sum(), {})], 2)
