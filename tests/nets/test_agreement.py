import math

import pytest
import torch

from photochrom.nets.agreement import CELLS, SMALLEST_CELL_PX, SURE, TONES, UNSURE, agree, common, entropy
from photochrom.nets.generators import ColorNet, build_color_net
from tests.nets.test_generators import tiny_palette

STRIDE, KINDS = 4, 40


def unsure_scene() -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits (1, 40, 16, 24) and luma of a bright left and a dark right half."""
    luma = torch.full((1, 1, 64, 96), 0.2)
    luma[..., :48] = 0.8
    logits = torch.zeros(1, KINDS, 16, 24)
    logits[:, 0] = 1.0
    return logits, luma


def test_where_most_are_for_one_colour_a_patch_of_another_goes() -> None:
    logits, luma = unsure_scene()
    logits[:, 7, 5:8, 3:6] = 1.5  # a few places prefer another colour, and are no surer than the rest
    answer = agree(logits, luma, STRIDE)
    assert (logits.argmax(1)[0, 5:8, 3:6] == 7).all()
    assert (answer.argmax(1) == 0).all()


def test_who_is_sure_keeps_to_it() -> None:
    logits, luma = unsure_scene()
    logits[:, 7, 5:8, 3:6] = 9.0
    assert (entropy(logits.softmax(1))[0, 0, 5:8, 3:6] < SURE).all()
    answer = agree(logits, luma, STRIDE)
    torch.testing.assert_close(answer[..., 5:8, 3:6], logits.log_softmax(1)[..., 5:8, 3:6], atol=1e-3, rtol=0)


def test_nobody_is_asked_across_an_edge_of_luma() -> None:
    logits, luma = unsure_scene()
    logits[:, 7, :, 12:] = 2.0
    answer = agree(logits, luma, STRIDE).argmax(1)[0]
    assert (answer[:, :12] == 0).all()
    assert (answer[:, 12:] == 7).all()


def test_between_sure_and_unsure_the_word_of_others_counts_in_part() -> None:
    logits, luma = unsure_scene()
    logits[:, 7, 8, 4] = 3.5
    own = entropy(logits.softmax(1))[0, 0, 8, 4]
    assert SURE < own < UNSURE
    kept = agree(logits, luma, STRIDE).softmax(1)[0, 7, 8, 4] / logits.softmax(1)[0, 7, 8, 4]
    assert 0.2 < kept < 0.9


def test_distributions_stay_distributions_and_like_places_change_nothing() -> None:
    torch.manual_seed(0)
    luma, shares = torch.rand(2, 1, 64, 96), torch.rand(2, KINDS, 16, 24).softmax(1)
    torch.testing.assert_close(common(shares, luma, STRIDE).sum(1), torch.ones(2, 16, 24))
    same = shares[..., :1, :1].expand(-1, -1, 16, 24)
    torch.testing.assert_close(common(same, luma, STRIDE), same)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (288, 320), (448, 224)])
def test_the_grid_gives_the_mean_that_its_weights_define(height: int, width: int) -> None:
    torch.manual_seed(0)
    down, across = height // STRIDE, width // STRIDE
    luma, shares = torch.rand(1, 1, height, width), torch.rand(1, 4, down, across).softmax(1)
    cell_px = max(SMALLEST_CELL_PX, min(height, width) / CELLS)
    rows, columns = (torch.arange(math.ceil(side / cell_px) + 1) for side in (height, width))
    tones = torch.arange(TONES)
    small = torch.nn.functional.avg_pool2d(luma, STRIDE).flatten()
    y, x = (
        place.flatten() * STRIDE / cell_px
        for place in torch.meshgrid(torch.arange(down), torch.arange(across), indexing="ij")
    )
    weights = [
        (1 - (at[:, None] - points).abs()).clamp(min=0)
        for at, points in ((y, rows), (x, columns), (small * (TONES - 1), tones))
    ]
    reach = torch.einsum("ny,nx,nt->nyxt", *weights).flatten(1)
    plain = shares[0].flatten(1)
    means = (plain @ reach) / (reach.sum(0) + 1e-8)
    torch.testing.assert_close(common(shares, luma, STRIDE)[0].flatten(1), means @ reach.t())


def test_of_a_scene_twice_as_large_on_its_copy_the_same_agree() -> None:
    luma, logits = torch.full((1, 1, 224, 256), 0.5), torch.zeros(1, KINDS, 56, 64)
    logits[:, 0] = 1.0
    logits[:, 7, 20:32, 20:32] = 1.5
    once, twice = agree(logits, luma, STRIDE).exp(), agree(_enlarged(logits), _enlarged(luma), STRIDE).exp()
    torch.testing.assert_close(twice[..., ::2, ::2], once, atol=5e-3, rtol=0)


def _enlarged(planes: torch.Tensor) -> torch.Tensor:
    return planes.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def test_gradients_reach_those_who_were_asked() -> None:
    logits, luma = unsure_scene()
    logits.requires_grad_()
    agree(logits, luma, STRIDE)[0, 0, 5, 3].backward()
    assert logits.grad is not None
    assert logits.grad[0, :, 8, 5].abs().sum() > 0
    assert logits.grad[0, :, 8, 20].abs().sum() == 0


@pytest.mark.parametrize("decoder", ["test", "test-quarter"])
def test_a_network_that_agrees_has_the_weights_of_one_that_does_not(decoder: str) -> None:
    nets: list[ColorNet] = []
    for agrees in (False, True):
        torch.manual_seed(1)
        nets.append(build_color_net("test", decoder, tiny_palette(), agrees=agrees, pretrained=False).eval())
    plain, agreeing = nets
    agreeing.load_state_dict(plain.state_dict())
    luma = torch.rand(2, 1, 64, 96)
    torch.testing.assert_close(agreeing(luma), agree(plain(luma), luma, plain.stride))
