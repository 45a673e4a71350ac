import pytest
import torch

from photochrom.nets.backbones import build_backbone
from photochrom.nets.generators import ColorNet, build_color_net, grow_color_net
from photochrom.nets.hints import HEADS, SPREAD_CHANNELS, UNIT_AB, HintSpread, pool_hints
from tests.nets.test_generators import tiny_palette


def hearing_net(decoder: str = "test-quarter", queries: int = 0, *, spreads: bool = False) -> ColorNet:
    torch.manual_seed(1)
    return build_color_net(
        "test", decoder, tiny_palette(), queries=queries, hears=True, spreads=spreads, pretrained=False
    ).eval()


def one_hint(size: tuple[int, int] = (64, 96)) -> torch.Tensor:
    hints = torch.zeros(1, 3, *size)
    hints[0, :, 20, 40] = torch.tensor([UNIT_AB, -UNIT_AB / 2, 0.8])
    return hints


def test_a_lone_pixel_counts_in_its_cell_as_if_it_filled_it() -> None:
    for stride, level in zip((4, 8, 16), pool_hints(one_hint(), (4, 8, 16)), strict=True):
        assert level.shape == (1, 3, 64 // stride, 96 // stride)
        torch.testing.assert_close(level[0, :, 20 // stride, 40 // stride], torch.tensor([0.8, -0.4, 0.8]))
        assert level.count_nonzero() == 3


def test_hints_that_share_a_cell_are_averaged_by_weight() -> None:
    hints = torch.zeros(1, 3, 32, 32)
    hints[0, :, 0, 0] = torch.tensor([UNIT_AB, 0, 1.0])
    hints[0, :, 1, 1] = torch.tensor([-UNIT_AB, 0, 0.5])
    (level,) = pool_hints(hints, (4,))
    torch.testing.assert_close(level[0, :, 0, 0], torch.tensor([1 / 3, 0, 1.0]))


def test_a_quarter_decoder_answers_at_a_quarter_of_the_size() -> None:
    net = hearing_net()
    assert net.stride == 4
    assert net(torch.rand(2, 1, 64, 96)).shape == (2, 25, 16, 24)


def test_a_hint_is_heard_and_none_is_the_same_as_zeros() -> None:
    net, luma = hearing_net(), torch.rand(1, 1, 64, 96)
    torch.testing.assert_close(net(luma), net(luma, torch.zeros(1, 3, 64, 96)))
    moved = (net(luma, one_hint()) - net(luma)).abs().sum(1)[0]
    assert moved[20 // 4, 40 // 4] > 0


def test_a_network_that_was_deaf_answers_as_before_until_it_learns_to_hear() -> None:
    torch.manual_seed(0)
    deaf = build_color_net("test", "test-quarter", tiny_palette(), queries=5, pretrained=False).eval()
    net = hearing_net(queries=5)
    net.load_state_dict(grow_color_net(net, deaf.state_dict()))
    luma = torch.rand(1, 1, 64, 96)
    torch.testing.assert_close(net(luma, one_hint()), deaf(luma))
    net(luma, one_hint()).square().mean().backward()
    kernel = net.unet.blocks[0].mix[0][0].parametrizations.weight.original
    assert kernel.grad[:, -3:].abs().sum() > 0


def test_a_decoder_that_ends_earlier_keeps_all_but_head_and_answers_of_queries() -> None:
    torch.manual_seed(0)
    whole = build_color_net("test", "test", tiny_palette(), queries=5, pretrained=False).eval()
    net = hearing_net(queries=5)
    state = grow_color_net(net, whole.state_dict())
    net.load_state_dict(state)
    scene = whole.unet.climb(rgb := torch.rand(1, 3, 64, 96))[0][:3]
    for kept, was in zip(net.unet.climb(rgb)[0], scene, strict=True):
        torch.testing.assert_close(kept, was)
    torch.testing.assert_close(state["queries.queries"], whole.state_dict()["queries.queries"])


def test_another_backbone_is_not_grown_but_refused() -> None:
    net, other = hearing_net(), build_color_net("lite0", "test", tiny_palette(), pretrained=False)
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(grow_color_net(net, other.state_dict()))


def test_norms_at_rest_give_the_same_numbers_and_gradients_in_the_kernel() -> None:
    torch.manual_seed(0)
    backbone = build_backbone("test")
    with torch.no_grad():
        for _ in range(3):
            backbone.train()(torch.rand(4, 3, 64, 64))
    rgb, stem = torch.rand(2, 3, 64, 64), backbone.eval().stem
    fused = stem(rgb)
    apart = torch.nn.functional.relu6(stem[1](stem[0](rgb)))
    torch.testing.assert_close(fused, apart, atol=1e-5, rtol=1e-4)
    parameters = [stem[0].weight, stem[1].weight, stem[1].bias]
    for ours, plain in zip(
        torch.autograd.grad(fused.square().sum(), parameters),
        torch.autograd.grad(apart.square().sum(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(ours, plain, atol=1e-2, rtol=1e-3)


def two_kinds(size: int = 8) -> torch.Tensor:
    """Return a map (1, 3, S, S) whose left third and right third look alike, and the middle otherwise."""
    look = torch.tensor([1.0, 0.0, 0.0]).expand(size, size, 3).clone()
    look[:, size // 3 : -(size // 3)] = torch.tensor([0.0, 1.0, 0.0])
    return look.permute(2, 0, 1)[None]


def told_at_the_left(size: int = 8) -> torch.Tensor:
    hints = torch.zeros(1, 3, size, size)
    hints[0, :, 3, 0] = torch.tensor([1.0, -0.5, 1.0])
    return hints


def spread_of(maps: list[torch.Tensor]) -> HintSpread:
    torch.manual_seed(0)
    spread = HintSpread([each.shape[1] for each in maps])
    with torch.no_grad():
        spread.nearness.fill_(1.0)
    return spread


def test_a_hint_is_carried_to_what_looks_alike_however_far_and_not_to_what_lies_between() -> None:
    spread = spread_of([two_kinds()])([two_kinds()], told_at_the_left()).unflatten(1, (HEADS, 3))
    share = spread[0, :, 2]
    assert (share[:, :, -1] > 0.8).all(), "the far side looks the same"
    assert (share[:, :, 4] < 0.2).all(), "the middle looks otherwise"
    torch.testing.assert_close(spread[0, :, 0], share)
    torch.testing.assert_close(spread[0, :, 1], -0.5 * share)


def test_a_head_that_likes_nearness_carries_hints_less_far() -> None:
    alike = [torch.ones(1, 3, 8, 8)]
    module = spread_of(alike)
    with torch.no_grad():
        module.nearness[0] = 30.0
    share = module(alike, told_at_the_left()).unflatten(1, (HEADS, 3))[0, :, 2]
    assert share[0, 3, 1] > 10 * share[0, 3, -1]
    assert share[1, 3, -1] > 0.8


def test_where_nothing_is_told_nothing_is_carried() -> None:
    maps = [torch.rand(1, 5, 4, 4), two_kinds()]
    assert not spread_of(maps)(maps, torch.zeros(1, 3, 8, 8)).any()


def test_maps_of_several_sizes_are_looked_at_together() -> None:
    maps = [torch.rand(2, 5, 3, 4), torch.rand(2, 7, 6, 8), torch.rand(2, 2, 12, 16)]
    assert spread_of(maps)(maps, torch.rand(2, 3, 12, 16)).shape == (2, SPREAD_CHANNELS, 12, 16)


@pytest.mark.slow
@pytest.mark.parametrize("decoder", ["test", "test-quarter"])
def test_a_network_that_heard_answers_as_before_until_it_learns_to_carry_hints(decoder: str) -> None:
    heard, net = hearing_net(decoder, queries=5), hearing_net(decoder, queries=5, spreads=True)
    net.load_state_dict(grow_color_net(net, heard.state_dict()))
    luma = torch.rand(1, 1, 64, 96)
    torch.testing.assert_close(net(luma, one_hint()), heard(luma, one_hint()))
    net(luma, one_hint()).square().mean().backward()
    kernel = net.unet.blocks[1].mix[0][0].parametrizations.weight.original
    assert kernel.grad[:, -SPREAD_CHANNELS:].abs().sum() > 0


def test_in_training_pictures_without_hints_are_passed_over_and_the_others_answered_as_ever() -> None:
    maps = [torch.rand(3, 5, 4, 4), torch.rand(3, 7, 8, 8)]
    hints = torch.cat([torch.zeros(1, 3, 8, 8), told_at_the_left(), torch.zeros(1, 3, 8, 8)])
    spread = spread_of(maps)
    torch.testing.assert_close(spread.train()(maps, hints), spread.eval()(maps, hints))


def test_weights_have_gradients_even_where_no_picture_of_a_batch_has_hints() -> None:
    maps = [torch.rand(2, 5, 4, 4), torch.rand(2, 7, 8, 8)]
    spread = spread_of(maps).train()
    spread(maps, torch.zeros(2, 3, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in spread.parameters())


def test_what_two_pictures_of_a_batch_are_told_is_told_to_each_alone() -> None:
    maps = [torch.rand(2, 5, 4, 4), torch.rand(2, 7, 8, 8)]
    hints = torch.cat([told_at_the_left(), told_at_the_left().flip(3)])
    spread = spread_of(maps).eval()
    together, first = spread(maps, hints), spread([each[:1] for each in maps], hints[:1])
    torch.testing.assert_close(together[:1], first)
