"""A network that tells positives from negatives is one more task of the training system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from photochrom.errors import OptionError
from photochrom.nets.polarity import BLOCKS, PolarityNet, build_polarity_net
from photochrom.train.config import TrainConfig
from photochrom.train.loop import Training
from photochrom.train.polarity import PolarityTask
from photochrom.train.sections import TaskSection
from photochrom.train.tasks import TensorBatch
from photochrom.train.trained import load_trained
from tests.train.test_stages import config, lines

TASK = {"input": "scanned", "target": "polarity"}
STAGE = {"name": "only", "size_px": 32, "batch": 4, "photos_seen": 12, "lr_decoder": 1e-3, "lr_backbone": 1e-3}


def plan(shard: Path, folder: Path, **task: Any) -> TrainConfig:
    return config(shard, folder, STAGE, task=TASK | task, model={"decoder": None})


@pytest.fixture
def net() -> PolarityNet:
    torch.manual_seed(3)
    made = build_polarity_net("test", pretrained=False).eval()
    for parameter in made.parameters():
        if parameter.ndim > 1:  # untrained kernels make maps vanish
            torch.nn.init.kaiming_normal_(parameter)
    return made


def test_the_answer_to_an_inverse_is_the_opposite(net: PolarityNet) -> None:
    picture = torch.rand(3, 3, 64, 96)
    answer = net(picture)
    assert answer.shape == (3, 1)
    assert answer.abs().min() > 1e-3
    torch.testing.assert_close(net(1 - picture), -answer, atol=1e-5, rtol=1e-4)


def test_brightness_and_contrast_tell_nothing_and_colour_nothing_but_its_luma(net: PolarityNet) -> None:
    picture = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(net(0.3 + 0.5 * picture), net(picture), atol=2e-2, rtol=2e-2)
    grey = (picture * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1, keepdim=True)
    torch.testing.assert_close(net(grey.expand(-1, 3, -1, -1)), net(picture), atol=1e-4, rtol=1e-4)


def test_of_a_picture_without_any_content_nothing_is_said(net: PolarityNet) -> None:
    torch.testing.assert_close(net(torch.full((1, 3, 64, 64), 0.7)), torch.zeros(1, 1), atol=1e-4, rtol=0)


def test_only_the_first_blocks_of_a_backbone_are_kept() -> None:
    body = build_polarity_net("lite0", pretrained=False).backbone
    assert len(body.blocks) == BLOCKS
    assert body.channels == (16, 24, 40, 80)
    assert [level.shape[-1] for level in body(torch.rand(1, 3, 64, 64))] == [32, 16, 8, 4]
    with pytest.raises(OptionError, match="lite0"):
        build_polarity_net("resnet34", pretrained=False)


def test_pictures_are_shown_the_way_round_that_is_taken_for_right(net: PolarityNet) -> None:
    task = PolarityTask(TaskSection.model_validate(TASK))
    rgb = torch.rand(6, 1, 64, 64).expand(-1, 3, -1, -1)
    shown = task.shown(net, TensorBatch(rgb[:, :1], rgb, torch.empty(0)))
    assert (net(shown) > 0).all()
    left = task.figures(shown, TensorBatch(rgb[:, :1], rgb, torch.empty(0)))["left_alone"]
    assert torch.equal(left, (net(rgb) > 0).float()[:, 0])


def test_the_loss_falls_where_the_answer_rises(net: PolarityNet) -> None:
    task, generator = PolarityTask(TaskSection.model_validate(TASK)), torch.Generator()
    rgb = torch.rand(1, 3, 64, 64)
    rgb = rgb if net(rgb) > 0 else 1 - rgb
    losses = [
        task.answer(net, TensorBatch(one, one, torch.empty(0)), rng=generator, pixel_share=1, paints=False)[0]
        for one in (rgb, 1 - rgb)
    ]
    assert losses[0]["polarity"] < 0.6931 < losses[1]["polarity"]


@pytest.mark.slow
def test_it_trains_and_is_validated(shard: Path, tmp_path: Path) -> None:
    training = Training(plan(shard, tmp_path / "run"))
    before = {name: tensor.clone() for name, tensor in training.net.named_parameters()}
    training.run()
    assert all(not torch.equal(before[name], tensor) for name, tensor in training.net.named_parameters())
    figures = [line for line in lines(tmp_path / "run") if "loss" not in line][-1]
    assert 0 <= figures["left_alone"] <= 1
    assert isinstance(load_trained(tmp_path / "run").net, PolarityNet)


def test_input_and_target_belong_together(shard: Path, tmp_path: Path) -> None:
    for wrong in ({"input": "aged"}, {"target": "rgb"}):
        with pytest.raises(ValidationError, match="belong together"):
            plan(shard, tmp_path / "run", **wrong)
    with pytest.raises(ValidationError, match="comes in one size"):
        config(shard, tmp_path / "run", STAGE, task=TASK)
