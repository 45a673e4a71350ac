"""Unsure places agree with what looks alike, wherever it lies."""

import pytest
import torch
from pydantic import ValidationError

from photochrom.nets.agreement import NEARNESS, SHARPNESS, SURE_AFAR, UNSURE_AFAR, agree_afar, alike, entropy
from photochrom.nets.generators import ColorNet, build_color_net
from photochrom.train.sections import ModelSection
from tests.nets.test_generators import tiny_palette

STRIDE, KINDS = 4, 12


def two_stripes() -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits (1, 12, 32, 48), all unsure, and looks of a picture whose outer thirds are of another stuff."""
    look = torch.zeros(1, 2, 16, 24)
    look[:, 0] = 1.0
    look[:, :, :, 8:16] = torch.tensor([0.0, 1.0])[:, None, None]
    logits = torch.zeros(1, KINDS, 32, 48)
    logits[:, 0] = 0.8
    return logits, look


def test_a_patch_takes_the_colour_of_what_looks_like_it_afar() -> None:
    logits, look = two_stripes()
    logits[:, 7, :, :16] = 1.0  # the left third would be of another colour; the larger part of its stuff is not
    logits[:, 7, :8, 32:40] = 1.0
    logits[:, 3, :, 16:32] = 1.2
    logits[:, 0, :, 36:] = 2.2
    answer = agree_afar(logits, look, STRIDE).argmax(1)[0]
    assert (logits.argmax(1)[0, 20, 4] == 7).all()
    assert (answer[:, 2:14] == 0).all()
    assert (answer[:, 18:30] == 3).all()


def test_who_is_sure_keeps_to_it_and_who_is_half_sure_listens_in_part() -> None:
    logits, look = two_stripes()
    logits[:, 7, 8, 4], logits[:, 7, 20, 4] = 6.0, 3.5
    own, answer = logits.softmax(1)[0, 7, :, 4], agree_afar(logits, look, STRIDE).exp()[0, 7, :, 4]
    surely = entropy(logits.softmax(1))[0, 0, :, 4]
    assert surely[8] < SURE_AFAR < surely[20] < UNSURE_AFAR
    torch.testing.assert_close(answer[8], own[8])
    assert 0.2 < answer[20] / own[20] < 0.9


@pytest.mark.parametrize(("height", "width", "stride"), [(64, 96, 4), (96, 64, 2), (128, 128, 8)])
def test_the_mean_is_the_one_that_its_weights_define(height: int, width: int, stride: int) -> None:
    torch.manual_seed(0)
    shares = torch.rand(2, KINDS, height // stride, width // stride).softmax(1)
    look = torch.randn(2, 6, height // 8, width // 8)
    own = torch.nn.functional.normalize(look, dim=1)
    theirs = torch.nn.functional.normalize(torch.nn.functional.avg_pool2d(own, 2), dim=1)
    asked = torch.nn.functional.avg_pool2d(shares, 16 // stride)
    means = torch.zeros(2, KINDS, height // 8, width // 8)
    for y in range(height // 8):
        for x in range(width // 8):
            rows, columns = torch.meshgrid(torch.arange(height // 16), torch.arange(width // 16), indexing="ij")
            # Pixels from the middle of one place to those of the others.
            apart_px = torch.hypot(16.0 * rows + 8 - (8 * y + 4), 16.0 * columns + 8 - (8 * x + 4))
            cosine = (own[:, :, y, x, None, None] * theirs).sum(1)
            weights = (SHARPNESS * cosine - NEARNESS * apart_px * 2 / (height + width)).flatten(1).softmax(1)
            means[:, :, y, x] = (asked.flatten(2) * weights[:, None]).sum(2)
    enlarged = torch.nn.functional.interpolate(means, scale_factor=8 / stride, mode="bilinear")
    torch.testing.assert_close(alike(shares, look, stride), enlarged)
    torch.testing.assert_close(enlarged.sum(1), torch.ones_like(enlarged[:, 0]))


def test_gradients_reach_the_looks_and_those_who_were_asked() -> None:
    logits, look = two_stripes()
    logits[:, 7, :, 36:] = 2.0
    logits.requires_grad_()
    look.requires_grad_()
    agree_afar(logits, look, STRIDE)[0, 7, 5, 3].backward()
    assert logits.grad is not None
    assert look.grad is not None
    assert logits.grad[0, :, 20, 44].abs().sum() > 0
    assert look.grad[0, :, 2, 1].abs().sum() > 0


def test_a_network_that_agrees_afar_has_the_weights_of_one_that_does_not() -> None:
    nets: list[ColorNet] = []
    for afar in (False, True):
        torch.manual_seed(1)
        net = build_color_net(
            "test", "test-quarter", tiny_palette(), hears=True, spreads=True, agrees=True, afar=afar, pretrained=False
        )
        nets.append(net.eval())
    near, afar_too = nets
    afar_too.load_state_dict(near.state_dict())
    luma = torch.rand(2, 1, 64, 96)
    look = near.features(luma).look
    assert look is not None
    assert look.shape == (2, 128, 8, 12)
    torch.testing.assert_close(afar_too(luma), agree_afar(near(luma), look, near.stride))


@pytest.mark.parametrize("lacking", ["agrees", "spreads"])
def test_what_it_builds_on_must_be_there(lacking: str) -> None:
    with pytest.raises(ValidationError, match="set agrees and spreads, too"):
        ModelSection(hears=True, agrees_afar=True, **{"agrees": True, "spreads": True, lacking: False})
