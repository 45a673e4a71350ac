"""A hint that the net thinks unlikely keeps to the thing it lies on; a likely one is carried as the net carries it."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom import ColorizeOptions, FakeEngine, Hint
from photochrom.coloring.hearing import Answers, hear
from photochrom.coloring.prediction import Prediction, View
from photochrom.coloring.remembered import Remembered
from photochrom.hints.drawing import draw
from photochrom.hints.wishes import find_wishes, keep_to_things

HEIGHT, WIDTH = 60, 80
BINS = np.array([(0, 0), (40, 0), (0, 40)], dtype=np.float32)
RED = Hint(point=(0.25, 0.5), color=(40.0, 0.0))


def two_tones() -> np.ndarray:
    """Return luma (h, w): darker on the left half."""
    return np.broadcast_to(np.where(np.arange(WIDTH) < WIDTH // 2, 0.4, 0.7), (HEIGHT, WIDTH)).astype(np.float32)


def grey(planes: int = 2) -> np.ndarray:
    return np.zeros((planes, HEIGHT, WIDTH), dtype=np.float32)


def logits_of(red: float) -> np.ndarray:
    """Return a distribution over BINS with this share of red, the rest grey."""
    shares = np.array([1 - red - 1e-6, red, 1e-6], dtype=np.float32)
    return np.broadcast_to(np.log(shares)[:, None, None], (3, HEIGHT, WIDTH))


@pytest.mark.parametrize(("red", "wishful"), [(0.2, {}), (0.001, {0: 1.0}), (0.03, {0: pytest.approx(0.57, abs=0.01)})])
def test_a_hint_is_a_wish_as_far_as_the_net_thinks_it_unlikely(red: float, wishful: dict[int, float]) -> None:
    assert find_wishes(grey(), logits_of(red), BINS, draw([RED], two_tones())) == wishful


def test_what_is_near_the_nets_own_colour_is_no_wish_however_sure_it_is() -> None:
    near = Hint(point=(0.25, 0.5), color=(20.0, 0.0))
    assert find_wishes(grey(), logits_of(0.001), BINS, draw([near], two_tones())) == {}


def test_across_an_edge_what_a_wish_changes_is_taken_back_and_on_its_thing_made_whole() -> None:
    luma, told = two_tones(), grey()
    told[0] = np.where(luma < 0.5, 30.0, 15.0)
    kept = keep_to_things(told, grey(), luma, draw([RED], luma), {0: 1.0}) * told[0]
    assert np.allclose(kept[:, : WIDTH // 2], 40, atol=0.5)
    assert (kept[:, WIDTH // 2 :] == 0).all()


@pytest.mark.parametrize(("beside", "arrives"), [(0.54, 39.0), (0.85, 0.0)])
def test_light_and_shadow_of_a_thing_take_a_wish_that_the_net_carries_and_quite_another_tone_does_not(
    beside: float, arrives: float
) -> None:
    """As a white shirt beside an arm that shall be green."""
    luma, told = two_tones(), grey()
    luma = np.where(luma < 0.5, luma, beside).astype(np.float32)
    told[0] = 38.0
    kept = keep_to_things(told, grey(), luma, draw([RED], luma), {0: 1.0}) * told[0]
    assert np.allclose(kept[:, : WIDTH // 2], 40, atol=2.5)
    assert np.allclose(kept[:, WIDTH // 2 :], arrives, atol=2.5)


def test_half_a_wish_is_kept_half() -> None:
    luma, told = two_tones(), np.full((2, HEIGHT, WIDTH), 15.0, dtype=np.float32)
    kept = keep_to_things(told, grey(), luma, draw([RED], luma), {0: 0.5})
    assert np.allclose(kept[:, WIDTH // 2 :], 0.5)


def test_each_of_two_wishes_keeps_its_own_side() -> None:
    luma, told = two_tones(), grey()
    blue = Hint(point=(0.75, 0.5), color=(0.0, -40.0))
    told[0, :, : WIDTH // 2], told[1, :, WIDTH // 2 :] = 25.0, -25.0
    kept = keep_to_things(told, grey(), luma, draw([RED, blue], luma), {0: 1.0, 1: 1.0}) * told
    assert np.allclose(kept[0, :, : WIDTH // 2], 40, atol=0.5)
    assert np.allclose(kept[1, :, WIDTH // 2 :], -40, atol=0.5)


def test_a_painting_of_many_colours_costs_a_bounded_number_of_looks() -> None:
    rng = np.random.default_rng(2)
    hints = [
        Hint(point=(float(x), float(y)), color=(float(a), float(b)))
        for x, y, a, b in np.concatenate([rng.uniform(0, 1, (300, 2)), rng.uniform(-80, 80, (300, 2))], axis=1)
    ]
    luma, told = two_tones(), rng.normal(0, 20, (2, HEIGHT, WIDTH)).astype(np.float32)
    kept = keep_to_things(told, grey(), luma, draw(hints, luma), dict.fromkeys(range(300), 1.0))
    assert np.isfinite(kept).all()
    assert kept.min() >= 0


def asked_for(hints_by_turn: list[list[Hint]], kept: dict | None) -> list[int]:
    """Return how often the net was run by the end of each turn."""
    runs, after = [], []

    def ask(told: np.ndarray | None, extras: tuple[str, ...]) -> Prediction:
        runs.append(told)
        ab = np.zeros((2, 15, 20), dtype=np.float32) if told is None else told[:2, ::4, ::4]
        return Prediction(ab, (View(80, 60),), 0.0, {"logits": logits_of(0.001)[:, :15, :20]} if extras else {})

    spec = FakeEngine(hears=True).spec.model_copy(update={"bins_ab": tuple(map(tuple, BINS.tolist()))})
    for hints in hints_by_turn:
        weighs = kept is not None or any(hint.by == "person" for hint in hints)
        hear(hints, Answers(ask, two_tones(), spec, weighs=weighs, kept={} if kept is None else kept))
        after.append(len(runs))
    return after


def test_a_changed_wish_costs_one_run_of_a_picture_that_is_held_ready_and_two_of_another() -> None:
    moved = RED.model_copy(update={"point": (0.3, 0.5)})
    assert asked_for([[], [RED], [moved], [moved]], {}) == [1, 2, 3, 3]
    assert asked_for([[], [RED]], None) == [1, 3]


def test_beside_a_wish_the_other_hints_are_told_alone_once() -> None:
    likely = Hint(point=(0.75, 0.5), color=(10.0, 0.0))
    moved = RED.model_copy(update={"point": (0.3, 0.5)})
    assert asked_for([[likely, RED], [likely, moved]], {}) == [3, 4]


def test_a_reference_makes_no_wishes() -> None:
    lent = RED.model_copy(update={"by": "reference"})
    assert asked_for([[lent]], {}) == [2]  # told of it, and not


def test_what_the_net_said_with_other_options_is_forgotten() -> None:
    remembered, spec = Remembered(np.zeros((4, 4, 1), dtype=np.uint8)), FakeEngine(hears=True).spec
    known = remembered.answers(spec, ColorizeOptions())
    assert remembered.answers(spec, ColorizeOptions()) is known
    assert remembered.answers(spec, ColorizeOptions(vividness=0.5)) is not known
    assert remembered.answers(spec, ColorizeOptions()) is not known
