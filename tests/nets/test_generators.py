import pytest
import torch

from photochrom.errors import OptionError
from photochrom.nets.backbones import EFFICIENTNET_LITE_SIZES, build_backbone
from photochrom.nets.blocks import PixelShuffleUp, SelfAttention, spectral_conv
from photochrom.nets.damage import build_damage_net
from photochrom.nets.generators import build_color_net, with_fresh_queries
from photochrom.nets.palette import Palette
from photochrom.nets.queries import ColorQueries


def tiny_palette() -> Palette:
    bins = torch.cartesian_prod(torch.arange(-20, 30, 10.0), torch.arange(-20, 30, 10.0))
    return Palette(bins, torch.full((25,), 1 / 25))


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFICIENTNET_LITE_SIZES)
def test_backbone_pyramid_has_the_promised_sizes_and_loads_its_weights_strictly(name: str) -> None:
    backbone = build_backbone(name).eval()
    with torch.no_grad():
        pyramid = backbone(torch.rand(1, 3, 64, 96))
    for level, channels, stride in zip(pyramid, backbone.channels, (2, 4, 8, 16, 32), strict=True):
        assert level.shape == (1, channels, 64 // stride, 96 // stride)


def test_unknown_backbone_names_the_known_ones() -> None:
    with pytest.raises(OptionError, match="lite0"):
        build_backbone("resnet9000")


def test_pixel_shuffle_starts_without_checkerboard() -> None:
    up = PixelShuffleUp(8, 4).eval()
    with torch.no_grad():
        enlarged = up(torch.rand(1, 8, 5, 5))
    assert enlarged.shape == (1, 4, 10, 10)
    torch.testing.assert_close(enlarged[..., ::2, ::2], enlarged[..., 1::2, 1::2])


def test_spectral_norm_bounds_the_kernel() -> None:
    conv = spectral_conv(6, 12)
    conv.train()
    for _ in range(30):
        conv(torch.rand(1, 6, 8, 8))
    largest = torch.linalg.matrix_norm(conv.weight.detach().flatten(1), 2)
    assert abs(float(largest) - 1) < 0.02


def test_self_attention_begins_as_the_identity_and_then_looks_everywhere() -> None:
    attention = SelfAttention(16).eval()
    x = torch.rand(2, 16, 4, 6)
    torch.testing.assert_close(attention(x), x)
    with torch.no_grad():
        attention.gamma.fill_(1.0)
    changed = x.clone()
    changed[0, :, 0, 0] += 1
    moved = (attention(changed) - attention(x)).abs().sum(1)
    assert (moved[0] > 0).all()
    assert (moved[1] == 0).all()


def test_color_net_answers_at_half_size() -> None:
    net = build_color_net("lite0", "test", tiny_palette(), pretrained=False).eval()
    with torch.no_grad():
        assert net(torch.rand(2, 1, 64, 96)).shape == (2, 25, 32, 48)


def test_colour_queries_answer_from_the_whole_picture() -> None:
    torch.manual_seed(0)
    queries = ColorQueries(c_scene=12, c_fine=8, count=5).eval()
    scene, fine = torch.rand(2, 12, 3, 4), torch.rand(2, 8, 24, 32)
    answers = queries(scene, fine)
    assert answers.shape == (2, 13, 24, 32)
    torch.testing.assert_close(answers[:, :8], fine)
    scene[0, :, 0, 0] += 1
    moved = (queries(scene, fine) - answers)[:, 8:].abs().amax(1)
    assert (moved[0] > 0).all(), "what one corner holds is known everywhere"
    assert (moved[1] == 0).all(), "and in that photograph alone"


def test_queries_learn_with_the_rest_of_the_network() -> None:
    torch.manual_seed(0)
    net = build_color_net("test", "test", tiny_palette(), queries=6, pretrained=False)
    logits = net(torch.rand(2, 1, 64, 96))
    assert logits.shape == (2, 25, 32, 48)
    logits.square().mean().backward()
    assert net.queries is not None
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for p in (net.queries.queries, *net.queries.means[1].parameters())
    )


def test_a_network_that_had_no_queries_answers_as_before_until_they_learn() -> None:
    torch.manual_seed(0)
    old = build_color_net("test", "test", tiny_palette(), pretrained=False).eval()
    new = build_color_net("test", "test", tiny_palette(), queries=6, pretrained=False).eval()
    new.load_state_dict(with_fresh_queries(new, old.state_dict()))
    luma = torch.rand(2, 1, 64, 96)
    torch.testing.assert_close(new(luma), old(luma))
    again = with_fresh_queries(new, new.state_dict())
    assert all(torch.equal(again[name], value) for name, value in new.state_dict().items())
    new(luma).square().mean().backward()
    assert new.head.weight.grad is not None
    assert new.head.weight.grad[:, -6:].abs().sum() > 0


def test_damage_is_found_at_full_size_on_the_backbones_finer_maps() -> None:
    net = build_damage_net("test", pretrained=False)
    assert net(torch.rand(2, 3, 48, 80)).shape == (2, 1, 48, 80)
    with pytest.raises(OptionError, match="lite0"):
        build_damage_net("resnet34", pretrained=False)
