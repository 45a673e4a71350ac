from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from photochrom.nets.restoration import (
    NOISE_STRENGTHS,
    RESTORATION_SIZES,
    DenoiseNet,
    build_restoration_net,
    with_fresh_blocks,
)
from photochrom.nets.shrinkage import BLOCK, CELL, CosineShrinkage, cosines


def ramp(height: int = 64, width: int = 96) -> torch.Tensor:
    return torch.linspace(0.2, 0.8, height * width).view(1, 1, height, width)


def shrunk(plane: torch.Tensor, strengths: tuple[float, ...]) -> torch.Tensor:
    return torch.nn.functional.pixel_shuffle(CosineShrinkage(strengths)(plane), CELL)


def test_the_cosines_are_those_of_scipy() -> None:
    block = np.random.default_rng(0).random((BLOCK, BLOCK))
    ours = torch.einsum("abij,ij->ab", cosines(BLOCK), torch.from_numpy(block).float())
    np.testing.assert_allclose(ours.numpy(), dctn(block, norm="ortho"), atol=1e-5)


def test_strength_nought_gives_the_plane_back() -> None:
    plane = torch.rand(2, 1, 48, 36)
    torch.testing.assert_close(shrunk(plane, (0.0,)), plane, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sigma", NOISE_STRENGTHS)
def test_the_strength_that_fits_the_noise_takes_most_of_it_out(sigma: float) -> None:
    clean = ramp()
    noisy = clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    tries = shrunk(noisy, NOISE_STRENGTHS)
    assert tries.shape == (1, len(NOISE_STRENGTHS), *clean.shape[2:])
    left = (tries - clean).square().mean(dim=(0, 2, 3)).sqrt() / sigma
    assert left[NOISE_STRENGTHS.index(sigma)] < 0.35
    weaker = left[: NOISE_STRENGTHS.index(sigma)]
    assert (weaker.diff() < 0).all(), "told of weaker noise, it leaves more"


def test_an_edge_outlives_noise_weaker_than_it() -> None:
    clean = torch.full((1, 1, 64, 64), 0.2)
    clean[..., 31:] = 0.8
    noisy = clean + 5 / 255 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    denoised = shrunk(noisy, (5 / 255,))
    assert (denoised - clean)[..., 28:34].abs().max() < 0.1


def test_the_noise_network_begins_with_a_mixture_of_the_classical_answers() -> None:
    net = build_restoration_net("noise", "test").eval()
    noisy = ramp().expand(-1, 3, -1, -1) + 0.05 * torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        denoised = net(noisy)
    assert (denoised - ramp()).square().mean() < 0.5 * (noisy - ramp()).square().mean()


def test_the_noise_network_can_return_what_came() -> None:
    net = build_restoration_net("noise", "test").eval()
    head = net.unet.head.bias
    with torch.no_grad():
        # Cells of 2 x 2 pixels: four numbers for each answer. The first choice of luma and of chroma is the picture.
        for choice in (3, 3 + net.choices):
            head[4 * choice : 4 * choice + 4] = 50.0
        photo = torch.rand(1, 3, 32, 64)
        torch.testing.assert_close(net(photo), photo, atol=1e-5, rtol=0)


def test_a_deeper_network_answers_as_the_one_it_was_grown_from_until_it_learns() -> None:
    torch.manual_seed(0)
    size = RESTORATION_SIZES["test"]
    old = DenoiseNet(size).eval()
    torch.nn.init.normal_(old.unet.head.weight, std=0.1)
    new = DenoiseNet(replace(size, down=(2, 2, 2, 2), middle=3, up=(2, 1, 1, 2))).eval()
    with pytest.raises(RuntimeError, match="Missing"):
        new.load_state_dict(old.state_dict())
    new.load_state_dict(with_fresh_blocks(new, old.state_dict()))
    photo = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(new(photo), old(photo))
    new(photo).square().mean().backward()
    assert new.unet.middle[2].second.weight.grad.abs().sum() > 0
    again = with_fresh_blocks(new, new.state_dict())
    assert all(torch.equal(again[name], value) for name, value in new.state_dict().items())
    with pytest.raises(RuntimeError, match="head"):
        new.load_state_dict(with_fresh_blocks(new, {}))
