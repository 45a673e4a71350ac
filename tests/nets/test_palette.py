import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from photochrom.nets.palette import Palette, fit_palette


def full_palette() -> Palette:
    axis = torch.arange(-110, 120, 10.0)
    bins = torch.cartesian_prod(axis, axis)
    return Palette(bins, torch.full((len(bins),), 1 / len(bins)))


@given(st.floats(-105, 105), st.floats(-105, 105))
def test_encoding_keeps_the_mean_colour(a: float, b: float) -> None:
    palette = full_palette()
    bins, weights = palette.encode(torch.tensor([[a, b]]))
    mean = (palette.bins_ab[bins[0]] * weights[0][:, None]).sum(0)
    torch.testing.assert_close(mean, torch.tensor([a, b]), atol=1e-3, rtol=0)
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))


def test_decoding_anneals_from_the_mean_to_the_mode() -> None:
    palette = Palette(torch.tensor([[0.0, 0.0], [50.0, 10.0]]), torch.tensor([0.5, 0.5]))
    logits = torch.tensor([0.75, 0.25]).log().view(1, 2, 1, 1)
    mean, mode = palette.decode(logits, 1.0).flatten(), palette.decode(logits, 0.05).flatten()
    torch.testing.assert_close(mean, torch.tensor([12.5, 2.5]))
    torch.testing.assert_close(mode, torch.tensor([0.0, 0.0]), atol=1e-3, rtol=0)


def test_colours_without_a_bin_weigh_nothing() -> None:
    palette = Palette(torch.tensor([[0.0, 0.0], [10.0, 0.0]]), torch.tensor([0.5, 0.5]))
    _, weights = palette.encode(torch.tensor([[90.0, 90.0], [4.0, 0.0]]))
    assert weights[0].sum() == 0
    torch.testing.assert_close(weights[1].sum(), torch.tensor(1.0))


def test_fitted_palette_holds_the_sampled_colours_and_prefers_rare_ones() -> None:
    rng = np.random.default_rng(0)
    common, rare = rng.normal(0, 3, (20_000, 2)), rng.normal((60, 40), 2, (400, 2))
    palette = fit_palette(np.concatenate([common, rare]).astype(np.float32), rebalancing=0.5)
    bins = palette.bins_ab
    assert abs(float(palette.shares.sum()) - 1) < 1e-5
    assert abs(float((palette.shares * palette.weights).sum()) - 1) < 1e-5
    at_grey = palette.weights[(bins == torch.tensor([0.0, 0.0])).all(1)]
    at_rare = palette.weights[(bins == torch.tensor([60.0, 40.0])).all(1)]
    assert at_rare > 2 * at_grey
