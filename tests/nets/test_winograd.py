import pytest
import torch

from photochrom.nets import winograd
from photochrom.nets.blocks import spectral_conv
from photochrom.nets.winograd import FastConv2d, conv3x3, pays_off, set_fast


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 14), (1, 3), (32, 5)])
def test_it_is_the_convolution_with_both_gradients(height: int, width: int) -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, height, width, generator=rng, requires_grad=True)
    weight = torch.randn(7, 5, 3, 3, generator=rng, requires_grad=True)
    bias = torch.randn(7, generator=rng, requires_grad=True)
    results = []
    for convolve in (conv3x3, lambda *inputs: torch.nn.functional.conv2d(*inputs, padding=1)):
        y = convolve(x, weight, bias)
        towards = torch.cos(torch.arange(y.numel())).view_as(y)
        results.append((y.detach(), *torch.autograd.grad(y, (x, weight, bias), towards)))
    for fast, plain in zip(*results, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-3, atol=1e-4)


def test_only_what_is_asked_for_is_computed() -> None:
    x, weight = torch.randn(1, 2, 8, 8, requires_grad=True), torch.randn(3, 2, 3, 3)
    conv3x3(x, weight, None).sum().backward()
    assert x.grad is not None
    assert weight.grad is None


def test_it_is_used_where_it_pays_off() -> None:
    wide, narrow = torch.zeros(2, 192, 32, 32), torch.zeros(2, 192, 8, 8)
    assert pays_off(wide, 192, 256)
    assert not pays_off(wide, 192, 48)
    assert not pays_off(narrow, 192, 256)
    with torch.no_grad():
        assert not pays_off(wide, 192, 256)
    with torch.autocast("cpu", torch.bfloat16):
        assert not pays_off(wide, 192, 256)


@pytest.mark.parametrize("numbers", [1, 4000, 40_000])
def test_working_part_by_part_changes_nothing(numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(3, 6, 14, 22, requires_grad=True), torch.randn(5, 6, 3, 3, requires_grad=True)
    results = []
    for most in (winograd.PART_NUMBERS, numbers):
        monkeypatch.setattr(winograd, "PART_NUMBERS", most)
        grid = winograd.Grid(3, 14, 22)
        parts = list(grid.parts(6))
        assert len(parts) == {1: 12, 4000: 6, 40_000: 1}.get(most, 1)
        y = conv3x3(x, weight, None)
        results.append((y.detach(), *torch.autograd.grad(y.square().sum(), (x, weight))))
    for whole, parted in zip(*results, strict=True):
        # Float32 sums in another order; gradients reach tens. A part left out or misplaced is off by whole numbers.
        torch.testing.assert_close(whole, parted, rtol=2e-3, atol=2e-3)


def test_spectral_convolutions_give_the_same_either_way() -> None:
    torch.manual_seed(0)
    conv = spectral_conv(192, 192).eval()
    assert isinstance(conv, FastConv2d)
    x = torch.randn(2, 192, 32, 32)
    plain = conv(x)
    set_fast(conv, True)
    fast = conv(x)
    assert not torch.equal(fast, plain)
    torch.testing.assert_close(fast, plain, rtol=1e-3, atol=1e-4)
