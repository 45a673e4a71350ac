import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from photochrom.errors import ModelFileError, OptionError
from photochrom.nets.backbones import build_backbone
from photochrom.nets.critics import build_patch_critic, build_progressive_critic
from photochrom.nets.generators import decoder_size
from photochrom.nets.photo_nets import artistic_size, build_photo_net, stable_size
from photochrom.nets.published import PUBLISHED, read_published
from photochrom.nets.vgg import Vgg16, relu_taps


def count(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (artistic_size, 63_646_881),
        (stable_size, 218_222_197),
        (build_patch_critic, 94_555_649),
        # The first release had a bias in each of the nine attention convolutions: 2.5 x (1024 + 2048 + 4096) / 2 fewer.
        (build_progressive_critic, 206_152_451 - (1024 + 2048 + 4096) * 5 // 4),
    ],
)
def test_named_sizes_have_the_published_numbers_of_parameters(build, parameters: int) -> None:
    with torch.device("meta"):
        assert count(build()) == parameters


@pytest.mark.slow
@pytest.mark.parametrize("corrects", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_photo_net_keeps_the_size_and_may_begin_as_the_identity(channels: int, corrects: bool) -> None:
    net = build_photo_net("test", "test", channels, corrects=corrects, pretrained=False).eval()
    photo = torch.rand(2, channels, 64, 96)
    with torch.no_grad():
        painted = net(photo)
    assert painted.shape == photo.shape
    assert torch.equal(painted, photo) == corrects


@pytest.mark.slow
def test_resnet_backbone_reads_torchvisions_layout_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    state = build_backbone("resnet34", pretrained=False).state_dict()
    assert "layer3.0.downsample.1.running_var" in state
    path = tmp_path / "resnet34.safetensors"
    save_file(state | {"fc.bias": torch.zeros(1000)}, path)
    loaded = build_backbone("resnet34", weights=path)
    assert torch.equal(loaded.state_dict()["layer4.2.conv2.weight"], state["layer4.2.conv2.weight"])
    with torch.no_grad():
        pyramid = loaded.eval()(torch.rand(1, 3, 64, 64))
    assert [level.shape[1] for level in pyramid] == [64, 64, 128, 256, 512]
    save_file({"layer1.weight": torch.zeros(1)}, path)
    with pytest.raises(ModelFileError, match="another network"):
        build_backbone("resnet34", weights=path)


def test_absent_weights_name_the_download() -> None:
    with pytest.raises(OptionError, match=r"download\.pytorch\.org/models/resnet101-63fe2227\.pth"):
        build_backbone("resnet101")


def test_weights_files_are_checked_and_run_no_code(tmp_path: Path) -> None:
    published = tmp_path / Path(PUBLISHED["vgg16"].url).name
    published.write_bytes(b"something else")
    with pytest.raises(ModelFileError, match="sha256"):
        read_published("vgg16", published)
    trap = tmp_path / "trap.pth"
    torch.save({"features.0.weight": copy.deepcopy}, trap)
    with pytest.raises(ModelFileError, match="safely"):
        read_published("vgg16", trap)
    number = tmp_path / "number.pth"
    torch.save({"epoch": 3}, number)
    with pytest.raises(ModelFileError, match="other than tensors"):
        read_published("vgg16", number)


def test_width_is_only_for_decoders_that_have_one() -> None:
    channels = (16, 24, 40, 112, 320)
    assert decoder_size("wide", channels, 0.5).out == (128, 128, 128, 64)
    with pytest.raises(OptionError, match="fixed width"):
        decoder_size("base", channels, 0.5)
    with pytest.raises(OptionError, match="wide"):
        decoder_size("huge", channels)


def test_critic_answers_per_patch() -> None:
    critic = build_patch_critic(width=8).eval()
    with torch.no_grad():
        sides = {px: critic(torch.rand(1, 3, px, px)).shape[-1] for px in (64, 96, 128)}
    assert sides == {64: 1, 96: 3, 128: 5}


@pytest.mark.slow
def test_recomputing_changes_neither_gradients_nor_memory_of_the_network() -> None:
    torch.manual_seed(0)
    plain = build_photo_net("test", "test", 3, pretrained=False).train()
    thrifty = copy.deepcopy(plain)
    thrifty.unet.recomputes = True
    photo = torch.rand(6, 3, 32, 32)
    for net in (plain, thrifty):
        # Twice before the backward pass, as a critic is run on real and generated pictures.
        (net(photo).square().mean() + net(photo.flip(0)).mean()).backward()
    for (name, one), other in zip(plain.named_parameters(), thrifty.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)
    for (name, one), other in zip(plain.named_buffers(), thrifty.buffers(), strict=True):
        assert torch.equal(one, other), name


def bytes_kept(net: torch.nn.Module, photo: torch.Tensor) -> int:
    """Return how many bytes of activations a forward pass keeps for the backward pass."""
    kept: dict[int, int] = {}
    own = {parameter.untyped_storage().data_ptr() for parameter in net.parameters()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = net(photo)
    del y
    return sum(kept.values())


def test_recomputing_keeps_less_than_two_thirds() -> None:
    net = build_photo_net("lite0", "small", 3, pretrained=False).train()
    photo = torch.rand(2, 3, 64, 64)
    plain = bytes_kept(net, photo)
    net.unet.recomputes = True
    assert bytes_kept(net, photo) < plain * 2 / 3


def test_vgg_taps_are_the_relus_before_poolings() -> None:
    assert relu_taps(has_norms=True) == (5, 12, 22, 32, 42)
    assert relu_taps(has_norms=False) == (3, 8, 15, 22, 29)
    maps = Vgg16((3, 8), has_norms=False)(torch.rand(1, 3, 16, 16))
    assert [tuple(level.shape) for level in maps] == [(1, 64, 16, 16), (1, 128, 8, 8)]
