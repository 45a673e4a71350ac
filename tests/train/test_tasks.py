from dataclasses import replace

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from photochrom.errors import OptionError
from photochrom.nets.generators import build_color_net
from photochrom.nets.palette import Palette
from photochrom.train.config import TrainConfig
from photochrom.train.losses import colorfulness_loss
from photochrom.train.runtime import Runtime
from photochrom.train.sections import TaskSection
from photochrom.train.tasks import ColorTask, TensorBatch


def a_batch(size_px: int = 64, stride: int = 4) -> TensorBatch:
    rng = torch.Generator().manual_seed(0)
    luma = torch.rand(2, 1, size_px, size_px, generator=rng) * 0.4 + 0.3
    ab = interpolate(torch.rand(2, 2, 2, 2, generator=rng) * 40 - 20, size=size_px // stride, mode="bilinear")
    return TensorBatch(luma, luma.expand(-1, 3, -1, -1), ab, hints=torch.zeros(2, 3, size_px, size_px))


def a_task(**options: object) -> ColorTask:
    return ColorTask(TaskSection.model_validate(options), Runtime(torch.device("cpu"), torch.float32))


@pytest.mark.parametrize(("small", "side"), [(False, 64), (True, 16)])
def test_losses_see_pictures_of_the_photographs_size_or_of_the_answers(small: bool, side: int) -> None:
    bins = torch.tensor([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0]])
    net = build_color_net("test", "test-quarter", Palette(bins, torch.ones(3) / 3), hears=True, pretrained=False)
    task, batch = a_task(at_answer_size=small), a_batch()
    _, picture = task.answer(net, batch, rng=torch.Generator(), pixel_share=1.0, paints=True)
    assert picture.shape == task.truth_of_answer(batch).shape == (2, 3, side, side)
    assert task.truth(batch).shape == (2, 3, 64, 64), "what validation shows is as large as ever"


def test_a_smaller_picture_has_the_colours_of_the_larger() -> None:
    batch = a_batch()
    small, large = a_task(at_answer_size=True).truth_of_answer(batch), a_task().truth_of_answer(batch)
    flat = avg_pool2d(large, 4)
    assert (small - flat).abs().mean() < 0.02
    assert colorfulness_loss(small, flat) < 0.03


@pytest.mark.parametrize(
    ("task", "loss"), [({"target": "rgb"}, {"pixel": 1.0}), ({"target": "color"}, {"perceptual": 1.0})]
)
def test_what_looks_at_edges_is_not_shown_small_pictures(task: dict[str, str], loss: dict[str, float]) -> None:
    stage = {"name": "s", "size_px": 32, "batch": 1, "photos_seen": 1, "lr_decoder": 1e-3}
    sections = {"run": {"folder": "x"}, "data": {"photos": ["x"]}, "stages": [stage]}
    with pytest.raises((OptionError, ValueError), match="at_answer_size"):
        TrainConfig.model_validate(sections | {"task": task | {"at_answer_size": True}, "loss": loss})


def test_a_critic_meets_no_invented_colour_as_real_and_judges_no_picture_with_hints() -> None:
    batch = a_batch()
    green = batch.photo * torch.tensor([0.8, 1.1, 0.9]).view(1, 3, 1, 1)
    hints = batch.hints.clone()
    hints[1, :, 10:12, 10:12] = torch.tensor([60.0, 20.0, 1.0]).view(3, 1, 1)
    invented = batch.ab.clone()
    invented[1] = torch.tensor([60.0, 20.0]).view(2, 1, 1)
    batch = replace(batch, rgb=green, ab=invented, hints=hints)
    task = a_task()
    real = task.real(batch)
    assert real.shape == (2, 3, 64, 64)
    assert (real[:, 1] > real[:, 0]).all(), "green, as the photographs are"
    assert (task.truth(batch)[1, 0] > task.truth(batch)[1, 1]).all(), "what is to be learnt is the colour told"
    assert task.judged(batch).tolist() == [True, False]
    assert task.judged(replace(batch, hints=torch.empty(0))).tolist() == [True, True]
