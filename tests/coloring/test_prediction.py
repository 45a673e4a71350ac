"""Which copies the net is shown, and how its answers become one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.coloring.pipeline import colorize_photo
from photochrom.coloring.prediction import (
    View,
    annealed_mean,
    be_cautious,
    choose_views,
    enlarge,
    predict,
    resize_hints,
    show,
)
from photochrom.engines.base import FakeEngine, ModelSpec
from photochrom.errors import ModelError
from photochrom.files.photo import Photo
from photochrom.options import ColorizeOptions

SPEC = FakeEngine(render_px=224).spec


def test_a_photograph_gets_views_that_differ_largest_first() -> None:
    views = choose_views(3000, 2000, SPEC)
    assert len(views) == len(set(views)) > 1
    assert [view.width * view.height for view in views] == sorted(
        (view.width * view.height for view in views), reverse=True
    )
    assert any(view.mirrored for view in views)


def test_a_size_asked_for_is_the_only_view() -> None:
    assert choose_views(3000, 2000, SPEC, 128) == (View(192, 128),)


def test_a_dot_gets_no_two_equal_views() -> None:
    views = choose_views(1, 1, SPEC)
    assert set(views) == {View(2, 2), View(2, 2, mirrored=True)}


@given(st.integers(1, 5000), st.integers(1, 5000))
@settings(max_examples=100, deadline=None)
def test_views_keep_the_aspect_and_fit_the_grid(width: int, height: int) -> None:
    for view in choose_views(width, height, SPEC):
        assert view.width % SPEC.output_stride == view.height % SPEC.output_stride == 0
        assert view.width * view.height <= 4 * (2 * SPEC.render_px) ** 2
        scale = view.width / width
        assert abs(view.height - height * scale) <= max(SPEC.output_stride, SPEC.output_stride * height / width)


def luma_as_ab(luma: np.ndarray) -> np.ndarray:
    return np.concatenate([100 * luma, -100 * luma], axis=1)


def test_a_mirrored_view_comes_back_the_right_way_round() -> None:
    luma = np.random.default_rng(0).random((48, 70), dtype=np.float32)
    engine = FakeEngine(ab=lambda luma: luma_as_ab(luma[..., ::1]))
    plain = show(luma, View(70, 48), engine, ("ab",))["ab"]
    mirrored = show(luma, View(70, 48, mirrored=True), engine, ("ab",))["ab"]
    # The net sees every second pixel, from either side: what comes back is the same up to that one pixel.
    assert plain.shape == mirrored.shape == (2, 24, 35)
    assert np.allclose(mirrored[0], 100 * luma[::2, 1::2], atol=1e-4)
    assert np.allclose(plain[0], 100 * luma[::2, ::2], atol=1e-4)


def test_the_mean_of_views_and_how_far_they_lie_apart() -> None:
    calls = iter([10.0, 30.0])
    engine = FakeEngine(ab=lambda luma: np.full((1, 2, *luma.shape[2:]), next(calls)))
    found = predict(np.zeros((64, 64), np.float32), [View(64, 64), View(32, 32)], engine)
    assert found.ab.shape == (2, 32, 32)
    assert np.allclose(found.ab, 20)
    assert found.disagreement == pytest.approx(np.hypot(10, 10))
    assert found.note == "net run at 64 x 64 and 32 x 32: colours agree within 14.1 Lab units"


def test_one_view_is_the_nets_answer_to_the_bit() -> None:
    luma = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    found = predict(luma, [View(64, 64)], FakeEngine(ab=luma_as_ab))
    assert np.array_equal(found.ab, luma_as_ab(luma[None, None, ::2, ::2])[0])
    assert found.disagreement == 0
    assert found.note == "net run at 64 x 64"


@dataclass(frozen=True)
class Broken(FakeEngine):
    """An engine one of whose outputs is spoilt."""

    output: str = "ab"
    spoil: Callable[[np.ndarray], np.ndarray] = lambda values: values

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, np.ndarray]:
        found = super().run(inputs, outputs)
        return {name: self.spoil(values) if name == self.output else values for name, values in found.items()}


@pytest.mark.parametrize("output", ["ab", "confidence"])
def test_no_output_with_nan_or_of_a_wrong_shape_goes_further(output: str) -> None:
    photo, options = Photo(np.zeros((40, 40, 1), np.uint8)), ColorizeOptions(uncertainty=True)
    for spoil, message in (
        (lambda x: x * np.nan, "not numbers"),
        (lambda x: x * 0 + 3e38, f"beyond what {output} can be"),
        (lambda x: x * 0 - 1e4, f"beyond what {output} can be"),
        (lambda x: x[..., :-1], "shape"),
    ):
        with pytest.raises(ModelError, match=message):
            colorize_photo(photo, Broken(output=output, spoil=spoil), options)


def test_enlarging_keeps_constants_and_shape() -> None:
    assert np.allclose(enlarge(np.full((3, 4, 5), 7.0), 50, 40), 7)
    assert enlarge(np.zeros((3, 4, 5)), 50, 40).shape == (3, 40, 50)


def test_a_spec_of_an_odd_size_gets_views_of_its_multiple() -> None:
    spec = ModelSpec(contract="color/1", name="odd", render_px=100)
    shorts = {min(view.width, view.height) for view in choose_views(2000, 2000, spec)}
    assert 100 in shorts
    assert all(short == 100 or short % 32 == 0 for short in shorts)


def test_the_confidence_comes_with_the_result_and_as_a_picture() -> None:
    photo = Photo(np.full((60, 90, 1), 120, np.uint8))
    result = colorize_photo(photo, FakeEngine(), ColorizeOptions(uncertainty=True))
    assert result.confidence is not None
    assert result.confidence.dtype == np.float32
    assert result.confidence.shape == (result.render_height // 2, result.render_width // 2)
    picture = result.uncertainty
    assert picture is not None
    assert picture.pixels.shape == (60, 90, 1)
    assert (picture.pixels == 255).all()  # the fake is always sure
    without = colorize_photo(photo, FakeEngine(), ColorizeOptions())
    assert without.confidence is None
    assert without.companions == []
    assert np.array_equal(without.photo.pixels, result.photo.pixels)


REBALANCED = ModelSpec(
    contract="color/1",
    name="two colours",
    render_px=64,
    bins_ab=((0.0, 0.0), (60.0, 0.0)),
    bin_shares=(0.9, 0.1),
    rebalancing=0.5,
)


def test_full_caution_gives_the_true_distribution() -> None:
    """The optimum of a weighted cross entropy is w times the posterior: dividing by w gives the posterior back."""
    posterior = np.array([0.7, 0.3])
    weights = 1 / (0.5 * np.array(REBALANCED.bin_shares) + 0.25)
    trained = np.log(posterior * weights).astype(np.float32)[:, None, None]
    cautious = be_cautious({"logits": trained}, REBALANCED, 1.0)
    assert cautious["ab"][0, 0, 0] == pytest.approx(0.3 * 60, abs=1e-3)
    trained_red = annealed_mean(trained, np.array(REBALANCED.bins_ab, np.float32), 1.0)[0, 0, 0]
    half = be_cautious({"logits": trained}, REBALANCED, 0.5)["ab"][0, 0, 0]
    assert 0.3 * 60 < half < trained_red


def test_caution_fades_unsure_colours_more_than_sure_ones() -> None:
    bins = np.array(REBALANCED.bins_ab, np.float32)
    logits = np.array([[0.0, 0.0], [0.5, 8.0]], np.float32)[:, None]  # unsure red, sure red
    before = annealed_mean(logits, bins, 1.0)[0, 0]
    after = be_cautious({"logits": logits}, REBALANCED, 1.0)["ab"][0, 0]
    assert after[0] / before[0] < 0.7
    assert after[1] / before[1] > 0.99


def test_a_sharper_mean_comes_nearer_to_the_mode() -> None:
    logits = np.array([0.0, 1.0], np.float32)[:, None, None]
    bins = np.array(REBALANCED.bins_ab, np.float32)
    means = [annealed_mean(logits, bins, t)[0, 0, 0] for t in (1.0, 0.5, 0.1)]
    assert means == sorted(means)
    assert means[-1] == pytest.approx(60, abs=0.01)


@dataclass(frozen=True)
class Speaker(FakeEngine):
    """A net that tells its colours' shares, (0.5, 0.5) of the first view and (0.99, 0.01) of the second."""

    views: Iterator[tuple[float, float]] = field(default_factory=lambda: iter([(0.5, 0.5), (0.99, 0.01)]))

    @property
    def spec(self) -> ModelSpec:
        return REBALANCED

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, np.ndarray]:
        size = tuple(side // 2 for side in inputs["luma"].shape[2:])
        logits = np.broadcast_to(np.log(next(self.views))[:, None, None], (2, *size)).astype(np.float32)
        ab = annealed_mean(logits, np.array(REBALANCED.bins_ab, np.float32), REBALANCED.temperature)
        known = {"ab": ab[None], "logits": logits[None]}
        return {name: known[name] for name in outputs}


def test_what_one_view_excludes_is_excluded() -> None:
    found = predict(np.zeros((64, 64), np.float32), [View(64, 64), View(64, 64, mirrored=True)], Speaker())
    mean = np.array([0.5 * 0.99, 0.5 * 0.01]) ** (0.5 / REBALANCED.temperature)
    assert np.allclose(found.ab[0], 60 * mean[1] / mean.sum(), atol=1e-3)
    assert found.extras == {}


def test_the_confidence_is_lower_where_views_disagree() -> None:
    calls = iter([10.0, 30.0])

    def net(luma: np.ndarray) -> np.ndarray:
        ab = np.zeros((1, 2, *luma.shape[2:]))
        ab[..., luma.shape[3] // 2 :] = next(calls)
        return ab

    views = [View(64, 64), View(64, 64, mirrored=False)]
    found = predict(np.zeros((64, 64), np.float32), views, FakeEngine(ab=net), ("confidence",))
    left, right = found.extras["confidence"][0, :, :16], found.extras["confidence"][0, :, 16:]
    assert np.allclose(left, 1)
    assert np.allclose(right, 1 / (1 + np.hypot(10, 10) / 10))


def test_hints_reach_every_view_where_they_lie() -> None:
    engine = FakeEngine(ab=(0.0, 0.0), render_px=64, hears=True)
    hints = np.zeros((3, 64, 96), dtype=np.float32)
    hints[:, 16:32, 64:80] = np.array([30, -20, 1])[:, None, None]
    views = choose_views(96, 64, engine.spec)
    predicted = predict(np.full((64, 96), 0.5, dtype=np.float32), views, engine, hints=hints)
    middle, elsewhere = predicted.ab[:, 12, 36], predicted.ab[:, 24, 8]
    np.testing.assert_allclose(middle, (30, -20), atol=1e-4)
    np.testing.assert_allclose(elsewhere, (0, 0), atol=1e-4)


def test_a_lone_hint_does_not_fade_in_a_smaller_copy() -> None:
    hints = np.zeros((3, 64, 96), dtype=np.float32)
    hints[:, 10, 50] = (25, 5, 0.7)
    small = resize_hints(hints, 48, 32)
    np.testing.assert_allclose(small[:, 5, 25], (25, 5, 0.7), rtol=1e-6)
    assert np.count_nonzero(small) == 3


def test_hints_for_a_model_that_cannot_hear_are_refused_not_dropped() -> None:
    hints = np.zeros((3, 64, 64), dtype=np.float32)
    with pytest.raises(ModelError, match="no input 'hints'"):
        predict(np.full((64, 64), 0.5, dtype=np.float32), (View(64, 64),), FakeEngine(), hints=hints)


DETAILED = FakeEngine(render_px=224, detail_px=448).spec


def test_a_photograph_with_more_pixels_is_shown_larger_too_unless_speed_is_wanted() -> None:
    assert choose_views(3000, 2000, DETAILED) == (View(672, 448, mirrored=True), View(336, 224))
    assert choose_views(3000, 2000, DETAILED, detailed=False) == choose_views(3000, 2000, SPEC)
    assert choose_views(3000, 2000, DETAILED, 128) == (View(192, 128),)


def test_a_small_photograph_is_not_enlarged_to_see_details() -> None:
    assert choose_views(300, 223, DETAILED) == choose_views(300, 223, SPEC)
    assert choose_views(400, 320, DETAILED) == (View(400, 320, mirrored=True), View(280, 224))


def test_what_views_of_two_sizes_say_meets_on_the_grid_of_the_larger() -> None:
    engine = FakeEngine(ab=luma_as_ab, render_px=32, detail_px=64)
    views = choose_views(64, 64, engine.spec)
    found = predict(np.random.default_rng(0).random((64, 64), dtype=np.float32), views, engine)
    assert found.ab.shape == (2, 32, 32)
    assert found.note.startswith("net run at 64 x 64 mirrored and 32 x 32: ")
