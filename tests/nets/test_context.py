"""Rounds of attention between all places: grown onto a net they change nothing at first, and then reach everywhere."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.nets.attention import Affine
from photochrom.nets.context import Context
from photochrom.nets.generators import build_color_net, grow_color_net
from tests.nets.test_generators import tiny_palette


def taught(rounds: int) -> Context:
    """Return a context whose last matrices are no longer zero."""
    torch.manual_seed(0)
    context = Context(16, rounds).eval()
    for part in context.modules():
        if isinstance(part, Affine):
            torch.nn.init.normal_(part.matrix, std=0.3)
    return context


def test_context_begins_as_the_identity() -> None:
    x = torch.rand(2, 16, 3, 5)
    assert torch.equal(Context(16, 2)(x), x)


def test_what_one_corner_holds_is_known_everywhere_in_that_picture_alone() -> None:
    context, x = taught(1), torch.rand(2, 16, 3, 5)
    before = context(x)
    x[0, :, 0, 0] += 1
    moved: Tensor = (context(x) - before).abs().amax(1)
    assert (moved[0] > 0).all()
    assert (moved[1] == 0).all()


def test_places_keep_their_places() -> None:
    context, x = taught(2), torch.rand(1, 16, 3, 5)
    torch.testing.assert_close(context(x.flip(3)).flip(3), context(x))


def test_a_network_that_had_no_context_answers_as_before_until_it_learns() -> None:
    torch.manual_seed(0)
    old = build_color_net("test", "test", tiny_palette(), queries=3, pretrained=False).eval()
    new = build_color_net("test", "test", tiny_palette(), queries=3, context=2, pretrained=False).eval()
    new.load_state_dict(grow_color_net(new, old.state_dict()))
    luma = torch.rand(2, 1, 64, 96)
    torch.testing.assert_close(new(luma), old(luma))
    new(luma).square().mean().backward()
    assert new.unet.context is not None
    for one in new.unet.context.rounds:
        assert one.look.out.matrix.grad.abs().sum() > 0
        assert one.think[-1].matrix.grad.abs().sum() > 0
    again = grow_color_net(new, new.state_dict())
    assert all(torch.equal(again[name], value) for name, value in new.state_dict().items())
