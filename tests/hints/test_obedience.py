"""That the colour asked for is the colour shown, on the thing it lies on."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom import Colorizer, FakeEngine, Hint, Photo
from photochrom.color import chroma_from_ab, ciede2000, lab_from_srgb, merge_luma_chroma
from photochrom.coloring.hearing import keep_near
from photochrom.coloring.prediction import Prediction, View
from photochrom.coloring.reference import PARTLY, belief
from photochrom.hints import spreading
from photochrom.hints.drawing import draw
from photochrom.luma import luma_codes


class HardOfHearing(FakeEngine):
    """A net that takes hints and does as it likes."""

    def _told(self, ab, hints):
        return ab


def two_things(noise: float = 2.0) -> np.ndarray:
    """Return (480, 720, 1): darker on the left, lighter on the right, with grain."""
    tone = np.where(np.arange(720) < 360, 100.0, 165.0) + np.random.default_rng(0).normal(0, noise, (480, 720))
    return np.clip(np.rint(tone), 0, 255).astype(np.uint8)[..., None]


def lab_of(pixels: np.ndarray) -> np.ndarray:
    return lab_from_srgb(pixels / 255.0)


def asked(hint: Hint, luma: float) -> np.ndarray:
    tone, ab = np.array([luma]), np.array([hint.ab])
    return lab_from_srgb(merge_luma_chroma(tone, chroma_from_ab(tone, ab)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine", [pytest.param(FakeEngine(hears=True), marks=pytest.mark.slow), HardOfHearing(hears=True)]
)
def test_the_colour_asked_for_is_shown_and_the_neighbour_keeps_its_own(engine: FakeEngine) -> None:
    pixels, hint = two_things(), Hint(point=(0.47, 0.5), color="#406080")
    plain, hinted = (lab_of(Colorizer(engine=engine).run(Photo(pixels), told).photo.pixels) for told in ((), (hint,)))
    spot = hinted[238:243, 336:341].reshape(-1, 3).mean(axis=0, keepdims=True)
    assert ciede2000(spot, asked(hint, float(pixels[238:243, 336:341].mean() / 255)))[0] < 3
    change = ciede2000(hinted, plain)
    assert change[238:243, 320:350].mean() > 5
    assert change[200:280, 375:450].mean() < 0.1 * change[238:243, 320:350].mean()
    assert change[:, 600:].mean() < 0.1


@pytest.mark.slow
def test_on_one_thing_a_hint_carries_as_far_as_its_reach() -> None:
    pixels = two_things(0)

    def width_of(reach: float) -> int:
        engine = HardOfHearing(hears=True)
        plain, hinted = (
            lab_of(Colorizer(engine=engine).run(Photo(pixels), told).photo.pixels)
            for told in ((), (Hint(point=(0.25, 0.5), color="navy", reach=reach),))
        )
        return int((ciede2000(hinted, plain)[240] > 2).sum())

    short, long = width_of(0.1), width_of(0.2)
    assert 60 < short < 110 < long < 210


def test_two_hints_on_one_thing_part_within_a_few_cells() -> None:
    hints = [Hint(point=(0.6, 0.5), color=(40, 20), reach=0.5), Hint(point=(0.9, 0.5), color=(-40, 20), reach=0.5)]
    result = Colorizer(engine=HardOfHearing(hears=True, ab=(0.0, 0.0))).run(Photo(two_things(0)), hints)
    row = lab_of(result.photo.pixels)[240, 432:648, 1]
    assert row[:85].min() > 30
    assert row[-85:].max() < -30


def test_the_luma_is_untouched_whatever_is_asked() -> None:
    pixels = two_things()[::2, ::2]
    region = [(0, 0), (1, 0), (1, 1)]
    hints = [Hint(region=region, color="yellow"), Hint(stroke=[(0.1, 0.9), (0.4, 0.7)], color="blue", width=0.1)]
    coloured = Colorizer(engine=FakeEngine(hears=True)).run(Photo(pixels), hints).photo.pixels
    assert np.array_equal(luma_codes(coloured), pixels[..., 0])


def test_what_a_tone_cannot_show_and_what_is_ignored_is_told() -> None:
    dark = np.full((64, 96, 1), 20, dtype=np.uint8)
    dark[20:40] = 200
    notes = Colorizer(engine=FakeEngine(hears=True)).run(Photo(dark), [Hint(point=(0.5, 0.1), color="yellow")]).notes
    assert "hint 1: too strong for this tone, shown weaker" in notes
    assert "lightness of hints ignored: the photograph keeps its own" in notes


@pytest.mark.slow
def test_a_weak_hint_is_followed_in_part() -> None:
    pixels = two_things(0)

    def a_at_spot(weight: float) -> float:
        hint = Hint(point=(0.25, 0.5), color=(40.0, 0.0), weight=weight)
        return float(
            lab_of(Colorizer(engine=FakeEngine(ab=(0, 0), hears=True)).run(Photo(pixels), [hint]).photo.pixels)[
                240, 180, 1
            ]
        )

    assert 10 < a_at_spot(0.5) < 35 < a_at_spot(1.0)


def test_hints_of_no_weight_in_the_picture_cost_nothing_elsewhere() -> None:
    engine = FakeEngine(hears=True)
    plain = Colorizer(engine=engine).run(Photo(two_things()), ()).photo.pixels
    assert np.array_equal(plain, Colorizer(engine=FakeEngine()).run(Photo(two_things())).photo.pixels)


def test_a_references_colours_stay_near_what_matches() -> None:
    luma = np.full((96, 128), 0.5, dtype=np.float32)
    told, without = (
        Prediction(
            np.full((2, 24, 32), ab, dtype=np.float32), (View(128, 96),), 0.0, {"logits": np.full((3, 24, 32), ab)}
        )
        for ab in (40.0, 0.0)
    )
    match = Hint(point=(0.25, 0.5), color=(40.0, 40.0), by="reference")
    kept = keep_near(told, without, [match], luma)
    assert kept.ab[:, 12, 8].min() > 0.97 * 40 * PARTLY  # one place of all matched
    assert (kept.ab[:, :, 16:] == 0).all()
    assert (kept.extras["logits"][:, :, 16:] == 0).all()
    falling = kept.ab[0, 12, 8:16]
    assert (np.diff(falling) <= 0).all()
    assert len(np.unique(falling)) > 3


def test_a_reference_that_matches_in_few_places_is_believed_in_part() -> None:
    assert belief(0.1) == belief(0.25) == PARTLY
    assert PARTLY < belief(0.3) < belief(0.35) < 1
    assert belief(0.45) == belief(1.0) == 1


@pytest.mark.parametrize("reach", [0.05, 0.2, 0.5])
def test_only_cells_within_reach_are_looked_at_and_nothing_is_lost_by_it(
    reach: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    luma = np.clip(0.5 + np.cumsum(rng.normal(0, 0.004, (90, 120)), axis=1), 0, 1).astype(np.float32)
    ab = rng.normal(0, 10, (2, 90, 120)).astype(np.float32)
    hints = [Hint(point=(0.2, 0.3), color="seagreen", reach=reach), Hint(point=(0.3, 0.4), color="navy", reach=reach)]
    drawn = draw(hints, luma)
    quick = spreading.obey(ab, luma, drawn)
    monkeypatch.setattr(spreading, "_within_reach", lambda *_: (slice(0, 90), slice(0, 120)))
    assert np.allclose(quick, spreading.obey(ab, luma, drawn), atol=1e-4)
    assert (quick != ab).any()
